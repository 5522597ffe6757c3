package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The loss of a model. The states of the streams go on from batch to batch.
 *
 * <p>A batch may be gone through in segments of its steps that use the same memory, one after another (Chen et al. 2016). Of each the states
 * alone with which it begins are kept; going back, each but the last is computed again. A segment is a run of packed rows, and every sum over
 * rows adds the last row first, so that the bits are those of the batch in one piece.
 */
final class ModelObjective implements Objective {
    private final Stage.Setup setup;
    private final Shared shared;
    private final List<Part> parts = new ArrayList<>();
    private @Nullable Batch batch;
    private long key;

    /** A segment. */
    private record Part(Network network, LossStage loss) {
        void load(Batch batch) {
            network.load(batch);
            loss.load(batch);
        }

        void loadAgain(Batch batch) {
            network.load(batch);
            loss.loadTargets(batch);
        }

        void forward(long dropoutKey) {
            network.forward(dropoutKey);
            loss.forward();
        }

        void backward() {
            network.clearGradient();
            loss.backward();
            network.backward();
        }
    }

    /**
     * @param setup of all steps
     * @param segmentSteps how many of them are laid out at once
     * @throws IllegalArgumentException if the batch is not one for the model
     */
    ModelObjective(Stage.Setup setup, Loss loss, int segmentSteps) {
        if (!setup.sequences().carriesTheEnd() && !setup.blueprint().streams()) {
            throw new IllegalArgumentException("advance: expected layers that all go forward in time and pool nothing,"
                    + " or as many as there are steps, got " + setup.blueprint().layers());
        }
        List<Segment> segments = Segment.cut(setup.sequences(), segmentSteps);
        this.setup = setup;
        this.shared = new Shared(setup, segments.size());
        int used = setup.buffers().used();
        for (Segment segment : segments) {
            setup.buffers().reuse(used);
            Network network = new Network(setup.of(segment), shared, loss, null);
            parts.add(new Part(network, LossStage.of(network.last(), loss)));
        }
    }

    /** Returns the stage of each layer, of a batch in one piece. */
    List<Stage> stages() {
        return parts.getFirst().network.stages();
    }

    @Override
    public boolean fits(Batch other) {
        return other.sequences().equals(setup.sequences());
    }

    @Override
    public int rows() {
        return setup.sequences().rows();
    }

    @Override
    public double forward(Batch next, long dropoutKey) {
        next.checkNoSource();
        for (Part part : parts) {
            part.load(next); // all is checked before anything changes
        }
        batch = next;
        key = dropoutKey;
        shared.beginForward(dropoutKey);
        double sum = 0;
        parts.getFirst().network.beginBatch();
        for (int i = 0; i < parts.size(); i++) {
            Part part = parts.get(i);
            if (i > 0) {
                part.network.beginSegment();
            }
            compute(part);
            part.network.keepStates();
            sum = part.loss.addTo(sum);
        }
        return sum * parts.getLast().loss.share();
    }

    /** Computes a segment from the states that are there. */
    private void compute(Part part) {
        if (parts.size() > 1) {
            part.loadAgain(Objects.requireNonNull(batch)); // the others are in the same memory
        }
        part.forward(key);
    }

    @Override
    public float[] losses() {
        float[] all = new float[parts.getFirst().loss.outputs()];
        parts.forEach(part -> part.loss.copyTo(all));
        return all;
    }

    @Override
    public Optional<Blueprint.Place> firstNotFinite() {
        return parts.stream().flatMap(part -> {
            if (parts.size() > 1) {
                computeAgain(part);
            }
            return part.network.firstNotFinite().stream();
        }).min(Comparator.comparingInt(Blueprint.Place::index));
    }

    private void computeAgain(Part part) {
        part.network.beginSegment();
        compute(part);
    }

    @Override
    public void backward() {
        beginBackward();
        for (int i = parts.size() - 1; i >= 0; i--) {
            if (i < parts.size() - 1) {
                computeAgain(parts.get(i));
            }
            parts.get(i).backward();
        }
        shared.endBackward();
    }

    private void beginBackward() {
        setup.gradients().clear();
        shared.beginBackward();
    }

    /** As {@link #backward()}, for what the packed rows {@code from..to} of the outputs alone add to the loss of a batch in one piece. */
    void backward(int from, int to) {
        beginBackward();
        Part part = parts.getFirst();
        part.network.clearGradient();
        part.loss.backward();
        Matrix dy = part.network.last().outputGradient();
        dy.rows(0, from).clear();
        dy.rows(to, dy.rows()).clear();
        part.network.backward();
        shared.endBackward();
    }

    @Override
    public void resetState() {
        shared.resetState();
    }

    @Override
    public List<NamedArray> states() {
        return shared.states();
    }

    @Override
    public void restoreStates(List<NamedArray> states) {
        shared.restoreStates(states);
    }
}
