package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;
import java.util.List;

/** A recurrent layer of several directions whose outputs are merged, or of the reverse one alone. */
final class DirectionsStage extends OutputStage {
    private final List<Recurrence> recurrences;
    private final Layer.Merge merge;
    /** (all, H), a direction's share of one or the other. */
    private final Matrix share;

    DirectionsStage(Setup setup, Blueprint.Place place, List<Shared.Pass> passes, Stage below) {
        super(setup, place.layer().outputs());
        this.recurrences = passes.stream().map(pass -> new Recurrence(setup, pass, below)).toList();
        this.merge = place.layer() instanceof Layer.Bidirectional both ? both.merge() : Layer.Merge.CONCAT;
        this.share = setup.matrix(setup.all(), place.passes().getFirst().cell().stateSize);
    }

    @Override
    void forward(long dropoutKey) {
        recurrences.forEach(recurrence -> recurrence.forward(dropoutKey));
        if (merge == Layer.Merge.CONCAT) {
            for (int i = 0; i < recurrences.size(); i++) {
                recurrences.get(i).copyOutput(part(y, i));
            }
            return;
        }
        recurrences.getFirst().copyOutput(y);
        recurrences.getLast().copyOutput(share);
        eachChunk((from, to) -> {
            k.axpy(1, share.rows(from, to), y.rows(from, to));
            if (merge == Layer.Merge.MEAN) {
                k.scale(y.rows(from, to), 0.5f);
            }
        });
    }

    @Override
    void backward() {
        if (merge == Layer.Merge.MEAN) {
            eachChunk((from, to) -> k.scale(dy.rows(from, to), 0.5f));
        }
        for (int i = 0; i < recurrences.size(); i++) {
            Matrix own = dy.columns(0, y.columns());
            recurrences.get(i).addOutputGradient(merge == Layer.Merge.CONCAT ? part(own, i) : own);
            recurrences.get(i).backward();
        }
    }

    /** Returns the columns of one direction. */
    private Matrix part(Matrix all, int direction) {
        return all.columns(direction * share.columns(), (direction + 1) * share.columns());
    }

    @Override
    List<Recurrence> recurrences() {
        return recurrences;
    }

    @Override
    void clearGradient() {
        super.clearGradient();
        recurrences.forEach(Recurrence::clearGradient);
    }
}
