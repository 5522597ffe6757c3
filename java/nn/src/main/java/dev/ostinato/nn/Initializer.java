package dev.ostinato.nn;

import dev.ostinato.kernels.Memory;

/** PyTorch's default initialisation: uniform in +-1/sqrt(H) or +-1/sqrt(inputs), embeddings normal. */
final class Initializer {
    private Initializer() {
    }

    static void fill(Blueprint blueprint, Memory block, long seed) {
        for (Blueprint.Place place : blueprint.places()) {
            int number = 0;
            for (Parameter parameter : blueprint.parameters(block, place)) {
                long key = CounterRandom.key(CounterRandom.key(seed, place.index()), number++);
                float[] data = new float[Math.multiplyExact(parameter.rows(), parameter.columns())];
                for (int i = 0; i < data.length; i++) {
                    data[i] = draw(place.layer(), key, i);
                }
                parameter.write(block, new NamedArray(parameter.name(), parameter.shape(), data));
            }
        }
    }

    private static float draw(Layer layer, long key, int i) {
        return switch (layer) {
            case Layer.Embedding ignored -> CounterRandom.normal(key, i);
            case Layer.Recurrent r -> uniform(r.hidden(), key, i);
            default -> uniform(layer.inputs(), key, i);
        };
    }

    private static float uniform(int fan, long key, int i) {
        return (2 * CounterRandom.uniform(key, i) - 1) * (float) (1 / StrictMath.sqrt(fan));
    }
}
