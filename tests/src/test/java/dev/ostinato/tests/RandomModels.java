package dev.ostinato.tests;

import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import java.util.List;
import java.util.random.RandomGenerator;

/** Small models whose every weight is a number of its own, so that no mix-up of gates, biases or layers goes unseen. */
final class RandomModels {
    private RandomModels() {
    }

    /** Returns a model of the same layers and backend with new weights: biases in +-0.5, rows of W and U shorter than 1. */
    static Model randomised(Model model, RandomGenerator random) {
        List<NamedArray> tensors = model.tensors().stream().map(t -> randomised(t, random)).toList();
        return Model.of(model.layers(), tensors).withBackend(model.backend());
    }

    private static NamedArray randomised(NamedArray tensor, RandomGenerator random) {
        boolean matrix = tensor.shape().size() > 1 && !tensor.name().startsWith("embedding");
        double scale = matrix ? 1.2 / Math.sqrt(tensor.shape().getLast()) : 0.5;
        float[] data = new float[tensor.data().length];
        for (int i = 0; i < data.length; i++) {
            data[i] = (float) (scale * (2 * random.nextDouble() - 1));
        }
        return new NamedArray(tensor.name(), tensor.shape(), data);
    }
}
