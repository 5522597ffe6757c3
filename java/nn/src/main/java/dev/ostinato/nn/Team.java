package dev.ostinato.nn;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Threads that share the work of one call at a time: the caller's, and others that exist from {@link #of} to {@link #close}.
 *
 * <pre>{@code
 * try (Team team = Team.of(2)) {
 *     State state = model.newState(1, team);
 *     model.run(x, state, y); // on two cores, each with its own half of the weights
 * }
 * }</pre>
 *
 * <p>The others never sleep, so that they are there within a fraction of a microsecond: each keeps a core busy for as long as the team is
 * open. A team of more threads than there are free cores makes everything slower. No result depends on a team.
 *
 * <p>Safe for all threads. A call that finds the team at work for another one, or closed, does everything itself.
 */
public final class Team implements AutoCloseable {
    /** Only the caller's thread. */
    static final Team ALONE = new Team(1, true);

    /** How often a thread looks whether it can go on before it sleeps, or lets others have its core: some ten microseconds. */
    private static final int SPINS = 1_000;

    private final boolean sleeping;
    private final Worker[] workers;
    private final AtomicBoolean busy = new AtomicBoolean();
    /** How many calls there have been: workers watch it. What they read below has been written before. */
    private final AtomicInteger calls = new AtomicInteger();
    private volatile boolean closed;

    private IntConsumer body = piece -> {
    };
    private int pieces;
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicInteger working = new AtomicInteger();
    private volatile @Nullable Throwable failure;
    /** The caller, when it sleeps. */
    private volatile @Nullable Thread waiting;

    private Team(int threads, boolean sleeping) {
        if (threads < 1) {
            throw new IllegalArgumentException("threads: expected >= 1, got " + threads);
        }
        this.sleeping = sleeping;
        this.workers = new Worker[threads - 1];
        for (int i = 0; i < workers.length; i++) {
            workers[i] = new Worker(i + 1);
            workers[i].start();
        }
    }

    /** Starts all threads but the caller's. @throws IllegalArgumentException if {@code threads} is less than 1 */
    public static Team of(int threads) {
        return new Team(threads, false);
    }

    /** As {@link #of}, for work in portions of many microseconds: threads sleep when there is none for a while. */
    static Team sleeping(int threads) {
        return new Team(threads, true);
    }

    /** Returns the number of threads, the caller's included. */
    public int threads() {
        return workers.length + 1;
    }

    /**
     * Runs {@code body} for each of {@code 0..pieces-1} and returns when all are done; rethrows the first failure. Piece i is the i-th
     * thread's, call after call, so that what it reads stays in its caches; whoever is free takes the next of those beyond.
     */
    @SuppressWarnings("ThreadPriorityCheck") // yielding is for when there are fewer cores than threads; nothing relies on it
    void run(int pieces, IntConsumer body) {
        if (pieces < 2 || workers.length == 0 || !busy.compareAndSet(false, true)) {
            for (int i = 0; i < pieces; i++) {
                body.accept(i);
            }
            return;
        }
        try {
            this.body = body;
            this.pieces = pieces;
            next.set(threads());
            working.set(workers.length);
            calls.incrementAndGet();
            if (sleeping) {
                for (Worker worker : workers) {
                    worker.wake();
                }
            }
            work(0);
            for (int spins = 0; working.get() > 0; spins++) {
                if (spins < SPINS) {
                    Thread.onSpinWait();
                } else if (sleeping) {
                    sleep();
                } else {
                    Thread.yield();
                }
            }
            rethrow();
        } finally {
            failure = null;
            busy.set(false);
        }
    }

    /** Sleeps until the others are ready, or not at all if they are. */
    private void sleep() {
        waiting = Thread.currentThread();
        if (working.get() > 0) { // looked at after waiting is set, as a worker looks at waiting after it is ready
            LockSupport.park(this);
        }
        waiting = null;
    }

    private void work(int thread) {
        try {
            for (int i = thread; i < pieces; i = next.getAndIncrement()) {
                body.accept(i);
            }
        } catch (RuntimeException | Error e) {
            failure = e;
            next.set(pieces);
        }
    }

    private void rethrow() {
        switch (failure) {
            case null -> {
            }
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            case Throwable e -> throw new IllegalStateException(e);
        }
    }

    /** Ends the other threads, when the call that they may be at is done. */
    @Override
    @SuppressWarnings("ThreadPriorityCheck") // nothing relies on it
    public void close() {
        while (!closed && !busy.compareAndSet(false, true)) {
            Thread.yield();
        }
        closed = true; // and busy for ever
        for (Worker worker : workers) {
            LockSupport.unpark(worker.thread);
        }
    }

    private final class Worker implements Runnable {
        private final int number;
        private final Thread thread;
        private volatile boolean asleep;

        Worker(int number) {
            this.number = number;
            this.thread = new Thread(this, "ostinato-team");
            thread.setDaemon(true);
        }

        void start() {
            thread.start();
        }

        void wake() {
            if (asleep) {
                LockSupport.unpark(thread);
            }
        }

        @Override
        public void run() {
            int seen = 0;
            while (await(seen)) {
                seen++;
                work(number);
                if (working.decrementAndGet() == 0) {
                    LockSupport.unpark(waiting); // nobody in general
                }
            }
        }

        /** Waits for another call than those seen; returns false when there will be none. */
        private boolean await(int seen) {
            for (int spins = 0; calls.get() == seen; spins++) {
                if (closed) {
                    return false;
                }
                if (!sleeping || spins < SPINS) {
                    Thread.onSpinWait();
                } else {
                    sleep(seen);
                }
            }
            return true;
        }

        private void sleep(int seen) {
            asleep = true;
            if (calls.get() == seen && !closed) { // looked at after asleep is set, as wake() looks at asleep after calls is
                LockSupport.park(this);
            }
            asleep = false;
        }
    }
}
