package dev.ostinato.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.fail;

import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
final class TeamTest {
    private static Team team(int threads, boolean sleeping) {
        return sleeping ? Team.sleeping(threads) : Team.of(threads);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void everyPieceIsDoneOnce(boolean sleeping) {
        for (int threads = 1; threads <= 3; threads++) {
            try (Team team = team(threads, sleeping)) {
                assertEquals(threads, team.threads());
                for (int pieces = 0; pieces < 9; pieces++) {
                    AtomicIntegerArray done = new AtomicIntegerArray(pieces);
                    for (int i = 0; i < 50; i++) {
                        team.run(pieces, done::incrementAndGet);
                    }
                    for (int i = 0; i < pieces; i++) {
                        assertEquals(50, done.get(i), threads + " threads, piece " + i + " of " + pieces);
                    }
                }
            }
        }
    }

    /** A thread that is late for a call must not take a piece of the next one for a piece of its own. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aCallWithMorePiecesThanTheLastIsDoneOnce(boolean sleeping) {
        AtomicIntegerArray done = new AtomicIntegerArray(40);
        int[] expected = new int[40];
        for (int threads : new int[] {2, 3, 5}) {
            try (Team team = team(threads, sleeping)) {
                for (int i = 0; i < 20_000; i++) {
                    int pieces = 2 + i * 7 % 39;
                    team.run(pieces, done::incrementAndGet);
                    for (int piece = 0; piece < pieces; piece++) {
                        expected[piece]++;
                    }
                    for (int piece = 0; piece < 40; piece++) { // after each call: none that is over may still be at work
                        if (done.get(piece) != expected[piece]) {
                            fail(threads + " threads, call " + i + ", piece " + piece + " of " + pieces + ": expected "
                                    + expected[piece] + ", got " + done.get(piece));
                        }
                    }
                }
            }
        }
    }

    @Test
    void whatWasWrittenBeforeACallIsSeenInIt() {
        int[] values = new int[2]; // plain: only the team orders the accesses
        try (Team team = Team.of(2)) {
            for (int i = 1; i <= 2_000; i++) {
                int now = i;
                Arrays.fill(values, now);
                team.run(2, piece -> values[piece] = values[piece] == now ? -now : 0);
                assertArrayEquals(new int[] {-now, -now}, values);
            }
        }
    }

    @Test
    void aThreadThatDoesNotComeIsNotWaitedFor() throws InterruptedException {
        // One thread of the team is kept by its first piece; the caller's later calls do without it.
        CountDownLatch release = new CountDownLatch(1);
        AtomicInteger done = new AtomicInteger();
        try (Team team = Team.of(2)) {
            CountDownLatch stuck = new CountDownLatch(1);
            Thread caller = new Thread(() -> team.run(2, piece -> {
                if (piece == 1) {
                    stuck.countDown();
                    awaitUninterruptibly(release);
                }
            }));
            caller.start();
            stuck.await();
            team.run(3, piece -> done.incrementAndGet()); // the team is at work: alone
            assertEquals(3, done.get());
            release.countDown();
            caller.join();
            for (int i = 0; i < 1_000; i++) {
                team.run(2, piece -> done.incrementAndGet());
            }
            assertEquals(2_003, done.get());
        }
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void manyPiecesAreDoneInGroups() {
        try (Team team = Team.of(2)) {
            AtomicIntegerArray done = new AtomicIntegerArray(100);
            for (int i = 0; i < 20; i++) {
                team.run(100, done::incrementAndGet);
            }
            for (int i = 0; i < 100; i++) {
                assertEquals(20, done.get(i));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aThreadThatSleptIsWoken(boolean sleeping) throws InterruptedException {
        AtomicInteger done = new AtomicInteger();
        try (Team team = team(2, sleeping)) {
            for (int i = 0; i < 5; i++) {
                Thread.sleep(5);
                team.run(2, piece -> done.incrementAndGet());
            }
        }
        assertEquals(10, done.get());
    }

    @Test
    void aFailureOfAnyPieceIsTheCallers() {
        try (Team team = Team.of(2)) {
            for (int failing = 0; failing < 5; failing++) {
                int which = failing;
                IllegalStateException thrown = assertThrows(IllegalStateException.class, () -> team.run(5, piece -> {
                    if (piece == which) {
                        throw new IllegalStateException("piece " + piece);
                    }
                }));
                assertEquals("piece " + which, thrown.getMessage());
            }
            AtomicInteger done = new AtomicInteger();
            team.run(4, piece -> done.incrementAndGet());
            assertEquals(4, done.get());
        }
    }

    @Test
    void aTeamAtWorkOrClosedLeavesItToTheCaller() {
        Team team = Team.of(2);
        AtomicInteger done = new AtomicInteger();
        team.run(2, piece -> team.run(3, inner -> done.incrementAndGet()));
        assertEquals(6, done.get());
        team.close();
        team.close();
        team.run(3, piece -> done.incrementAndGet());
        assertEquals(9, done.get());
    }

    @Test
    void severalCallersShareATeam() throws InterruptedException {
        AtomicInteger done = new AtomicInteger();
        try (Team team = Team.of(2)) {
            Thread[] callers = IntStream.range(0, 3).mapToObj(i -> new Thread(() -> {
                for (int n = 0; n < 500; n++) {
                    team.run(3, piece -> done.incrementAndGet());
                }
            })).toArray(Thread[]::new);
            for (Thread caller : callers) {
                caller.start();
            }
            for (Thread caller : callers) {
                caller.join();
            }
        }
        assertEquals(3 * 500 * 3, done.get());
    }

    @Test
    void theThreadsEndWithTheTeam() throws InterruptedException {
        Set<Thread> threads = ConcurrentHashMap.newKeySet();
        CountDownLatch all = new CountDownLatch(3);
        Team team = Team.of(3);
        team.run(3, piece -> { // each waits for the others, so that nobody does two
            threads.add(Thread.currentThread());
            all.countDown();
            awaitUninterruptibly(all);
        });
        team.close();
        assertEquals(3, threads.size());
        threads.remove(Thread.currentThread());
        for (Thread thread : threads) {
            thread.join(10_000);
            assertFalse(thread.isAlive());
        }
    }

    @Test
    void noThreadsAreRefused() {
        assertEquals("threads: expected >= 1, got 0",
                assertThrows(IllegalArgumentException.class, () -> Team.of(0)).getMessage());
    }
}
