package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;
import java.util.ArrayList;
import java.util.List;

/**
 * Which states a recurrent layer of a decoder begins with: those with which a layer of the encoder ends. If that one has two directions, their
 * states are merged as their outputs are.
 *
 * @param from the places of the directions among the ways through time of the encoder
 * @param to the place of the layer among those of the decoder
 */
record Handover(Layer.Merge merge, List<Integer> from, int to) {
    Handover {
        from = List.copyOf(from);
    }

    /** Pairs recurrent layers in their order. @throws IllegalArgumentException if they do not fit together */
    static List<Handover> between(Blueprint encoder, Blueprint decoder) {
        List<Blueprint.Place> sources = recurrent(encoder);
        List<Blueprint.Place> targets = recurrent(decoder);
        if (sources.size() != targets.size() || sources.isEmpty()) {
            throw new IllegalArgumentException("decoder: expected as many recurrent layers as the encoder has, and at"
                    + " least one, got " + targets.size() + " and " + sources.size());
        }
        List<Handover> handovers = new ArrayList<>();
        int from = 0;
        for (int i = 0; i < sources.size(); i++) {
            List<Integer> directions = new ArrayList<>();
            for (int pass = 0; pass < sources.get(i).passes().size(); pass++) {
                directions.add(from++);
            }
            Layer.Merge merge =
                    sources.get(i).layer() instanceof Layer.Bidirectional both ? both.merge() : Layer.Merge.CONCAT;
            Handover handover = new Handover(merge, directions, i);
            handover.check(sources.get(i), targets.get(i));
            handovers.add(handover);
        }
        return handovers;
    }

    private static List<Blueprint.Place> recurrent(Blueprint blueprint) {
        return blueprint.places().stream().filter(Blueprint.Place::isRecurrent).toList();
    }

    private void check(Blueprint.Place source, Blueprint.Place target) {
        Cell ends = source.passes().getFirst().cell();
        Cell begins = target.passes().getFirst().cell();
        int parts = merge == Layer.Merge.CONCAT ? from.size() : 1;
        if (begins.stateSize != parts * ends.stateSize || begins.hasCellState() != ends.hasCellState()
                || (begins.hasCellState() && begins.hidden != parts * ends.hidden)) {
            throw new IllegalArgumentException(
                    "decoder layer " + target.index() + ": expected states of " + sizes(ends, parts)
                            + ", which " + source.layer() + " of the encoder ends with, got " + sizes(begins, 1)
                            + " of " + target.layer());
        }
    }

    private static String sizes(Cell cell, int parts) {
        return parts * cell.stateSize + " in h" + (cell.hasCellState() ? " and " + parts * cell.hidden + " in c" : "");
    }

    /**
     * Lays out the merging of states, or of their gradients.
     *
     * @param ends of each direction, (R, size)
     * @param begin (R, size)
     */
    Merging of(List<Matrix> ends, Matrix begin) {
        return Merging.of(merge, ends, begin);
    }
}
