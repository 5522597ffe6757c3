package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;
import java.util.List;
import java.util.stream.IntStream;

/** What the gates and units of a layer did in a forward. */
record LayerActivity(List<LayerDiagnostics.Gate> gates, List<Integer> deadUnits) {
    static LayerActivity of(RecurrentTrace trace) {
        Matrix h = trace.outputs();
        List<LayerDiagnostics.Gate> gates = trace.cell().gateList().stream()
                .map(gate -> saturation(gate, gate.activations().apply(trace.z(), h))).toList();
        List<Integer> dead =
                IntStream.range(0, trace.cell().stateSize).filter(unit -> isDead(h, unit)).boxed().toList();
        return new LayerActivity(gates, dead);
    }

    private static LayerDiagnostics.Gate saturation(Cell.Gate gate, Matrix activations) {
        long low = 0;
        long high = 0;
        for (int r = 0; r < activations.rows(); r++) {
            for (int j = 0; j < activations.columns(); j++) {
                float v = activations.get(r, j);
                low += v < gate.low() + LayerDiagnostics.SATURATION ? 1 : 0;
                high += v > gate.high() - LayerDiagnostics.SATURATION ? 1 : 0;
            }
        }
        double all = (double) activations.rows() * activations.columns();
        return new LayerDiagnostics.Gate(gate.name(), low / all, high / all);
    }

    private static boolean isDead(Matrix h, int unit) {
        float least = h.get(0, unit);
        float most = least;
        for (int r = 1; r < h.rows(); r++) {
            least = Math.min(least, h.get(r, unit));
            most = Math.max(most, h.get(r, unit));
        }
        return most - least < LayerDiagnostics.DEAD;
    }
}
