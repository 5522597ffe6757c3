package dev.ostinato.onnx;

import dev.ostinato.formats.DType;
import dev.ostinato.formats.Tensor;
import dev.ostinato.formats.onnx.OnnxAttribute;
import dev.ostinato.formats.onnx.OnnxFile;
import dev.ostinato.formats.onnx.OnnxGraph;
import dev.ostinato.formats.onnx.OnnxNode;
import dev.ostinato.formats.onnx.OnnxValueInfo;
import dev.ostinato.formats.onnx.OnnxValueInfo.Dimension;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Writes models of nn as ONNX graphs, of opset 17.
 *
 * <p>The input is {@code x} (T, B, I), or {@code tokens} (T, B) of type I64; the output {@code y} (T, B, outputs), or (B, outputs) behind a pooling layer. T
 * and B vary. A model that streams has its states as inputs too, (1, B, H) each, with the names of {@link dev.ostinato.nn.State#tensors}, and as outputs
 * with {@code _out} behind them: who carries them over may cut a sequence anywhere. Others begin with zeros.
 */
public final class OnnxExport {
    private static final long OPSET = 17;
    private static final long IR_VERSION = 8;
    private static final Dimension STEPS = Dimension.named("steps");
    private static final Dimension BATCH = Dimension.named("batch");

    private final Model model;
    private final List<OnnxNode> nodes = new ArrayList<>();
    private final List<Tensor> constants = new ArrayList<>();
    private final List<OnnxValueInfo> inputs = new ArrayList<>();
    private final List<OnnxValueInfo> states = new ArrayList<>();
    /** The name of what comes out of each layer. */
    private final List<String> outputs = new ArrayList<>();
    private Map<String, NamedArray> weights = Map.of();
    /** Of the layer that is written. */
    private int index;

    private OnnxExport(Model model) {
        this.model = model;
    }

    /**
     * Returns a model as a file.
     *
     * @throws IllegalArgumentException if a layer cannot be said in ONNX's operators: attention, zoneout, a projection, a clip of the cell state, layer
     *     norms inside a cell, IndRNN and minGRU
     */
    public static OnnxFile of(Model model) {
        return new OnnxExport(model).file();
    }

    private OnnxFile file() {
        for (Layer layer : model.layers()) {
            index = outputs.size();
            weights = new LinkedHashMap<>();
            model.tensors(index).forEach(array -> weights.put(array.name().replaceFirst("^[^.]*\\.", ""), array));
            outputs.add(write(layer));
        }
        String last = outputs.getLast();
        if (model.pools()) {
            constant("first", 0);
            node("Squeeze", List.of(last, "first"), "y");
        } else {
            node("Identity", List.of(last), "y");
        }
        List<OnnxValueInfo> all = new ArrayList<>();
        all.add(info("y", DType.F32, model.pools() ? List.of(BATCH, Dimension.of(model.outputs()))
                : List.of(STEPS, BATCH, Dimension.of(model.outputs()))));
        all.addAll(states);
        OnnxGraph graph = new OnnxGraph("ostinato", nodes, constants, inputs, all);
        return new OnnxFile(IR_VERSION, "Ostinato", Map.of("", OPSET), Map.of(), graph);
    }

    private String write(Layer layer) {
        return switch (layer) {
            case Layer.Features features -> features(features);
            case Layer.Embedding ignored -> embedding("weight");
            case Layer.OneHot oneHot -> oneHot(oneHot);
            case Layer.Dropout ignored -> outputs.getLast();
            case Layer.Recurrent recurrent -> recurrent(recurrent);
            case Layer.Bidirectional both -> bidirectional(both);
            case Layer.Pool pool -> pool(pool);
            case Layer.Residual residual -> node("Add", List.of(outputs.getLast(), source(residual)), name("sum"));
            case Layer.LayerNorm norm -> layerNorm(norm);
            case Layer.BatchNorm norm -> batchNorm(norm);
            case Layer.Dense ignored -> dense();
            case Layer.Attention ignored -> throw cannot("attention to an encoder");
        };
    }

    private IllegalArgumentException cannot(String what) {
        return new IllegalArgumentException(
                "layer " + index + ": expected what ONNX has operators for, got " + what);
    }

    // Layers

    private String features(Layer.Features layer) {
        inputs.add(info("x", DType.F32, List.of(STEPS, BATCH, Dimension.of(layer.size()))));
        return "x";
    }

    private String embedding(String weight) {
        return tokens(constant(name(weight), array(weight)));
    }

    private String oneHot(Layer.OneHot layer) {
        float[] rows = new float[Math.multiplyExact(layer.vocabulary(), layer.vocabulary())];
        for (int token = 0; token < layer.vocabulary(); token++) {
            rows[token * layer.vocabulary() + token] = 1;
        }
        return tokens(constant(name("rows"), List.of(layer.vocabulary(), layer.vocabulary()), rows));
    }

    private String tokens(String table) {
        inputs.add(info("tokens", DType.I64, List.of(STEPS, BATCH)));
        return node("Gather", List.of(table, "tokens"), name("rows_of_tokens"));
    }

    private String recurrent(Layer.Recurrent layer) {
        RecurrentExport export = export(layer);
        String suffix = "_l0" + (layer.direction() == Layer.Direction.REVERSE ? "_reverse" : "");
        List<String> before = new ArrayList<>();
        List<String> after = new ArrayList<>();
        if (model.streams()) {
            for (String state : export.states()) {
                String called = prefix() + "." + state + suffix;
                before.add(called);
                after.add(called + "_out");
                List<Dimension> shape = List.of(Dimension.of(1), BATCH, Dimension.of(layer.hidden()));
                inputs.add(info(called, DType.F32, shape));
                states.add(info(called + "_out", DType.F32, shape));
            }
        }
        String y = recurrence(export, layer.direction() == Layer.Direction.REVERSE ? "reverse" : "forward",
                List.of("_l0"), before, after);
        constant(name("way"), 1);
        return node("Squeeze", List.of(y, name("way")), name("y"));
    }

    /** Returns the name of the module of the layer. */
    private String prefix() {
        return model.tensors(index).getFirst().name().replaceFirst("\\..*", "");
    }

    private RecurrentExport export(Layer.WithCell layer) {
        if (layer.regularization().zoneout() > 0 || layer.regularization().cellZoneout() > 0) {
            throw cannot("zoneout, which in inference mixes states");
        }
        return RecurrentExport.of(layer.cell(), layer.hidden())
                .orElseThrow(() -> cannot("the cell " + layer.cell().label()));
    }

    private String bidirectional(Layer.Bidirectional layer) {
        String y = recurrence(export(layer), "bidirectional", List.of("_l0", "_l0_reverse"), List.of(), List.of());
        if (layer.merge() != Layer.Merge.CONCAT) {
            constant(name("ways"), 1);
            return layer.merge() == Layer.Merge.SUM
                    ? node("ReduceSum", List.of(y, name("ways")), name("y"), "keepdims", new OnnxAttribute.Int(0))
                    : node("ReduceMean", List.of(y), name("y"), "axes", new OnnxAttribute.Ints(List.of(1L)),
                            "keepdims", new OnnxAttribute.Int(0));
        }
        node("Transpose", List.of(y), name("beside"), "perm", new OnnxAttribute.Ints(List.of(0L, 2L, 1L, 3L)));
        constant(name("joined"), 0, 0, -1);
        return node("Reshape", List.of(name("beside"), name("joined")), name("y"));
    }

    /** Writes a node over all steps and returns its Y (T, D, B, H). */
    private String recurrence(RecurrentExport export, String direction, List<String> suffixes, List<String> before,
            List<String> after) {
        List<String> given = new ArrayList<>();
        given.add(outputs.getLast());
        export.weights(weights, suffixes).forEach((role, array) -> given.add(array.isEmpty() ? ""
                : constant(name(role), array.get().shape(), array.get().data())));
        if (!before.isEmpty() || given.size() > 4) { // peepholes come behind lengths and states
            given.addAll(Math.min(4, given.size()), List.of("", before.isEmpty() ? "" : before.getFirst()));
            if (export.states().size() > 1) {
                given.add(6, before.size() < 2 ? "" : before.get(1));
            }
        }
        List<String> results = new ArrayList<>(List.of(name("all")));
        results.addAll(after);
        Map<String, OnnxAttribute> attributes = new LinkedHashMap<>(export.attributes(suffixes.size()));
        attributes.put("direction", new OnnxAttribute.Text(direction));
        nodes.add(new OnnxNode(name("recurrence"), export.operator(), "", given, results, attributes));
        return results.getFirst();
    }

    /** Keeps an axis of one step, for what comes behind. */
    private String pool(Layer.Pool layer) {
        String x = outputs.getLast();
        OnnxAttribute time = new OnnxAttribute.Ints(List.of(0L));
        return switch (layer.pooling()) {
            case LAST -> {
                constant(name("last"), -1);
                yield node("Gather", List.of(x, name("last")), name("y"));
            }
            case MEAN -> node("ReduceMean", List.of(x), name("y"), "axes", time);
            case MAX -> node("ReduceMax", List.of(x), name("y"), "axes", time);
        };
    }

    /** Returns what a residual layer adds: what the last layers before it began with, dropout not counted. */
    private String source(Layer.Residual layer) {
        int at = index;
        for (int skipped = 0; skipped < layer.span();) {
            at--;
            skipped += model.layers().get(at) instanceof Layer.Dropout ? 0 : 1;
        }
        return outputs.get(at - 1);
    }

    private String layerNorm(Layer.LayerNorm layer) {
        return node("LayerNormalization",
                List.of(outputs.getLast(), constant(name("gain"), array("weight")),
                        constant(name("bias"), array("bias"))),
                name("y"), "epsilon", new OnnxAttribute.Real(layer.epsilon()));
    }

    /** The statistics are constants, so that what is left is a factor and a summand of each column. */
    private String batchNorm(Layer.BatchNorm layer) {
        float[] gain = data("weight");
        float[] bias = data("bias");
        float[] mean = data("running_mean");
        float[] variance = data("running_var");
        float[] factors = new float[gain.length];
        float[] summands = new float[gain.length];
        for (int i = 0; i < gain.length; i++) {
            double factor = gain[i] / Math.sqrt((double) variance[i] + layer.epsilon());
            factors[i] = (float) factor;
            summands[i] = (float) (bias[i] - mean[i] * factor);
        }
        List<Integer> shape = List.of(gain.length);
        String scaled = node("Mul", List.of(outputs.getLast(), constant(name("factors"), shape, factors)),
                name("scaled"));
        return node("Add", List.of(scaled, constant(name("summands"), shape, summands)), name("y"));
    }

    private String dense() {
        NamedArray weight = array("weight");
        int rows = weight.shape().get(0);
        int columns = weight.shape().get(1);
        float[] turned = new float[rows * columns];
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                turned[j * rows + i] = weight.data()[i * columns + j];
            }
        }
        String product = node("MatMul",
                List.of(outputs.getLast(), constant(name("weight"), List.of(columns, rows), turned)),
                name("product"));
        return node("Add", List.of(product, constant(name("bias"), array("bias"))), name("y"));
    }

    // Parts of graphs

    private NamedArray array(String role) {
        return Optional.ofNullable(weights.get(role))
                .orElseThrow(() -> new IllegalStateException("layer " + index + " has no " + role));
    }

    private float[] data(String role) {
        return array(role).data();
    }

    private String name(String role) {
        return "layer" + index + "." + role;
    }

    private String constant(String name, NamedArray array) {
        return constant(name, array.shape(), array.data());
    }

    private String constant(String name, List<Integer> shape, float[] data) {
        constants.add(Tensor.of(name, shape.stream().mapToLong(Integer::longValue).toArray(), data));
        return name;
    }

    private void constant(String name, long... data) {
        constants.add(Tensor.of(name, new long[] {data.length}, data));
    }

    /**
     * Adds a node and returns its output.
     *
     * @param attributes by turns a name and a value
     */
    private String node(String operator, List<String> given, String output, Object... attributes) {
        Map<String, OnnxAttribute> named = new LinkedHashMap<>();
        for (int i = 0; i < attributes.length; i += 2) {
            named.put((String) attributes[i], (OnnxAttribute) attributes[i + 1]);
        }
        nodes.add(new OnnxNode(output, operator, "", given, List.of(output), named));
        return output;
    }

    private static OnnxValueInfo info(String name, DType type, List<Dimension> shape) {
        return new OnnxValueInfo(name, Optional.of(type), Optional.of(shape));
    }
}
