package dev.ostinato.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.BitSet;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** The rule against the elements themselves. */
final class OverlapTest {
    private static final Memory MEMORY = Memory.ofFloats(400);

    @Test
    void viewsOfOneStrideMeetExactlyWhereTheyShareAnElement() {
        SplittableRandom random = new SplittableRandom(1);
        int met = 0;
        for (int i = 0; i < 20_000; i++) {
            int stride = 1 + random.nextInt(12);
            Matrix a = view(random, stride);
            Matrix b = view(random, stride);
            boolean shared = elements(a).intersects(elements(b));
            assertEquals(shared, a.overlaps(b), () -> describe(a) + " and " + describe(b));
            assertEquals(shared, b.overlaps(a), () -> describe(b) + " and " + describe(a));
            met += shared ? 1 : 0;
        }
        assertEquals(0.5, met / 20_000.0, 0.4, "share that met");
    }

    @Test
    void viewsThatShareAnElementMeetWhateverTheStrides() {
        SplittableRandom random = new SplittableRandom(2);
        for (int i = 0; i < 20_000; i++) {
            Matrix a = view(random, 1 + random.nextInt(12));
            Matrix b = view(random, 1 + random.nextInt(12));
            if (elements(a).intersects(elements(b))) {
                assertEquals(true, a.overlaps(b), () -> describe(a) + " and " + describe(b));
            }
        }
    }

    private static Matrix view(SplittableRandom random, int stride) {
        return Matrix.wrap(MEMORY, random.nextInt(100), random.nextInt(8), random.nextInt(stride + 1), stride);
    }

    private static BitSet elements(Matrix matrix) {
        BitSet elements = new BitSet();
        for (int r = 0; r < matrix.rows(); r++) {
            int first = (int) ((matrix.rowAddress(r) - MEMORY.address()) / Float.BYTES);
            elements.set(first, first + matrix.columns());
        }
        return elements;
    }

    private static String describe(Matrix matrix) {
        return matrix + " at " + (matrix.address() - MEMORY.address()) / Float.BYTES + ", stride " + matrix.stride();
    }
}
