package dev.ostinato.cli;

import picocli.CommandLine.Option;

/** {@link UpdateOptions} on the command line. */
final class UpdateArguments {
    @Option(names = "--optimizer", paramLabel = "NAME", order = 20, description = {
        "How gradients change weights: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE})."})
    private UpdateOptions.Rule optimizer = UpdateOptions.Rule.ADAM;

    @Option(names = "--lr", paramLabel = "X", order = 21,
            description = "Learning rate at its highest (default: ${DEFAULT-VALUE}).")
    private double lr = 2e-3;

    @Option(names = "--momentum", paramLabel = "X", order = 22, description = {
        "Momentum of sgd and nesterov (default: ${DEFAULT-VALUE})."})
    private double momentum;

    @Option(names = "--weight-decay", paramLabel = "X", order = 23, description = {
        "What matrices lose of themselves in an update of adamw, as a part of the learning rate (default: ${DEFAULT-VALUE})."})
    private double weightDecay;

    @Option(names = "--schedule", paramLabel = "constant|cosine", order = 24, description = {
        "Course of the learning rate; cosine goes down to a tenth (default: constant)."})
    private UpdateOptions.Course schedule = UpdateOptions.Course.CONSTANT;

    @Option(names = "--warm-up", paramLabel = "N", order = 25, description = {
        "Updates over which the learning rate rises first (default: ${DEFAULT-VALUE})."})
    private long warmUp;

    @Option(names = "--clip", paramLabel = "X", order = 26, description = {
        "Limit of the gradient's norm; 0 for none (default: ${DEFAULT-VALUE})."})
    private double clip = 5;

    @Option(names = "--average", paramLabel = "X", order = 27, description = {
        "Decay of a moving average of the weights, such as 0.999, which is then measured and written; 0 for none (default: ${DEFAULT-VALUE})."})
    private double average;

    /** Returns the options. @throws IllegalArgumentException if one is out of range; the message names it */
    UpdateOptions options() {
        return new UpdateOptions(optimizer, lr, momentum, weightDecay, schedule, warmUp, clip, average);
    }
}
