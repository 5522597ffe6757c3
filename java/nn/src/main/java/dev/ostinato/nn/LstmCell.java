package dev.ostinato.nn;

import dev.ostinato.kernels.Activation;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.LstmVariant;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import dev.ostinato.kernels.PackedMatrix;
import dev.ostinato.kernels.PackedWeights;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * Long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000). Slots and gates i f g o,
 * PyTorch's order:
 *
 * <pre>
 * i, f, o = sigmoid(W x + b_ih + U h + b_hh)      g = tanh(W x + b_ih + U h + b_hh)
 * c' = f * c + i * g                              h' = o * tanh(c')</pre>
 *
 * With peepholes {@code p_i * c} and {@code p_f * c} join i and f, and {@code p_o * c'} joins o; coupled there is no slot for {@code f = 1 - i}.
 * With a projection {@code h' = W_hr m}, where m is what h' is otherwise, in a second sweep.
 *
 * <p>Behind the gates are slots for what the gradients of other weights are sums over: m and dh of each step for the projection, c before
 * and after it for the peepholes.
 */
final class LstmCell extends Cell {
    private static final Matrix NONE = Matrix.of(0, 0);

    private final LstmVariant variant;
    private final boolean seeing;
    private final boolean projected;
    private final int[] order;

    LstmCell(CellType.Lstm type, int inputs, int hidden) {
        super(type.gates(), inputs, hidden, type.outputs(hidden), type.bias());
        this.projected = type.projection().isPresent();
        this.variant = type.variant();
        this.seeing = type.peepholes() == CellType.Peepholes.ALL;
        this.order = IntStream.range(0, gates).toArray();
    }

    @Override
    Step step(Views v) {
        Matrix hSeen = v.hSeen().columns(0, stateSize);
        Matrix z = inputSlots(v.z());
        Matrix m = projected ? unprojected(v.z()) : v.h();
        return new Step() {
            @Override
            public void forward(Kernels k, CellWeights w) {
                k.multiplyAdd(hSeen, w.recurrent().getFirst(), z);
                k.lstmForward(variant, peepholes(w.vectors()), z, v.cPrevious(), v.c(), m);
                if (projected) {
                    v.h().clear();
                    k.multiplyAdd(m.columns(0, hidden), w.recurrent().getLast(), v.h());
                    k.rnnForward(Activation.IDENTITY, v.h(), v.h()); // flushes
                }
            }

            @Override
            public void backward(Kernels k, CellWeights.Transposed w, Gradients g) {
                Matrix dm = g.dh();
                if (projected) {
                    projectionGradient(v.z()).copyFrom(g.dh());
                    dm = v.scratch();
                    dm.clear();
                    k.multiplyAdd(g.dh(), w.recurrent().getLast(), dm);
                }
                k.lstmBackward(variant, peepholes(w.vectors()), z, v.cPrevious(), v.c(), dm, g.dc());
                k.multiplyAdd(z, w.recurrent().getFirst(), g.dhSeen());
                if (seeing) {
                    before(v.z()).copyFrom(v.cPrevious());
                    after(v.z()).copyFrom(v.c());
                }
            }
        };
    }

    // Slots behind the gates

    private Matrix unprojected(Matrix z) {
        return z.columns(gates * padded, (gates + 1) * padded);
    }

    /** dh, which is narrower than a slot. */
    private Matrix projectionGradient(Matrix z) {
        int first = (gates + 1) * padded;
        return z.columns(first, first + paddedState);
    }

    private Matrix before(Matrix z) {
        int slot = projected ? gates + 2 : gates;
        return z.columns(slot * padded, (slot + 1) * padded);
    }

    private Matrix after(Matrix z) {
        int slot = projected ? gates + 3 : gates + 1;
        return z.columns(slot * padded, (slot + 1) * padded);
    }

    @Override
    int slots() {
        return gates + (projected ? 2 : 0) + (seeing ? 2 : 0);
    }

    private static Matrix peepholes(List<Matrix> vectors) {
        return vectors.isEmpty() ? NONE : vectors.getFirst();
    }

    @Override
    void recurrentGradient(Kernels k, Matrix hPrevious, Matrix z, CellWeights gradients, int part, int parts) {
        super.recurrentGradient(k, hPrevious, z, gradients, part, parts);
        if (projected) {
            gradientShare(k, unprojected(z).columns(0, hidden), projectionGradient(z), gradients.recurrent().getLast(),
                    part, parts);
        }
        if (seeing) {
            Matrix sums = peepholes(gradients.vectors());
            int from = share(padded, part, parts);
            int to = share(padded, part + 1, parts);
            for (int row = 0; row < sums.rows(); row++) {
                boolean output = row == sums.rows() - 1;
                int slot = output ? gates - 1 : row;
                k.columnDots(z.columns(slot * padded + from, slot * padded + to),
                        (output ? after(z) : before(z)).columns(from, to), sums.rows(row, row + 1).columns(from, to));
            }
        }
    }

    @Override
    Inference inference(StepWeights w, Matrix start, Matrix x, Matrix hPrevious, Matrix c, Matrix h) {
        Matrix z = inputSlots(start);
        Matrix before = projected ? hPrevious.columns(0, stateSize) : hPrevious;
        return (k, sweep) -> k.lstmSteps(variant, peepholes(w.vectors()), z, x, w.input(), before,
                w.recurrent().getFirst(), sweep, c, h);
    }

    @Override
    boolean hasSecondSweep() {
        return projected;
    }

    /** A product, which is a step of the cell that does nothing with it and remembers nothing. */
    @Override
    Inference secondSweep(StepWeights w, Matrix between, Matrix h) {
        PackedWeights projection = w.recurrent().getLast();
        PackedWeights none = projection.withoutInputs();
        Matrix zeros = Matrix.of(1, paddedState);
        Matrix nothing = Matrix.of(between.rows(), 0);
        Matrix m = between.columns(0, hidden);
        return (k, sweep) -> k.rnnSteps(Activation.IDENTITY, zeros, m, projection, nothing, none, sweep, h);
    }

    @Override
    StepWeights stepWeights(CellWeights w, Precision precision) {
        return projected
                ? new StepWeights(precision.of(w.input()), w.recurrent().stream().map(precision::of).toList(),
                        w.vectors())
                : super.stepWeights(w, precision);
    }

    @Override
    boolean hasCellState() {
        return true;
    }

    @Override
    List<Gate> gateList() {
        List<Gate> list = new ArrayList<>(List.of(gate("i", variant.gates(), 0)));
        forgetGate().ifPresent(slot -> list.add(gate("f", variant.gates(), slot)));
        list.add(gate("g", variant.candidate(), gates - 2));
        list.add(gate("o", variant.gates(), gates - 1));
        return list;
    }

    @Override
    OptionalInt forgetGate() {
        return variant.forget() == LstmVariant.Forget.GATE ? OptionalInt.of(1) : OptionalInt.empty();
    }

    /** Names of peepholes, in the order of their rows. */
    private List<String> peepholeNames(String suffix) {
        if (!seeing) {
            return List.of();
        }
        String input = "weight_ci" + suffix;
        String output = "weight_co" + suffix;
        return forgetGate().isPresent() ? List.of(input, "weight_cf" + suffix, output) : List.of(input, output);
    }

    @Override
    List<TensorShape> shapes(String suffix) {
        List<TensorShape> shapes = new ArrayList<>(super.shapes(suffix));
        if (projected) {
            shapes.add(TensorShape.of("weight_hr" + suffix, stateSize, hidden));
        }
        peepholeNames(suffix).forEach(name -> shapes.add(TensorShape.of(name, hidden)));
        return shapes;
    }

    // W and U and the biases as of every cell, then peepholes in rows of Hp, then the projection.

    /** Returns how many inputs W would have if U had H and all were as many as they are, which is how {@link GateLayout} counts. */
    private int layoutInputs() {
        return inputs + stateSize - hidden;
    }

    private long peepholeOffset(long offset) {
        return offset + GateLayout.floats(layoutInputs(), hidden, gates);
    }

    private long projectionOffset(long offset) {
        return peepholeOffset(offset) + (long) peepholeNames("").size() * padded;
    }

    @Override
    long floats() {
        return projectionOffset(0) + (projected ? PackedMatrix.floats(hidden, 1, stateSize) : 0);
    }

    @Override
    CellWeights weights(Memory block, long offset) {
        PackedMatrix[] pair = PackedMatrix.pair(block, offset, inputs, stateSize, gates, hidden);
        List<PackedMatrix> recurrent = projected
                ? List.of(pair[1], PackedMatrix.view(block, projectionOffset(offset), hidden, 1, stateSize))
                : List.of(pair[1]);
        int rows = peepholeNames("").size();
        List<Matrix> vectors =
                seeing ? List.of(Matrix.wrap(block, peepholeOffset(offset), rows, padded, padded)) : List.of();
        return new CellWeights(pair[0], recurrent,
                GateLayout.bias(block, offset, layoutInputs(), hidden, gates, 0),
                GateLayout.bias(block, offset, layoutInputs(), hidden, gates, 1), vectors);
    }

    @Override
    List<Parameter> parameters(Memory block, long offset, String suffix) {
        CellWeights w = weights(block, offset);
        PackedMatrix u = w.recurrent().getFirst();
        List<Parameter> parameters = new ArrayList<>(present(List.of(
                GateLayout.input(w, inputs, hidden, order, suffix),
                Parameter.matrix("weight_hh" + suffix, gates * hidden, stateSize,
                        (r, c) -> u.index(c, r / hidden, r % hidden)),
                GateLayout.bias(offset, layoutInputs(), hidden, order, 0, "bias_ih" + suffix),
                GateLayout.bias(offset, layoutInputs(), hidden, order, 1, "bias_hh" + suffix))));
        if (projected) {
            PackedMatrix projection = w.recurrent().getLast();
            parameters.add(Parameter.matrix("weight_hr" + suffix, stateSize, hidden,
                    (r, c) -> projection.index(c, 0, r)));
        }
        long first = peepholeOffset(offset);
        for (String name : peepholeNames(suffix)) {
            long row = first;
            parameters.add(Parameter.vector(name, hidden, (r, c) -> row + r));
            first += padded;
        }
        return parameters;
    }
}
