package dev.ostinato.onnx;

import dev.ostinato.formats.FormatException;
import dev.ostinato.formats.onnx.OnnxFile;
import dev.ostinato.formats.onnx.OnnxValueInfo;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/**
 * A model of an ONNX file. Immutable and safe for all threads; what runs it is an {@link OnnxSession}, of which each thread, or each stream,
 * has its own.
 *
 * <pre>{@code
 * OnnxModel model = OnnxModel.read(Path.of("model.onnx"));
 * Map<String, OnnxArray> outputs = model.newSession().run(Map.of("x", OnnxArray.of(x, 100, 1, 40)));
 * float[] y = outputs.get("y").toFloats();
 * }</pre>
 *
 * <p>Operators of opsets 7 to 22. Initializers are constants, also where an input has the same name.
 */
public final class OnnxModel {
    private static final long OLDEST_OPSET = 7;
    private static final long NEWEST_OPSET = 22;

    private final OnnxFile file;
    private final List<OnnxValueInfo> inputs;
    private final CompiledGraph graph;
    private final Map<String, String> states;

    private OnnxModel(Path name, OnnxFile file) throws FormatException {
        this.file = file;
        long opset = file.opsets().getOrDefault("", 0L);
        if (opset < OLDEST_OPSET || opset > NEWEST_OPSET) {
            throw new FormatException(name, "expected ONNX operators of opset " + OLDEST_OPSET + " to " + NEWEST_OPSET
                    + ", got " + opset);
        }
        CompiledGraph whole = new CompiledGraph.Compiler(name, opset).compile(file.graph(), new CompiledGraph.Names());
        this.inputs =
                file.graph().inputs().stream().filter(input -> !whole.constants().containsKey(input.name())).toList();
        this.states = Collections.unmodifiableMap(StateFinder.find(file.graph()));
        try {
            for (OnnxValueInfo input : inputs) {
                Value.kind(input.type().orElseThrow(() -> new IllegalArgumentException("input "
                        + FormatException.quote(input.name()) + ": expected a tensor of numbers")));
            }
            this.graph = Planner.fold(whole, Budget.ofHeap());
        } catch (IllegalArgumentException e) {
            throw new FormatException(name, String.valueOf(e.getMessage()), e);
        }
    }

    /**
     * Reads a file and makes a model of it.
     *
     * @throws FormatException if the file is damaged, or has an operator, an attribute or a type that is not supported: the message names the
     *     node
     * @throws IOException if it cannot be read
     */
    public static OnnxModel read(Path file) throws IOException {
        return new OnnxModel(file, OnnxFile.read(file));
    }

    /**
     * Makes a model of the bytes of a file.
     *
     * @param name of the source, for messages
     * @throws FormatException as {@link #read}
     */
    public static OnnxModel parse(Path name, MemorySegment bytes) throws IOException {
        return new OnnxModel(name, OnnxFile.parse(name, bytes));
    }

    /**
     * Makes a model of a file that has been read.
     *
     * @param name of the source, for messages
     * @throws FormatException as {@link #read}
     */
    public static OnnxModel of(Path name, OnnxFile file) throws FormatException {
        return new OnnxModel(name, file);
    }

    /** Returns the file. */
    public OnnxFile file() {
        return file;
    }

    /** Returns what a run must be given: names, types, and shapes as far as the file knows them. */
    public List<OnnxValueInfo> inputs() {
        return inputs;
    }

    /** Returns what comes out, as the file describes it. */
    public List<OnnxValueInfo> outputs() {
        return file.graph().outputs();
    }

    /**
     * Returns what the model remembers, as far as that is seen: of each input that recurrent nodes begin with the output that they end with, by
     * their names. Who streams gives back the output as the input of the next call: {@link OnnxPlan#carryStates}.
     */
    public Map<String, String> states() {
        return states;
    }

    /** Returns what runs this model, for one thread at a time. */
    public OnnxSession newSession() {
        return new OnnxSession(this);
    }

    /** Runs the model once. Who runs it often keeps a {@link #newSession session}. @see OnnxSession#run */
    public Map<String, OnnxArray> run(Map<String, OnnxArray> given) {
        return newSession().run(given);
    }

    CompiledGraph graph() {
        return graph;
    }
}
