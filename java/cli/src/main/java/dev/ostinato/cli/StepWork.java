package dev.ostinato.cli;

import dev.ostinato.kernels.Limits;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Model;
import java.util.concurrent.TimeUnit;

/**
 * What a step of a model has to read and to multiply, and so the least time that it can take.
 *
 * @param inputWeights weights that are multiplied with what comes from outside or from a layer below
 * @param recurrentWeights weights that are multiplied with the state
 * @param bytesPerWeight as they lie in memory
 * @param rows streams that step together
 * @param steps of one call
 */
record StepWork(long inputWeights, long recurrentWeights, int bytesPerWeight, int rows, int steps) {
    /**
     * What one core can do.
     *
     * @param read bytes a second
     * @param multiply floating-point operations a second, an fma counting as two
     */
    record Rates(double read, double multiply) {
        /** Measures, for about a second. */
        static Rates measure(Limits limits, long bytes) {
            return new Rates(limits.readRate(bytes), limits.fmaPeak());
        }

        /** Returns the better of two measurements each: the machine can do that. */
        Rates or(Rates other) {
            return new Rates(Math.max(read, other.read), Math.max(multiply, other.multiply));
        }
    }

    /** Returns the work of a model. Rows of tables, which a token picks, do not count, and neither do biases. */
    static StepWork of(Model model, int bytesPerWeight, int rows, int steps) {
        long input = 0;
        long recurrent = 0;
        boolean tokens = model.takesTokens();
        for (Layer layer : model.layers()) {
            switch (layer) {
                case Layer.Recurrent r -> {
                    long units = Math.multiplyFull(r.cell().gates(), r.hidden());
                    input += multiplies(model, tokens, steps) ? units * r.inputs() : 0;
                    recurrent += units * r.hidden();
                    tokens = false;
                }
                case Layer.Dense d -> {
                    input += multiplies(model, tokens, steps) ? Math.multiplyFull(d.inputs(), d.outputs()) : 0;
                    tokens = false;
                }
                case Layer.Embedding ignored -> {
                }
                case Layer.OneHot ignored -> {
                }
                case Layer.Features ignored -> {
                }
                case Layer.Dropout ignored -> {
                }
            }
        }
        return new StepWork(input, recurrent, bytesPerWeight, rows, steps);
    }

    /** A one-hot row picks weights; and over a sequence, tokens that come again need no product of their own. */
    private static boolean multiplies(Model model, boolean tokens, int steps) {
        return !tokens || (steps == 1 && !(model.layers().getFirst() instanceof Layer.OneHot));
    }

    /** Returns the bytes of all these weights. */
    long weightBytes() {
        return (inputWeights + recurrentWeights) * bytesPerWeight;
    }

    /** Returns the bytes that each step reads anew: of a sequence only what is multiplied with the state, since the rest can be done at once. */
    long sweptBytes() {
        return steps == 1 ? weightBytes() : recurrentWeights * bytesPerWeight;
    }

    /** Returns the least nanoseconds of a step. */
    double limit(Rates rates) {
        long swept = steps == 1 ? inputWeights + recurrentWeights : recurrentWeights;
        long atOnce = steps == 1 ? 0 : inputWeights;
        double reading = sweptBytes() / rates.read;
        double multiplying = 2.0 * swept * rows / rates.multiply;
        double before = 2.0 * atOnce * rows / rates.multiply;
        return (before + Math.max(reading, multiplying)) * TimeUnit.SECONDS.toNanos(1);
    }
}
