package dev.ostinato.cli;

import dev.ostinato.kernels.Limits;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.Precision;
import java.util.concurrent.TimeUnit;

/**
 * What a step of a model has to read and to multiply, and so the least time that it can take.
 *
 * @param inputWeights weights that are multiplied with what comes from outside or from a layer below
 * @param recurrentWeights weights that are multiplied with the state
 * @param precision of the weights
 * @param rows streams that step together
 * @param steps of one call
 * @param threads that share a step, each with a part of the weights
 */
record StepWork(long inputWeights, long recurrentWeights, Precision precision, int rows, int steps, int threads) {
    /** Products of eight bits that an instruction adds up in the time of one of floats. */
    private static final int PRODUCTS_OF_INT8 = 4;

    /**
     * What the threads can do together.
     *
     * @param read bytes a second
     * @param multiply floating-point operations a second, an fma counting as two
     */
    record Rates(double read, double multiply) {
        /** Returns the better of two measurements each: the machine can do that. */
        Rates or(Rates other) {
            return new Rates(Math.max(read, other.read), Math.max(multiply, other.multiply));
        }
    }

    /**
     * Returns the work of a model. What a token picks from a table does not count, and neither does the product of a token's row with the
     * weights behind it, which is such a table; nor do biases.
     */
    static StepWork of(Model model, int rows, int steps, int threads) {
        long input = 0;
        long recurrent = 0;
        boolean tokens = model.takesTokens();
        for (Layer layer : model.layers()) {
            switch (layer) {
                case Layer.WithCell r -> {
                    int directions = r instanceof Layer.Bidirectional ? 2 : 1;
                    long units = Math.multiplyFull(r.cell().gates(), r.hidden());
                    input += tokens ? 0 : directions * units * r.inputs();
                    recurrent += directions * recurrentWeights(r.cell(), r.hidden());
                    tokens = false;
                }
                case Layer.Dense d -> {
                    input += Math.multiplyFull(d.inputs(), d.outputs());
                    tokens = false;
                }
                case Layer.LayerNorm ignored -> tokens = false;
                case Layer.BatchNorm ignored -> tokens = false;
                case Layer.Embedding ignored -> {
                }
                case Layer.Unweighted ignored -> {
                }
            }
        }
        return new StepWork(input, recurrent, model.precision(), rows, steps, threads);
    }

    /** Measures what the threads could do if none disturbed the others, for about a second. */
    Rates measure(Limits limits) {
        int products = precision == Precision.INT8 ? PRODUCTS_OF_INT8 : 1;
        return new Rates(threads * limits.readRate(bytesOfAThread()), threads * limits.fmaPeak() * products);
    }

    private int bytesPerWeight() {
        return switch (precision) {
            case F32 -> 4;
            case BF16 -> 2;
            case INT8 -> 1;
        };
    }

    /** Returns the bytes of all these weights. */
    long weightBytes() {
        return (inputWeights + recurrentWeights) * bytesPerWeight();
    }

    /** Returns the bytes that each step reads anew: of a sequence only what is multiplied with the state, since the rest can be done at once. */
    long sweptBytes() {
        return steps == 1 ? weightBytes() : recurrentWeights * bytesPerWeight();
    }

    /** Returns the bytes that each thread reads at a step. */
    long bytesOfAThread() {
        return Math.ceilDiv(sweptBytes(), threads);
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

    private static long recurrentWeights(CellType cell, int units) {
        long hidden = units;
        long outputs = cell.outputs(units);
        return switch (cell) {
            case CellType.IndRnn ignored -> hidden;
            case CellType.MinGru ignored -> 0;
            case CellType.Lstm lstm when lstm.projection().isPresent() -> (lstm.gates() + 1) * hidden * outputs;
            default -> cell.gates() * hidden * outputs;
        };
    }
}
