package dev.ostinato.nn;

/**
 * How a matrix of weights (outputs, inputs), or a bias, is filled before training. Of a recurrent layer the outputs are the rows of all G gates,
 * G * H, one gate under another as in PyTorch; {@link #perGate} fills each gate's H rows as a matrix of their own instead.
 *
 * <p>A fan is the number of inputs, or of outputs, of the matrix: a recurrent layer's W has fan-in I and fan-out G * H, its U fan-in H and
 * fan-out G * H, which is how Keras counts; per gate the fan-out is H.
 *
 * <p>Every element is a function of the seed, the layer, the tensor and the element's place, computed with exact or StrictMath functions: the
 * same bits everywhere. Initializers are immutable values.
 */
public sealed interface Initializer {
    /** Returns an initializer that fills with +0. */
    static Initializer zeros() {
        return constant(0);
    }

    /** Returns an initializer that fills with one value, rounded to a float. @throws IllegalArgumentException if not finite */
    static Initializer constant(double value) {
        return new Constant(value);
    }

    /** Returns a uniform distribution in [-bound, bound). @throws IllegalArgumentException if negative or not finite */
    static Initializer uniform(double bound) {
        return new Uniform(bound);
    }

    /** Returns a normal distribution with mean 0. @throws IllegalArgumentException if {@code deviation} is negative or not finite */
    static Initializer normal(double deviation) {
        return new Normal(deviation);
    }

    /** Returns a uniform distribution of variance 2 / (fan-in + fan-out) (Glorot and Bengio 2010), also called Xavier. */
    static Initializer glorotUniform() {
        return new VarianceScaling(1, Fan.AVERAGE, Shape.UNIFORM);
    }

    /** Returns a normal distribution, not truncated, of variance 2 / (fan-in + fan-out) (Glorot and Bengio 2010). */
    static Initializer glorotNormal() {
        return new VarianceScaling(1, Fan.AVERAGE, Shape.NORMAL);
    }

    /** Returns a uniform distribution of variance 2 / fan-in (He et al. 2015), also called Kaiming. */
    static Initializer heUniform() {
        return new VarianceScaling(2, Fan.IN, Shape.UNIFORM);
    }

    /** Returns a normal distribution, not truncated, of variance 2 / fan-in (He et al. 2015). */
    static Initializer heNormal() {
        return new VarianceScaling(2, Fan.IN, Shape.NORMAL);
    }

    /** Returns a uniform distribution of variance 1 / fan-in (LeCun et al. 1998). */
    static Initializer lecunUniform() {
        return new VarianceScaling(1, Fan.IN, Shape.UNIFORM);
    }

    /** Returns a normal distribution, not truncated, of variance 1 / fan-in (LeCun et al. 1998). */
    static Initializer lecunNormal() {
        return new VarianceScaling(1, Fan.IN, Shape.NORMAL);
    }

    /** Returns {@link #orthogonal(double)} with gain 1. */
    static Initializer orthogonal() {
        return orthogonal(1);
    }

    /**
     * Returns a random matrix with orthonormal columns, or rows if there are fewer of them, times a gain (Saxe et al. 2014). The U of four
     * gates is a (4H, H) whose columns are orthonormal, which leaves each gate's block with singular values below 1;
     * {@code orthogonal().perGate()} makes each block orthogonal.
     *
     * @throws IllegalArgumentException if {@code gain} is not finite
     */
    static Initializer orthogonal(double gain) {
        return new Orthogonal(gain);
    }

    /** Returns {@link #identity(double)} with scale 1. */
    static Initializer identity() {
        return identity(1);
    }

    /**
     * Returns an initializer that fills a square matrix with a multiple of the identity (Le, Jaitly and Hinton 2015, for recurrent
     * weights under relu). Weights of several gates are not square: {@code identity().perGate()}.
     *
     * @throws IllegalArgumentException if {@code scale} is not finite
     */
    static Initializer identity(double scale) {
        return new Identity(scale);
    }

    /**
     * Returns what PyTorch fills the weights and biases of recurrent and dense layers with: uniform in [-1/sqrt(n), 1/sqrt(n)), n being the
     * hidden units of a recurrent layer and the inputs of any other.
     */
    static Initializer pytorch() {
        return new PyTorch();
    }

    /** Returns this initializer for each gate's block of a recurrent layer by itself; for a matrix without gates it is the same. */
    default Initializer perGate() {
        return new PerGate(this);
    }

    /** Which fans divide a variance. */
    enum Fan {
        /** Inputs. */
        IN,
        /** The mean of inputs and outputs. */
        AVERAGE
    }

    /** The shape of a distribution. */
    enum Shape {
        /** Uniform around 0. */
        UNIFORM,
        /** Normal around 0. */
        NORMAL
    }

    /** One value. */
    record Constant(double value) implements Initializer {
        public Constant {
            finite("value", value);
        }
    }

    /** Uniform in [-bound, bound). */
    record Uniform(double bound) implements Initializer {
        public Uniform {
            notNegative("bound", bound);
        }
    }

    /** Normal with mean 0. */
    record Normal(double deviation) implements Initializer {
        public Normal {
            notNegative("deviation", deviation);
        }
    }

    /** A distribution of variance {@code scale} / fan. */
    record VarianceScaling(double scale, Fan fan, Shape shape) implements Initializer {
        public VarianceScaling {
            notNegative("scale", scale);
        }
    }

    /** Orthonormal columns or rows, times {@code gain}. */
    record Orthogonal(double gain) implements Initializer {
        public Orthogonal {
            finite("gain", gain);
        }
    }

    /** {@code scale} on the diagonal, +0 elsewhere. */
    record Identity(double scale) implements Initializer {
        public Identity {
            finite("scale", scale);
        }
    }

    /** Uniform, bounded by the size of the layer. */
    record PyTorch() implements Initializer {}

    /** {@code each} for each gate's block. */
    record PerGate(Initializer each) implements Initializer {
        public PerGate {
            each = each instanceof PerGate gates ? gates.each : each;
        }

        @Override
        public Initializer perGate() {
            return this;
        }
    }

    private static void finite(String name, double value) {
        if (!Float.isFinite((float) value)) {
            throw new IllegalArgumentException(name + ": expected a finite float, got " + value);
        }
    }

    private static void notNegative(String name, double value) {
        finite(name, value);
        if (value < 0) {
            throw new IllegalArgumentException(name + ": expected >= 0, got " + value);
        }
    }
}
