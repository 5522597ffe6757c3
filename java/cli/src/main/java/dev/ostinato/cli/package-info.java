/**
 * The {@code ostinato} command.
 *
 * <p>{@link dev.ostinato.cli.Main} is the way in; each command is a class of its name. {@code TrainingRun} trains, for {@code train} and
 * {@code demo}; {@code Corpus} and {@code TrainingData} are the text it reads. For {@code bench}, {@code CallTimes} measures and {@code StepWork} is what
 * nothing can beat. What a person did wrong is a {@code Failure}: one sentence on
 * stderr and an exit status, never a stack trace. Under {@code --json} stdout carries one object and nothing else.
 */
@NullMarked
package dev.ostinato.cli;

import org.jspecify.annotations.NullMarked;
