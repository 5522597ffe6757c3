package dev.ostinato.kernels;

/**
 * A way of computing the kernels. Backends are found with {@link java.util.ServiceLoader} besides those built in; a backend that cannot
 * be used on this machine is still listed, and says why.
 */
public interface Backend {
    /** Returns the name by which it is asked for, such as {@code vector}. */
    String name();

    /** Returns one line on how it computes and at which width, such as {@code JDK Vector API, 256 bits}. */
    String description();

    /** Returns whether it can be used here, and if not the reason. */
    Status status();

    /**
     * Returns its kernels.
     *
     * @throws IllegalStateException if it is not available; the message is the reason
     */
    KernelSet kernels();

    /** Returns the instructions that it computes with, such as {@code avx512} or {@code 256-bit}; {@code any} if it does not choose. */
    default String isa() {
        return "any";
    }

    /** Whether {@code auto} may pick this backend: it keeps the one arithmetic. */
    default boolean exact() {
        return true;
    }

    /**
     * Availability on this machine.
     *
     * @param available whether the backend can be used
     * @param reason why not, and what to do about it; empty when available
     */
    record Status(boolean available, String reason) {
        /** The status of a backend that can be used. */
        public static final Status AVAILABLE = new Status(true, "");

        /** Returns the status of a backend that cannot be used. */
        public static Status unavailable(String reason) {
            return new Status(false, reason);
        }
    }
}
