package dev.ostinato.cli;

import java.util.concurrent.CountDownLatch;
import java.util.function.BooleanSupplier;

/**
 * Turns Ctrl-C into a question that a loop asks. The virtual machine waits for {@link #close} and then ends with the status that the
 * signal gives, 130 for Ctrl-C.
 */
final class Interruption implements BooleanSupplier, AutoCloseable {
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Thread hook = new Thread(this::await, "ostinato-interruption");
    private volatile boolean requested;

    Interruption() {
        Runtime.getRuntime().addShutdownHook(hook);
    }

    private void await() {
        requested = true;
        try {
            closed.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Returns whether to stop. */
    @Override
    public boolean getAsBoolean() {
        return requested;
    }

    /** Lets the virtual machine end. To be called when all is written and said. */
    @Override
    public void close() {
        closed.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // It is ending already.
        }
    }
}
