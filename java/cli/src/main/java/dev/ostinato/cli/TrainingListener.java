package dev.ostinato.cli;

import dev.ostinato.nn.Evaluation;
import java.nio.file.Path;

/** Hears from a {@link TrainingRun}, on its thread. */
interface TrainingListener {
    /**
     * An optimiser step that was taken.
     *
     * @param step number of updates so far
     * @param until number of updates at the end
     * @param loss mean nats per character, before the update
     * @param charactersPerSecond of this step alone
     * @param characters that the run has trained on so far
     * @param seconds since the run began
     */
    record Step(long step, long until, double loss, double charactersPerSecond, long characters, double seconds) {}

    /** Called before the first step. */
    default void began(long from, long until) {}

    /** Called after each step. */
    default void stepped(Step step) {}

    /** Called when the held-out text was measured, after the weights' update {@code step}. */
    default void evaluated(long step, Evaluation evaluation) {}

    /** Called when a checkpoint is on the disk. */
    default void checkpointed(long step, Path file) {}
}
