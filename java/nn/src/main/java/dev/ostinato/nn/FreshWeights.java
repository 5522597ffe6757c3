package dev.ostinato.nn;

import dev.ostinato.kernels.Memory;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;

/** Fills a block of weights as {@link InitialWeights} say. A tensor's numbers depend on the seed, its layer and its place in it alone. */
final class FreshWeights {
    private final Blueprint.Place place;
    private final InitialWeights initial;

    private FreshWeights(Blueprint.Place place, InitialWeights initial) {
        this.place = place;
        this.initial = initial;
    }

    /** @param initial of each layer */
    static void fill(Blueprint blueprint, Memory block, List<InitialWeights> initial, long seed) {
        for (Blueprint.Place place : blueprint.places()) {
            FreshWeights fresh = new FreshWeights(place, initial.get(place.index()));
            int number = 0;
            for (Parameter parameter : place.tensors().parameters(block)) {
                long key = CounterRandom.key(CounterRandom.key(seed, place.index()), number++);
                parameter.write(block,
                        new NamedArray(parameter.name(), parameter.shape(), fresh.values(parameter, key)));
            }
        }
    }

    private float[] values(Parameter parameter, long key) {
        String name = parameter.name();
        if (place.layer() instanceof Layer.LayerNorm || place.layer() instanceof Layer.BatchNorm) {
            return draw(Initializer.constant(NormTensors.initial(name)), parameter, key);
        }
        if (name.startsWith("gain")) {
            return draw(Initializer.constant(1), parameter, key);
        }
        if (name.startsWith("weight_c")) { // peepholes
            return draw(initial.bias(), parameter, key);
        }
        if (name.startsWith("bias")) {
            float[] bias = draw(initial.bias(), parameter, key);
            if (!name.startsWith("bias_c")) {
                forgetGate().ifPresent(gate -> setForgetBias(bias, gate, name));
            }
            return bias;
        }
        Initializer initializer = place.layer() instanceof Layer.Embedding
                ? initial.embedding()
                : name.startsWith("weight_hh") ? initial.recurrent() : initial.input();
        return draw(initializer, parameter, key);
    }

    private OptionalInt forgetGate() {
        return place.isRecurrent() ? cell().forgetGate() : OptionalInt.empty();
    }

    /** Returns the equations of a recurrent layer, the same in all directions. */
    private Cell cell() {
        return place.passes().getFirst().cell();
    }

    private void setForgetBias(float[] bias, int gate, String name) {
        int hidden = units();
        initial.forgetBias().ifPresent(value -> Arrays.fill(bias, gate * hidden, (gate + 1) * hidden,
                name.startsWith("bias_ih") ? (float) value : 0));
    }

    /** Returns the n of PyTorch's bound, which is also the number of rows of a recurrent layer's gate. */
    private int units() {
        return place.isRecurrent() ? cell().hidden : place.layer().inputs();
    }

    private float[] draw(Initializer initializer, Parameter parameter, long key) {
        int rows = parameter.rows();
        int columns = parameter.columns();
        if (parameter.name().startsWith("weight_hh") && parameter.shape().size() == 1) {
            return diagonal(initializer, parameter, key);
        }
        if (!(initializer instanceof Initializer.PerGate gates)) {
            return draw(initializer, parameter.name(), rows, columns, key);
        }
        int block = place.isRecurrent() && rows % units() == 0 ? units() : rows;
        float[] all = new float[Math.multiplyExact(rows, columns)];
        for (int gate = 0; gate < rows / block; gate++) {
            float[] one = draw(gates.each(), parameter.name(), block, columns, CounterRandom.key(key, gate));
            System.arraycopy(one, 0, all, gate * one.length, one.length);
        }
        return all;
    }

    /** Each weight of a U that is a diagonal is a matrix of its own. */
    private float[] diagonal(Initializer initializer, Parameter parameter, long key) {
        Initializer each = initializer instanceof Initializer.PerGate gates ? gates.each() : initializer;
        float[] all = new float[parameter.rows()];
        for (int i = 0; i < all.length; i++) {
            all[i] = draw(each, parameter.name(), 1, 1, CounterRandom.key(key, i))[0];
        }
        return all;
    }

    private float[] draw(Initializer initializer, String name, int rows, int columns, long key) {
        float[] data = new float[Math.multiplyExact(rows, columns)];
        switch (initializer) {
            case Initializer.Constant constant -> Arrays.fill(data, (float) constant.value());
            case Initializer.Uniform uniform -> uniform(data, uniform.bound(), key);
            case Initializer.Normal normal -> normal(data, normal.deviation(), key);
            case Initializer.VarianceScaling scaling -> scaled(data, scaling, rows, columns, key);
            case Initializer.Orthogonal orthogonal -> {
                return OrthonormalMatrix.draw(rows, columns, orthogonal.gain(), key);
            }
            case Initializer.Identity identity -> diagonal(data, (float) identity.scale(), name, rows, columns);
            case Initializer.PyTorch ignored -> uniform(data, 1 / StrictMath.sqrt(units()), key);
            case Initializer.PerGate gates -> throw new AssertionError(gates);
        }
        return data;
    }

    private static void scaled(float[] data, Initializer.VarianceScaling scaling, int rows, int columns, long key) {
        double fan = switch (scaling.fan()) {
            case IN -> columns;
            case AVERAGE -> 0.5 * (columns + rows);
        };
        double variance = scaling.scale() / fan;
        switch (scaling.shape()) {
            case UNIFORM -> uniform(data, StrictMath.sqrt(3 * variance), key);
            case NORMAL -> normal(data, StrictMath.sqrt(variance), key);
        }
    }

    private static void uniform(float[] data, double bound, long key) {
        for (int i = 0; i < data.length; i++) {
            data[i] = (2 * CounterRandom.uniform(key, i) - 1) * (float) bound;
        }
    }

    private static void normal(float[] data, double deviation, long key) {
        for (int i = 0; i < data.length; i++) {
            data[i] = CounterRandom.normal(key, i) * (float) deviation;
        }
    }

    private static void diagonal(float[] data, float value, String name, int rows, int columns) {
        if (rows != columns) {
            throw new IllegalArgumentException(name + ": identity needs a square matrix, got (" + rows + ", " + columns
                    + "); identity().perGate() fills each gate's block of a recurrent layer");
        }
        for (int i = 0; i < rows; i++) {
            data[i * columns + i] = value;
        }
    }
}
