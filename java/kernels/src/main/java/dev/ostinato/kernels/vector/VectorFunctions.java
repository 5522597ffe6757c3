package dev.ostinato.kernels.vector;

import static dev.ostinato.kernels.vector.Lanes.BYTES;
import static dev.ostinato.kernels.vector.Lanes.load;
import static dev.ostinato.kernels.vector.Lanes.store;
import static dev.ostinato.kernels.vector.VectorRows.rest;

import dev.ostinato.kernels.Function;
import jdk.incubator.vector.VectorMask;

/**
 * The functions of {@link VectorElementary} over one row of {@code bytes} bytes. One loop per function: a lambda in a shared loop would
 * be megamorphic, and its vectors objects.
 */
final class VectorFunctions {
    private VectorFunctions() {
    }

    static void apply(Function f, long x, long y, long bytes) {
        switch (f) {
            case EXP -> exp(x, y, bytes);
            case LOG -> log(x, y, bytes);
            case TANH -> tanh(x, y, bytes);
            case SIGMOID -> sigmoid(x, y, bytes);
            case SOFTPLUS -> softplus(x, y, bytes);
            case ERF -> erf(x, y, bytes);
            case GELU -> gelu(x, y, bytes);
            case SILU -> silu(x, y, bytes);
        }
    }

    static void exp(long x, long y, long bytes) {
        long j = 0;
        for (; j + BYTES <= bytes; j += BYTES) {
            store(VectorElementary.exp(load(x + j)), y + j);
        }
        if (j < bytes) {
            VectorMask<Float> rest = rest(bytes - j);
            store(VectorElementary.exp(load(x + j, rest)), y + j, rest);
        }
    }

    static void log(long x, long y, long bytes) {
        long j = 0;
        for (; j + BYTES <= bytes; j += BYTES) {
            store(VectorElementary.log(load(x + j)), y + j);
        }
        if (j < bytes) {
            VectorMask<Float> rest = rest(bytes - j);
            store(VectorElementary.log(load(x + j, rest)), y + j, rest);
        }
    }

    static void tanh(long x, long y, long bytes) {
        long j = 0;
        for (; j + BYTES <= bytes; j += BYTES) {
            store(VectorElementary.tanh(load(x + j)), y + j);
        }
        if (j < bytes) {
            VectorMask<Float> rest = rest(bytes - j);
            store(VectorElementary.tanh(load(x + j, rest)), y + j, rest);
        }
    }

    static void sigmoid(long x, long y, long bytes) {
        long j = 0;
        for (; j + BYTES <= bytes; j += BYTES) {
            store(VectorElementary.sigmoid(load(x + j)), y + j);
        }
        if (j < bytes) {
            VectorMask<Float> rest = rest(bytes - j);
            store(VectorElementary.sigmoid(load(x + j, rest)), y + j, rest);
        }
    }

    static void softplus(long x, long y, long bytes) {
        long j = 0;
        for (; j + BYTES <= bytes; j += BYTES) {
            store(VectorElementary.softplus(load(x + j)), y + j);
        }
        if (j < bytes) {
            VectorMask<Float> rest = rest(bytes - j);
            store(VectorElementary.softplus(load(x + j, rest)), y + j, rest);
        }
    }

    static void erf(long x, long y, long bytes) {
        long j = 0;
        for (; j + BYTES <= bytes; j += BYTES) {
            store(VectorElementary.erf(load(x + j)), y + j);
        }
        if (j < bytes) {
            VectorMask<Float> rest = rest(bytes - j);
            store(VectorElementary.erf(load(x + j, rest)), y + j, rest);
        }
    }

    static void gelu(long x, long y, long bytes) {
        long j = 0;
        for (; j + BYTES <= bytes; j += BYTES) {
            store(VectorElementary.gelu(load(x + j)), y + j);
        }
        if (j < bytes) {
            VectorMask<Float> rest = rest(bytes - j);
            store(VectorElementary.gelu(load(x + j, rest)), y + j, rest);
        }
    }

    static void silu(long x, long y, long bytes) {
        long j = 0;
        for (; j + BYTES <= bytes; j += BYTES) {
            store(VectorElementary.silu(load(x + j)), y + j);
        }
        if (j < bytes) {
            VectorMask<Float> rest = rest(bytes - j);
            store(VectorElementary.silu(load(x + j, rest)), y + j, rest);
        }
    }
}
