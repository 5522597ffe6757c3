package dev.ostinato.onnx;

/** The elements that a plan may still allocate, so that no file asks for more memory than there is. */
final class Budget {
    /** Eight bytes each, though floats need half of it. */
    private long elements;

    Budget(long elements) {
        this.elements = elements;
    }

    /** Of half of the heap. */
    static Budget ofHeap() {
        return new Budget(Runtime.getRuntime().maxMemory() / 2 / Long.BYTES);
    }

    /** @throws IllegalArgumentException if there are fewer left */
    void take(long count) {
        if (count > elements) {
            throw new IllegalArgumentException("expected at most " + elements
                    + " more elements in memory (half of the heap, which -Xmx sets), got " + count);
        }
        elements -= count;
    }
}
