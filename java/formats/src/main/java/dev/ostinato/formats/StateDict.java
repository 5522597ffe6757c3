package dev.ostinato.formats;

import dev.ostinato.kernels.Activation;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.TensorShape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;

/// The weights of a PyTorch module. Names and shapes tell which modules they are of; [Dataflow] says how those fit together.
///
/// Known are `nn.RNN`, `nn.LSTM`, `nn.GRU` and their cells with all options, `nn.Linear`, `nn.Embedding`, and `nn.LayerNorm` and
/// `nn.BatchNorm1d` with the epsilon that they have unless told otherwise.
final class StateDict {
    private static final float EPSILON = 1e-5f;
    private static final float MOMENTUM = 0.1f;

    private final TensorFile file;
    private final ImportHints hints;
    /// Of tensors that are one, only one may be in the file, and the metadata says under which name.
    private final SequencedMap<String, String> stored = new LinkedHashMap<>();

    private StateDict(TensorFile file, ImportHints hints) {
        this.file = file;
        this.hints = hints;
        file.names().forEach(name -> stored.put(name, name));
        file.metadata().forEach((alias, name) -> {
            if (file.names().contains(name)) {
                stored.putIfAbsent(alias, name);
            }
        });
    }

    /// Returns the layers of a model with the weights of a file, input first.
    ///
    /// @throws FormatException if names and shapes do not tell, with what is missing
    static List<TorchModule.Part> parts(TensorFile file, ImportHints hints) throws FormatException {
        List<List<TorchModule>> modules = new StateDict(file, hints).modules();
        return TorchModule.parts(new Dataflow(file.path(), modules, hints.modules()).order());
    }

    /// Takes the weights of layers out of a file.
    ///
    /// @param shapes of the tensors of these layers, as [dev.ostinato.nn.Model#shapes] gives them
    static List<NamedArray> weights(TensorFile file, List<TorchModule.Part> parts, List<TensorShape> shapes)
            throws FormatException {
        List<NamedArray> weights = new ArrayList<>();
        Iterator<TensorShape> next = shapes.iterator();
        for (TorchModule.Part part : parts) {
            for (int i = 0; i < part.tensors().size(); i++) {
                TensorShape shape = next.next();
                String name = shape.name().substring(shape.name().lastIndexOf('.') + 1).replaceFirst("_l\\d+", "");
                Optional<String> source = part.tensors().getOrDefault(name, Optional.empty());
                weights.add(source.isPresent() ? ModelFile.array(file, source.get(), shape) : zeros(shape));
            }
        }
        return weights;
    }

    private static NamedArray zeros(TensorShape shape) {
        List<Integer> dimensions = shape.dimensions().stream().map(Math::toIntExact).toList();
        return new NamedArray(shape.name(), dimensions,
                new float[dimensions.stream().reduce(1, Math::multiplyExact)]);
    }

    /// Returns each module in the ways in which its tensors can be read.
    private List<List<TorchModule>> modules() throws FormatException {
        SequencedMap<String, Members> members = new LinkedHashMap<>();
        for (String name : stored.keySet()) {
            int dot = name.lastIndexOf('.');
            String module = name.substring(0, Math.max(dot, 0));
            if (isUsed(module)) {
                members.computeIfAbsent(module, Members::new).names.add(name.substring(dot + 1));
            }
        }
        List<List<TorchModule>> modules = new ArrayList<>();
        for (Members found : members.values()) {
            modules.add(found.read());
        }
        return modules;
    }

    private boolean isUsed(String module) {
        return hints.modules().isEmpty()
                || hints.modules().stream().anyMatch(hint -> Dataflow.nameIn(hint).equals(module));
    }

    /// The tensors of one module.
    private final class Members {
        private final String module;
        private final Set<String> names = new LinkedHashSet<>();
        private int taken;

        Members(String module) {
            this.module = module;
        }

        List<TorchModule> read() throws FormatException {
            List<TorchModule> readings = names.stream().anyMatch(name -> name.startsWith("weight_hh"))
                    ? List.of(recurrent())
                    : has("running_mean") ? List.of(batchNorm())
                    : has("weight") && shape("weight").length == 1 ? List.of(layerNorm())
                    : has("weight") && shape("weight").length == 2 ? matrix() : List.of();
            if (readings.isEmpty() || taken < names.size()) {
                throw unknown();
            }
            return readings;
        }

        /// A table of rows, or a matrix to multiply by: without a bias they look alike.
        private List<TorchModule> matrix() throws FormatException {
            int rows = size("weight", 0);
            int columns = size("weight", 1);
            Optional<String> weight = take("weight", rows, columns);
            boolean biased = has("bias");
            Optional<String> bias = biased ? take("bias", rows) : Optional.empty();
            TorchModule linear =
                    module("Linear", new Layer.Dense(columns, rows), Map.of("weight", weight, "bias", bias));
            return biased
                    ? List.of(linear)
                    : List.of(module("Embedding", new Layer.Embedding(rows, columns), Map.of("weight", weight)),
                            linear);
        }

        private TorchModule layerNorm() throws FormatException {
            int size = size("weight", 0);
            return module("LayerNorm", new Layer.LayerNorm(size, EPSILON),
                    Map.of("weight", take("weight", size), "bias",
                            has("bias") ? take("bias", size) : Optional.empty()));
        }

        private TorchModule batchNorm() throws FormatException {
            int size = size("running_mean", 0);
            taken += has("num_batches_tracked") ? 1 : 0;
            Map<String, Optional<String>> tensors = new LinkedHashMap<>();
            for (String name : List.of("weight", "bias", "running_mean", "running_var")) {
                tensors.put(name, take(name, size));
            }
            return module("BatchNorm1d", new Layer.BatchNorm(size, MOMENTUM, EPSILON), tensors);
        }

        private TorchModule module(String type, Layer layer, Map<String, Optional<String>> tensors) {
            return new TorchModule(module, type, List.of(new TorchModule.Part(layer, tensors)));
        }

        /// All layers of an `nn.RNN`, `nn.LSTM` or `nn.GRU`, which are `weight_ih_l0`, `weight_ih_l0_reverse`, `weight_ih_l1` and so on; or
        /// the one of a cell, which is `weight_ih`.
        private TorchModule recurrent() throws FormatException {
            String first = has("weight_hh") ? "" : "_l0";
            int rows = size("weight_hh" + first, 0);
            int outputs = size("weight_hh" + first, 1);
            int hidden = has("weight_hr" + first) ? size("weight_hr" + first, 1) : outputs;
            CellType cell = cell(rows, hidden, outputs, has("bias_ih" + first));
            boolean bidirectional = has("weight_ih" + first + "_reverse");
            List<TorchModule.Part> parts = new ArrayList<>();
            int inputs = size("weight_ih" + first, 1);
            for (String suffix = first; parts.isEmpty() || has("weight_ih" + suffix); suffix = "_l" + parts.size()) {
                if (parts.size() == ModelDescriptionParser.MAX_LAYERS) {
                    throw refusal("at most " + ModelDescriptionParser.MAX_LAYERS + " layers", "more");
                }
                Map<String, Optional<String>> tensors = new LinkedHashMap<>(pass(cell, suffix, "", inputs, hidden));
                if (bidirectional) {
                    tensors.putAll(pass(cell, suffix, "_reverse", inputs, hidden));
                }
                Layer layer = bidirectional ? new Layer.Bidirectional(cell, inputs, hidden, Layer.Merge.CONCAT)
                        : new Layer.Recurrent(cell, inputs, hidden);
                parts.add(new TorchModule.Part(layer, tensors));
                inputs = layer.outputs();
            }
            String type = switch (cell) {
                case CellType.Lstm ignored -> "LSTM";
                case CellType.Gru ignored -> "GRU";
                default -> "RNN";
            };
            return new TorchModule(module, type, parts);
        }

        private Map<String, Optional<String>> pass(CellType cell, String suffix, String direction, int inputs,
                int hidden)
                throws FormatException {
            int gates = Math.multiplyExact(cell.gates(), hidden);
            int outputs = cell.outputs(hidden);
            Map<String, Optional<String>> tensors = new LinkedHashMap<>();
            tensors.put("weight_ih" + direction, take("weight_ih" + suffix + direction, gates, inputs));
            tensors.put("weight_hh" + direction, take("weight_hh" + suffix + direction, gates, outputs));
            if (bias(cell) == CellType.Bias.BOTH) {
                tensors.put("bias_ih" + direction, take("bias_ih" + suffix + direction, gates));
                tensors.put("bias_hh" + direction, take("bias_hh" + suffix + direction, gates));
            }
            if (cell instanceof CellType.Lstm lstm && lstm.projection().isPresent()) {
                tensors.put("weight_hr" + direction, take("weight_hr" + suffix + direction, outputs, hidden));
            }
            return tensors;
        }

        private static CellType.Bias bias(CellType cell) {
            return switch (cell) {
                case CellType.Rnn rnn -> rnn.bias();
                case CellType.Lstm lstm -> lstm.bias();
                case CellType.Gru gru -> gru.bias();
                default -> throw new AssertionError(cell);
            };
        }

        /// The number of gates is that of the rows for each unit.
        private CellType cell(int rows, int hidden, int outputs, boolean biased) throws FormatException {
            CellType.Bias bias = biased ? CellType.Bias.BOTH : CellType.Bias.NONE;
            boolean projected = outputs != hidden;
            long gates = rows % hidden == 0 ? rows / hidden : 0;
            if (gates == 4) {
                CellType.Lstm lstm = CellType.LSTM.withBias(bias);
                return projected ? lstm.withProjection(outputs) : lstm;
            }
            if (gates == 3 && !projected) {
                return CellType.GRU.withBias(bias);
            }
            if (gates == 1 && !projected) {
                Activation function = hints.nonlinearity().orElseThrow(() -> refusal(
                        "to know the function of this nn.RNN, which its weights do not tell",
                        "neither --nonlinearity tanh, which is usual, nor --nonlinearity relu"));
                return new CellType.Rnn(function, bias);
            }
            throw refusal("weight_hh with 1, 3 or 4 rows for each unit, as RNN, GRU and LSTM have them",
                    rows + " for " + hidden);
        }

        private boolean has(String name) {
            return names.contains(name);
        }

        private String full(String name) {
            return module.isEmpty() ? name : module + "." + name;
        }

        private long[] shape(String name) throws FormatException {
            String source = stored.get(full(name));
            if (source == null) {
                throw refusal("a tensor " + FormatException.quote(full(name)), "none");
            }
            return file.tensor(source).shape();
        }

        /// Returns a dimension of a tensor.
        private int size(String name, int axis) throws FormatException {
            long[] shape = shape(name);
            if (axis >= shape.length || shape[axis] < 1 || shape[axis] > Integer.MAX_VALUE / 4) {
                throw refusal(name + " with a dimension " + axis + " from 1 to " + Integer.MAX_VALUE / 4,
                        Arrays.toString(shape));
            }
            return (int) shape[axis];
        }

        /// Returns the name in the file of a tensor that must have this shape.
        private Optional<String> take(String name, int... expected) throws FormatException {
            long[] shape = shape(name);
            String source = stored.getOrDefault(full(name), "");
            DType dtype = file.tensor(source).dtype();
            if (!dtype.isFloat() || !Arrays.equals(shape, Arrays.stream(expected).asLongStream().toArray())) {
                throw refusal(name + " " + Arrays.toString(expected) + " of floats",
                        dtype + " " + Arrays.toString(shape));
            }
            taken++;
            return Optional.of(source);
        }

        private FormatException unknown() {
            return refusal(
                    "the tensors of nn.RNN, LSTM, GRU, Linear, Embedding, LayerNorm or BatchNorm1d, or --modules without it",
                    names.stream().limit(10).map(FormatException::quote).toList().toString());
        }

        private FormatException refusal(String expected, String got) {
            return new FormatException(file.path(), "module " + FormatException.quote(module) + ": expected " + expected
                    + ", got " + got);
        }
    }
}
