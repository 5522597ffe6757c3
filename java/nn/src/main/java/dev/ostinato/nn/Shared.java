package dev.ostinato.nn;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the segments of a batch share: weights as the batch sees them, and what is kept between the segments. */
final class Shared {
    private final @Nullable TokenIndex tokens;
    /** Of each layer its ways through time. */
    private final List<List<Pass>> passes;
    private final List<Pass> all;

    /** One way through time. */
    record Pass(PassWeights weights, PassStates states) {}

    /** @param setup of all steps of a batch that is cut into so many segments */
    Shared(Stage.Setup setup, int segments) {
        List<Blueprint.Place> places = setup.blueprint().places();
        this.tokens = places.getFirst().layer() instanceof Layer.Features ? null
                : new TokenIndex(setup, places.getFirst());
        this.passes = places.stream()
                .map(place -> place.passes().stream()
                        .map(pass -> new Pass(new PassWeights(setup, pass, place.index() == 1 ? tokens : null),
                                new PassStates(setup, pass, segments)))
                        .toList())
                .toList();
        this.all = passes.stream().flatMap(List::stream).toList();
    }

    /** Returns the tokens of the batch; null where it has none. */
    @Nullable TokenIndex tokens() {
        return tokens;
    }

    /** Returns the ways through time of a layer. */
    List<Pass> passes(Blueprint.Place place) {
        return passes.get(place.index());
    }

    /** Gets ready for the first step of a batch, by the weights as they are now. {@code dropoutKey} as in {@link Stage#forward}. */
    void beginForward(long dropoutKey) {
        all.forEach(pass -> pass.weights.beginForward(dropoutKey));
    }

    /** Gets ready for going back from the last step. */
    void beginBackward() {
        all.forEach(pass -> pass.weights.beginBackward());
    }

    /** Does what is left to do for the gradients when the first step has gone back. */
    void endBackward() {
        all.forEach(pass -> pass.weights.endBackward());
    }

    /** Makes the states that go on to the next batch zero. */
    void resetState() {
        all.forEach(pass -> pass.states.reset());
    }

    /** Returns copies of the states that go on to the next batch. */
    List<NamedArray> states() {
        return all.stream().flatMap(pass -> pass.states.read().stream()).toList();
    }

    /** Takes from {@code states} what {@link #states} returned. */
    void restoreStates(List<NamedArray> states) {
        all.forEach(pass -> pass.states.restore(states));
    }
}
