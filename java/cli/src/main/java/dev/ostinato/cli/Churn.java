package dev.ostinato.cli;

/** Another thread that makes garbage as fast as it can, some of which lives for a while, so that collectors have work. */
final class Churn {
    private static final int LIVING = 1 << 14;
    private static final int BYTES = 1 << 10;

    private final Thread thread;
    private volatile boolean closed;

    private Churn() {
        thread = Thread.ofPlatform().daemon().name("churn").unstarted(this::churn);
    }

    /** Starts the thread. */
    static Churn start() {
        Churn churn = new Churn();
        churn.thread.start();
        return churn;
    }

    private void churn() {
        byte[][] living = new byte[LIVING][];
        for (int i = 0; !closed; i = (i + 1) % LIVING) {
            living[i] = new byte[BYTES + i % 64];
        }
    }

    /** Stops it. */
    void close() {
        closed = true;
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
