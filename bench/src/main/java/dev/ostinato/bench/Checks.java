package dev.ostinato.bench;

/** Compares answers before anything is measured. */
final class Checks {
    private Checks() {
    }

    /** @throws IllegalStateException unless both have the same bits */
    static void sameBits(String what, float[] expected, float[] actual) {
        for (int i = 0; i < expected.length; i++) {
            if (Float.floatToIntBits(expected[i]) != Float.floatToIntBits(actual[i])) {
                throw wrong(what, i, expected[i], actual[i], 0);
            }
        }
    }

    /** @throws IllegalStateException if an element differs by more than {@code tolerance}, or is NaN */
    static void close(String what, float[] expected, float[] actual, double tolerance) {
        for (int i = 0; i < expected.length; i++) {
            if (!(Math.abs((double) expected[i] - actual[i]) <= tolerance)) {
                throw wrong(what, i, expected[i], actual[i], tolerance);
            }
        }
    }

    private static IllegalStateException wrong(String what, int index, float expected, float actual, double tolerance) {
        return new IllegalStateException(what + "[" + index + "]: expected " + expected
                + (tolerance == 0 ? " to the bit" : " within " + tolerance) + ", got " + actual);
    }
}
