package dev.ostinato.openblas;

import dev.ostinato.kernels.Backend;
import dev.ostinato.kernels.Backends;
import dev.ostinato.kernels.KernelSet;
import org.jspecify.annotations.Nullable;

/** What the backends on a BLAS have in common: they load their library when they are first asked about it, and once. */
abstract sealed class BlasBackend implements Backend permits OpenBlasBackend, SystemBlasBackend {
    /** System property: threads of a call, from 1. */
    static final String THREADS = "ostinato.blas.threads";

    private final String name;
    private final String binding;
    private @Nullable Outcome outcome;

    /** A library, or the reason why there is none. */
    private record Outcome(@Nullable Cblas blas, String reason) {}

    BlasBackend(String name, String binding) {
        this.name = name;
        this.binding = binding;
    }

    /** Loads the library, and has it compute with so many threads. */
    abstract Cblas load(int threads) throws UnusableException;

    private synchronized Outcome outcome() {
        Outcome known = outcome;
        if (known == null) {
            known = attempt();
            outcome = known;
        }
        return known;
    }

    private Outcome attempt() {
        try {
            return new Outcome(load(threads()), "");
        } catch (UnusableException e) {
            return new Outcome(null, String.valueOf(e.getMessage()));
        } catch (LinkageError e) {
            return new Outcome(null, "the libraries of Java that it needs: " + e);
        }
    }

    private static int threads() throws UnusableException {
        String value = System.getProperty(THREADS, "1");
        try {
            int threads = Integer.parseInt(value);
            if (threads > 0) {
                return threads;
            }
        } catch (NumberFormatException e) {
            // said below
        }
        throw new UnusableException("-D" + THREADS + ": expected a number from 1, got " + value);
    }

    @Override
    public final String name() {
        return name;
    }

    @Override
    public final String description() {
        Cblas blas = outcome().blas();
        return blas == null ? binding : binding + ", " + blas.description();
    }

    @Override
    public final Status status() {
        Outcome known = outcome();
        return known.blas() == null ? Status.unavailable(known.reason()) : Status.AVAILABLE;
    }

    @Override
    public final KernelSet kernels() {
        Outcome known = outcome();
        Cblas blas = known.blas();
        if (blas == null) {
            throw new IllegalStateException(known.reason());
        }
        return new BlasKernels(blas, Backends.auto().backend().kernels());
    }

    /** A BLAS orders its sums as it likes. */
    @Override
    public final boolean exact() {
        return false;
    }
}
