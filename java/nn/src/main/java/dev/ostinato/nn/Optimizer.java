package dev.ostinato.nn;

/** How gradients change weights. The learning rate comes from the {@link Schedule}. */
public sealed interface Optimizer {
    /** Returns the learning rate before the schedule. */
    double learningRate();

    /** Returns Adam with PyTorch's defaults: decays 0.9 and 0.999, epsilon 1e-8. */
    static Optimizer adam(double learningRate) {
        return new Adam(learningRate, 0.9, 0.999, 1e-8);
    }

    /** Returns gradient descent. */
    static Optimizer sgd(double learningRate) {
        return new Sgd(learningRate, 0);
    }

    /** Adam (Kingma and Ba 2015). */
    record Adam(double learningRate, double beta1, double beta2, double epsilon) implements Optimizer {
        public Adam {
            positive(learningRate);
            fraction("beta1", beta1);
            fraction("beta2", beta2);
            if (!(epsilon > 0)) {
                throw new IllegalArgumentException("epsilon: expected > 0, got " + epsilon);
            }
        }
    }

    /** Gradient descent with momentum as PyTorch has it: {@code v = momentum * v + gradient; w = w - rate * v}. */
    record Sgd(double learningRate, double momentum) implements Optimizer {
        public Sgd {
            positive(learningRate);
            fraction("momentum", momentum);
        }
    }

    private static void positive(double learningRate) {
        if (!(learningRate > 0 && learningRate < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("learning rate: expected > 0, got " + learningRate);
        }
    }

    private static void fraction(String name, double value) {
        if (!(value >= 0 && value < 1)) {
            throw new IllegalArgumentException(name + ": expected in [0, 1), got " + value);
        }
    }
}
