package dev.ostinato.nn;

import java.util.Arrays;

/** Connectionist temporal classification, stream by stream. Forward leaves the gradient in place of the outputs. */
final class CtcLoss extends LossStage {
    private final Loss.Ctc loss;
    /** Of each stream its packed rows, first step first; and the labels of the batch. */
    private final int[][] steps;
    private int[][] labels = {};
    /** One for each thread. */
    private final CtcAlignments[] alignments;

    CtcLoss(Stage top, Loss.Ctc loss) {
        super(top, loss, top.setup.sequences().rows());
        this.loss = loss;
        this.steps = setup.sequences().packedRows();
        this.alignments = new CtcAlignments[Math.min(setup.team().threads(), steps.length)];
        Arrays.setAll(alignments, i -> new CtcAlignments(setup.kernels(), y, loss.blank()));
    }

    @Override
    void loadTargets(Batch batch) {
        int[][] all = batch.labels();
        for (int b = 0; b < all.length; b++) {
            check(b, all[b]);
        }
        labels = all;
    }

    private void check(int stream, int[] its) {
        int needed = its.length;
        for (int i = 0; i < its.length; i++) {
            if (its[i] < 0 || its[i] >= y.columns() || its[i] == loss.blank()) {
                throw new IndexOutOfBoundsException("label " + i + " of stream " + stream + ": expected 0.."
                        + (y.columns() - 1) + " without the blank " + loss.blank() + ", got " + its[i]);
            }
            needed += i > 0 && its[i] == its[i - 1] ? 1 : 0;
        }
        if (needed > steps[stream].length) {
            throw new IllegalArgumentException("labels of stream " + stream + ": expected no more than its "
                    + steps[stream].length + " steps can say, got " + its.length + ", which take " + needed
                    + " with the blanks between equal ones");
        }
    }

    @Override
    double weight() {
        return losses.rows();
    }

    @Override
    void forward(int from, int to) {
        setup.kernels().logSoftmax(y.rows(from, to), y.rows(from, to));
    }

    @Override
    void forwardTogether() {
        setup.team().run(alignments.length, part -> {
            int end = Cell.share(steps.length, part + 1, alignments.length);
            for (int b = Cell.share(steps.length, part, alignments.length); b < end; b++) {
                double divisor = loss.reduction() == Loss.Reduction.MEAN ? Math.max(1, labels[b].length) : 1;
                double cost = alignments[part].replaceByGradient(steps[b], labels[b], share() / divisor);
                losses.set(b, 0, (float) (cost / divisor));
            }
        });
    }

    @Override
    int outputs() {
        return losses.rows();
    }

    @Override
    void copyTo(float[] all) {
        for (int b = 0; b < all.length; b++) {
            all[b] = losses.get(b, 0);
        }
    }
}
