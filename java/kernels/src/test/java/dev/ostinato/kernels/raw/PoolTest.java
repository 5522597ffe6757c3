package dev.ostinato.kernels.raw;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Nobody gets what another has. */
final class PoolTest {
    @Test
    void whatIsGivenBackIsTakenAgain() {
        Pool<Object> pool = new Pool<>(Object::new);
        Object first = pool.take();
        Object second = pool.take();
        assertNotSame(first, second);
        pool.give(second);
        assertSame(second, pool.take());
        pool.give(first);
        assertSame(first, pool.take());
    }

    @Test
    void moreThanThePoolHoldsIsGarbage() {
        AtomicInteger made = new AtomicInteger();
        Pool<Object> pool = new Pool<>(made::incrementAndGet);
        List<Object> taken = new ArrayList<>();
        for (int i = 0; i < 10_000; i++) {
            taken.add(pool.take());
        }
        taken.forEach(pool::give);
        assertEquals(10_000, made.get());
        pool.take();
        assertEquals(10_000, made.get());
    }

    @Test
    void threadsNeverShare() throws Exception {
        Pool<AtomicBoolean> pool = new Pool<>(AtomicBoolean::new);
        Callable<Integer> user = () -> {
            int shared = 0;
            for (int i = 0; i < 200_000; i++) {
                AtomicBoolean inUse = pool.take();
                shared += inUse.getAndSet(true) ? 1 : 0;
                inUse.set(false);
                pool.give(inUse);
            }
            return shared;
        };
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            for (Future<Integer> shared : threads.invokeAll(List.of(user, user, user, user))) {
                assertEquals(0, shared.get());
            }
        }
    }
}
