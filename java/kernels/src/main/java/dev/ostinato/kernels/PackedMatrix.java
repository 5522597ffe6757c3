package dev.ostinato.kernels;

import dev.ostinato.kernels.raw.Raw;
import java.lang.ref.Reference;
import java.util.Objects;

/**
 * Weights in the order in which the products read them.
 *
 * <p>A weight is addressed as (input k, gate g, unit u). Units are cut into blocks of {@link Matrix#BLOCK}. A <em>panel</em> is
 * one block of units with all G gates; a matrix with a single gate has panels of {@value #PLAIN_BLOCKS} consecutive blocks, the
 * last one narrower where the blocks do not divide. Within a panel k runs outermost: {@code [panel][k][gate][16]}. So one
 * sweep over a panel reads memory in order, holds all gates of a unit at once, and has enough independent sums to hide the
 * latency of an fma. Units beyond the last are zero and stay zero.
 *
 * <p>Two matrices may be interleaved in one block of memory, panel by panel ({@link #pair}): the input and the recurrent weights
 * of a cell, which a step reads one after the other.
 *
 * <p>The outputs of a product with this matrix are rows {@code [gate][padded units]}: gate by gate, natural order.
 */
public final class PackedMatrix implements PackedWeights {
    /** Blocks in a full panel of a matrix with one gate. */
    public static final int PLAIN_BLOCKS = 4;

    private final Memory memory;
    private final long offset;
    private final int firstInput;
    private final int inputs;
    private final int panelInputs;
    private final int gates;
    private final int units;

    private PackedMatrix(Memory memory, long offset, int firstInput, int inputs, int panelInputs, int gates,
            int units) {
        this.memory = memory;
        this.offset = offset;
        this.firstInput = firstInput;
        this.inputs = inputs;
        this.panelInputs = panelInputs;
        this.gates = gates;
        this.units = units;
    }

    /** Allocates a matrix of zeros. @throws IllegalArgumentException if a size is not positive */
    public static PackedMatrix of(int inputs, int gates, int units) {
        return view(Memory.ofFloats(floats(inputs, gates, units)), 0, inputs, gates, units);
    }

    /**
     * Views part of a block, from float {@code offset} on, as one matrix.
     *
     * @throws IllegalArgumentException if a size is not positive
     * @throws IndexOutOfBoundsException if the matrix does not lie inside the block
     */
    public static PackedMatrix view(Memory memory, long offset, int inputs, int gates, int units) {
        memory.checkRange(offset, floats(inputs, gates, units));
        return new PackedMatrix(memory, offset, 0, inputs, inputs, gates, units);
    }

    /**
     * Views part of a block as two matrices with the same outputs, interleaved panel by panel:
     * {@code [panel][first, then second][gate][16]}.
     *
     * @return the first with {@code firstInputs} inputs, the second with {@code secondInputs}
     */
    public static PackedMatrix[] pair(Memory memory, long offset, int firstInputs, int secondInputs, int gates,
            int units) {
        PackedMatrix both = view(memory, offset, Math.addExact(firstInputs, secondInputs), gates, units);
        return new PackedMatrix[] {both.inputs(0, firstInputs), both.inputs(firstInputs, both.inputs)};
    }

    /** Allocates the words of two narrower matrices, so many for the inputs of each, as a pair. */
    static PackedMatrix[] pairOfWords(PackedMatrix first, int firstWords, PackedMatrix second, int secondWords) {
        if (second.gates != first.gates || second.units != first.units) {
            throw new IllegalArgumentException(
                    "pair: expected the same gates and units, got " + first + " and " + second);
        }
        Memory memory = Memory.ofFloats(floats(Math.addExact(firstWords, secondWords), first.gates, first.units));
        return pair(memory, 0, firstWords, secondWords, first.gates, first.units);
    }

    /** Views the inputs from {@code from} (inclusive) to {@code to} (exclusive). */
    public PackedMatrix inputs(int from, int to) {
        Objects.checkFromToIndex(from, to, inputs);
        return new PackedMatrix(memory, offset, firstInput + from, to - from, panelInputs, gates, units);
    }

    /** Returns the number of floats that a matrix of these sizes takes, padding included. */
    public static long floats(int inputs, int gates, int units) {
        if (inputs < 1 || gates < 1 || units < 1) {
            throw new IllegalArgumentException("packed matrix: expected sizes >= 1, got " + inputs + " inputs, " + gates
                    + " gates, " + units + " units");
        }
        return Math.multiplyExact((long) inputs * gates, (long) Matrix.padded(units));
    }

    @Override
    public int inputs() {
        return inputs;
    }

    @Override
    public int gates() {
        return gates;
    }

    @Override
    public int units() {
        return units;
    }

    @Override
    public int outputs() {
        return gates * Matrix.padded(units);
    }

    @Override
    public PackedMatrix words() {
        return this;
    }

    @Override
    public PackedMatrix withoutInputs() {
        return inputs(0, 0);
    }

    /** Returns the block that this is a view of. */
    public Memory memory() {
        return memory;
    }

    /** Returns the number of panels. */
    public int panels() {
        int blocks = Math.ceilDiv(units, Matrix.BLOCK);
        return gates > 1 ? blocks : Math.ceilDiv(blocks, PLAIN_BLOCKS);
    }

    /** Returns the blocks in a panel: G, or with a single gate {@value #PLAIN_BLOCKS} and in the last panel what is left. */
    public int blocks(int panel) {
        return gates > 1 ? gates : Math.min(PLAIN_BLOCKS, Math.ceilDiv(units, Matrix.BLOCK) - panel * PLAIN_BLOCKS);
    }

    /** Returns the address of input 0 in a panel; the next input is {@code blocks(panel)} blocks on. */
    public long panelAddress(int panel) {
        return memory.address() + panelIndex(panel) * Float.BYTES;
    }

    private long panelIndex(int panel) {
        long blocksBefore = (long) panel * panelInputs * (gates > 1 ? gates : PLAIN_BLOCKS);
        long blocksInside = (long) firstInput * blocks(panel);
        return offset + (blocksBefore + blocksInside) * Matrix.BLOCK;
    }

    /** Returns the index of the first output of a block within an output row. */
    public int output(int panel, int block) {
        return gates > 1
                ? block * Matrix.padded(units) + panel * Matrix.BLOCK
                : (panel * PLAIN_BLOCKS + block) * Matrix.BLOCK;
    }

    /** Returns a weight. @throws IndexOutOfBoundsException if it is outside */
    public float get(int input, int gate, int unit) {
        return memory.getFloat(index(input, gate, unit));
    }

    /** Sets a weight. @throws IndexOutOfBoundsException if it is outside */
    public void set(int input, int gate, int unit, float value) {
        memory.setFloat(index(input, gate, unit), value);
    }

    /** Returns where in {@link #memory} a weight is, in floats. @throws IndexOutOfBoundsException if it is outside */
    public long index(int input, int gate, int unit) {
        Objects.checkIndex(input, inputs);
        Objects.checkIndex(gate, gates);
        int unitBlock = Objects.checkIndex(unit, units) / Matrix.BLOCK;
        int panel = gates > 1 ? unitBlock : unitBlock / PLAIN_BLOCKS;
        int block = gates > 1 ? gate : unitBlock % PLAIN_BLOCKS;
        long row = (long) input * blocks(panel) + block;
        return panelIndex(panel) + row * Matrix.BLOCK + unit % Matrix.BLOCK;
    }

    /**
     * Overwrites {@code transpose} with this matrix turned round: its inputs are our output rows {@code [gate][padded units]},
     * its units our inputs, so that a product with it carries a gradient from the outputs back to the inputs.
     *
     * @throws IllegalArgumentException if {@code transpose} is not {@code (outputs(), 1, inputs())}
     */
    public void transposeInto(PackedMatrix transpose) {
        if (transpose.inputs != outputs() || transpose.gates != 1 || transpose.units != inputs) {
            throw new IllegalArgumentException(
                    "transpose: expected " + describe(outputs(), 1, inputs) + ", got " + transpose);
        }
        for (int panel = 0; panel < panels(); panel++) {
            int width = blocks(panel) * Matrix.BLOCK;
            for (int block = 0; block < blocks(panel); block++) {
                long from = panelAddress(panel) + (long) block * Matrix.BLOCK * Float.BYTES;
                transposeBlock(from, width, output(panel, block), transpose);
            }
        }
        Reference.reachabilityFence(memory);
        Reference.reachabilityFence(transpose.memory);
    }

    private void transposeBlock(long from, int width, int firstOutput, PackedMatrix transpose) {
        for (int target = 0; target < transpose.panels(); target++) {
            int targetWidth = transpose.blocks(target) * Matrix.BLOCK;
            int first = target * PLAIN_BLOCKS * Matrix.BLOCK;
            int count = Math.min(targetWidth, inputs - first);
            for (int lane = 0; lane < Matrix.BLOCK; lane++) {
                long to = transpose.panelAddress(target) + (long) (firstOutput + lane) * targetWidth * Float.BYTES;
                for (int i = 0; i < count; i++) {
                    Raw.set(to, i, Raw.get(from, (long) (first + i) * width + lane));
                }
            }
        }
    }

    private static String describe(int inputs, int gates, int units) {
        return inputs + " inputs x " + gates + " gates x " + units + " units";
    }

    @Override
    public String toString() {
        return "PackedMatrix[" + describe(inputs, gates, units) + "]";
    }
}
