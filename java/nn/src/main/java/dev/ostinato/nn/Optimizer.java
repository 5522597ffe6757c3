package dev.ostinato.nn;

/** How gradients change weights. The learning rate comes from the {@link Schedule}. */
public sealed interface Optimizer {
    /** Returns the learning rate before the schedule. */
    double learningRate();

    /** Returns Adam with PyTorch's defaults: decays 0.9 and 0.999, epsilon 1e-8. */
    static Optimizer adam(double learningRate) {
        return new Adam(learningRate, 0.9, 0.999, 1e-8);
    }

    /** Returns Adam with PyTorch's defaults and weights that decay by themselves. */
    static Optimizer adamW(double learningRate, double weightDecay) {
        return new AdamW(learningRate, 0.9, 0.999, 1e-8, weightDecay);
    }

    /** Returns gradient descent. */
    static Optimizer sgd(double learningRate) {
        return new Sgd(learningRate, 0);
    }

    /** Returns RMSprop with PyTorch's defaults: decay 0.99, epsilon 1e-8. */
    static Optimizer rmsProp(double learningRate) {
        return new RmsProp(learningRate, 0.99, 1e-8);
    }

    /** Returns Adagrad with PyTorch's default: epsilon 1e-10. */
    static Optimizer adagrad(double learningRate) {
        return new Adagrad(learningRate, 1e-10);
    }

    /** Adam (Kingma and Ba 2015). */
    record Adam(double learningRate, double beta1, double beta2, double epsilon) implements Optimizer {
        public Adam {
            positive("learning rate", learningRate);
            fraction("beta1", beta1);
            fraction("beta2", beta2);
            positive("epsilon", epsilon);
        }
    }

    /**
     * Adam, before each of whose updates matrices shrink by {@code learning rate * weightDecay} of themselves (Loshchilov and Hutter 2019).
     * Biases, gains and other vectors do not shrink.
     */
    record AdamW(double learningRate, double beta1, double beta2, double epsilon, double weightDecay)
            implements Optimizer {
        public AdamW {
            positive("learning rate", learningRate);
            fraction("beta1", beta1);
            fraction("beta2", beta2);
            positive("epsilon", epsilon);
            if (!(weightDecay >= 0 && weightDecay < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException("weight decay: expected >= 0, got " + weightDecay);
            }
        }
    }

    /** Gradient descent with momentum as PyTorch has it: {@code v = momentum * v + gradient; w = w - rate * v}. */
    record Sgd(double learningRate, double momentum) implements Optimizer {
        public Sgd {
            positive("learning rate", learningRate);
            fraction("momentum", momentum);
        }
    }

    /**
     * Nesterov's momentum as PyTorch has it (Sutskever et al. 2013): {@code v = momentum * v + gradient; w = w - rate * (gradient + momentum * v)}.
     */
    record Nesterov(double learningRate, double momentum) implements Optimizer {
        public Nesterov {
            positive("learning rate", learningRate);
            fraction("momentum", momentum);
        }
    }

    /** RMSprop (Tieleman and Hinton 2012): {@code v = decay * v + (1 - decay) * gradient^2; w = w - rate * gradient / (sqrt(v) + epsilon)}. */
    record RmsProp(double learningRate, double decay, double epsilon) implements Optimizer {
        public RmsProp {
            positive("learning rate", learningRate);
            fraction("decay", decay);
            positive("epsilon", epsilon);
        }
    }

    /** Adagrad (Duchi et al. 2011): {@code v = v + gradient^2; w = w - rate * gradient / (sqrt(v) + epsilon)}. */
    record Adagrad(double learningRate, double epsilon) implements Optimizer {
        public Adagrad {
            positive("learning rate", learningRate);
            positive("epsilon", epsilon);
        }
    }

    private static void positive(String name, double value) {
        if (!(value > 0 && value < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(name + ": expected > 0, got " + value);
        }
    }

    private static void fraction(String name, double value) {
        if (!(value >= 0 && value < 1)) {
            throw new IllegalArgumentException(name + ": expected in [0, 1), got " + value);
        }
    }
}
