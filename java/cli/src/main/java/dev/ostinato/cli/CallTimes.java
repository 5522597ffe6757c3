package dev.ostinato.cli;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.function.DoubleConsumer;
import org.HdrHistogram.Histogram;

/**
 * How long calls take. The service time is that of calls back to back, less what it costs to look at the clock; the open-loop time
 * begins when a call was due, at a constant rate, whether or not the one before was done, so that a wait is not left out.
 */
final class CallTimes {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final long LONGEST = TimeUnit.HOURS.toNanos(1);
    private static final int DIGITS = 3;
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    private final Histogram nanos = new Histogram(LONGEST, DIGITS);
    private long elapsed;
    private long allocated;

    private CallTimes() {}

    /**
     * Measures service times.
     *
     * @param progress hears after each second how many have passed
     */
    static CallTimes service(Workload work, double seconds, DoubleConsumer progress) {
        CallTimes times = new CallTimes();
        long clock = clockNanos();
        long limit = (long) (seconds * SECOND);
        while (times.elapsed < limit) {
            times.service(work, Math.min(SECOND, limit - times.elapsed), clock);
            progress.accept((double) times.elapsed / SECOND);
        }
        return times;
    }

    private void service(Workload work, long duration, long clock) {
        long bytes = THREADS.getCurrentThreadAllocatedBytes();
        long start = System.nanoTime();
        long after;
        do {
            long before = System.nanoTime();
            work.call();
            after = System.nanoTime();
            nanos.recordValue(Math.clamp(after - before - clock, 0, LONGEST));
        } while (after - start < duration);
        elapsed += after - start;
        allocated += THREADS.getCurrentThreadAllocatedBytes() - bytes;
    }

    /** Measures open-loop times of calls that are due every {@code interval} nanoseconds. */
    static CallTimes openLoop(Workload work, double interval, double seconds) {
        CallTimes times = new CallTimes();
        long calls = Math.max(1, (long) (seconds * SECOND / interval));
        long start = System.nanoTime();
        for (long i = 0; i < calls; i++) {
            long due = start + (long) (i * interval);
            while (System.nanoTime() < due) {
                Thread.onSpinWait();
            }
            work.call();
            times.nanos.recordValue(Math.clamp(System.nanoTime() - due, 0, LONGEST));
        }
        times.elapsed = System.nanoTime() - start;
        return times;
    }

    /** Returns what a look at the clock costs. */
    static long clockNanos() {
        long[] costs = new long[20_001];
        for (int i = 0; i < costs.length; i++) {
            long before = System.nanoTime();
            costs[i] = System.nanoTime() - before;
        }
        Arrays.sort(costs);
        return costs[costs.length / 2];
    }

    long calls() {
        return nanos.getTotalCount();
    }

    /** Returns a percentile of the nanoseconds of a call. */
    double percentile(double percentile) {
        return nanos.getValueAtPercentile(percentile);
    }

    double max() {
        return nanos.getMaxValue();
    }

    double mean() {
        return nanos.getMean();
    }

    double callsPerSecond() {
        return (double) calls() * SECOND / elapsed;
    }

    /** Returns the bytes that a call left on the heap; no part of open-loop times. */
    double allocatedPerCall() {
        return (double) allocated / calls();
    }
}
