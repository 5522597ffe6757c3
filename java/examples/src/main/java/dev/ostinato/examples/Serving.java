package dev.ostinato.examples;

import dev.ostinato.formats.ModelFile;
import dev.ostinato.kernels.Slice;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.Precision;
import dev.ostinato.nn.State;
import dev.ostinato.nn.Team;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Path;

/** Serves streams of a model of features, as a service with little time would. Used by one thread at a time. */
public final class Serving {
    private final Model model;

    /** Loads a model and compiles it, so that the first request takes no longer than the others. */
    public Serving(Path file) throws IOException {
        // readme: serving
        Model loaded = ModelFile.read(file).model().withPrecision(Precision.INT8); // a quarter of the bytes to read
        loaded.warmUp(1, 1); // single steps of single streams
        // readme: end
        this.model = loaded;
    }

    /** Lets a stream read a whole history on two cores, and then goes on from it twice: (outputs) for one more row, then for another. */
    public float[][] goOn(FloatBuffer history, float[] oneRow, float[] another) {
        float[] y = new float[model.outputs()];
        float[] first;
        // readme: sequences
        try (Team team = Team.of(2)) { // the second thread spins until the team is closed
            State state = model.newState(1, team);
            FloatBuffer outputs = FloatBuffer.allocate(history.remaining() / model.inputs() * model.outputs());
            model.run(Slice.of(history), state, Slice.of(outputs)); // (T, inputs) to (T, outputs): the bits of T steps
            byte[] saved = state.save(); // for another day, or another machine

            model.step(oneRow, state, y); // allocates nothing
            first = y.clone();
            state.restore(saved);
            model.step(another, state, y);
        }
        // readme: end
        return new float[][] {first, y};
    }

    static void main(String[] args) throws IOException {
        Serving serving = new Serving(Path.of(args[0]));
        int inputs = serving.model.inputs();
        float[][] answers = serving.goOn(FloatBuffer.allocate(100 * inputs), new float[inputs], new float[inputs]);
        System.out.println(answers[0][0] + " " + answers[1][0]);
    }
}
