package dev.ostinato.nn;

import java.util.List;
import java.util.Optional;

/** What a trainer makes small: a loss as a function of weights, laid out for batches of one shape. */
interface Objective {
    /** Returns whether it is laid out for the shape of a batch. */
    boolean fits(Batch batch);

    /** Returns the number of streams. */
    int rows();

    /** Computes the loss of a batch. {@code dropoutKey} is 0 for no dropout. */
    double forward(Batch batch, long dropoutKey);

    /** Returns the loss of each output of the last forward, in the order of the targets. */
    float[] losses();

    /** Returns the first layer of whose outputs in the last forward one is not a finite number. */
    Optional<Blueprint.Place> firstNotFinite();

    /** Overwrites the gradients with those of the last forward. */
    void backward();

    /** Makes the states with which the next forward begins zero. */
    void resetState();

    /** Returns copies of the states that go on to the next batch. */
    List<NamedArray> states();

    /** Takes from {@code states} what {@link #states} returned. */
    void restoreStates(List<NamedArray> states);
}
