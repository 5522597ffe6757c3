package dev.ostinato.nn;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Phaser;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Threads that share out independent pieces of work. The caller is one of them; the others exist from here to {@link #close}, and
 * sleep between calls. Which thread does which piece has no influence on results.
 */
final class Team implements AutoCloseable {
    private final int threads;
    private final @Nullable ExecutorService helpers;

    /** @throws IllegalArgumentException if {@code threads} is less than 1 */
    Team(int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("threads: expected >= 1, got " + threads);
        }
        this.threads = threads;
        this.helpers = threads == 1 ? null : Executors.newFixedThreadPool(threads - 1, Team::daemon);
    }

    private static Thread daemon(Runnable body) {
        Thread thread = new Thread(body, "ostinato-team");
        thread.setDaemon(true);
        return thread;
    }

    int threads() {
        return threads;
    }

    /** Runs {@code body} for each of {@code 0..pieces-1} and returns when all are done; rethrows the first failure. */
    void run(int pieces, IntConsumer body) {
        if (helpers == null || pieces < 2) {
            for (int i = 0; i < pieces; i++) {
                body.accept(i);
            }
            return;
        }
        Work work = new Work(pieces, body, Math.min(threads, pieces));
        for (int i = 1; i < work.done.getRegisteredParties(); i++) {
            helpers.execute(work);
        }
        work.run();
        work.done.awaitAdvance(0);
        work.rethrow();
    }

    @Override
    public void close() {
        if (helpers != null) {
            helpers.shutdown();
        }
    }

    /** One call of {@link #run}: whoever is free takes the next piece. */
    private static final class Work implements Runnable {
        private final int pieces;
        private final IntConsumer body;
        private final AtomicInteger next = new AtomicInteger();
        private final Phaser done;
        private volatile @Nullable Throwable failure;

        Work(int pieces, IntConsumer body, int parties) {
            this.pieces = pieces;
            this.body = body;
            this.done = new Phaser(parties);
        }

        @Override
        public void run() {
            try {
                for (int i = next.getAndIncrement(); i < pieces; i = next.getAndIncrement()) {
                    body.accept(i);
                }
            } catch (RuntimeException | Error e) {
                failure = e;
                next.set(pieces);
            } finally {
                done.arrive();
            }
        }

        void rethrow() {
            switch (failure) {
                case null -> {
                }
                case RuntimeException e -> throw e;
                case Error e -> throw e;
                case Throwable e -> throw new IllegalStateException(e);
            }
        }
    }
}
