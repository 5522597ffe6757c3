package dev.ostinato.kernels;

/**
 * The scalars of one Adam update (Kingma and Ba, 2015), corrected for bias, as {@link KernelSet#adam} uses them. RMSprop and Adagrad are
 * the cases of it that have no first moment and no correction.
 *
 * @param gradientScale factor on the gradient before anything else (clipping)
 * @param beta1 decay of the first moment
 * @param oneMinusBeta1 weight of the new gradient in the first moment
 * @param beta2 decay of the second moment
 * @param oneMinusBeta2 weight of the new squared gradient in the second moment
 * @param stepSize learning rate / (1 - beta1^t)
 * @param inverseRootCorrection 1 / sqrt(1 - beta2^t)
 * @param epsilon added to the root of the second moment
 */
public record AdamStep(float gradientScale, float beta1, float oneMinusBeta1, float beta2, float oneMinusBeta2,
        float stepSize,
        float inverseRootCorrection, float epsilon) {

    /**
     * Returns the scalars for update number {@code t}, counted from 1.
     *
     * @throws IllegalArgumentException if {@code t} is less than 1
     */
    public static AdamStep at(long t, double learningRate, double beta1, double beta2, double epsilon,
            float gradientScale) {
        if (t < 1) {
            throw new IllegalArgumentException("t: expected >= 1, got " + t);
        }
        // StrictMath: the same bits on every machine and virtual machine.
        double correction1 = 1 - StrictMath.pow(beta1, (double) t);
        double correction2 = 1 - StrictMath.pow(beta2, (double) t);
        return new AdamStep(gradientScale, (float) beta1, (float) (1 - beta1), (float) beta2, (float) (1 - beta2),
                (float) (learningRate / correction1), (float) (1 / StrictMath.sqrt(correction2)), (float) epsilon);
    }

    /** Returns the scalars for an update of RMSprop (Tieleman and Hinton 2012), whose mean of squares decays by {@code decay}. */
    public static AdamStep rmsProp(double learningRate, double decay, double epsilon, float gradientScale) {
        return new AdamStep(gradientScale, 0, 1, (float) decay, (float) (1 - decay), (float) learningRate, 1,
                (float) epsilon);
    }

    /** Returns the scalars for an update of Adagrad (Duchi et al. 2011), whose second moment is the sum of all squares. */
    public static AdamStep adagrad(double learningRate, double epsilon, float gradientScale) {
        return new AdamStep(gradientScale, 0, 1, 1, 1, (float) learningRate, 1, (float) epsilon);
    }
}
