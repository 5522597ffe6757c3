package dev.ostinato.cli;

import static java.util.stream.Collectors.counting;
import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.joining;

import dev.ostinato.formats.DType;
import dev.ostinato.formats.Npz;
import dev.ostinato.formats.Tensor;
import dev.ostinato.formats.onnx.OnnxNode;
import dev.ostinato.formats.onnx.OnnxValueInfo;
import dev.ostinato.onnx.OnnxArray;
import dev.ostinato.onnx.OnnxModel;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SortedMap;
import java.util.TreeMap;

/** What {@code run} and {@code inspect} do with an ONNX graph, which is no model of layers. */
final class OnnxCommands {
    private static final ValueLayout.OfDouble DOUBLE =
            ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private OnnxCommands() {}

    /** Runs a graph over arrays with the names of its inputs, and writes its outputs. @throws Failure if they do not fit */
    static List<Tensor> run(Path file, Path input, Path output) throws IOException {
        OnnxModel model = OnnxModel.read(file);
        Npz arrays = Npz.read(input);
        Map<String, OnnxArray> given = new LinkedHashMap<>();
        List<Tensor> results = new ArrayList<>();
        try {
            for (String name : arrays.names()) {
                given.put(name, OnnxArray.of(arrays.tensor(name)));
            }
            model.run(given).forEach((name, array) -> results.add(tensor(name, array)));
        } catch (IllegalArgumentException e) {
            throw new Failure(input + ": " + e.getMessage(), e);
        }
        Npz.write(output, results);
        return results;
    }

    private static Tensor tensor(String name, OnnxArray array) {
        long[] shape = Arrays.stream(array.shape()).asLongStream().toArray();
        return switch (array.type()) {
            case F32 -> Tensor.of(name, shape, array.toFloats());
            case F64 -> {
                double[] doubles = array.toDoubles();
                MemorySegment data = MemorySegment.ofArray(new byte[Math.multiplyExact(doubles.length, Double.BYTES)]);
                for (int i = 0; i < doubles.length; i++) {
                    data.setAtIndex(DOUBLE, i, doubles[i]);
                }
                yield Tensor.of(name, DType.F64, shape, data);
            }
            default -> Tensor.of(name, shape, array.toLongs());
        };
    }

    /** Shows what goes in, what comes out, what is remembered, and which operators there are. */
    static void print(Path file, PrintStream out) throws IOException {
        OnnxModel model = OnnxModel.read(file);
        out.printf(Locale.ROOT, "%s: ONNX graph %s, opset %d, %,d nodes, %,d parameters, %,d bytes on disk%n", file,
                Printable.of(model.file().graph().name()), opset(model), model.file().graph().nodes().size(),
                parameters(model), Files.size(file));
        print(out, "inputs", model.inputs());
        print(out, "outputs", model.outputs());
        if (!model.states().isEmpty()) {
            out.printf("%nstates%n");
            model.states().forEach((from, to) -> out.printf("    %s, goes on as %s%n", Printable.of(from),
                    Printable.of(to)));
        }
        out.printf("%noperators%n");
        operators(model).forEach((name, count) -> out.printf("    %-22s %6d%n", Printable.of(name), count));
    }

    private static void print(PrintStream out, String title, List<OnnxValueInfo> values) {
        out.printf("%n%s%n", title);
        values.forEach(value -> out.printf("    %s%n", Printable.of(describe(value))));
    }

    private static String describe(OnnxValueInfo value) {
        return value.name() + " " + value.type().map(DType::toString).orElse("?") + " "
                + value.shape().map(shape -> shape.stream().map(Object::toString).collect(joining(", ", "[", "]")))
                        .orElse("of any shape");
    }

    /** Returns the fields of the JSON object. */
    static SequencedMap<String, Object> toMap(Path file) throws IOException {
        OnnxModel model = OnnxModel.read(file);
        SequencedMap<String, Object> map = new LinkedHashMap<>();
        map.put("model", file.toString());
        map.put("format", "onnx");
        map.put("opset", opset(model));
        map.put("parameters", parameters(model));
        map.put("file_bytes", Files.size(file));
        map.put("inputs", model.inputs().stream().map(OnnxCommands::describe).toList());
        map.put("outputs", model.outputs().stream().map(OnnxCommands::describe).toList());
        map.put("states", model.states());
        map.put("operators", operators(model));
        return map;
    }

    private static long opset(OnnxModel model) {
        return model.file().opsets().getOrDefault("", 0L);
    }

    private static long parameters(OnnxModel model) {
        return model.file().graph().initializers().stream().mapToLong(Tensor::size).sum();
    }

    private static SortedMap<String, Long> operators(OnnxModel model) {
        return model.file().graph().nodes().stream()
                .collect(groupingBy(OnnxNode::operator, TreeMap::new, counting()));
    }
}
