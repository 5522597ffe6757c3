package dev.ostinato.kernels;

import dev.ostinato.kernels.raw.Probe;
import java.lang.ref.Reference;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;

/**
 * What one core of this machine can do at most: how fast it reads, and how fast it multiplies and adds. Kernels are measured by what share of
 * it they reach.
 *
 * <p>Measured with the instructions of a backend by loops that do nothing else, on the calling thread: warmed up, then the best of many
 * repetitions of about a millisecond, because anything slower is the machine doing something else. Each measurement takes about half a second;
 * on a busy machine all are too low. Safe for all threads, which do disturb each other.
 */
public final class Limits {
    /** Beyond it a buffer is in no cache whatever its size. */
    private static final long MAX_BYTES = 512L << 20;

    private static final long WARM_UP = TimeUnit.MILLISECONDS.toNanos(150);
    private static final long MEASUREMENT = TimeUnit.MILLISECONDS.toNanos(300);
    private static final long REPETITION = TimeUnit.MILLISECONDS.toNanos(1);
    private static final int MIN_REPETITIONS = 5;
    private static final float FACTOR = 0.999f;

    private final Backend backend;
    private final Probe probe;

    private Limits(Backend backend, Probe probe) {
        this.backend = backend;
        this.probe = probe;
    }

    /**
     * Returns the limits as seen by the fastest backend that can tell: {@code native} where there is one, otherwise {@code vector}.
     *
     * @throws IllegalStateException if neither can be used, with the reasons
     */
    public static Limits here() {
        StringBuilder reasons = new StringBuilder();
        for (Backend candidate : Backends.all()) {
            if (candidate.status().available() && candidate instanceof Probe.Source source) {
                return new Limits(candidate, source.probe());
            }
            reasons.append("; ").append(candidate.name()).append(": ").append(candidate.status().reason());
        }
        throw new IllegalStateException("limits: expected the backend native or vector, got neither" + reasons);
    }

    /** Returns the backend whose instructions measure. */
    public Backend backend() {
        return backend;
    }

    /**
     * Measures how many bytes a second one core reads from a buffer that it goes through again and again, with eight sums side by side.
     *
     * @param bytes size of the buffer, at least 1; rounded up to whole kilobytes, and half a gigabyte stands for all that is larger
     * @throws IllegalArgumentException if it is not positive
     * @throws OutOfMemoryError if there is no such buffer
     */
    public double readRate(long bytes) {
        if (bytes < 1) {
            throw new IllegalArgumentException("bytes: expected >= 1, got " + bytes);
        }
        int floats = Math.toIntExact(
                Math.ceilDiv(Math.min(bytes, MAX_BYTES), Probe.READ_FLOATS * (long) Float.BYTES) * Probe.READ_FLOATS);
        Memory buffer = Memory.ofFloats(floats);
        Memory sums = Memory.ofFloats(16);
        double seconds = best(rounds -> probe.reads(rounds, buffer.address(), floats, sums.address()));
        Reference.reachabilityFence(buffer);
        Reference.reachabilityFence(sums);
        return (double) floats * Float.BYTES / seconds;
    }

    /** Measures how many floating-point operations a second one core does, an fma counting as two, in twelve independent chains. */
    public double fmaPeak() {
        Memory chains = Memory.ofFloats(Probe.PRODUCT_FLOATS);
        double seconds = best(rounds -> probe.products(rounds, FACTOR, chains.address()));
        Reference.reachabilityFence(chains);
        return 2.0 * Probe.PRODUCT_FLOATS / seconds;
    }

    /** Returns the seconds of one round. */
    private static double best(IntConsumer probe) {
        int rounds = 1;
        long nanos = time(probe, rounds);
        for (long start = System.nanoTime(); System.nanoTime() - start < WARM_UP;) {
            // Short calls at first: those of interpreted code are slow, and many are what makes the compiler take notice.
            rounds = nanos < REPETITION / 2 && rounds < 1 << 28 ? 2 * rounds : rounds;
            nanos = time(probe, rounds);
            if (nanos > 2 * REPETITION) {
                rounds = Math.max(1, rounds / 2);
            }
        }
        double best = Double.POSITIVE_INFINITY;
        long start = System.nanoTime();
        for (int i = 0; i < MIN_REPETITIONS || System.nanoTime() - start < MEASUREMENT; i++) {
            best = Math.min(best, (double) time(probe, rounds) / rounds);
        }
        return best / TimeUnit.SECONDS.toNanos(1);
    }

    private static long time(IntConsumer probe, int rounds) {
        long start = System.nanoTime();
        probe.accept(rounds);
        return Math.max(1, System.nanoTime() - start);
    }
}
