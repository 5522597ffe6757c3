package dev.ostinato.nn;

import dev.ostinato.kernels.Memory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Which tensor each float of a block belongs to, for what treats tensors one by one: in a block the matrices of a layer are interleaved. */
final class TensorIndex {
    private static final int NONE = -1;

    /** Floats of a block. */
    record Range(int from, int to) {}

    private final int[] owners;
    private final int tensors;
    private final List<Range> matrices;

    TensorIndex(WeightLayout layout, Memory block) {
        this.owners = new int[Math.toIntExact(layout.floats())];
        Arrays.fill(owners, NONE);
        boolean[] vector = new boolean[owners.length];
        int number = 0;
        for (Blueprint.Place place : layout.places()) {
            for (Parameter parameter : place.tensors().parameters(block)) {
                for (int r = 0; r < parameter.rows(); r++) {
                    for (int c = 0; c < parameter.columns(); c++) {
                        int at = Math.toIntExact(parameter.position().index(r, c));
                        owners[at] = number;
                        vector[at] = parameter.shape().size() == 1;
                    }
                }
                number++;
            }
        }
        this.tensors = number;
        this.matrices = complement(vector);
    }

    /** Padding, which is zero, counts as part of a matrix. */
    private static List<Range> complement(boolean[] vector) {
        List<Range> ranges = new ArrayList<>();
        int at = 0;
        while (at < vector.length) {
            int from = at;
            while (at < vector.length && !vector[at]) {
                at++;
            }
            if (at > from) {
                ranges.add(new Range(from, at));
            }
            while (at < vector.length && vector[at]) {
                at++;
            }
        }
        return ranges;
    }

    /** Returns all that is no vector, so no bias and no gain. */
    List<Range> matrices() {
        return matrices;
    }

    /** Scales each tensor whose norm is more than {@code limit} down to it. */
    void limitNorms(Memory block, double limit, double epsilon) {
        double[] squares = new double[tensors];
        for (int i = 0; i < owners.length; i++) {
            if (owners[i] != NONE) {
                double value = block.getFloat(i);
                squares[owners[i]] += value * value;
            }
        }
        float[] factors = new float[tensors];
        for (int i = 0; i < tensors; i++) {
            double norm = StrictMath.sqrt(squares[i]);
            factors[i] = norm > limit ? (float) (limit / (norm + epsilon)) : 1f;
        }
        for (int i = 0; i < owners.length; i++) {
            if (owners[i] != NONE) {
                block.setFloat(i, block.getFloat(i) * factors[owners[i]]);
            }
        }
    }
}
