package dev.ostinato.nn;

import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import dev.ostinato.kernels.PackedMatrix;
import dev.ostinato.kernels.PackedWeights;
import dev.ostinato.kernels.Scaling;
import java.util.ArrayList;
import java.util.List;

/**
 * A cell whose two products are normalised (Ba et al. 2016), each over all gates together:
 *
 * <pre>
 * a = norm(W x) * gain_ih + bias_ih      b = norm(U h) * gain_hh + bias_hh      norm(v) = (v - mean(v)) / sqrt(variance(v) + 1e-5)</pre>
 *
 * What becomes of a and b is the {@link Part} of a subclass. W and U are packed as if they had one gate of G H units, so that a norm sees
 * the units of all gates side by side.
 *
 * <p>In training a row of z is: W x, U h, the four slots of the part, what else the part keeps, and a slot of statistics. Gradients of
 * gains and biases, to which all rows add, are computed behind the time loop.
 */
abstract class LayerNormCell extends Cell {
    /** As in PyTorch. */
    static final float EPSILON = 1e-5f;
    /** Columns of a norm's statistics. */
    private static final int STATISTICS = 2;
    /** Slots of a part. */
    private static final int PART_SLOTS = 4;
    /** Rows of gradients that are laid side by side at once. */
    private static final int CHUNK = 64;

    /** A norm: its place among {@link CellWeights#vectors}, where its gain is and behind it its bias, and among the statistics. */
    record Norm(int place, String name) {
        static final Norm INPUT = new Norm(0, "ih");
        static final Norm STATE = new Norm(1, "hh");
        static final Norm CELL = new Norm(2, "c");
        private static final List<Norm> ALL = List.of(INPUT, STATE, CELL);

        Matrix gain(List<Matrix> vectors) {
            return vectors.get(2 * place);
        }

        Matrix bias(List<Matrix> vectors) {
            return vectors.get(2 * place + 1);
        }

        Matrix of(Matrix statistics) {
            return statistics.columns(STATISTICS * place, STATISTICS * (place + 1));
        }
    }

    /**
     * What some rows of a part read and write.
     *
     * @param slots (rows, 4 Hp) a and b, added up where they are added up
     * @param kept (rows, {@link #keptSlots} * Hp)
     * @param statistics (rows, at least 6)
     * @param states the states alone count
     */
    record PartViews(Matrix slots, Matrix kept, Matrix statistics, Matrix scratch, Views states) {}

    /** One step from a and b to the state, and back. */
    interface Part {
        void forward(Kernels k, List<Matrix> vectors);

        /** Turns the slots into gradients. */
        void backward(Kernels k, List<Matrix> vectors, Gradients g);
    }

    /** G H. */
    private final int outputs;
    private final int paddedOutputs;
    private final int firstStateSlot;
    private final int[] inputOrder;
    private final int[] stateOrder;

    /**
     * @param firstStateSlot the first of the G slots of the part that b is added to; a is added to the first G
     * @param inputOrder where each of PyTorch's gates stands in a
     * @param stateOrder where each of PyTorch's gates stands in b
     */
    LayerNormCell(int gates, int inputs, int hidden, int firstStateSlot, int[] inputOrder, int[] stateOrder) {
        super(gates, inputs, hidden);
        this.outputs = Math.multiplyExact(gates, hidden);
        this.paddedOutputs = Matrix.padded(outputs);
        this.firstStateSlot = firstStateSlot;
        this.inputOrder = inputOrder;
        this.stateOrder = stateOrder;
    }

    abstract Part part(PartViews views);

    /** Returns how many slots the part needs besides its four. */
    abstract int keptSlots();

    // Training

    @Override
    final int slots() {
        return startSlots() + gates + PART_SLOTS + keptSlots() + 1;
    }

    @Override
    final int startSlots() {
        return gates;
    }

    @Override
    final Matrix inputSlots(Matrix z) {
        return z.columns(0, paddedOutputs);
    }

    @Override
    final Matrix recurrentSlots(Matrix z) {
        return z.columns(gates * padded, gates * padded + paddedOutputs);
    }

    /** Returns which slot of z is that of the part's of a number. */
    final int partSlot(int number) {
        return 2 * gates + number;
    }

    private Matrix partSlots(Matrix z) {
        return z.columns(partSlot(0) * padded, partSlot(PART_SLOTS) * padded);
    }

    final Matrix kept(Matrix z) {
        int from = partSlot(PART_SLOTS) * padded;
        return z.columns(from, from + keptSlots() * padded);
    }

    final Matrix statistics(Matrix z) {
        return z.columns((slots() - 1) * padded, slots() * padded);
    }

    private NormedGates inputNorm(Matrix values, Matrix statistics, Matrix partSlots, Matrix y) {
        return new NormedGates(hidden, values.columns(0, outputs), Norm.INPUT.of(statistics),
                partSlots.columns(0, gates * padded), y.columns(0, outputs));
    }

    private NormedGates stateNorm(Matrix values, Matrix statistics, Matrix partSlots, Matrix y) {
        int from = firstStateSlot * padded;
        return new NormedGates(hidden, values.columns(0, outputs), Norm.STATE.of(statistics),
                partSlots.columns(from, from + gates * padded), y.columns(0, outputs));
    }

    /** A norm's result, its gradient, and two rows of sums that nobody reads. */
    @Override
    final int scratchColumns() {
        return 4 * paddedOutputs;
    }

    private Matrix scratch(Views v, int number) {
        return v.scratch().columns(number * paddedOutputs, (number + 1) * paddedOutputs);
    }

    @Override
    final Step step(Views v) {
        Matrix hSeen = v.hSeen().columns(0, hidden);
        Matrix slots = partSlots(v.z());
        Matrix fromState = recurrentSlots(v.z());
        NormedGates input = inputNorm(inputSlots(v.z()), statistics(v.z()), slots, scratch(v, 0));
        NormedGates state = stateNorm(fromState, statistics(v.z()), slots, scratch(v, 0));
        Matrix dFromState = scratch(v, 1);
        Matrix noGain = scratch(v, 2).rows(0, 1).columns(0, outputs);
        Matrix noBias = scratch(v, 3).rows(0, 1).columns(0, outputs);
        Part part = part(new PartViews(slots, kept(v.z()), statistics(v.z()), v.scratch(), v));
        return new Step() {
            @Override
            public void forward(Kernels k, CellWeights w) {
                slots.clear();
                input.forward(k, Norm.INPUT.gain(w.vectors()), Norm.INPUT.bias(w.vectors()));
                fromState.clear();
                k.multiplyAdd(hSeen, w.recurrent().getFirst(), fromState);
                state.forward(k, Norm.STATE.gain(w.vectors()), Norm.STATE.bias(w.vectors()));
                part.forward(k, w.vectors());
            }

            @Override
            public void backward(Kernels k, CellWeights.Transposed w, Gradients g) {
                part.backward(k, w.vectors(), g);
                state.backward(k, Norm.STATE.gain(w.vectors()), dFromState.columns(0, outputs), noGain, noBias);
                k.multiplyAdd(dFromState, w.recurrent().getFirst(), g.dhSeen());
            }
        };
    }

    /** W x and U h become their gradients on the way. */
    @Override
    List<Reduction> reductions(Matrix z, Buffers buffers) {
        Matrix dInput = buffers.matrix(CHUNK, paddedOutputs);
        Matrix dState = buffers.matrix(CHUNK, paddedOutputs);
        return List.of(reduction(Norm.INPUT, z, rows -> inputNorm(inputSlots(rows), statistics(rows), partSlots(rows),
                dInput.rows(0, rows.rows())), this::inputSlots),
                reduction(Norm.STATE, z, rows -> stateNorm(recurrentSlots(rows), statistics(rows), partSlots(rows),
                        dState.rows(0, rows.rows())), this::recurrentSlots));
    }

    private interface Layout {
        NormedGates of(Matrix rows);
    }

    private interface Values {
        Matrix of(Matrix rows);
    }

    private Reduction reduction(Norm norm, Matrix z, Layout layout, Values values) {
        return (k, w, gradients) -> {
            for (int to = z.rows(); to > 0; to -= CHUNK) { // rows last to first
                Matrix rows = z.rows(Math.max(0, to - CHUNK), to);
                layout.of(rows).backward(k, norm.gain(w.vectors()), values.of(rows).columns(0, outputs),
                        norm.gain(gradients.vectors()), norm.bias(gradients.vectors()));
            }
        };
    }

    // Inference

    @Override
    final boolean fused() {
        return false;
    }

    @Override
    final StepWeights stepWeights(CellWeights w, Precision precision) {
        return new StepWeights(precision.of(w.input()), w.recurrent().stream().map(precision::of).toList(),
                w.vectors());
    }

    @Override
    final Inference inference(StepWeights w, Matrix start, Matrix x, Matrix hPrevious, Matrix c, Matrix h) {
        int rows = hPrevious.rows();
        Matrix fromState = Matrix.of(rows, paddedOutputs);
        Matrix slots = Matrix.of(rows, PART_SLOTS * padded);
        Matrix kept = Matrix.of(rows, keptSlots() * padded);
        Matrix statistics = Matrix.of(rows, STATISTICS * Norm.ALL.size());
        NormedGates state = stateNorm(fromState, statistics, slots, fromState);
        List<Matrix> vectors = w.vectors();
        PackedWeights u = w.recurrent().getFirst();
        return eachStep(start, hPrevious, h, (z, before, after) -> {
            Matrix fromInput = inputSlots(z);
            NormedGates input = inputNorm(fromInput, statistics, slots, fromInput);
            Product product = new Product(before.columns(0, hidden), u, Scaling.UNIT, fromState);
            Views states = new Views(z, before, after, c, c, slots);
            Part part = part(new PartViews(slots, kept, statistics, slots, states));
            return (k, sweep) -> {
                slots.clear();
                input.forward(k, Norm.INPUT.gain(vectors), Norm.INPUT.bias(vectors));
                fromState.clear();
                product.run(k);
                state.forward(k, Norm.STATE.gain(vectors), Norm.STATE.bias(vectors));
                part.forward(k, vectors);
            };
        });
    }

    // Weights: W, U, then the vectors

    @Override
    final long floats() {
        return vectorOffset(0, vectorCount());
    }

    private int vectorCount() {
        return hasCellState() ? 6 : 4;
    }

    private int vectorSize(int number) {
        return number < 4 ? outputs : hidden;
    }

    private long recurrentOffset(long offset) {
        return offset + PackedMatrix.floats(inputs, 1, outputs);
    }

    private long vectorOffset(long offset, int number) {
        long at = recurrentOffset(offset) + PackedMatrix.floats(hidden, 1, outputs);
        for (int i = 0; i < number; i++) {
            at += Matrix.padded(vectorSize(i));
        }
        return at;
    }

    @Override
    final CellWeights weights(Memory block, long offset) {
        List<Matrix> vectors = new ArrayList<>();
        for (int i = 0; i < vectorCount(); i++) {
            vectors.add(GateLayout.row(block, vectorOffset(offset, i), vectorSize(i)));
        }
        return new CellWeights(PackedMatrix.view(block, offset, inputs, 1, outputs),
                List.of(PackedMatrix.view(block, recurrentOffset(offset), hidden, 1, outputs)), Matrix.of(1, 0),
                Matrix.of(1, 0), vectors);
    }

    @Override
    final List<TensorShape> shapes(String suffix) {
        List<TensorShape> shapes = new ArrayList<>();
        shapes.add(TensorShape.of("weight_ih" + suffix, outputs, inputs));
        shapes.add(TensorShape.of("weight_hh" + suffix, outputs, hidden));
        for (int i = 0; i < vectorCount(); i++) {
            shapes.add(TensorShape.of(vectorName(i) + suffix, vectorSize(i)));
        }
        return shapes;
    }

    private static String vectorName(int number) {
        return (number % 2 == 0 ? "gain_" : "bias_") + Norm.ALL.get(number / 2).name();
    }

    @Override
    final List<Parameter> parameters(Memory block, long offset, String suffix) {
        CellWeights w = weights(block, offset);
        PackedMatrix recurrent = w.recurrent().getFirst();
        List<Parameter> parameters = new ArrayList<>();
        parameters.add(Parameter.matrix("weight_ih" + suffix, outputs, inputs,
                (r, c) -> w.input().index(c, 0, place(inputOrder, r))));
        parameters.add(Parameter.matrix("weight_hh" + suffix, outputs, hidden,
                (r, c) -> recurrent.index(c, 0, place(stateOrder, r))));
        for (int i = 0; i < vectorCount(); i++) {
            parameters.add(vector(i, vectorOffset(offset, i), suffix));
        }
        return parameters;
    }

    private Parameter vector(int number, long at, String suffix) {
        int[] order = number < 2 ? inputOrder : number < 4 ? stateOrder : new int[] {0};
        return Parameter.vector(vectorName(number) + suffix, vectorSize(number), (r, c) -> at + place(order, r));
    }

    /** Returns where a row of PyTorch's tensors stands among our G H units. */
    private int place(int[] order, int row) {
        return order[row / hidden] * hidden + row % hidden;
    }
}
