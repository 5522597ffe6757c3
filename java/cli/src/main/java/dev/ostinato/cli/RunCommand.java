package dev.ostinato.cli;

import dev.ostinato.formats.DType;
import dev.ostinato.formats.FileFormat;
import dev.ostinato.formats.Npz;
import dev.ostinato.formats.Tensor;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.Precision;
import dev.ostinato.nn.Sequences;
import dev.ostinato.nn.State;
import dev.ostinato.nn.Team;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Runs a model over arrays. */
@Command(name = "run", mixinStandardHelpOptions = true, versionProvider = Version.class, sortOptions = false,
        description = {"Runs a model over the arrays of a file of NumPy's, and writes its outputs to another.",
            "Input: x, float32 of shape (T, B, inputs), or for a model of tokens integers of shape (T, B); and what the state begins with,"
                    + " zero unless given: h0 and, of the LSTM layers, c0, float32 of shape (layers * directions, B, H). Output: y of shape (T, B,"
                    + " outputs), h and c.",
            "Rows of different lengths: lengths, integers of shape (B). What x holds behind them does not matter, y is zero there, and h and c"
                    + " are those at the end of each row. Behind a pooling layer y has the shape (B, outputs).",
            "Of an ONNX graph: the arrays are its inputs and outputs, by their names.",
            "Where layers differ in H, each has arrays of its own: h0_l0, c0_l0, h0_l1 and so on, and likewise h_l0, of shape (B, H)."},
        footer = {"", "Examples:",
            "  python3 -c \"import numpy; numpy.savez('in.npz', x=numpy.zeros((100, 1, 8), numpy.float32))\"",
            "  ostinato run model.safetensors --input in.npz --output out.npz",
            "  ostinato run model.safetensors --input in.npz --output out.npz --stream --backend vector"})
final class RunCommand implements Callable<Integer> {
    private static final String LENGTHS = "lengths";

    private final Terminal terminal;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Parameters(paramLabel = "MODEL",
            description = "A model file, a checkpoint, a model of PyTorch's, or an ONNX graph.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Path file;

    @Option(names = "--input", paramLabel = "FILE", required = true, order = 1,
            description = "Arrays, as numpy.savez writes them.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Path input;

    @Option(names = "--output", paramLabel = "FILE", required = true, order = 2, description = {
        "Where the outputs go, for numpy.load; created or replaced."})
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Path output;

    @Option(names = "--precision", paramLabel = "f32|bf16|int8", order = 3,
            description = "Precision of the weights (default: that of the file).")
    private @Nullable Precision precision;

    @Option(names = "--threads", paramLabel = "N", order = 4, description = {
        "Threads that share a step, each on a core of its own; no result depends on it (default: ${DEFAULT-VALUE})."})
    private int threads = 1;

    @Option(names = "--backend", paramLabel = "NAME", order = 5, description = {
        "Backend that computes, see ostinato info (default: ${DEFAULT-VALUE})."})
    private String backend = "auto";

    @Option(names = "--stream", order = 6, description = "Computes one time step after the other, to the same bytes.")
    private boolean stream;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ImportOptions importing;

    RunCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException {
        Threads.check(spec, threads);
        OutputFiles.check(output);
        if (FileFormat.of(file) == FileFormat.ONNX) {
            refuseOptions();
            report(OnnxCommands.run(file, input, output));
            return CommandLine.ExitCode.OK;
        }
        Model model = Precisions.round(importing.read(file).model().withBackend(backend), precision);
        if (stream && !model.streams()) {
            throw new Failure(file + ": --stream: expected layers that all go forward in time and pool nothing, got "
                    + model.layers());
        }
        Npz arrays = Npz.read(input);
        Tensor x = arrays.tensor("x");
        checkShape(model, x);
        int steps = Math.toIntExact(x.shape()[0]);
        int rows = Math.toIntExact(x.shape()[1]);
        long[] shape = model.pools() ? new long[] {rows, model.outputs()} : new long[] {steps, rows, model.outputs()};
        float[] y = new float[model.pools() ? size(1, rows, model.outputs()) : size(steps, rows, model.outputs())];
        List<Tensor> results = new ArrayList<>();
        try (Team team = Team.of(threads)) {
            State state = model.newState(rows, team);
            checkNames(arrays, state);
            StateArrays.set(state, arrays);
            run(model, x, lengths(arrays, steps, rows), state, y);
            results.add(Tensor.of("y", shape, y));
            results.addAll(StateArrays.of(state));
        }
        Npz.write(output, results);
        report(results);
        return CommandLine.ExitCode.OK;
    }

    private void report(List<Tensor> results) {
        terminal.out().println(output + ": " + results.stream()
                .map(array -> Printable.of(array.name()) + " " + Arrays.toString(array.shape()))
                .collect(Collectors.joining(", ")));
    }

    private void refuseOptions() {
        for (String option : List.of("--precision", "--threads", "--backend", "--stream")) {
            if (spec.commandLine().getParseResult().hasMatchedOption(option)) {
                throw new ParameterException(spec.commandLine(), option
                        + ": expected none for an ONNX graph, which says itself what is computed, on one thread");
            }
        }
    }

    private void checkShape(Model model, Tensor x) {
        long[] shape = x.shape();
        boolean fits = model.takesTokens()
                ? !x.dtype().isFloat() && shape.length == 2
                : x.dtype() == DType.F32 && shape.length == 3 && shape[2] == model.inputs();
        if (!fits || shape[0] < 1 || shape[1] < 1) {
            throw new Failure(input + ": x: expected "
                    + (model.takesTokens() ? "integers [T, B]" : "F32 [T, B, " + model.inputs() + "]")
                    + " with T and B of at least 1, got " + x.dtype() + " " + Arrays.toString(shape));
        }
        size(shape[0], shape[1], Math.max(model.outputs(), model.takesTokens() ? 1 : model.inputs()));
    }

    /** Returns the elements of an array. @throws Failure if they are too many for one */
    private int size(long steps, long rows, long width) {
        try {
            return Math.toIntExact(Math.multiplyExact(Math.multiplyExact(steps, rows), width));
        } catch (ArithmeticException e) {
            throw new Failure(
                    input + ": x: expected arrays of less than 2^31 elements, got " + steps + " x " + rows + " x "
                            + width + "; run it in pieces, each from the h and c of the one before",
                    e);
        }
    }

    /** A misspelled h0 would otherwise be a silent zero. */
    private void checkNames(Npz arrays, State state) {
        List<String> expected = new ArrayList<>(List.of("x", LENGTHS));
        expected.addAll(StateArrays.initialNames(state));
        for (String name : arrays.names()) {
            if (!expected.contains(name)) {
                throw new Failure(input + ": expected arrays " + String.join(", ", expected) + ", got " + name);
            }
        }
    }

    private int[] integers(Tensor tensor) {
        try {
            return tensor.toInts();
        } catch (IllegalStateException e) {
            throw new Failure(input + ": " + e.getMessage(), e);
        }
    }

    private int[] tokens(Model model, Tensor x, int[] lengths) {
        int[] tokens = integers(x);
        int rows = Math.toIntExact(x.shape()[1]);
        for (int i = 0; i < tokens.length; i++) {
            if (i / rows < lengths[i % rows] && (tokens[i] < 0 || tokens[i] >= model.inputs())) {
                throw new Failure(
                        input + ": x: expected tokens from 0 to " + (model.inputs() - 1) + ", got " + tokens[i]
                                + " at step " + i / rows + " of row " + i % rows);
            }
        }
        return tokens;
    }

    /** Computes all steps in one call, or one call for each. */
    private void run(Model model, Tensor x, int[] lengths, State state, float[] y) {
        int steps = Math.toIntExact(x.shape()[0]);
        int[] tokens = model.takesTokens() ? tokens(model, x, lengths) : new int[0];
        float[] features = model.takesTokens() ? new float[0] : x.toFloats();
        if (!stream) {
            run(model, tokens, features, Sequences.ofLengths(steps, lengths), state, y);
            return;
        }
        int tokensOfStep = tokens.length / steps;
        int featuresOfStep = features.length / steps;
        float[] row = new float[y.length / steps];
        for (int t = 0; t < steps; t++) {
            int now = t;
            run(model, Arrays.copyOfRange(tokens, t * tokensOfStep, (t + 1) * tokensOfStep),
                    Arrays.copyOfRange(features, t * featuresOfStep, (t + 1) * featuresOfStep),
                    Sequences.ofLengths(1,
                            Arrays.stream(lengths).map(length -> Math.clamp(length - now, 0, 1)).toArray()),
                    state, row);
            System.arraycopy(row, 0, y, t * row.length, row.length);
        }
    }

    private static void run(Model model, int[] tokens, float[] features, Sequences sequences, State state, float[] y) {
        if (model.takesTokens()) {
            model.run(tokens, sequences, state, y);
        } else {
            model.run(features, sequences, state, y);
        }
    }

    /** Returns the number of steps of each row: what the file says, or all. */
    private int[] lengths(Npz arrays, int steps, int rows) throws IOException {
        int[] lengths = new int[rows];
        Arrays.fill(lengths, steps);
        if (!arrays.names().contains(LENGTHS)) {
            return lengths;
        }
        Tensor tensor = arrays.tensor(LENGTHS);
        if (tensor.dtype().isFloat() || !Arrays.equals(tensor.shape(), new long[] {rows})) {
            throw new Failure(input + ": lengths: expected integers [" + rows + "], got " + tensor.dtype() + " "
                    + Arrays.toString(tensor.shape()));
        }
        lengths = integers(tensor);
        for (int b = 0; b < rows; b++) {
            if (lengths[b] < 0 || lengths[b] > steps) {
                throw new Failure(
                        input + ": lengths: expected 0 to " + steps + ", got " + lengths[b] + " of row " + b);
            }
        }
        return lengths;
    }
}
