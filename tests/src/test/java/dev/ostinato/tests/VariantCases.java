package dev.ostinato.tests;

import dev.ostinato.kernels.Activation;
import dev.ostinato.kernels.GruVariant;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.tests.Variants.LstmOf;

/** Calls of cells that are not the standard ones; their steps are among those of {@link ConformanceCases}. */
final class VariantCases {
    private static final int[] ROWS = {0, 1, 5};
    private static final int[] PADDED = {16, 48, 112};
    private static final int PATTERNS = 1 << 14;
    /** Odd, and so far apart that these patterns spread over all floats. */
    private static final int PATTERN_STEP = 262_139;

    private final ConformanceCases cases;

    private VariantCases(ConformanceCases cases) {
        this.cases = cases;
    }

    static void addTo(ConformanceCases cases) {
        VariantCases own = new VariantCases(cases);
        own.activations();
        for (int rows : ROWS) {
            for (int units : PADDED) {
                Variants.LSTMS.forEach(v -> own.lstm(v, rows, units));
                Variants.GRUS.forEach(v -> own.gru(v, rows, units));
            }
        }
    }

    private void activations() {
        for (Activation f : Variants.ACTIVATIONS) {
            cases.add("rnnForward", f + " over all exponents", (kernels, operands) -> kernels.rnnForward(f,
                    operands.input("z", 1, PATTERNS, index -> index * PATTERN_STEP),
                    operands.output("h", 1, PATTERNS)));
            cases.add("rnnForward", f + " in place", (kernels, operands) -> {
                Matrix z = operands.updated("z", 3, 48);
                kernels.rnnForward(f, z, z);
            });
            cases.add("rnnBackward", f + " over all exponents", (kernels, operands) -> kernels.rnnBackward(f,
                    operands.input("h", 1, PATTERNS, index -> index * PATTERN_STEP),
                    operands.input("dh", 1, PATTERNS), operands.output("dz", 1, PATTERNS)));
            cases.add("rnnBackward", f + " behind the forward pass", (kernels, operands) -> {
                Matrix h = operands.output("h", 7, 48);
                kernels.rnnForward(f, operands.input("z", 7, 48), h);
                kernels.rnnBackward(f, h, operands.input("dh", 7, 48), operands.output("dz", 7, 48));
            });
        }
    }

    private void lstm(LstmOf v, int rows, int units) {
        String shape = v + " (" + rows + ", " + units + ")";
        int slots = v.variant().slots();
        cases.add("lstmForward", shape, (kernels, operands) -> kernels.lstmForward(v.variant(),
                operands.input("peepholes", v.peepholes(), units), operands.updated("z", rows, slots * units),
                operands.input("cPrevious", rows, units), operands.output("c", rows, units),
                operands.output("h", rows, units)));
        cases.add("lstmForward", shape + " in place", (kernels, operands) -> {
            Matrix c = operands.updated("c", rows, units);
            kernels.lstmForward(v.variant(), operands.input("peepholes", v.peepholes(), units),
                    operands.updated("z", rows, slots * units), c, c, operands.output("h", rows, units));
        });
        cases.add("lstmBackward", shape, (kernels, operands) -> kernels.lstmBackward(v.variant(),
                operands.input("peepholes", v.peepholes(), units), operands.updated("z", rows, slots * units),
                operands.input("cPrevious", rows, units), operands.input("c", rows, units),
                operands.input("dh", rows, units), operands.updated("dc", rows, units)));
        cases.add("lstmBackward", shape + " behind the forward pass", (kernels, operands) -> {
            Matrix peepholes = operands.input("peepholes", v.peepholes(), units);
            Matrix z = operands.updated("z", rows, slots * units);
            Matrix cPrevious = operands.input("cPrevious", rows, units);
            Matrix c = operands.output("c", rows, units);
            kernels.lstmForward(v.variant(), peepholes, z, cPrevious, c, operands.output("h", rows, units));
            kernels.lstmBackward(v.variant(), peepholes, z, cPrevious, c, operands.input("dh", rows, units),
                    operands.updated("dc", rows, units));
        });
    }

    private void gru(GruVariant v, int rows, int units) {
        String shape = v + " (" + rows + ", " + units + ")";
        cases.add("gruForward", shape, (kernels, operands) -> kernels.gruForward(v,
                operands.updated("z", rows, 4 * units), operands.input("hPrevious", rows, units),
                operands.output("h", rows, units)));
        cases.add("gruBackward", shape, (kernels, operands) -> kernels.gruBackward(v,
                operands.updated("z", rows, 4 * units), operands.input("hPrevious", rows, units),
                operands.input("dh", rows, units), operands.updated("dhPrevious", rows, units)));
        cases.add("gruResetForward", shape, (kernels, operands) -> kernels.gruResetForward(v,
                operands.updated("z", rows, 4 * units), operands.input("hPrevious", rows, units)));
        cases.add("gruMixForward", shape, (kernels, operands) -> kernels.gruMixForward(v,
                operands.updated("z", rows, 4 * units), operands.input("hPrevious", rows, units),
                operands.output("h", rows, units)));
        cases.add("gruMixBackward", shape, (kernels, operands) -> kernels.gruMixBackward(v,
                operands.updated("z", rows, 4 * units), operands.input("hPrevious", rows, units),
                operands.input("dh", rows, units), operands.updated("dhPrevious", rows, units)));
        cases.add("gruResetBackward", shape, (kernels, operands) -> kernels.gruResetBackward(v,
                operands.updated("z", rows, 4 * units), operands.input("hPrevious", rows, units),
                operands.input("ds", rows, units), operands.updated("dhPrevious", rows, units)));
    }
}
