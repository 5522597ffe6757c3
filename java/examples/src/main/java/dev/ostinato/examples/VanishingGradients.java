package dev.ostinato.examples;

import dev.ostinato.examples.tasks.AddingProblem;
import dev.ostinato.examples.tasks.LinePlot;
import dev.ostinato.nn.Batch;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Diagnostics;
import dev.ostinato.nn.InitialWeights;
import dev.ostinato.nn.Initializer;
import dev.ostinato.nn.Jacobians;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.LayerDiagnostics;
import dev.ostinato.nn.Loss;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.Optimizer;
import dev.ostinato.nn.Trainer;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Why gradients vanish and explode, and what helps: the experiments of docs/vanishing-gradients.md. {@code VanishingGradients FOLDER} draws the
 * pictures of that page into a folder and prints its numbers.
 */
public final class VanishingGradients {
    private static final int HIDDEN = 32;
    /** Updates that one point of a training's curve is the mean of. */
    private static final int POINTS = 40;

    private final Path folder;
    private final PrintStream out;
    private final int steps;
    private final int updates;

    /**
     * Prepares the experiments.
     *
     * @param folder where the pictures go
     * @param out where the numbers go
     * @param steps of the long sequences
     * @param updates of each training, a multiple of 40
     */
    public VanishingGradients(Path folder, PrintStream out, int steps, int updates) {
        this.folder = folder;
        this.out = out;
        this.steps = steps;
        this.updates = updates;
    }

    static void main(String[] args) throws IOException {
        new VanishingGradients(Path.of(args[0]), System.out, 100, 4000).run();
    }

    /** Makes all experiments, which takes about a minute for 4,000 updates. */
    public void run() throws IOException {
        Files.createDirectories(folder);
        powers();
        limits();
        memory();
    }

    /** Returns {@code ||dX_T/dX_t||} of the first recurrent layer over the first row of a batch, by steps back: element T - t. */
    public static double[] jacobianNorms(Model model, Batch batch) {
        // readme: jacobians
        Jacobians jacobians = Diagnostics.of(model, batch, Loss.squaredError()).layers().getFirst().jacobians(0);
        double[] norms = jacobians.norms(jacobians.steps()); // ||dX_T/dX_t|| for t = 0, ..., T
        // readme: end
        double[] byLag = new double[norms.length];
        for (int t = 0; t < norms.length; t++) {
            byLag[norms.length - 1 - t] = norms[t];
        }
        return byLag;
    }

    // The recurrence alone

    private void powers() throws IOException {
        LinePlot plot = LinePlot.logarithmic("||dX_T/dX_t|| of h' = tanh(W x + U h), and dashed without the tanh",
                "steps back, T - t");
        Batch batch = new AddingProblem(steps, 1).next();
        double[] scales = {0.8, 1, 1.25};
        for (int i = 0; i < scales.length; i++) {
            double[] linear = jacobianNorms(recurrence(CellType.RNN_IDENTITY, scales[i]), batch);
            double[] tanh = jacobianNorms(recurrence(CellType.RNN_TANH, scales[i]), batch);
            plot.curve("U = " + scales[i] + " Q", i, 0, 1, tanh).dashed("linear " + scales[i], i, 0, 1, linear);
            out.printf(Locale.ROOT, "U = %.2f Q: ||dX_T/dX_0|| over %d steps is %.2g, and %.2g with the tanh%n",
                    scales[i], steps,
                    linear[steps], tanh[steps]);
        }
        plot.write(folder.resolve("powers.png"));
    }

    /** U is a multiple of an orthogonal matrix: all its singular values are {@code scale}. */
    private static Model recurrence(CellType cell, double scale) {
        return headed(Model.builder().features(AddingProblem.INPUTS)
                .initialWeights(InitialWeights.pytorch().withRecurrent(Initializer.orthogonal(scale))
                        .withBias(Initializer.zeros()))
                .recurrent(cell, HIDDEN));
    }

    /** One answer for all steps. */
    private static Model headed(Model.Builder builder) {
        return builder.initialWeights(InitialWeights.pytorch()).pool(Layer.Pooling.LAST).dense(1).seed(1).build();
    }

    // Exploding gradients

    /** What becomes of a gradient that is too long. */
    private enum Limit {
        /** Nothing. */
        NONE("no limit"),
        /** Each element is clipped to +-1/sqrt(n), so that the length of n elements is at most 1. */
        CLIPPED("each element clipped"),
        /** All are multiplied by one number, so that the length is at most 1. */
        RESCALED("rescaled");

        private final String label;

        Limit(String label) {
            this.label = label;
        }

        double[] apply(double[] gradient) {
            double[] limited = gradient.clone();
            double length = length(gradient);
            for (int i = 0; i < limited.length; i++) {
                limited[i] = switch (this) {
                    case NONE -> limited[i];
                    case CLIPPED ->
                            Math.clamp(limited[i], -1 / Math.sqrt(limited.length), 1 / Math.sqrt(limited.length));
                    case RESCALED -> limited[i] / Math.max(1, length);
                };
            }
            return limited;
        }
    }

    private void limits() throws IOException {
        int few = Math.min(steps, 20);
        LinePlot plot = LinePlot.linear("Adding over " + few + " steps: squared error of an RNN with relu, from U = I",
                "updates", 0, 0.5);
        Limit[] limits = Limit.values();
        for (int i = 0; i < limits.length; i++) {
            Descent descent = new Descent(few, limits[i]);
            double[] errors = descent.run();
            int apart = descent.rounds / POINTS;
            plot.curve(limits[i].label, i, apart, apart, errors);
            out.printf(Locale.ROOT,
                    "%s: largest error %.3g, longest gradient %.3g, turned by %.0f degrees; at the end error %.3f and %d of %d units dead%n",
                    limits[i].label, descent.largestError, descent.longest, descent.turn(), errors[POINTS - 1],
                    descent.dead(), HIDDEN);
        }
        plot.write(folder.resolve("limits.png"));
    }

    /** Plain gradient descent of a relu network that begins with the identity as U. */
    private final class Descent {
        private static final double RATE = 0.03;

        private final int rounds = 2 * updates;
        private final AddingProblem problem;
        private final Limit limit;
        private Model model;
        private double largestError;
        private double longest;
        private double angles;
        private int tooLong;

        Descent(int length, Limit limit) {
            this.problem = new AddingProblem(length, 1);
            this.limit = limit;
            this.model = headed(Model.builder().features(AddingProblem.INPUTS)
                    .initialWeights(InitialWeights.pytorch().withInput(Initializer.normal(0.001))
                            .withRecurrent(Initializer.identity())
                            .withBias(Initializer.zeros()))
                    .recurrent(CellType.RNN_RELU, HIDDEN));
        }

        double[] run() {
            double[] errors = new double[POINTS];
            int apart = rounds / POINTS;
            for (int i = 0; i < rounds; i++) {
                double error = update();
                largestError = Math.max(largestError, error);
                errors[i / apart] += error / apart;
            }
            return errors;
        }

        private double update() {
            try (Trainer trainer = Trainer.builder(model).loss(Loss.squaredError()).build()) {
                double error = trainer.gradients(problem.next());
                double[] gradient = elements(trainer.gradients());
                double[] limited = limit.apply(gradient);
                note(gradient, limited);
                model = moved(model, limited);
                return error;
            }
        }

        private void note(double[] gradient, double[] limited) {
            double length = length(gradient);
            longest = Math.max(longest, length);
            if (length > 1) {
                double product = 0;
                for (int i = 0; i < gradient.length; i++) {
                    product += gradient[i] * limited[i];
                }
                angles += Math.toDegrees(Math.acos(Math.min(1, product / length / length(limited))));
                tooLong++;
            }
        }

        private static Model moved(Model model, double[] gradient) {
            List<NamedArray> moved = new ArrayList<>();
            int next = 0;
            for (NamedArray tensor : model.tensors()) {
                float[] data = tensor.data();
                for (int i = 0; i < data.length; i++) {
                    data[i] -= (float) (RATE * gradient[next++]);
                }
                moved.add(new NamedArray(tensor.name(), tensor.shape(), data));
            }
            return Model.of(model.layers(), moved);
        }

        int dead() {
            return Diagnostics.of(model, problem.next(), Loss.squaredError()).layers().getFirst().deadUnits().size();
        }

        /** By how much limiting turned the gradients that were too long, on average. */
        double turn() {
            return angles / Math.max(1, tooLong);
        }
    }

    private static double[] elements(List<NamedArray> tensors) {
        double[] all = new double[tensors.stream().mapToInt(tensor -> tensor.data().length).sum()];
        int next = 0;
        for (NamedArray tensor : tensors) {
            for (float v : tensor.data()) {
                all[next++] = v;
            }
        }
        return all;
    }

    private static double length(double[] vector) {
        double squares = 0;
        for (double v : vector) {
            squares += v * v;
        }
        return Math.sqrt(squares);
    }

    // Gates

    private void memory() throws IOException {
        LinePlot errors = LinePlot.linear("Adding over " + steps + " steps: squared error", "updates", 0, 0.3);
        LinePlot norms = LinePlot.logarithmic("||dX_T/dX_t|| before training (dashed) and after", "steps back, T - t");
        Batch batch = new AddingProblem(steps, 2).next();
        String[] names = {"RNN", "GRU", "LSTM", "LSTM, forget bias 1"};
        Model[] models = {headed(Model.builder().features(AddingProblem.INPUTS).rnn(HIDDEN)),
            headed(Model.builder().features(AddingProblem.INPUTS).gru(HIDDEN)),
            headed(Model.builder().features(AddingProblem.INPUTS).lstm(HIDDEN)),
            headed(Model.builder().features(AddingProblem.INPUTS)
                    .initialWeights(InitialWeights.pytorch().withForgetBias(1))
                    .lstm(HIDDEN))};
        for (int i = 0; i < names.length; i++) {
            double[] curve = new double[POINTS];
            Model trained = train(models[i], curve);
            double[] before = jacobianNorms(models[i], batch);
            double[] after = jacobianNorms(trained, batch);
            errors.curve(names[i], i, updates / POINTS, updates / POINTS, curve);
            norms.curve(names[i], i, 0, 1, after).dashed(names[i] + " before", i, 0, 1, before);
            out.printf(Locale.ROOT,
                    "%s: error %.4f; ||dX_T/dX_0|| over %d steps %.2g before training and %.2g after; nine tenths of the "
                            + "gradient of U from the last %d steps before and %d after%n",
                    names[i], curve[POINTS - 1], steps, before[steps],
                    after[steps], reach(models[i], batch), reach(trained, batch));
        }
        errors.write(folder.resolve("adding.png"));
        norms.write(folder.resolve("cells.png"));
    }

    private Model train(Model model, double[] curve) {
        AddingProblem problem = new AddingProblem(steps, 1);
        int apart = updates / POINTS;
        try (Trainer trainer =
                Trainer.builder(model).loss(Loss.squaredError()).optimizer(Optimizer.adam(2e-3)).clipGlobalNorm(1)
                        .build()) {
            for (int i = 0; i < updates; i++) {
                trainer.resetState();
                curve[i / apart] += trainer.step(problem.next()) / apart;
            }
            return trainer.model();
        }
    }

    /** Returns how many of the last steps it takes until what they add to the gradient of U sums up to nine tenths of all. */
    private static int reach(Model model, Batch batch) {
        LayerDiagnostics layer = Diagnostics.of(model, batch, Loss.squaredError()).layers().getFirst();
        List<Double> parts = layer.recurrentContributions();
        double all = parts.stream().mapToDouble(Double::doubleValue).sum();
        double sum = 0;
        int last = 0;
        while (last < parts.size() && sum < 0.9 * all) {
            last++;
            sum += parts.get(parts.size() - last);
        }
        return last;
    }
}
