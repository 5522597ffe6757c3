package dev.ostinato.nn;

import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.LstmVariant;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
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
 * What their gradient is a sum over, c before and after each step, the backward pass leaves in two slots behind the gates.
 */
final class LstmCell extends Cell {
    private static final Matrix NONE = Matrix.of(0, 0);

    private final LstmVariant variant;
    private final boolean seeing;
    private final int[] order;

    LstmCell(CellType.Lstm type, int inputs, int hidden) {
        super(type.gates(), inputs, hidden, type.bias());
        this.variant = type.variant();
        this.seeing = type.peepholes() == CellType.Peepholes.ALL;
        this.order = IntStream.range(0, gates).toArray();
    }

    @Override
    Step step(Views v) {
        Matrix hPrevious = v.hPrevious().columns(0, hidden);
        Matrix z = inputSlots(v.z());
        return new Step() {
            @Override
            public void forward(Kernels k, CellWeights w) {
                k.multiplyAdd(hPrevious, w.recurrent().getFirst(), z);
                k.lstmForward(variant, peepholes(w.vectors()), z, v.cPrevious(), v.c(), v.h());
            }

            @Override
            public void backward(Kernels k, CellWeights.Transposed w, Gradients g) {
                k.lstmBackward(variant, peepholes(w.vectors()), z, v.cPrevious(), v.c(), g.dh(), g.dc());
                k.multiplyAdd(z, w.recurrent().getFirst(), g.dhPrevious());
                if (seeing) {
                    before(v.z()).copyFrom(v.cPrevious());
                    after(v.z()).copyFrom(v.c());
                }
            }
        };
    }

    private static Matrix peepholes(List<Matrix> vectors) {
        return vectors.isEmpty() ? NONE : vectors.getFirst();
    }

    private Matrix before(Matrix z) {
        return z.columns(gates * padded, (gates + 1) * padded);
    }

    private Matrix after(Matrix z) {
        return z.columns((gates + 1) * padded, (gates + 2) * padded);
    }

    @Override
    void recurrentGradient(Kernels k, Matrix hPrevious, Matrix z, CellWeights gradients, int part, int parts) {
        super.recurrentGradient(k, hPrevious, z, gradients, part, parts);
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
        return (k, sweep) -> k.lstmSteps(variant, peepholes(w.vectors()), z, x, w.input(), hPrevious,
                w.recurrent().getFirst(), sweep, c, h);
    }

    @Override
    int slots() {
        return seeing ? gates + 2 : gates;
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
        peepholeNames(suffix).forEach(name -> shapes.add(TensorShape.of(name, hidden)));
        return shapes;
    }

    // Peepholes lie behind the biases, in rows of Hp.

    @Override
    long floats() {
        return super.floats() + (long) peepholeNames("").size() * padded;
    }

    @Override
    CellWeights weights(Memory block, long offset) {
        CellWeights w = super.weights(block, offset);
        int rows = peepholeNames("").size();
        return rows == 0 ? w : new CellWeights(w.input(), w.recurrent(), w.biasInput(), w.biasRecurrent(),
                List.of(Matrix.wrap(block, offset + super.floats(), rows, padded, padded)));
    }

    @Override
    List<Parameter> parameters(Memory block, long offset, String suffix) {
        List<Parameter> parameters = new ArrayList<>(present(GateLayout.parameters(weights(block, offset), offset,
                inputs, hidden, order, order, suffix)));
        long first = offset + super.floats();
        for (String name : peepholeNames(suffix)) {
            long row = first;
            parameters.add(Parameter.vector(name, hidden, (r, c) -> row + r));
            first += padded;
        }
        return parameters;
    }
}
