package dev.ostinato.kernels.vector;

import dev.ostinato.kernels.Backend;
import dev.ostinato.kernels.KernelSet;
import dev.ostinato.kernels.raw.Probe;
import jdk.incubator.vector.FloatVector;

/** The backend on the JDK's Vector API. */
public final class VectorBackend implements Backend, Probe.Source {
    private final Status status;

    private VectorBackend(Status status) {
        this.status = status;
    }

    /** Returns the backend, available or not. @throws LinkageError if this JDK's Vector API is not the one it was built for */
    public static VectorBackend create() {
        if (!Lanes.VALID) {
            return new VectorBackend(
                    Status.unavailable(Lanes.PROPERTY + ": expected 128, 256 or 512, got " + Lanes.REQUESTED));
        }
        if (FloatVector.SPECIES_PREFERRED.length() < 4) {
            return new VectorBackend(Status.unavailable("the processor has no SIMD that the JVM can use"));
        }
        return new VectorBackend(Status.AVAILABLE);
    }

    @Override
    public String name() {
        return "vector";
    }

    @Override
    public String description() {
        return "JDK Vector API, " + Lanes.SPECIES.vectorBitSize() + " bits";
    }

    @Override
    public String isa() {
        return Lanes.SPECIES.vectorBitSize() + "-bit";
    }

    @Override
    public Status status() {
        return status;
    }

    @Override
    public KernelSet kernels() {
        if (!status.available()) {
            throw new IllegalStateException(status.reason());
        }
        return new VectorKernels();
    }

    @Override
    public Probe probe() {
        if (!status.available()) {
            throw new IllegalStateException(status.reason());
        }
        return new VectorProbe();
    }
}
