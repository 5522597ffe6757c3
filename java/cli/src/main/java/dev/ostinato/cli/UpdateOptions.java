package dev.ostinato.cli;

import static dev.ostinato.cli.Requirement.constant;
import static dev.ostinato.cli.Requirement.get;
import static dev.ostinato.cli.Requirement.lowerCase;
import static dev.ostinato.cli.Requirement.number;
import static dev.ostinato.cli.Requirement.require;
import static dev.ostinato.cli.Requirement.within;

import dev.ostinato.nn.Optimizer;
import dev.ostinato.nn.Schedule;
import dev.ostinato.nn.Trainer;
import java.util.Map;

/**
 * How gradients change weights.
 *
 * @param optimizer the rule
 * @param lr learning rate at its highest
 * @param momentum of {@link Rule#SGD} and {@link Rule#NESTEROV}
 * @param weightDecay of {@link Rule#ADAMW}, as a part of the learning rate
 * @param schedule course of the learning rate
 * @param warmUp updates over which the learning rate rises first
 * @param clip limit of the gradient's global norm, 0 for none
 * @param average decay of the weights' moving average, 0 for none
 */
record UpdateOptions(Rule optimizer, double lr, double momentum, double weightDecay, Course schedule, long warmUp,
        double clip, double average) {
    /** A rule of an optimiser, with the defaults of PyTorch. */
    enum Rule {
        ADAM, ADAMW, SGD, NESTEROV, RMSPROP, ADAGRAD;

        Optimizer with(double lr, double momentum, double weightDecay) {
            return switch (this) {
                case ADAM -> Optimizer.adam(lr);
                case ADAMW -> Optimizer.adamW(lr, weightDecay);
                case SGD -> new Optimizer.Sgd(lr, momentum);
                case NESTEROV -> new Optimizer.Nesterov(lr, momentum);
                case RMSPROP -> Optimizer.rmsProp(lr);
                case ADAGRAD -> Optimizer.adagrad(lr);
            };
        }
    }

    /** A course of the learning rate. */
    enum Course {
        /** The same all the time. */
        CONSTANT,
        /** A cosine down to a tenth. */
        COSINE;

        Schedule over(long steps) {
            return switch (this) {
                case CONSTANT -> Schedule.constant();
                case COSINE -> Schedule.cosine(steps, 0.1);
            };
        }
    }

    UpdateOptions {
        require("lr", lr, lr > 0 && lr < Double.POSITIVE_INFINITY, "a number above 0");
        require("momentum", momentum, momentum >= 0 && momentum < 1, "a part from 0 to below 1");
        require("weight-decay", weightDecay, weightDecay >= 0 && weightDecay < Double.POSITIVE_INFINITY,
                "a number from 0 on");
        within("warm-up", warmUp, 0, Long.MAX_VALUE);
        require("clip", clip, clip >= 0 && clip < Double.POSITIVE_INFINITY, "a number above 0, or 0 for no limit");
        require("average", average, average >= 0 && average < 1, "a part from 0 to below 1, or 0 for no average");
        boolean moving = optimizer == Rule.SGD || optimizer == Rule.NESTEROV;
        require("momentum", momentum, moving || momentum == 0, "none with --optimizer " + lowerCase(optimizer));
        require("weight-decay", weightDecay, optimizer == Rule.ADAMW || weightDecay == 0,
                "none with --optimizer " + lowerCase(optimizer) + ", which adamw takes");
    }

    /** Returns Adam. */
    static UpdateOptions adam(double lr, Course schedule, double clip) {
        return new UpdateOptions(Rule.ADAM, lr, 0, 0, schedule, 0, clip, 0);
    }

    /** Adds these options as text by the names of the command line; {@link #of} takes them back to the bit. */
    void addTo(Map<String, String> map) {
        map.put("optimizer", lowerCase(optimizer));
        map.put("lr", String.valueOf(lr));
        map.put("momentum", String.valueOf(momentum));
        map.put("weight-decay", String.valueOf(weightDecay));
        map.put("schedule", lowerCase(schedule));
        map.put("warm-up", String.valueOf(warmUp));
        map.put("clip", String.valueOf(clip));
        map.put("average", String.valueOf(average));
    }

    /** Returns the options of a map; those that older checkpoints have not are the defaults. @throws IllegalArgumentException if one is missing or not what it should be */
    static UpdateOptions of(Map<String, String> map) {
        return new UpdateOptions(constant(Rule.class, map.getOrDefault("optimizer", "adam")),
                Double.parseDouble(get(map, "lr")), number(map, "momentum", 0), number(map, "weight-decay", 0),
                constant(Course.class, get(map, "schedule")), Long.parseLong(map.getOrDefault("warm-up", "0")),
                Double.parseDouble(get(map, "clip")), number(map, "average", 0));
    }

    /** Sets the options of a trainer of that many steps. */
    Trainer.Builder apply(Trainer.Builder trainer, long steps) {
        Schedule course = schedule.over(Math.max(1, steps - warmUp));
        trainer.optimizer(optimizer.with(lr, momentum, weightDecay))
                .schedule(warmUp == 0 ? course : course.warmedUp(warmUp));
        if (clip > 0) {
            trainer.clipGlobalNorm(clip);
        }
        if (average > 0) {
            trainer.averageWeights(average);
        }
        return trainer;
    }
}
