package dev.ostinato.kernels;

import dev.ostinato.kernels.vector.VectorBackend;

/**
 * Reaches the vector backend without linking to it: its classes need the module {@code jdk.incubator.vector}, which a program that
 * was started without the flag does not have.
 */
final class VectorApi {
    private static final String MODULE = "jdk.incubator.vector";

    private VectorApi() {
    }

    static Backend backend() {
        if (ModuleLayer.boot().findModule(MODULE).isEmpty()) {
            return new Missing("start Java with --add-modules=" + MODULE);
        }
        try {
            return VectorBackend.create();
        } catch (LinkageError e) {
            return new Missing("the Vector API of this JDK does not fit (built for JDK 25): " + e);
        }
    }

    private record Missing(String reason) implements Backend {
        @Override
        public String name() {
            return "vector";
        }

        @Override
        public String description() {
            return "JDK Vector API";
        }

        @Override
        public Status status() {
            return Status.unavailable(reason);
        }

        @Override
        public KernelSet kernels() {
            throw new IllegalStateException(reason);
        }
    }
}
