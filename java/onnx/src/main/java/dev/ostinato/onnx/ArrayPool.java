package dev.ostinato.onnx;

import java.lang.reflect.Array;
import java.util.ArrayList;
import java.util.List;

/** Arrays that no value needs any more, for those to come. */
final class ArrayPool {
    private final List<Object> free = new ArrayList<>();

    /** Returns the smallest free array that is large enough, or a new one. */
    Object take(Value.Storage storage) {
        Object best = null;
        for (Object array : free) {
            if (array.getClass() == storage.kind && Array.getLength(array) >= storage.size
                    && (best == null || Array.getLength(array) < Array.getLength(best))) {
                best = array;
            }
        }
        if (best == null) {
            return Array.newInstance(storage.kind.getComponentType(), storage.size);
        }
        remove(best);
        return best;
    }

    @SuppressWarnings("ReferenceEquality") // this array, not an equal one
    private void remove(Object taken) {
        free.removeIf(array -> array == taken);
    }

    void give(Value.Storage storage) {
        free.add(storage.array());
    }
}
