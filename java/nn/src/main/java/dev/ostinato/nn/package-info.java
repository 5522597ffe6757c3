/**
 * Recurrent models on top of the kernels: few types, each with one job.
 *
 * <ul>
 * <li>{@link dev.ostinato.nn.Layer}: what a model is made of, as plain descriptions; {@link dev.ostinato.nn.CellType} names the
 * recurrent cells. The equations are in one file per cell, forward above backward: {@code RnnCell}, {@code LstmCell}, {@code GruCell},
 * {@code GruResetBeforeCell}, {@code IndRnnCell}, {@code MinGruCell},
 * {@code LayerNormCell} and its two.
 * <li>{@link dev.ostinato.nn.Model}: layers with weights, immutable, shared by all threads. {@link dev.ostinato.nn.State}: what one stream
 * remembers between two calls.
 * Single steps or whole sequences, the same bits; at any {@link dev.ostinato.nn.Precision} of the weights, of which
 * {@link dev.ostinato.nn.PrecisionReport} tells the cost; on one thread or on a {@link dev.ostinato.nn.Team}. Inside, a state is laid out for
 * 1, 2, 4, ... steps as {@code InferenceNetwork}s.
 * <li>{@link dev.ostinato.nn.EncoderDecoder}: two models of which the second goes on from what the first has read.
 * {@link dev.ostinato.nn.Decoding} lets a model of tokens go on by itself.
 * <li>{@link dev.ostinato.nn.InitialWeights}: what weights are before training, each tensor filled by an
 * {@link dev.ostinato.nn.Initializer}.
 * <li>{@link dev.ostinato.nn.Trainer}: backpropagation through time over {@link dev.ostinato.nn.Batch}es, with a
 * {@link dev.ostinato.nn.Loss} and an {@link dev.ostinato.nn.Optimizer}. Inside, what is made small is an {@code Objective} of
 * {@code Network}s, in which each layer is laid out for T steps of B rows as a {@code Stage}: its activations and gradients, forward above
 * backward; each family of losses is a {@code LossStage}. A long batch may be several {@code Segment}s of its steps, which have
 * {@code Shared} what outlives one.
 * <li>{@link dev.ostinato.nn.Validation}: the mean loss over batches, and {@link dev.ostinato.nn.Metrics};
 * {@link dev.ostinato.nn.Evaluation} of a text.
 * <li>{@link dev.ostinato.nn.Regularization}: what disturbs the recurrence of a layer in training. Inside, {@code RecurrentDropoutCell} and
 * {@code ZoneoutCell} go around another cell, and {@code DropConnect} masks weights.
 * <li>{@link dev.ostinato.nn.Diagnostics}: gradients through time, gates and units of a model over a batch;
 * {@link dev.ostinato.nn.Spectrum} and {@link dev.ostinato.nn.EigenDecay} of its matrices.
 * <li>{@link dev.ostinato.nn.TokenStreams} cuts a text into batches; {@link dev.ostinato.nn.Vocabulary} maps characters to tokens.
 * </ul>
 *
 * <p>Weights have the names and layout of PyTorch wherever they leave this package. The symbols T, B, I, H, G, V, Hp are those of
 * {@link dev.ostinato.kernels}.
 */
@NullMarked
package dev.ostinato.nn;

import org.jspecify.annotations.NullMarked;
