package dev.ostinato.onnx;

import dev.ostinato.formats.DType;
import dev.ostinato.onnx.RecurrentNode.Kind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * RNN, LSTM and GRU. Where the specification is silent this does what ONNX Runtime does: past a row's length Y is zero, Y_h and Y_c are those at the
 * row's last step, {@code reverse} turns each row within its own length, and a row without steps has zeros everywhere.
 *
 * <p>What nn has a cell for is computed there, in single precision on the kernels: constant F32 weights, and functions whose parameters the kernels
 * take. All else is computed by {@link DoubleRecurrence} in double precision.
 */
final class RecurrentOperator implements Operator {
    private static final List<DType> LENGTHS = List.of(DType.I32);

    private final RecurrentNode node;
    /** The weights that were packed last: those of the file do not change from plan to plan. */
    private @Nullable PackedRecurrence packed;

    RecurrentOperator(Kind kind, Attributes attributes) {
        this.node = RecurrentNode.read(kind, attributes);
    }

    @Override
    public List<Value> plan(Layout layout, Inputs inputs) {
        RecurrentInputs in = RecurrentInputs.of(node, inputs);
        DType type = in.x().type();
        int ways = node.ways().size();
        int steps = in.steps();
        int rows = in.rows();
        int hidden = in.hidden();
        List<Value> outputs = new ArrayList<>();
        outputs.add(node.batchFirst() ? layout.output(type, rows, steps, ways, hidden)
                : layout.output(type, steps, ways, rows, hidden));
        for (int i = 0; i < (node.kind() == Kind.LSTM ? 2 : 1); i++) {
            outputs.add(node.batchFirst() ? layout.output(type, rows, ways, hidden)
                    : layout.output(type, ways, rows, hidden));
        }
        layout.scratch(4L * steps * rows * (in.inputs() + (long) hidden));
        PackedRecurrence weights = type == DType.F32 && in.weightsAreConstant() ? packed(in) : null;
        if (weights != null && weights.complete()) {
            layout.code(() -> new KernelRecurrence(node, in, weights, outputs));
        } else {
            layout.code(() -> new DoubleRecurrence(node, in, outputs));
        }
        return outputs;
    }

    private synchronized PackedRecurrence packed(RecurrentInputs in) {
        PackedRecurrence known = packed;
        if (known == null || !known.isOf(in)) {
            known = new PackedRecurrence(node, in);
            packed = known;
        }
        return known;
    }

    /**
     * The inputs of a node, their shapes checked: x (T, B, I), w (D, G*H, I), r (D, G*H, H), b (D, 2*G*H), lengths (B), h and c (D, B, H),
     * peepholes (D, 3*H); batch first x (B, T, I), h and c (B, D, H).
     */
    record RecurrentInputs(Value x, Value w, Value r, @Nullable Value b, @Nullable Value lengths, @Nullable Value h,
            @Nullable Value c, @Nullable Value peepholes, int steps, int rows, int inputs, int hidden) {
        static RecurrentInputs of(RecurrentNode node, Inputs given) {
            boolean lstm = node.kind() == Kind.LSTM;
            if (given.size() > (lstm ? 8 : 6)) {
                throw new IllegalArgumentException(
                        "expected at most " + (lstm ? 8 : 6) + " inputs, got " + given.size());
            }
            Value x = given.required(0);
            Value w = given.required(1);
            Value r = given.required(2);
            if (x.rank() != 3 || r.rank() != 3 || (x.type() != DType.F32 && x.type() != DType.F64)) {
                throw new IllegalArgumentException("expected X and R to be F32 or F64 of three dimensions");
            }
            int steps = x.dimension(node.batchFirst() ? 1 : 0);
            int rows = x.dimension(node.batchFirst() ? 0 : 1);
            int inputs = x.dimension(2);
            int hidden = r.dimension(2);
            int ways = node.ways().size();
            int gates = node.kind().gates;
            if (steps < 1 || rows < 1 || inputs < 1 || hidden < 1) {
                throw new IllegalArgumentException("expected at least one step, row, input and hidden unit");
            }
            if (node.hiddenSize().orElse(hidden) != hidden) {
                throw new IllegalArgumentException("expected R for " + node.hiddenSize().getAsLong()
                        + " hidden units, got " + r.description());
            }
            int[] state = node.batchFirst() ? new int[] {rows, ways, hidden} : new int[] {ways, rows, hidden};
            RecurrentInputs all = new RecurrentInputs(x, w, r, get(given, 3), get(given, 4), get(given, 5),
                    get(given, 6), get(given, 7), steps, rows, inputs, hidden);
            List<DType> type = List.of(x.type());
            check("W", all.w, type, ways, Math.multiplyExact(gates, hidden), inputs);
            check("R", all.r, type, ways, gates * hidden, hidden);
            check("B", all.b, type, ways, Math.multiplyExact(2 * gates, hidden));
            check("sequence_lens", all.lengths, LENGTHS, rows);
            check("initial_h", all.h, type, state);
            check("initial_c", all.c, type, state);
            check("P", all.peepholes, type, ways, 3 * hidden);
            return all;
        }

        private static @Nullable Value get(Inputs given, int i) {
            return given.optional(i).orElse(null);
        }

        private static void check(String name, @Nullable Value value, List<DType> types, int... shape) {
            if (value != null && !(types.contains(value.type()) && Arrays.equals(value.shape(), shape))) {
                throw new IllegalArgumentException(name + ": expected " + types.getFirst() + " "
                        + Arrays.toString(shape) + ", got " + value.description());
            }
        }

        boolean weightsAreConstant() {
            return w.constant() && r.constant() && (b == null || b.constant())
                    && (peepholes == null || peepholes.constant());
        }

        /** Copies the lengths of this run. @throws IllegalArgumentException if one is not in 0..T */
        void readLengths(int[] to) {
            if (lengths == null) {
                Arrays.fill(to, steps);
                return;
            }
            for (int row = 0; row < rows; row++) {
                long length = lengths.longs()[row];
                if (length < 0 || length > steps) {
                    throw new IllegalArgumentException(
                            "sequence_lens: expected 0.." + steps + ", got " + length + " for row " + row);
                }
                to[row] = (int) length;
            }
        }
    }

    /** Where elements of x, of Y and of states begin, in either layout. */
    record Places(boolean batchFirst, int steps, int rows, int ways, int hidden, int inputs) {
        static Places of(RecurrentNode node, RecurrentInputs in) {
            return new Places(node.batchFirst(), in.steps(), in.rows(), node.ways().size(), in.hidden(), in.inputs());
        }

        int x(int t, int row) {
            return (batchFirst ? row * steps + t : t * rows + row) * inputs;
        }

        int y(int t, int way, int row) {
            return (batchFirst ? (row * steps + t) * ways + way : (t * ways + way) * rows + row) * hidden;
        }

        int state(int way, int row) {
            return (batchFirst ? row * ways + way : way * rows + row) * hidden;
        }
    }
}
