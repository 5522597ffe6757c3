package dev.ostinato.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Where weights lie, and that nothing else is touched. Sizes: whole and ragged blocks, whole and narrow panels. */
final class PackedMatrixTest {
    /** Returns a matrix of which every weight is different. */
    private static PackedMatrix numbered(int inputs, int gates, int units) {
        PackedMatrix w = PackedMatrix.of(inputs, gates, units);
        for (int k = 0; k < inputs; k++) {
            for (int g = 0; g < gates; g++) {
                for (int u = 0; u < units; u++) {
                    w.set(k, g, u, number(w, k, g, u));
                }
            }
        }
        return w;
    }

    private static float number(PackedMatrix w, int input, int gate, int unit) {
        return 1f + (input * w.gates() + gate) * w.units() + unit;
    }

    @ParameterizedTest
    @CsvSource({"1, 1, 1", "3, 1, 16", "3, 1, 17", "5, 1, 64", "5, 1, 65", "7, 1, 130", "2, 2, 15", "5, 3, 33",
        "4, 4, 48", "17, 4, 65"})
    void everyWeightHasItsOwnPlaceAndTheRestIsZero(int inputs, int gates, int units) {
        PackedMatrix w = numbered(inputs, gates, units);
        Set<Long> places = new HashSet<>();
        for (int k = 0; k < inputs; k++) {
            for (int g = 0; g < gates; g++) {
                for (int u = 0; u < units; u++) {
                    assertEquals(number(w, k, g, u), w.get(k, g, u));
                    assertEquals(number(w, k, g, u), w.memory().getFloat(w.index(k, g, u)));
                    places.add(w.index(k, g, u));
                }
            }
        }
        assertEquals(inputs * gates * units, places.size());
        for (long i = 0; i < w.memory().floats(); i++) {
            assertTrue(places.contains(i) || w.memory().getFloat(i) == 0f, "padding");
        }
    }

    /** The layout as the products walk over it: panel, input, block, unit. */
    @ParameterizedTest
    @CsvSource({"3, 1, 16", "5, 1, 65", "7, 1, 130", "5, 3, 33", "4, 4, 48"})
    void panelsInOrder(int inputs, int gates, int units) {
        PackedMatrix w = numbered(inputs, gates, units);
        long index = 0;
        for (int panel = 0; panel < w.panels(); panel++) {
            assertEquals(w.memory().address() + index * Float.BYTES, w.panelAddress(panel));
            for (int k = 0; k < inputs; k++) {
                for (int block = 0; block < w.blocks(panel); block++) {
                    for (int lane = 0; lane < Matrix.BLOCK; lane++) {
                        int output = w.output(panel, block) + lane;
                        int gate = output / Matrix.padded(units);
                        int unit = output % Matrix.padded(units);
                        float expected = unit < units ? number(w, k, gate, unit) : 0f;
                        assertEquals(expected, w.memory().getFloat(index++));
                    }
                }
            }
        }
        assertEquals(PackedMatrix.floats(inputs, gates, units), index);
    }

    @ParameterizedTest
    @CsvSource({"1, 1, 1", "3, 1, 17", "64, 1, 64", "65, 1, 65", "17, 2, 15", "130, 3, 33", "31, 4, 48", "100, 4, 100"})
    void transposition(int inputs, int gates, int units) {
        PackedMatrix w = numbered(inputs, gates, units);
        PackedMatrix transpose = PackedMatrix.of(w.outputs(), 1, inputs);
        w.transposeInto(transpose);
        for (int j = 0; j < w.outputs(); j++) {
            int gate = j / Matrix.padded(units);
            int unit = j % Matrix.padded(units);
            for (int k = 0; k < inputs; k++) {
                assertEquals(unit < units ? w.get(k, gate, unit) : 0f, transpose.get(j, 0, k));
            }
        }
    }

    @Test
    void transpositionOfInterleavedWeights() {
        Memory memory = Memory.ofFloats(3 + PackedMatrix.floats(12, 3, 33));
        PackedMatrix[] pair = PackedMatrix.pair(memory, 3, 5, 7, 3, 33);
        pair[0].set(4, 2, 32, 5f);
        pair[1].set(6, 1, 31, 7f);
        PackedMatrix first = PackedMatrix.of(pair[0].outputs(), 1, 5);
        PackedMatrix second = PackedMatrix.of(pair[1].outputs(), 1, 7);
        pair[0].transposeInto(first);
        pair[1].transposeInto(second);
        assertEquals(5f, first.get(2 * 48 + 32, 0, 4));
        assertEquals(7f, second.get(48 + 31, 0, 6));
    }

    @Test
    void transpositionWantsItsShape() {
        PackedMatrix w = PackedMatrix.of(5, 2, 20);
        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> w.transposeInto(PackedMatrix.of(40, 1, 5)));
        assertEquals(
                "transpose: expected 64 inputs x 1 gates x 5 units, got PackedMatrix[40 inputs x 1 gates x 5 units]",
                e.getMessage());
    }

    @Test
    void interleavedMatricesShareNothing() {
        Memory memory = Memory.ofFloats(PackedMatrix.floats(5, 4, 33));
        PackedMatrix[] pair = PackedMatrix.pair(memory, 0, 2, 3, 4, 33);
        Set<Long> places = new HashSet<>();
        for (PackedMatrix w : pair) {
            for (int k = 0; k < w.inputs(); k++) {
                for (int g = 0; g < 4; g++) {
                    for (int u = 0; u < 33; u++) {
                        assertTrue(places.add(w.index(k, g, u)), "a place is taken twice");
                    }
                }
            }
        }
    }

    @Test
    void inputsAreAView() {
        PackedMatrix w = numbered(7, 2, 20);
        PackedMatrix view = w.inputs(2, 6).inputs(1, 3);
        assertEquals(2, view.inputs());
        assertEquals(w.get(4, 1, 19), view.get(1, 1, 19));
        view.set(0, 1, 3, -1f);
        assertEquals(-1f, w.get(3, 1, 3));
        assertEquals(0, w.inputs(7, 7).inputs());
    }

    @Test
    void bounds() {
        PackedMatrix w = PackedMatrix.of(5, 2, 20);
        for (int[] at : new int[][] {{5, 0, 0}, {-1, 0, 0}, {0, 2, 0}, {0, -1, 0}, {0, 0, 20}, {0, 0, -1}}) {
            assertThrows(IndexOutOfBoundsException.class, () -> w.get(at[0], at[1], at[2]));
            assertThrows(IndexOutOfBoundsException.class, () -> w.set(at[0], at[1], at[2], 1f));
            assertThrows(IndexOutOfBoundsException.class, () -> w.inputs(0, 4).get(4, 0, 0));
        }
        assertThrows(IndexOutOfBoundsException.class, () -> w.inputs(0, 6));
        assertThrows(IndexOutOfBoundsException.class, () -> w.inputs(3, 2));
    }

    @Test
    void sizes() {
        for (int[] size : new int[][] {{0, 1, 1}, {1, 0, 1}, {1, 1, 0}, {-1, 1, 1}}) {
            IllegalArgumentException e = assertThrows(IllegalArgumentException.class,
                    () -> PackedMatrix.of(size[0], size[1], size[2]));
            assertEquals("packed matrix: expected sizes >= 1, got %d inputs, %d gates, %d units"
                    .formatted(size[0], size[1], size[2]), e.getMessage());
        }
        Memory memory = Memory.ofFloats(PackedMatrix.floats(5, 2, 20));
        assertThrows(IndexOutOfBoundsException.class, () -> PackedMatrix.view(memory, 0, 6, 2, 20));
        assertThrows(IndexOutOfBoundsException.class, () -> PackedMatrix.view(memory, 1, 5, 2, 20));
        assertThrows(IndexOutOfBoundsException.class, () -> PackedMatrix.view(memory, -1, 5, 2, 20));
        assertThrows(IndexOutOfBoundsException.class, () -> PackedMatrix.pair(memory, 0, 3, 3, 2, 20));
        assertThrows(IllegalArgumentException.class, () -> PackedMatrix.view(memory, 0, 0, 2, 20));
    }
}
