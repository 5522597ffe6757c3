package dev.ostinato.nn;

import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.IntToLongFunction;

/** Another cell between masks. What they need are slots behind that cell's own, and scratch behind its own; the rest is that cell's. */
abstract class RegularizedCell extends Cell {
    final Cell inner;
    private final int ownSlots;
    private final int ownScratch;

    /**
     * @param ownSlots slots of z
     * @param ownScratch scratch, in slots
     */
    RegularizedCell(Cell inner, int ownSlots, int ownScratch) {
        super(inner.gates, inner.inputs, inner.hidden, inner.stateSize, CellType.Bias.BOTH);
        this.inner = inner;
        this.ownSlots = ownSlots;
        this.ownScratch = ownScratch;
    }

    final Matrix innerSlots(Matrix z) {
        return z.columns(0, inner.slots() * padded);
    }

    /** Returns columns of an own slot, as many as h has. */
    final Matrix ofState(Matrix z, int number) {
        return own(z, inner.slots() * padded, number, paddedState);
    }

    /** Returns an own slot. */
    final Matrix ofUnits(Matrix z, int number) {
        return own(z, inner.slots() * padded, number, padded);
    }

    final Matrix innerScratch(Matrix scratch) {
        return scratch.columns(0, inner.scratchColumns());
    }

    /** As {@link #ofState}, of the scratch. */
    final Matrix scratchOfState(Matrix scratch, int number) {
        return own(scratch, inner.scratchColumns(), number, paddedState);
    }

    /** As {@link #ofUnits}, of the scratch. */
    final Matrix scratchOfUnits(Matrix scratch, int number) {
        return own(scratch, inner.scratchColumns(), number, padded);
    }

    private Matrix own(Matrix all, int first, int number, int columns) {
        int from = first + number * padded;
        return all.columns(from, from + columns);
    }

    @Override
    final int slots() {
        return inner.slots() + ownSlots;
    }

    @Override
    final int scratchColumns() {
        return inner.scratchColumns() + ownScratch * padded;
    }

    @Override
    final boolean masked() {
        return true;
    }

    @Override
    void drawMasks(long key, IntToLongFunction stream, IntToLongFunction step, Matrix z) {
        inner.drawMasks(key, stream, step, innerSlots(z));
    }

    // The rest is the cell's

    @Override
    final int startSlots() {
        return inner.startSlots();
    }

    @Override
    final List<TensorShape> shapes(String suffix) {
        return inner.shapes(suffix);
    }

    @Override
    final List<Parameter> parameters(Memory block, long offset, String suffix) {
        return inner.parameters(block, offset, suffix);
    }

    @Override
    boolean fused() {
        return inner.fused();
    }

    @Override
    Inference inference(StepWeights w, Matrix start, Matrix x, Matrix hPrevious, Matrix c, Matrix h) {
        return inner.inference(w, start, x, hPrevious, c, h);
    }

    @Override
    boolean hasSecondSweep() {
        return inner.hasSecondSweep();
    }

    @Override
    Inference secondSweep(StepWeights w, Matrix between, Matrix h) {
        return inner.secondSweep(w, between, h);
    }

    @Override
    final boolean hasCellState() {
        return inner.hasCellState();
    }

    @Override
    final List<Gate> gateList() {
        return inner.gateList();
    }

    @Override
    final OptionalInt forgetGate() {
        return inner.forgetGate();
    }

    @Override
    final long floats() {
        return inner.floats();
    }

    @Override
    final CellWeights weights(Memory block, long offset) {
        return inner.weights(block, offset);
    }

    @Override
    final StepWeights stepWeights(CellWeights w, Precision precision) {
        return inner.stepWeights(w, precision);
    }

    @Override
    final Matrix inputSlots(Matrix z) {
        return inner.inputSlots(z);
    }

    @Override
    final Matrix recurrentSlots(Matrix z) {
        return inner.recurrentSlots(z);
    }

    @Override
    void recurrentGradient(Kernels k, Matrix hPrevious, Matrix z, CellWeights gradients, int part, int parts) {
        inner.recurrentGradient(k, hPrevious, z, gradients, part, parts);
    }

    @Override
    final List<Reduction> reductions(Matrix z, Buffers buffers) {
        return inner.reductions(z, buffers);
    }

    @Override
    final void inputBiasGradient(Kernels k, Matrix z, CellWeights gradients) {
        inner.inputBiasGradient(k, z, gradients);
    }

    @Override
    final void recurrentBiasGradient(Kernels k, Matrix z, CellWeights gradients) {
        inner.recurrentBiasGradient(k, z, gradients);
    }

    @Override
    final void biasRow(CellWeights weights, Matrix row) {
        inner.biasRow(weights, row);
    }
}
