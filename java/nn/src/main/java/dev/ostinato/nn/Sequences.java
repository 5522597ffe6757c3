package dev.ostinato.nn;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Which of the T steps of B streams there are: all of them, so many of each stream, or those that a mask leaves. Steps that there are not
 * cost nothing: only the others are computed, one after another, the state going from one to the next. Immutable.
 *
 * <pre>{@code
 * Sequences sequences = Sequences.ofLengths(100, 70, 100, 0); // T = 100, B = 3; the third keeps its state
 * model.run(x, sequences, state, y);
 * }</pre>
 *
 * <p>Who calls often with the same layout keeps the object: what is derived from it is kept with it.
 */
public final class Sequences {
    // The steps are packed: streams sorted by their number of steps, longest first, and all first steps before all second ones. A stream
    // whose state is reset on the way counts as several, of which only the first goes on from the state that the stream had.

    private final int steps;
    private final int rows;
    private final boolean batchFirst;
    /** Of each packed row the step it is, as t * B + b. */
    private final int[] source;
    /** Of each packed step the first of its rows; and behind the last, the number of all rows. */
    private final int[] offsets;
    /** Of each packed sequence its number of steps, and the stream that it belongs to. */
    private final int[] lengths;
    private final int[] streams;
    /** Of each stream its first and its last sequence. */
    private final int[] firstOf;
    private final int[] lastOf;
    /** Of each sequence the number of steps after which its state goes on to the next batch, -1 if that was before. */
    private final int[] carried;

    /** A run of steps of a stream. */
    private record Run(int stream, boolean first, boolean last, List<Integer> times) {}

    private Sequences(int steps, int rows, boolean batchFirst, List<Run> runs) {
        this.steps = steps;
        this.rows = rows;
        this.batchFirst = batchFirst;
        List<Run> sorted = new ArrayList<>(runs);
        sorted.sort(Comparator.comparingInt((Run run) -> -run.times().size())); // stable
        this.lengths = sorted.stream().mapToInt(run -> run.times().size()).toArray();
        this.streams = sorted.stream().mapToInt(Run::stream).toArray();
        this.firstOf = new int[rows];
        this.lastOf = new int[rows];
        for (int i = 0; i < streams.length; i++) {
            if (sorted.get(i).first()) {
                firstOf[streams[i]] = i;
            }
            if (sorted.get(i).last()) {
                lastOf[streams[i]] = i;
            }
        }
        int longest = lengths[0];
        this.offsets = new int[longest + 1];
        this.source = new int[Arrays.stream(lengths).sum()];
        int packed = 0;
        for (int k = 0; k < longest; k++) {
            offsets[k] = packed;
            for (int i = 0; i < lengths.length && lengths[i] > k; i++) {
                source[packed++] = sorted.get(i).times().get(k) * rows + streams[i];
            }
        }
        offsets[longest] = packed;
        this.carried = lengths;
    }

    /** Every stream has every step, in the order of the arrays. */
    private Sequences(int steps, int rows) {
        this.steps = steps;
        this.rows = rows;
        this.batchFirst = false;
        this.source = ascending(Math.multiplyExact(steps, rows));
        this.offsets = ascending(steps + 1);
        for (int step = 0; step <= steps; step++) {
            offsets[step] *= rows;
        }
        this.lengths = new int[rows];
        Arrays.fill(lengths, steps);
        this.streams = ascending(rows);
        this.firstOf = streams;
        this.lastOf = streams;
        this.carried = lengths;
    }

    private static int[] ascending(int size) {
        int[] numbers = new int[size];
        for (int i = 0; i < size; i++) {
            numbers[i] = i;
        }
        return numbers;
    }

    private Sequences(Sequences other, boolean batchFirst, int[] carried) {
        this.steps = other.steps;
        this.rows = other.rows;
        this.batchFirst = batchFirst;
        this.source = other.source;
        this.offsets = other.offsets;
        this.lengths = other.lengths;
        this.streams = other.streams;
        this.firstOf = other.firstOf;
        this.lastOf = other.lastOf;
        this.carried = carried;
    }

    /** Some packed steps of another. */
    private Sequences(Sequences whole, int from, int to) {
        this.steps = whole.steps;
        this.rows = whole.rows;
        this.batchFirst = whole.batchFirst;
        this.source = Arrays.copyOfRange(whole.source, whole.offset(from), whole.offset(to));
        this.offsets = Arrays.copyOfRange(whole.offsets, from, to + 1);
        this.lengths = whole.lengths.clone();
        this.streams = whole.streams;
        this.firstOf = whole.firstOf;
        this.lastOf = whole.lastOf;
        this.carried = whole.carried.clone();
        int first = offsets[0];
        Arrays.setAll(offsets, step -> offsets[step] - first);
        for (int i = 0; i < lengths.length; i++) {
            lengths[i] = Math.clamp(lengths[i] - from, 0, to - from);
            carried[i] = carried[i] < from ? -1 : Math.min(carried[i] - from, lengths[i]);
        }
    }

    /** Returns the layout in which every stream has every step. @throws IllegalArgumentException if a size is not positive */
    public static Sequences of(int steps, int rows) {
        return new Sequences(positive("steps", steps), positive("rows", rows));
    }

    /**
     * Returns the layout of streams that have their first so many steps.
     *
     * @param steps T
     * @param lengths (B), each from 0 to T; a stream without steps keeps its state
     * @throws IllegalArgumentException if there is no stream, T is not positive or a length is outside its range
     */
    public static Sequences ofLengths(int steps, int... lengths) {
        boolean[] mask = new boolean[Math.multiplyExact(positive("steps", steps), positive("rows", lengths.length))];
        for (int b = 0; b < lengths.length; b++) {
            if (lengths[b] < 0 || lengths[b] > steps) {
                throw new IllegalArgumentException("length " + b + ": expected 0.." + steps + ", got " + lengths[b]);
            }
            for (int t = 0; t < lengths[b]; t++) {
                mask[t * lengths.length + b] = true;
            }
        }
        return ofMask(lengths.length, mask);
    }

    /**
     * Returns the layout of streams that have the steps where a mask is true.
     *
     * @param rows B
     * @param mask (T, B), time first
     * @throws IllegalArgumentException if there is no step or no stream, or the mask is no multiple of B
     */
    public static Sequences ofMask(int rows, boolean[] mask) {
        return of(rows, mask, new boolean[mask.length]);
    }

    /**
     * Returns the layout of streams that have the steps where a mask is true, and whose state is set to zero before some of them.
     *
     * @param rows B
     * @param mask (T, B), time first
     * @param resets (T, B), time first; true where a stream begins anew before that step
     * @throws IllegalArgumentException if there is no step or no stream, the sizes differ or are no multiple of B
     */
    public static Sequences of(int rows, boolean[] mask, boolean[] resets) {
        positive("rows", rows);
        positive("steps", mask.length);
        if (mask.length % rows != 0) {
            throw new IllegalArgumentException("mask: expected a multiple of " + rows + ", got " + mask.length);
        }
        if (resets.length != mask.length) {
            throw new IllegalArgumentException("resets: expected " + mask.length + ", got " + resets.length);
        }
        List<Run> runs = new ArrayList<>();
        for (int b = 0; b < rows; b++) {
            addRuns(b, rows, mask, resets, runs);
        }
        return new Sequences(mask.length / rows, rows, false, runs);
    }

    /** Returns the layout of rows of tokens of different lengths. */
    static Sequences ofRows(int[][] rows) {
        int[] lengths = Arrays.stream(rows).mapToInt(row -> row.length).toArray();
        return ofLengths(Math.max(1, Arrays.stream(lengths).max().orElse(0)), lengths);
    }

    /** Returns rows of tokens as one array (T, B), zero where there is no step. */
    static int[] padded(int[][] rows) {
        int steps = ofRows(rows).steps();
        int[] all = new int[steps * rows.length];
        for (int b = 0; b < rows.length; b++) {
            for (int t = 0; t < rows[b].length; t++) {
                all[t * rows.length + b] = rows[b][t];
            }
        }
        return all;
    }

    private static void addRuns(int stream, int rows, boolean[] mask, boolean[] resets, List<Run> runs) {
        List<List<Integer>> parts = new ArrayList<>();
        parts.add(new ArrayList<>());
        for (int t = 0; t < mask.length / rows; t++) {
            if (resets[t * rows + stream]) {
                parts.add(new ArrayList<>());
            }
            if (mask[t * rows + stream]) {
                parts.getLast().add(t);
            }
        }
        for (int i = 0; i < parts.size(); i++) {
            boolean first = i == 0;
            boolean last = i == parts.size() - 1;
            if (first || last || !parts.get(i).isEmpty()) {
                runs.add(new Run(stream, first, last, parts.get(i)));
            }
        }
    }

    private static int positive(String name, int size) {
        if (size < 1) {
            throw new IllegalArgumentException(name + ": expected >= 1, got " + size);
        }
        return size;
    }

    /** Returns the same layout for arrays of inputs and outputs that are (B, T, ...) rather than (T, B, ...). */
    public Sequences batchFirst() {
        return new Sequences(this, true, carried);
    }

    /**
     * Returns the same for a batch behind which the next begins so many steps after it.
     *
     * @throws IllegalArgumentException if there are not so many, or a stream begins anew on the way
     */
    Sequences advancing(int advance) {
        if (advance < 1 || advance > steps) {
            throw new IllegalArgumentException("advance: expected 1.." + steps + ", got " + advance);
        }
        if (advance == steps) {
            return new Sequences(this, batchFirst, lengths);
        }
        if (sequences() != rows) {
            throw new IllegalArgumentException("advance: expected streams that do not begin anew within a batch, got "
                    + (sequences() - rows) + " that do");
        }
        int[] before = new int[sequences()];
        for (int step = 0; step < longest(); step++) {
            for (int i = 0; i < count(step); i++) {
                before[i] += step(offset(step) + i) / rows < advance ? 1 : 0;
            }
        }
        return new Sequences(this, batchFirst, before);
    }

    /** Returns whether the next batch begins where the streams end. */
    boolean carriesTheEnd() {
        return Arrays.equals(carried, lengths);
    }

    /** Returns T. */
    public int steps() {
        return steps;
    }

    /** Returns B. */
    public int rows() {
        return rows;
    }

    /** Returns the number of steps that there are, of all streams together. */
    public int total() {
        return source.length;
    }

    boolean isBatchFirst() {
        return batchFirst;
    }

    /** Returns whether every stream has every step and none begins anew, in arrays that are time first. */
    boolean isPlain() {
        return !batchFirst && source.length == steps * rows && streams.length == rows;
    }

    // The packed layout

    /** Returns the number of packed steps: those of the longest sequence. */
    int longest() {
        return offsets.length - 1;
    }

    /** Returns the first packed row of a packed step; of {@link #longest} the number of all. */
    int offset(int step) {
        return offsets[step];
    }

    /** Returns the number of sequences that have a packed step. They are the first ones. */
    int count(int step) {
        return offsets[step + 1] - offsets[step];
    }

    /** Returns the number of sequences, those without steps too. */
    int sequences() {
        return streams.length;
    }

    /** Returns the number of steps of a sequence. */
    int length(int sequence) {
        return lengths[sequence];
    }

    /**
     * Returns the packed steps from {@code from} to {@code to} of the same sequences. Its packed rows are a run of those of this; those of the
     * arrays of a batch stay where they are.
     */
    Sequences segment(int from, int to) {
        return new Sequences(this, from, to);
    }

    /** Returns whether the state that goes on to the next batch is one between, before or behind these steps of a sequence. */
    boolean carries(int sequence) {
        return carried[sequence] >= 0;
    }

    /** Returns the number of steps of a sequence after which its state goes on to the next batch. */
    int carried(int sequence) {
        return carried[sequence];
    }

    /** Returns the sequence at whose beginning the state is that of the stream. */
    int firstOf(int stream) {
        return firstOf[stream];
    }

    /** Returns the sequence at whose end the state is that of the stream. */
    int lastOf(int stream) {
        return lastOf[stream];
    }

    /** Returns the stream of a sequence. */
    int stream(int sequence) {
        return streams[sequence];
    }

    /** Returns whether a sequence goes on from the state of its stream rather than from zero. */
    boolean goesOn(int sequence) {
        return firstOf[streams[sequence]] == sequence;
    }

    /** Returns the step that a packed row is, as t * B + b. */
    int step(int packed) {
        return source[packed];
    }

    /** Returns the stream that a packed row belongs to. */
    int streamOf(int packed) {
        return source[packed] % rows;
    }

    /** Returns where a packed row is in arrays of inputs and outputs. */
    int element(int packed) {
        int at = source[packed];
        return batchFirst ? at % rows * steps + at / rows : at;
    }

    /** Returns of each stream its packed rows, first step first. */
    int[][] packedRows() {
        int[] packedAt = new int[steps * rows];
        Arrays.fill(packedAt, -1);
        for (int packed = 0; packed < total(); packed++) {
            packedAt[step(packed)] = packed;
        }
        int[][] all = new int[rows][];
        Arrays.setAll(all, b -> IntStream.range(0, steps).map(t -> packedAt[t * rows + b])
                .filter(packed -> packed >= 0).toArray());
        return all;
    }

    // States: one row for the beginning of each sequence and one for each of its steps, so that those before and after a step are runs of
    // rows, whichever way one goes through time. Boundary number n is what is between the steps n - 1 and n of all sequences that have the
    // former; boundary 0 of all sequences.

    /** Returns the number of rows of states. */
    int stateRows() {
        return sequences() + total();
    }

    /** Returns the first row of the states at a boundary. */
    int boundary(int number) {
        return number == 0 ? 0 : sequences() + offset(number - 1);
    }

    /** Returns whether all have the same number of steps, so that the states at the boundaries before all steps are one run of rows. */
    boolean sameLengths() {
        return lengths[lengths.length - 1] == longest();
    }

    /** Cuts the sequences into at most so many ranges with about as many steps each; returns where they begin, and where the last ends. */
    int[] ranges(int most) {
        int[] starts = new int[Math.min(most, sequences()) + 1];
        long steps = 0;
        int range = 1;
        for (int i = 0; i < sequences() && range < starts.length - 1; i++) {
            steps += lengths[i];
            while (range < starts.length - 1 && steps * (starts.length - 1) >= (long) total() * range) {
                starts[range++] = i + 1;
            }
        }
        starts[starts.length - 1] = sequences();
        return starts;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return this == other || (other instanceof Sequences that && steps == that.steps && rows == that.rows
                && batchFirst == that.batchFirst && Arrays.equals(source, that.source)
                && Arrays.equals(offsets, that.offsets) && Arrays.equals(streams, that.streams)
                && Arrays.equals(firstOf, that.firstOf) && Arrays.equals(lastOf, that.lastOf)
                && Arrays.equals(carried, that.carried));
    }

    @Override
    public int hashCode() {
        return Objects.hash(steps, rows, Arrays.hashCode(source));
    }

    @Override
    public String toString() {
        return total() + " of " + steps + " x " + rows + " steps";
    }
}
