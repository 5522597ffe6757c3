package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The layers of a model with their places in a block of weights. */
final class Blueprint {
    /** A layer, the index of its first float, and the name of its module in files. */
    record Place(Layer layer, int index, long offset, String module, String suffix) {
        /** Returns the ways through time of a recurrent layer; of another layer none. */
        List<Pass> passes() {
            return switch (layer) {
                case Layer.Recurrent r -> List.of(new Pass(this, cell(r), offset,
                        r.direction() == Layer.Direction.REVERSE, suffix));
                case Layer.Bidirectional b -> {
                    Cell cell = cell(b);
                    yield List.of(new Pass(this, cell, offset, false, suffix),
                            new Pass(this, cell, offset + Cell.aligned(cell.floats()), true, suffix + "_reverse"));
                }
                default -> List.of();
            };
        }

        private Place in(String prefix) {
            return new Place(layer, index, offset, prefix + module, suffix);
        }

        private static Cell cell(Layer.WithCell layer) {
            return layer.regularization().around(Cell.of(layer.cell(), layer.inputs(), layer.hidden()));
        }

        boolean isRecurrent() {
            return layer instanceof Layer.WithCell;
        }

        LayerTensors tensors() {
            return LayerTensors.of(this);
        }

        /** Returns what people find the layer by, such as {@code layer 1 (lstm, rnn_l0)}. */
        String name() {
            return "layer " + index + " (" + layer.label() + (module.isEmpty() ? "" : ", " + module + suffix) + ")";
        }

        /** Returns the part of a block that belongs to the layer as one row. */
        Matrix row(Memory block) {
            int size = Math.toIntExact(tensors().floats());
            return Matrix.wrap(block, offset, 1, size, size);
        }

        /** Returns every tensor of a block by its full name. */
        List<NamedArray> read(Memory block) {
            return tensors().parameters(block).stream().map(p -> p.read(block, module + ".")).toList();
        }
    }

    /** One way through time of a recurrent layer, the index of the first float of its weights, and how the names of its tensors end. */
    record Pass(Place place, Cell cell, long offset, boolean reverse, String suffix) {
        /** Returns the name that a file gives to h or c. */
        String stateName(String state) {
            return place.module() + "." + state + suffix;
        }

        Regularization regularization() {
            return ((Layer.WithCell) place.layer()).regularization();
        }
    }

    private final List<Layer> layers;
    private final List<Place> places = new ArrayList<>();
    private final WeightLayout layout;
    private final boolean streams;
    private final boolean pools;

    Blueprint(List<Layer> layers) {
        this(layers, "", 0);
    }

    /** @param start index of the first float in a block that others share, and before the names of modules {@code prefix} */
    private Blueprint(List<Layer> layers, String prefix, long start) {
        this.layers = List.copyOf(layers);
        check(this.layers);
        Names names = new Names(this.layers.size());
        long offset = start;
        for (int i = 0; i < this.layers.size(); i++) {
            Layer layer = this.layers.get(i);
            try {
                Place place = names.place(layer, i, offset).in(prefix);
                places.add(place);
                offset = Math.addExact(offset, Cell.aligned(place.tensors().floats()));
            } catch (ArithmeticException e) {
                throw new IllegalArgumentException(
                        "layer " + i + ": expected a size that memory can hold, got " + layer, e);
            }
        }
        this.layout = new WeightLayout(places, start, offset - start);
        this.pools = this.layers.stream().anyMatch(layer -> layer instanceof Layer.Pool);
        this.streams = !pools && places.stream().flatMap(place -> place.passes().stream()).noneMatch(Pass::reverse);
    }

    private static void check(List<Layer> layers) {
        if (layers.size() < 2) {
            throw new IllegalArgumentException("model: expected an input layer and at least one more, got " + layers);
        }
        for (int i = 0; i < layers.size(); i++) {
            Layer layer = layers.get(i);
            boolean input = layer instanceof Layer.Input;
            if (input != (i == 0)) {
                throw new IllegalArgumentException(
                        "layer " + i + ": expected " + (i == 0 ? "embedding, one-hot or features" : "no input layer")
                                + ", got " + layer);
            }
            if (i > 0 && layers.get(i - 1).outputs() != layer.inputs()) {
                throw new IllegalArgumentException(
                        "layer " + i + ": expected " + layers.get(i - 1).outputs() + " inputs, as the layer before has"
                                + " outputs, got " + layer);
            }
            if (layer instanceof Layer.Residual residual) {
                checkSource(layers, residual, i);
            }
        }
        if (layers.stream().filter(layer -> layer instanceof Layer.Pool).count() > 1) {
            throw new IllegalArgumentException("model: expected at most one pooling layer, got " + layers);
        }
        if (layers.getFirst() instanceof Layer.OneHot && !(layers.get(1) instanceof Layer.WithCell)) {
            throw new IllegalArgumentException(
                    "layer 1: expected a recurrent layer behind one-hot, got " + layers.get(1));
        }
    }

    private static void checkSource(List<Layer> layers, Layer.Residual residual, int index) {
        Layer source = layers.get(source(layers, residual, index));
        if (source instanceof Layer.OneHot) {
            throw new IllegalArgumentException(
                    "layer " + index + ": expected rows of floats to add to its input, got " + source);
        }
        if (source.outputs() != residual.size()) {
            throw new IllegalArgumentException("layer " + index + ": expected " + source.outputs()
                    + " inputs, as " + source + " has outputs, which it adds to them, got " + residual);
        }
    }

    /** Returns the index of the layer whose outputs a residual one adds to its inputs. */
    private static int source(List<Layer> layers, Layer.Residual residual, int index) {
        int skipped = 0;
        for (int i = index - 1; i > 0; i--) {
            Layer layer = layers.get(i);
            if (layer instanceof Layer.Pool) {
                throw new IllegalArgumentException("layer " + index
                        + ": expected layers with as many rows as before, to be skipped, got " + layer + " before "
                        + residual);
            }
            skipped += layer instanceof Layer.Dropout ? 0 : 1;
            if (skipped == residual.span()) {
                return i - 1;
            }
        }
        throw new IllegalArgumentException(
                "layer " + index + ": expected a span of at most " + skipped + " layers, got " + residual);
    }

    /** Names modules as one would in PyTorch: recurrent layers of one kind and size behind one another are one module. */
    private static final class Names {
        private final int layers;
        private int recurrentModules;
        private int depth;
        private int denseModules;
        private int layerNorms;
        private int batchNorms;
        private @Nullable Layer last;

        Names(int layers) {
            this.layers = layers;
        }

        Place place(Layer layer, int index, long offset) {
            return switch (layer) {
                case Layer.Recurrent r -> recurrent(layer, index, offset,
                        new Layer.Recurrent(r.cell(), 1, r.hidden(), r.direction()));
                case Layer.Bidirectional b -> recurrent(layer, index, offset,
                        new Layer.Bidirectional(b.cell(), 1, b.hidden(), b.merge()));
                case Layer.Dropout ignored -> new Place(layer, index, offset, "", "");
                default -> {
                    last = null;
                    yield new Place(layer, index, offset, other(layer, index), "");
                }
            };
        }

        private String other(Layer layer, int index) {
            return switch (layer) {
                case Layer.Embedding ignored -> "embedding";
                case Layer.LayerNorm ignored -> numbered("layer_norm", ++layerNorms);
                case Layer.BatchNorm ignored -> numbered("batch_norm", ++batchNorms);
                case Layer.Dense ignored -> index == layers - 1 ? "head" : numbered("dense", ++denseModules);
                case Layer.Unweighted ignored -> "";
                case Layer.WithCell recurrent -> throw new AssertionError(recurrent);
            };
        }

        /** @param kind the layer but for its inputs */
        private Place recurrent(Layer layer, int index, long offset, Layer kind) {
            boolean goesOn = kind.equals(last);
            depth = goesOn ? depth + 1 : 0;
            recurrentModules += goesOn ? 0 : 1;
            last = kind;
            return new Place(layer, index, offset, numbered("rnn", recurrentModules), "_l" + depth);
        }

        private static String numbered(String name, int number) {
            return number == 1 ? name : name + number;
        }
    }

    /** Returns the same layers as a part of a block that begins at {@code start}, with names of modules that begin with {@code prefix}. */
    Blueprint in(String prefix, long start) {
        return new Blueprint(layers, prefix, start);
    }

    List<Layer> layers() {
        return layers;
    }

    /** Returns whether a step can be made before the next input is known. */
    boolean streams() {
        return streams;
    }

    /** Returns whether there is one output for all steps of a stream. */
    boolean pools() {
        return pools;
    }

    /** Returns whether there is a layer that looks at the outputs of an encoder. */
    boolean attends() {
        return layers.stream().anyMatch(layer -> layer instanceof Layer.Attention);
    }

    List<Place> places() {
        return places;
    }

    /** Returns the layer whose outputs a residual one adds to its inputs. */
    Place sourceOf(Place place) {
        return places.get(source(layers, (Layer.Residual) place.layer(), place.index()));
    }

    /** Returns whether a residual layer adds the outputs of a layer. */
    boolean isSource(Place place) {
        return places.stream().anyMatch(p -> p.layer() instanceof Layer.Residual && sourceOf(p).equals(place));
    }

    /** Returns the layer that a layer gets its inputs from when dropout does nothing. */
    Place inputOf(Place place) {
        Place below = places.get(place.index() - 1);
        return below.layer() instanceof Layer.Dropout ? inputOf(below) : below;
    }

    /** Returns where the weights lie. */
    WeightLayout layout() {
        return layout;
    }
}
