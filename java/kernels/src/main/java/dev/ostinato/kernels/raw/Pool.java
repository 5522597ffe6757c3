package dev.ostinato.kernels.raw;

import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Objects that a call needs for as long as it runs. There are as many as calls have run at once, so that virtual threads, of which there
 * may be a million, share those few; a {@link ThreadLocal} would hold one for each. Taking and giving back allocates nothing once there
 * are enough, takes no lock, and may be done by any thread.
 */
public final class Pool<T> {
    private final Supplier<T> supplier;
    private final AtomicReferenceArray<@Nullable T> free =
            new AtomicReferenceArray<>(4 * Runtime.getRuntime().availableProcessors());

    /** A pool of what {@code supplier} makes. */
    public Pool(Supplier<T> supplier) {
        this.supplier = supplier;
    }

    /** Returns one that nobody else has until it is given back. One that never is is garbage, and nothing else is lost. */
    public T take() {
        for (int i = 0; i < free.length(); i++) {
            if (free.getPlain(i) != null) {
                T taken = free.getAndSet(i, null);
                if (taken != null) {
                    return taken;
                }
            }
        }
        return supplier.get();
    }

    /** Gives back what {@link #take} returned. */
    public void give(T taken) {
        for (int i = 0; i < free.length(); i++) {
            if (free.getPlain(i) == null && free.compareAndSet(i, null, taken)) {
                return;
            }
        }
    }
}
