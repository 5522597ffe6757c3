package dev.ostinato.cli;

import dev.ostinato.formats.ModelFile;
import dev.ostinato.formats.Npz;
import dev.ostinato.formats.Tensor;
import dev.ostinato.nn.Batch;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Loss;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.Vocabulary;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;

/**
 * Data to look at a model with.
 *
 * @param name of the file
 * @param description in a few words
 */
record Samples(String name, String description, Batch batch, Loss loss) {
    /** Pieces of a text, spread over all of it. */
    private static final int PIECES = 16;

    /**
     * Reads a text for a model of characters, or arrays x and y.
     *
     * @param steps of a piece of text, or as many as there are; arrays have their own number
     * @throws Failure if there is nothing in it for the model
     */
    static Samples read(String data, ModelFile model, int steps) throws IOException {
        return data.toLowerCase(Locale.ROOT).endsWith(".npz") ? ofArrays(data, model.model())
                : ofText(data, model, steps);
    }

    private static Samples ofText(String data, ModelFile file, int most) throws IOException {
        Vocabulary vocabulary = file.vocabulary().orElseThrow(() -> new Failure(
                data + ": expected arrays x and y in a file .npz, since this model has no vocabulary to read a text with"));
        Corpus corpus = Corpus.read(data);
        int[] text = vocabulary.encode(corpus.text());
        if (text.length < 2) {
            throw new Failure(corpus.name() + ": expected at least 2 characters, got " + text.length);
        }
        int steps = Math.min(most, text.length - 1);
        int rows = Math.clamp((text.length - 1) / steps, 1, PIECES);
        int[] tokens = new int[steps * rows];
        int[] next = new int[steps * rows];
        for (int b = 0; b < rows; b++) {
            int from = (int) ((long) (text.length - 1 - steps) * b / Math.max(1, rows - 1));
            for (int t = 0; t < steps; t++) {
                tokens[t * rows + b] = text[from + t];
                next[t * rows + b] = text[from + t + 1];
            }
        }
        String description =
                String.format(Locale.ROOT, "%d pieces of %s, %d characters each", rows, corpus.name(), steps);
        return new Samples(corpus.name(), description, Batch.tokensToClasses(steps, rows, tokens, next),
                Loss.crossEntropy());
    }

    private static Samples ofArrays(String data, Model model) throws IOException {
        Npz arrays = Npz.read(Path.of(data));
        Tensor x = arrays.tensor("x");
        Tensor y = arrays.tensor("y");
        boolean pools = model.layers().stream().anyMatch(layer -> layer instanceof Layer.Pool);
        boolean values = y.dtype().isFloat();
        check(data, x, "T, B", model.takesTokens() ? 0 : model.inputs(), "x");
        check(data, y, pools ? "B" : "T, B", values ? model.outputs() : 0, "y");
        long[] rows = pools ? new long[] {x.shape()[1]} : new long[] {x.shape()[0], x.shape()[1]};
        if (!Arrays.equals(rows, 0, rows.length, y.shape(), 0, rows.length)) {
            throw new Failure(data + ": y: expected the " + (pools ? "rows" : "steps and rows") + " of x, "
                    + Arrays.toString(x.shape()) + ", got " + Arrays.toString(y.shape()));
        }
        int steps = Math.toIntExact(x.shape()[0]);
        int count = Math.toIntExact(x.shape()[1]);
        String description = String.format(Locale.ROOT, "%d rows of %s, %d steps each", count, data, steps);
        return new Samples(data, description, batch(steps, count, model, x, y),
                values ? Loss.squaredError() : Loss.crossEntropy());
    }

    private static Batch batch(int steps, int rows, Model model, Tensor x, Tensor y) {
        if (model.takesTokens()) {
            return y.dtype().isFloat()
                    ? Batch.tokensToValues(steps, rows, x.toInts(), y.toFloats())
                    : Batch.tokensToClasses(steps, rows, x.toInts(), y.toInts());
        }
        return y.dtype().isFloat()
                ? Batch.featuresToValues(steps, rows, x.toFloats(), y.toFloats())
                : Batch.featuresToClasses(steps, rows, x.toFloats(), y.toInts());
    }

    /**
     * @param rows the first dimensions
     * @param width of rows of floats, the last dimension; 0 for integers, which have none
     */
    private static void check(String data, Tensor array, String rows, int width, String name) {
        long[] shape = array.shape();
        int dimensions = rows.split(", ").length;
        boolean fits = width == 0
                ? !array.dtype().isFloat() && shape.length == dimensions
                : array.dtype().isFloat() && shape.length == dimensions + 1 && shape[dimensions] == width;
        if (!fits || Arrays.stream(shape).anyMatch(size -> size < 1)) {
            throw new Failure(data + ": " + name + ": expected "
                    + (width == 0 ? "integers [" + rows + "]" : "F32 [" + rows + ", " + width + "]")
                    + " with at least one of each, got " + array.dtype() + " " + Arrays.toString(shape));
        }
    }
}
