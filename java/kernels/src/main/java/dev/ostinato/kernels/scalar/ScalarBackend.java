package dev.ostinato.kernels.scalar;

import dev.ostinato.kernels.Backend;
import dev.ostinato.kernels.KernelSet;

/** The backend of plain loops; it works everywhere. */
public final class ScalarBackend implements Backend {
    @Override
    public String name() {
        return "scalar";
    }

    @Override
    public String description() {
        return "plain Java, one float at a time; the reference for the others";
    }

    @Override
    public Status status() {
        return Status.AVAILABLE;
    }

    @Override
    public KernelSet kernels() {
        return new ScalarKernels();
    }
}
