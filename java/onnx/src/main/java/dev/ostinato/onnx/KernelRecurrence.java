package dev.ostinato.onnx;

import dev.ostinato.kernels.Slice;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.Sequences;
import dev.ostinato.nn.State;
import dev.ostinato.onnx.RecurrentOperator.Places;
import dev.ostinato.onnx.RecurrentOperator.RecurrentInputs;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A recurrent node by nn's cells. Runs of the same lengths allocate nothing. */
final class KernelRecurrence implements Runnable {
    private final RecurrentInputs in;
    private final Places places;
    private final List<Value> outputs;
    private final List<Model> models = new ArrayList<>();
    private final List<State> states = new ArrayList<>();
    /** (T, B, I). */
    private final float[] x;
    private final Slice xSlice;
    /** (T, B, H) of one direction. */
    private final float[] y;
    private final Slice ySlice;
    /** (B, H), to and from a state. */
    private final float[] row;
    private final int[] lengths;
    private @Nullable Sequences sequences;
    private int[] lengthsOfSequences = new int[0];

    KernelRecurrence(RecurrentNode node, RecurrentInputs in, PackedRecurrence weights, List<Value> outputs) {
        this.in = in;
        this.places = Places.of(node, in);
        this.outputs = outputs;
        for (int way = 0; way < places.ways(); way++) {
            models.add(weights.model(way));
            states.add(weights.model(way).newState(in.rows()));
        }
        this.x = node.batchFirst() ? new float[in.x().size()] : in.x().floats();
        this.y = places.ways() == 1 && !node.batchFirst() ? outputs.getFirst().floats()
                : new float[in.steps() * in.rows() * in.hidden()];
        this.xSlice = Slice.of(x, 0, in.x().size());
        this.ySlice = Slice.of(y, 0, in.steps() * in.rows() * in.hidden());
        this.row = new float[in.rows() * in.hidden()];
        this.lengths = new int[in.rows()];
    }

    @Override
    public void run() {
        readLengths();
        if (places.batchFirst()) {
            for (int t = 0; t < places.steps(); t++) {
                for (int b = 0; b < places.rows(); b++) {
                    System.arraycopy(in.x().floats(), places.x(t, b), x, (t * places.rows() + b) * places.inputs(),
                            places.inputs());
                }
            }
        }
        for (int way = 0; way < places.ways(); way++) {
            run(way);
        }
    }

    /** Makes the layout of the lengths anew if they are others than last time. */
    private void readLengths() {
        in.readLengths(lengths);
        if (!Arrays.equals(lengths, lengthsOfSequences)) {
            lengthsOfSequences = lengths.clone();
            sequences = Arrays.stream(lengths).allMatch(length -> length == places.steps()) ? null
                    : Sequences.ofLengths(places.steps(), lengths);
        }
    }

    private void run(int way) {
        State state = states.get(way);
        load(state, 0, in.h(), way);
        if (outputs.size() > 2) {
            load(state, 1, in.c(), way);
        }
        if (sequences == null) {
            models.get(way).run(xSlice, state, ySlice);
        } else if (Arrays.stream(lengths).anyMatch(length -> length > 0)) {
            models.get(way).run(xSlice, sequences, state, ySlice);
        } else {
            Arrays.fill(y, 0, places.steps() * places.rows() * places.hidden(), 0f);
        }
        store(way);
        for (int i = 1; i < outputs.size(); i++) {
            state.get(i - 1, row);
            for (int b = 0; b < places.rows(); b++) {
                float[] to = outputs.get(i).floats();
                int at = places.state(way, b);
                if (lengths[b] == 0) {
                    Arrays.fill(to, at, at + places.hidden(), 0f);
                } else {
                    System.arraycopy(row, b * places.hidden(), to, at, places.hidden());
                }
            }
        }
    }

    private void load(State state, int number, @Nullable Value from, int way) {
        if (from == null) {
            Arrays.fill(row, 0f);
        } else {
            for (int b = 0; b < places.rows(); b++) {
                System.arraycopy(from.floats(), places.state(way, b), row, b * places.hidden(), places.hidden());
            }
        }
        state.set(number, row);
    }

    @SuppressWarnings("ReferenceEquality") // the same memory, not the same contents
    private void store(int way) {
        float[] to = outputs.getFirst().floats();
        if (to == y) {
            return;
        }
        for (int t = 0; t < places.steps(); t++) {
            for (int b = 0; b < places.rows(); b++) {
                System.arraycopy(y, (t * places.rows() + b) * places.hidden(), to, places.y(t, way, b),
                        places.hidden());
            }
        }
    }
}
