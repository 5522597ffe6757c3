package dev.ostinato.nn;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A value that is computed when first asked for, by one thread, and then kept. Safe for all threads. */
final class Once<T> implements Supplier<T> {
    private final Supplier<T> compute;
    private volatile @Nullable T value;

    private Once(Supplier<T> compute) {
        this.compute = compute;
    }

    static <T> Once<T> of(Supplier<T> compute) {
        return new Once<>(compute);
    }

    @Override
    public T get() {
        T found = value;
        if (found == null) {
            synchronized (this) {
                found = value;
                if (found == null) {
                    found = compute.get();
                    value = found;
                }
            }
        }
        return found;
    }
}
