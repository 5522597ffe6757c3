package dev.ostinato.nn;

import java.util.ArrayList;
import java.util.List;

/**
 * Some packed steps of a batch that are laid out together: all of them, or one of several runs of steps, one after another, that share memory.
 *
 * @param whole all steps of the batch
 * @param sequences those of the segment, whose rows are a run of the packed rows of the whole
 * @param number of the segment
 * @param behind how many sequences have a step behind the segment; they are the first ones
 */
record Segment(Sequences whole, Sequences sequences, int number, int behind) {
    /** Returns how many of T steps a segment has, the square root: no more than as many states are kept, one for each segment. */
    static int steps(int all) {
        int root = (int) Math.sqrt(all);
        return root * root < all ? root + 1 : root;
    }

    /** @throws IllegalArgumentException if a layer or the loss takes all steps at once */
    static void check(Blueprint blueprint, Loss loss) {
        for (Blueprint.Place place : blueprint.places()) {
            if (takesAll(place)) {
                throw new IllegalArgumentException("gradient checkpointing: expected layers that take one step after"
                        + " another, got " + place.name() + ", which takes all steps of a batch at once");
            }
        }
        if (loss instanceof Loss.Ctc || loss instanceof Loss.SampledSoftmax) {
            throw new IllegalArgumentException("gradient checkpointing: expected a loss of one step after another, got "
                    + loss + ", which takes all steps of a batch at once");
        }
    }

    private static boolean takesAll(Blueprint.Place place) {
        return switch (place.layer()) {
            case Layer.Pool _ -> true;
            case Layer.BatchNorm _ -> true;
            case Layer.Attention _ -> true;
            default -> place.passes().stream().anyMatch(Blueprint.Pass::reverse);
        };
    }

    /** All steps at once. */
    static Segment all(Sequences sequences) {
        return new Segment(sequences, sequences, 0, 0);
    }

    /** Cuts packed steps into runs of so many, the last one perhaps shorter. */
    static List<Segment> cut(Sequences whole, int steps) {
        List<Segment> segments = new ArrayList<>();
        for (int from = 0; from < whole.longest(); from += steps) {
            int to = Math.min(whole.longest(), from + steps);
            segments.add(new Segment(whole, from == 0 && to == whole.longest() ? whole : whole.segment(from, to),
                    segments.size(), to == whole.longest() ? 0 : whole.count(to)));
        }
        return segments;
    }

    boolean isFirst() {
        return number == 0;
    }

    boolean isLast() {
        return behind == 0;
    }

    /** Returns whether it is the only one. */
    boolean isAll() {
        return isFirst() && isLast();
    }

    /** Returns the same behind a layer that leaves one row for each stream. */
    Segment pooled() {
        return all(Sequences.of(1, whole.rows()));
    }
}
