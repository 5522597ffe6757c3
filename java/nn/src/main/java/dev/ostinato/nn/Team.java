package dev.ostinato.nn;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
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

    /** Pieces beyond this number are done in so many groups: a group is a bit of an int. */
    private static final int MOST_GROUPS = Integer.SIZE;

    private final boolean sleeping;
    private final Worker[] workers;
    private final AtomicBoolean busy = new AtomicBoolean();
    /**
     * The number of the call in the upper half, and below it a bit for each group that a thread has taken. Who takes one sees what was written
     * before, and keeps the call from ending. Bits that the call has no groups for are set from the beginning: a thread that comes late, when
     * the fields below are already those of the next call, finds nothing to take.
     */
    private final AtomicLong taken = new AtomicLong();
    private final AtomicInteger done = new AtomicInteger();
    private volatile boolean closed;
    /** The caller, when it sleeps. */
    private volatile @Nullable Thread waiting;
    private volatile @Nullable Throwable failure;

    // Of the present call; read by those who have taken a group of it.
    private IntConsumer body = piece -> {
    };
    private int pieces;
    private volatile int groups;

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
     * Runs {@code body} for each of {@code 0..pieces-1} and returns when all are done; rethrows the first failure. The i-th thread begins with
     * piece i, call after call, so that what it reads stays in its caches; and whoever is ready takes over from those that have not begun, so
     * that nobody waits for a thread that has no core.
     */
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
            groups = Math.min(pieces, MOST_GROUPS);
            done.set(0);
            int call = callOf(taken.get()) + 1;
            taken.set((long) call << Integer.SIZE | (-1L << groups & 0xFFFF_FFFFL)); // from here on the others may begin
            if (sleeping) {
                for (Worker worker : workers) {
                    worker.wake();
                }
            }
            work(call, 0);
            await();
            rethrow();
        } finally {
            failure = null;
            busy.set(false);
        }
    }

    private static int callOf(long state) {
        return (int) (state >>> Integer.SIZE);
    }

    /** Does all groups of a call that nobody has taken, beginning with one. */
    private void work(int call, int first) {
        int all = groups;
        for (int i = 0; i < all; i++) {
            int group = (first + i) % all;
            if (take(call, group)) {
                doPieces(group);
                if (done.incrementAndGet() == all) {
                    LockSupport.unpark(waiting); // nobody in general
                }
            }
        }
    }

    /** Returns whether a group of a call is this thread's. Not if the call is over. */
    private boolean take(int call, int group) {
        long bit = 1L << group;
        long state = taken.get();
        while (callOf(state) == call && (state & bit) == 0) {
            if (taken.compareAndSet(state, state | bit)) {
                return true;
            }
            state = taken.get();
        }
        return false;
    }

    private void doPieces(int group) {
        int step = groups;
        try {
            for (int i = group; i < pieces && failure == null; i += step) {
                body.accept(i);
            }
        } catch (RuntimeException | Error e) {
            failure = e;
        }
    }

    @SuppressWarnings("ThreadPriorityCheck") // yielding is for when there are fewer cores than threads; nothing relies on it
    private void await() {
        for (int spins = 0; done.get() < groups; spins++) {
            if (spins < SPINS) {
                Thread.onSpinWait();
            } else if (sleeping) {
                sleep();
            } else {
                Thread.yield();
            }
        }
    }

    /** Sleeps until the others are ready, or not at all if they are. */
    private void sleep() {
        waiting = Thread.currentThread();
        if (done.get() < groups) { // looked at after waiting is set, as the last of the others looks at waiting after done is
            LockSupport.park(this);
        }
        waiting = null;
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
            while (!closed) {
                seen = await(seen);
                work(seen, number);
            }
        }

        /** Waits for another call than the one seen last, or for the end of the team; returns which it is. */
        private int await(int seen) {
            for (int spins = 0; callOf(taken.get()) == seen && !closed; spins++) {
                if (!sleeping || spins < SPINS) {
                    Thread.onSpinWait();
                } else {
                    sleep(seen);
                }
            }
            return callOf(taken.get());
        }

        private void sleep(int seen) {
            asleep = true;
            if (callOf(taken.get()) == seen && !closed) { // looked at after asleep is set, as wake() looks at asleep after that is
                LockSupport.park(this);
            }
            asleep = false;
        }
    }
}
