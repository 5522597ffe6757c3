package dev.ostinato.tests;

import dev.ostinato.kernels.Activation;
import dev.ostinato.kernels.LstmVariant;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Loss;
import dev.ostinato.nn.Regularization;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A whole network in double precision: loops over t and b around the formulas of the textbooks, forward alone. Weights are PyTorch's
 * tensors by name. What streams remember goes on from call to call.
 */
final class ReferenceNetwork {
    /**
     * A layer and where its tensors are.
     *
     * @param name the module, such as {@code rnn}
     * @param suffix behind the names of tensors, such as {@code _l0}
     */
    record Module(Layer layer, String name, String suffix) {}

    private final List<Module> modules;
    private final Map<String, double[]> tensors;
    /** h and c, (B, H). */
    private final Map<String, double[][]> states = new HashMap<>();
    private double nearestKink = Double.POSITIVE_INFINITY;
    private @Nullable Nudge nudge;
    /** What attention looks at: (S * B) rows of outputs of an encoder, null where there is no step. */
    private double[][] attended = {};
    /** Of the first step of training with the seed 0. */
    private Draws draws = Draws.ofStep(0, 1);
    /** Of the recurrent step that is computed. */
    private Noise noise = new Noise(Regularization.NONE, Draws.NONE, 0);

    /** What disturbs a step of a stream: rates, and where the numbers come from. */
    private record Noise(Regularization rates, Draws draws, int stream) {
        /** Returns what is left of a state for U to multiply. */
        double[] seen(double[] h) {
            double[] seen = new double[h.length];
            for (int j = 0; j < h.length; j++) {
                seen[j] = h[j] * draws.of(1).dropout(rates.recurrentDropout(), (long) stream * h.length + j);
            }
            return seen;
        }

        /** Returns the factor of an element of U. */
        double connected(long element) {
            return draws.of(4).dropout(rates.dropConnect(), element);
        }

        /** Returns a state of which some units keep what they had at a step, t * B + b. */
        static double[] zonedOut(Draws draws, float rate, int step, double[] before, double[] after) {
            double[] mixed = new double[after.length];
            for (int j = 0; j < mixed.length; j++) {
                double kept = draws.keeps(rate, (long) step * mixed.length + j);
                mixed[j] = kept * before[j] + (1 - kept) * after[j];
            }
            return mixed;
        }
    }

    /** A change of one element of what a module computes for row {@code t * B + b} of a batch; of a recurrent one that is h. */
    record Nudge(Module module, int row, int unit, double amount) {}

    /** Begins with zero states; the tensors are not copied. */
    ReferenceNetwork(List<Module> modules, Map<String, double[]> tensors) {
        this.modules = modules;
        this.tensors = tensors;
    }

    /** Begins with the states in which another network is now. */
    ReferenceNetwork(ReferenceNetwork other, Map<String, double[]> tensors) {
        this(other.modules, tensors);
        draws = other.draws;
        other.states.forEach((name, rows) -> states.put(name, rows.clone())); // steps replace rows, and do not change them
    }

    /** Makes the coming forwards those of inference, in which nothing is drawn. */
    ReferenceNetwork inferring() {
        draws = Draws.NONE;
        return this;
    }

    /** Makes the coming forwards err in one element. */
    ReferenceNetwork nudged(Nudge change) {
        nudge = change;
        return this;
    }

    /** Returns a copy of what a stream remembers, such as {@code rnn.h_l0}. */
    double[] state(String name, int stream) {
        return Objects.requireNonNull(states.get(name))[stream].clone();
    }

    /** Replaces what a stream remembers. */
    void setState(String name, int stream, double[] value) {
        Objects.requireNonNull(states.get(name))[stream] = value.clone();
    }

    /** Replaces what a stream remembers, before the first step. */
    void begin(String name, int rows, int stream, double[] value) {
        states.computeIfAbsent(name, key -> new double[rows][value.length])[stream] = value.clone();
    }

    /** Returns a copy of what a stream remembers, zero before its first step. */
    double[] state(String name, int rows, int stream, int size) {
        return states.computeIfAbsent(name, key -> new double[rows][size])[stream].clone();
    }

    /** Sets what attention layers look at: (S * B) rows, null where there is no step. */
    void attendTo(double[][] outputs) {
        attended = outputs;
    }

    /** Goes on over a batch, and returns (T * B) outputs, null where there is no step; behind a pooling layer (B). */
    double[][] outputs(RandomBatch batch) {
        return forward(batch);
    }

    /** Returns how near any argument of a relu has come to 0, where it has no slope. */
    double nearestKink() {
        return nearestKink;
    }

    /** Goes on over a batch and returns its loss: the mean over all outputs, or the sum over time, of which the streams' mean is taken. */
    double loss(RandomBatch batch, Loss loss) {
        return ReferenceLoss.of(batch, loss, forward(batch));
    }

    /** Returns (T * B) rows, null where there is no step; behind a pooling layer (B). */
    double[][] forward(RandomBatch batch) {
        double[][] x = new double[batch.steps * batch.rows][];
        for (int i = 0; i < x.length; i++) {
            x[i] = batch.mask[i] ? new double[0] : null;
        }
        boolean[] resets = batch.resets;
        List<double[][]> outputs = new ArrayList<>();
        for (Module module : modules) {
            x = switch (module.layer()) {
                case Layer.Pool pool -> pooled(pool.pooling(), x, batch.rows, pool.size());
                case Layer.Residual residual -> sums(x, skipped(residual, outputs));
                default -> forward(module, draws.of(outputs.size()), batch, x, resets);
            };
            resets = module.layer() instanceof Layer.Pool ? new boolean[batch.rows] : resets;
            outputs.add(x);
        }
        return x;
    }

    /** Returns what the layers that a residual connection skips begin with: two layers of which one is dropout count as one. */
    private double[][] skipped(Layer.Residual residual, List<double[][]> outputs) {
        int first = outputs.size();
        for (int left = residual.span(); left > 0;) {
            first--;
            left -= modules.get(first).layer() instanceof Layer.Dropout ? 0 : 1;
        }
        return outputs.get(first - 1);
    }

    private static double[][] sums(double[][] x, double[][] y) {
        double[][] sums = new double[x.length][];
        for (int row = 0; row < x.length; row++) {
            sums[row] = x[row] == null ? null : x[row].clone();
            for (int j = 0; x[row] != null && j < x[row].length; j++) {
                sums[row][j] += y[row][j];
            }
        }
        return sums;
    }

    private double[][] forward(Module module, Draws own, RandomBatch batch, double[][] x, boolean[] resets) {
        return switch (module.layer()) {
            case Layer.Recurrent recurrent -> recurrent(module, recurrent, own, batch.rows, x, resets);
            case Layer.Bidirectional both -> bidirectional(module, both, own, batch.rows, x, resets);
            case Layer.BatchNorm norm -> batchNorm(module, norm, x);
            case Layer.Dropout dropout -> dropout(dropout, own, batch.rows, x);
            default -> {
                double[][] y = new double[x.length][];
                for (int row = 0; row < x.length; row++) {
                    y[row] = x[row] == null ? null : nudged(module, row, forward(module, batch, row, x[row]));
                }
                yield y;
            }
        };
    }

    private static double[][] dropout(Layer.Dropout dropout, Draws draws, int rows, double[][] x) {
        double[][] y = new double[x.length][];
        for (int row = 0; row < x.length; row++) {
            int number = dropout.scope() == Layer.Dropout.Scope.STEP ? row : row % rows;
            y[row] = x[row] == null ? null : x[row].clone();
            for (int j = 0; x[row] != null && j < dropout.size(); j++) {
                y[row][j] *= draws.dropout(dropout.rate(), (long) number * dropout.size() + j);
            }
        }
        return y;
    }

    private double[] forward(Module module, RandomBatch batch, int row, double[] x) {
        return switch (module.layer()) {
            case Layer.Features features -> features(batch, row, features.size());
            case Layer.OneHot oneHot -> oneHot(batch.tokens[row], oneHot.vocabulary());
            case Layer.Embedding e -> embedding(batch.tokens[row], e.size(), tensor(module, "weight"));
            case Layer.LayerNorm norm ->
                    DoubleReference.layerNorm(x, tensor(module, "weight"), tensor(module, "bias"), norm.epsilon());
            case Layer.Dense dense -> affine(module, "weight", "bias", x, 0, dense.outputs());
            case Layer.Attention ignored -> attention(x, row % batch.rows, batch.rows);
            default -> throw new IllegalArgumentException("no reference for " + module.layer());
        };
    }

    /** As in training: mean and variance are those of all rows that there are. */
    private double[][] batchNorm(Module module, Layer.BatchNorm norm, double[][] x) {
        double[] gain = tensor(module, "weight");
        double[] bias = tensor(module, "bias");
        double[][] y = new double[x.length][];
        for (int row = 0; row < x.length; row++) {
            y[row] = x[row] == null ? null : new double[norm.size()];
        }
        for (int j = 0; j < norm.size(); j++) {
            int column = j;
            double[] all = Arrays.stream(x).filter(Objects::nonNull).mapToDouble(row -> row[column]).toArray();
            double mean = Arrays.stream(all).average().orElseThrow();
            double variance = Arrays.stream(all).map(v -> (v - mean) * (v - mean)).average().orElseThrow();
            for (int row = 0; row < x.length; row++) {
                if (x[row] != null) {
                    y[row][j] = (x[row][j] - mean) / Math.sqrt(variance + norm.epsilon()) * gain[j] + bias[j];
                }
            }
        }
        return y;
    }

    /** The mean of the attended rows of a stream, weighted by the exponentials of their products with h; then h. */
    private double[] attention(double[] h, int stream, int rows) {
        double[] y = new double[2 * h.length];
        double sum = 0;
        for (int row = stream; row < attended.length; row += rows) {
            if (attended[row] != null) {
                double score = 0;
                for (int j = 0; j < h.length; j++) {
                    score += h[j] * attended[row][j];
                }
                sum += Math.exp(score);
                for (int j = 0; j < h.length; j++) {
                    y[j] += Math.exp(score) * attended[row][j];
                }
            }
        }
        for (int j = 0; j < h.length; j++) {
            y[j] = sum == 0 ? 0 : y[j] / sum;
            y[h.length + j] = h[j];
        }
        return y;
    }

    private static double[][] pooled(Layer.Pooling pooling, double[][] x, int rows, int size) {
        double[][] y = new double[rows][size];
        for (int b = 0; b < rows; b++) {
            List<double[]> steps = new ArrayList<>();
            for (int row = b; row < x.length; row += rows) {
                if (x[row] != null) {
                    steps.add(x[row]);
                }
            }
            for (int j = 0; j < size && !steps.isEmpty(); j++) {
                int column = j;
                y[b][j] = switch (pooling) {
                    case LAST -> steps.getLast()[column];
                    case MEAN -> steps.stream().mapToDouble(step -> step[column]).average().orElseThrow();
                    case MAX -> steps.stream().mapToDouble(step -> step[column]).max().orElseThrow();
                };
            }
        }
        return y;
    }

    private double[][] bidirectional(Module module, Layer.Bidirectional layer, Draws own, int rows, double[][] x,
            boolean[] resets) {
        double[][] forward = recurrent(module, oneWay(layer, Layer.Direction.FORWARD), own, rows, x, resets);
        double[][] reverse = recurrent(new Module(layer, module.name(), module.suffix() + "_reverse"),
                oneWay(layer, Layer.Direction.REVERSE), own, rows, x, resets);
        int one = layer.cell().outputs(layer.hidden());
        double[][] y = new double[x.length][];
        for (int row = 0; row < x.length; row++) {
            if (x[row] != null) {
                y[row] = new double[layer.outputs()];
                for (int j = 0; j < layer.outputs(); j++) {
                    int unit = j % one;
                    y[row][j] = switch (layer.merge()) {
                        case CONCAT -> j < one ? forward[row][unit] : reverse[row][unit];
                        case SUM -> forward[row][unit] + reverse[row][unit];
                        case MEAN -> (forward[row][unit] + reverse[row][unit]) / 2;
                    };
                }
            }
        }
        return y;
    }

    private static Layer.Recurrent oneWay(Layer.Bidirectional layer, Layer.Direction direction) {
        return new Layer.Recurrent(layer.cell(), layer.inputs(), layer.hidden(), direction, layer.regularization());
    }

    private double[][] recurrent(Module module, Layer.Recurrent layer, Draws own, int rows, double[][] x,
            boolean[] resets) {
        Draws direction = own.of(layer.direction() == Layer.Direction.REVERSE ? 1 : 0);
        double[][] y = new double[x.length][];
        for (int b = 0; b < rows; b++) {
            noise = new Noise(layer.regularization(), direction, b);
            List<Integer> run = new ArrayList<>(); // the steps since the last beginning
            for (int row = b; row < x.length; row += rows) {
                if (resets[row]) {
                    recurrent(module, layer, rows, b, run, x, y);
                    run.clear();
                    begin(module, layer, rows, b);
                }
                if (x[row] != null) {
                    run.add(row);
                }
            }
            recurrent(module, layer, rows, b, run, x, y);
        }
        return y;
    }

    private void recurrent(Module module, Layer.Recurrent layer, int rows, int stream, List<Integer> run, double[][] x,
            double[][] y) {
        for (int row : layer.direction() == Layer.Direction.FORWARD ? run : run.reversed()) {
            y[row] = nudged(module, row, recurrent(module, layer, rows, stream, row, x[row]));
        }
    }

    private double[] nudged(Module module, int row, double[] y) {
        if (nudge != null && nudge.module().equals(module) && nudge.row() == row) {
            y[nudge.unit()] += nudge.amount();
        }
        return y;
    }

    private void begin(Module module, Layer.Recurrent layer, int rows, int stream) {
        state(module, "h", rows, layer.outputs())[stream] = new double[layer.outputs()];
        state(module, "c", rows, layer.hidden())[stream] = new double[layer.hidden()];
    }

    private static double[] features(RandomBatch batch, int row, int size) {
        double[] x = new double[size];
        for (int j = 0; j < size; j++) {
            x[j] = batch.features[row * size + j];
        }
        return x;
    }

    private static double[] oneHot(int token, int vocabulary) {
        double[] x = new double[vocabulary];
        x[token] = 1;
        return x;
    }

    private static double[] embedding(int token, int size, double[] table) {
        double[] x = new double[size];
        System.arraycopy(table, token * size, x, 0, size);
        return x;
    }

    private double[] recurrent(Module module, Layer.Recurrent layer, int rows, int stream, int row, double[] x) {
        double[][] h = state(module, "h", rows, layer.outputs());
        double[][] c = state(module, "c", rows, layer.hidden());
        double[] hBefore = h[stream];
        double[] cBefore = c[stream];
        double[] fresh = switch (layer.cell()) {
            case CellType.Rnn rnn -> rnn(module, rnn.activation(), x, hBefore);
            case CellType.Lstm lstm -> lstm(module, lstm, x, hBefore, c, stream);
            case CellType.Gru gru -> gru(module, gru, x, hBefore);
            case CellType.IndRnn rnn -> indRnn(module, rnn.activation(), x, hBefore);
            case CellType.MinGru ignored -> minGru(module, x, hBefore);
            case CellType.LayerNormLstm ignored -> layerNormLstm(module, x, hBefore, c, stream);
            case CellType.LayerNormGru ignored -> layerNormGru(module, x, hBefore);
        };
        Regularization rates = layer.regularization();
        h[stream] = Noise.zonedOut(noise.draws().of(2), rates.zoneout(), row, hBefore, fresh);
        c[stream] = Noise.zonedOut(noise.draws().of(3), rates.cellZoneout(), row, cBefore, c[stream]);
        return h[stream];
    }

    private double[] rnn(Module module, Activation activation, double[] x, double[] h) {
        double[] next = new double[h.length];
        double[] fromInput = input(module, x, 0, h.length);
        double[] fromState = state(module, h, 0, h.length);
        for (int j = 0; j < h.length; j++) {
            next[j] = activate(activation, fromInput[j] + fromState[j]);
        }
        return next;
    }

    private double activate(Activation f, double z) {
        nearestKink = Math.min(nearestKink, DoubleReference.kink(f, z));
        return DoubleReference.activation(f, z);
    }

    private double[] lstm(Module module, CellType.Lstm type, double[] x, double[] h, double[][] c, int stream) {
        int size = c[stream].length;
        LstmVariant v = type.variant();
        boolean coupled = v.forget() == LstmVariant.Forget.COUPLED;
        int g = (type.gates() - 2) * size;
        int o = g + size;
        double[] w = input(module, x, 0, o + size);
        double[] u = state(module, h, 0, o + size);
        double[] nextC = new double[size];
        double[] next = new double[size];
        for (int j = 0; j < size; j++) {
            double before = c[stream][j];
            double i = activate(v.gates(), w[j] + u[j] + peephole(module, type, "weight_ci", j) * before);
            double f = coupled ? 1 - i : activate(v.gates(),
                    w[size + j] + u[size + j] + peephole(module, type, "weight_cf", j) * before);
            double cell = f * before + i * activate(v.candidate(), w[g + j] + u[g + j]);
            nearestKink = Math.min(nearestKink, Math.abs(v.cellClip() - Math.abs(cell)));
            nextC[j] = Math.clamp(cell, -v.cellClip(), v.cellClip());
            double out = activate(v.gates(), w[o + j] + u[o + j] + peephole(module, type, "weight_co", j) * nextC[j]);
            next[j] = out * activate(v.output(), nextC[j]);
        }
        c[stream] = nextC;
        return type.projection().isEmpty() ? next
                : product(tensor(module, "weight_hr"), next, type.projection().getAsInt());
    }

    private static double[] product(double[] w, double[] x, int rows) {
        double[] y = new double[rows];
        for (int i = 0; i < rows; i++) {
            for (int k = 0; k < x.length; k++) {
                y[i] += w[i * x.length + k] * x[k];
            }
        }
        return y;
    }

    private double peephole(Module module, CellType.Lstm type, String name, int unit) {
        return type.peepholes() == CellType.Peepholes.NONE ? 0 : tensor(module, name)[unit];
    }

    private double[] gru(Module module, CellType.Gru type, double[] x, double[] h) {
        int size = h.length;
        boolean resetAfter = type.reset() == CellType.Gru.Reset.AFTER;
        double[] w = input(module, x, 0, 3 * size);
        double[] u = state(module, h, 0, 2 * size);
        double[] r = new double[size];
        double[] reset = new double[size];
        for (int j = 0; j < size; j++) {
            r[j] = activate(type.variant().gates(), w[j] + u[j]);
            reset[j] = r[j] * h[j];
        }
        double[] m = state(module, resetAfter ? h : reset, 2 * size, 3 * size);
        double[] next = new double[size];
        for (int j = 0; j < size; j++) {
            double z = activate(type.variant().gates(), w[size + j] + u[size + j]);
            double n = activate(type.variant().candidate(), w[2 * size + j] + (resetAfter ? r[j] * m[j] : m[j]));
            next[j] = (1 - z) * n + z * h[j];
        }
        return next;
    }

    private double[] indRnn(Module module, Activation activation, double[] x, double[] h) {
        double[] z = input(module, x, 0, h.length);
        double[] u = tensor(module, "weight_hh");
        double[] next = new double[h.length];
        for (int j = 0; j < h.length; j++) {
            next[j] = activate(activation, z[j] + u[j] * h[j]);
        }
        return next;
    }

    private double[] minGru(Module module, double[] x, double[] h) {
        double[] gates = input(module, x, 0, 2 * h.length);
        double[] next = new double[h.length];
        for (int j = 0; j < h.length; j++) {
            next[j] = DoubleReference.minGru(gates[j], gates[h.length + j], h[j]);
        }
        return next;
    }

    private double[] layerNormLstm(Module module, double[] x, double[] h, double[][] c, int stream) {
        int size = h.length;
        double[] w = normalised(module, "ih", product(tensor(module, "weight_ih"), x));
        double[] u = normalised(module, "hh", product(connected(tensor(module, "weight_hh")), noise.seen(h)));
        double[] nextC = new double[size];
        for (int j = 0; j < size; j++) {
            double i = DoubleReference.sigmoid(w[j] + u[j]);
            double f = DoubleReference.sigmoid(w[size + j] + u[size + j]);
            nextC[j] = f * c[stream][j] + i * Math.tanh(w[2 * size + j] + u[2 * size + j]);
        }
        c[stream] = nextC;
        double[] m = normalised(module, "c", nextC);
        double[] next = new double[size];
        for (int j = 0; j < size; j++) {
            next[j] = DoubleReference.sigmoid(w[3 * size + j] + u[3 * size + j]) * Math.tanh(m[j]);
        }
        return next;
    }

    private double[] layerNormGru(Module module, double[] x, double[] h) {
        int size = h.length;
        double[] w = normalised(module, "ih", product(tensor(module, "weight_ih"), x));
        double[] u = normalised(module, "hh", product(connected(tensor(module, "weight_hh")), noise.seen(h)));
        double[] next = new double[size];
        for (int j = 0; j < size; j++) {
            int z = size + j;
            int n = 2 * size + j;
            next[j] = DoubleReference.gruAfter(w[n], w[j] + u[j], w[z] + u[z], u[n], h[j]).h();
        }
        return next;
    }

    private double[] normalised(Module module, String name, double[] x) {
        return DoubleReference.layerNorm(x, tensor(module, "gain_" + name), tensor(module, "bias_" + name), 1e-5);
    }

    private static double[] product(double[] w, double[] x) {
        return product(w, x, w.length / x.length);
    }

    private double[] input(Module module, double[] x, int from, int to) {
        return affine(module, "weight_ih", "bias_ih", x, from, to);
    }

    private double[] state(Module module, double[] h, int from, int to) {
        return affine(connected(tensor(module, "weight_hh")), biases(module, "bias_hh", to), noise.seen(h), from, to);
    }

    /** Returns what DropConnect leaves of U. */
    private double[] connected(double[] u) {
        double[] left = new double[u.length];
        for (int i = 0; i < u.length; i++) {
            left[i] = u[i] * noise.connected(i);
        }
        return left;
    }

    private double[] affine(Module module, String weight, String bias, double[] x, int from, int to) {
        return affine(tensor(module, weight), biases(module, bias, to), x, from, to);
    }

    /** Returns the elements {@code from..to} of W x + b. */
    private static double[] affine(double[] w, double[] b, double[] x, int from, int to) {
        double[] y = new double[to - from];
        for (int i = from; i < to; i++) {
            double sum = b[i];
            for (int k = 0; k < x.length; k++) {
                sum += w[i * x.length + k] * x[k];
            }
            y[i - from] = sum;
        }
        return y;
    }

    private static boolean hasNoBias(CellType cell) {
        return switch (cell) {
            case CellType.Rnn rnn -> rnn.bias() == CellType.Bias.NONE;
            case CellType.Lstm lstm -> lstm.bias() == CellType.Bias.NONE;
            case CellType.Gru gru -> gru.bias() == CellType.Bias.NONE;
            default -> false;
        };
    }

    private double[] biases(Module module, String name, int size) {
        boolean none = switch (module.layer()) {
            case Layer.Recurrent layer -> hasNoBias(layer.cell());
            case Layer.Bidirectional layer -> hasNoBias(layer.cell());
            default -> false;
        };
        return none ? new double[size] : tensor(module, name);
    }

    private double[] tensor(Module module, String name) {
        double[] tensor = tensors.get(module.name() + "." + name + module.suffix());
        if (tensor == null) {
            throw new IllegalArgumentException("no " + name + " of " + module + " among " + tensors.keySet());
        }
        return tensor;
    }

    private double[][] state(Module module, String name, int rows, int size) {
        return states.computeIfAbsent(module.name() + "." + name + module.suffix(), key -> new double[rows][size]);
    }
}
