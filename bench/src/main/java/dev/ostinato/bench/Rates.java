package dev.ostinato.bench;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * What a call amounts to, in thousands, so that JMH's operations per microsecond read as GFLOP/s and GB/s. JMH sets both to zero before
 * each iteration.
 */
@AuxCounters(AuxCounters.Type.OPERATIONS)
@State(Scope.Thread)
public class Rates {
    public double gigaflops;
    public double gigabytes;

    /** Counts one call. */
    void count(double operations, double bytes) {
        gigaflops += operations * 1e-3;
        gigabytes += bytes * 1e-3;
    }
}
