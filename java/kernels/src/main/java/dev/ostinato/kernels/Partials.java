package dev.ostinato.kernels;

import dev.ostinato.kernels.raw.Pool;
import dev.ostinato.kernels.raw.Raw;
import java.lang.ref.Reference;

/** The sixteen strided partial results of a reduction, and the fixed tree that makes one of them. */
final class Partials {
    private static final Pool<Partials> POOL = new Pool<>(Partials::new);

    private final Matrix row = Matrix.of(1, Matrix.BLOCK);

    private Partials() {
    }

    /** Returns partials that all are {@code start}; to be given back. */
    static Partials take(float start) {
        Partials partials = POOL.take();
        for (int i = 0; i < Matrix.BLOCK; i++) {
            Raw.set(partials.row.address(), i, start);
        }
        return partials;
    }

    /** Returns the (1, 16) matrix that kernels accumulate into. */
    Matrix row() {
        return row;
    }

    /** Returns the sum of sixteen partials, which it overwrites. */
    static float sum(long p) {
        for (int half = Matrix.BLOCK / 2; half > 0; half /= 2) {
            for (int i = 0; i < half; i++) {
                Raw.set(p, i, Raw.get(p, i) + Raw.get(p, i + half));
            }
        }
        return Raw.get(p);
    }

    /** Ends a sum: {@code p[i] = p[i] + p[i + n/2]} for n = 16, 8, 4, 2. */
    float sum() {
        sum(row.address());
        return give();
    }

    /** Ends a maximum: {@code p[i] = p[i + n/2] > p[i] ? p[i + n/2] : p[i]}. */
    float max() {
        for (int half = Matrix.BLOCK / 2; half > 0; half /= 2) {
            for (int i = 0; i < half; i++) {
                set(i, get(i + half) > get(i) ? get(i + half) : get(i));
            }
        }
        return give();
    }

    /** Ends a minimum: {@code p[i] = p[i + n/2] < p[i] ? p[i + n/2] : p[i]}. */
    float min() {
        for (int half = Matrix.BLOCK / 2; half > 0; half /= 2) {
            for (int i = 0; i < half; i++) {
                set(i, get(i + half) < get(i) ? get(i + half) : get(i));
            }
        }
        return give();
    }

    private float give() {
        float result = get(0);
        Reference.reachabilityFence(this);
        POOL.give(this);
        return result;
    }

    private float get(int i) {
        return Raw.get(row.address(), i);
    }

    private void set(int i, float value) {
        Raw.set(row.address(), i, value);
    }
}
