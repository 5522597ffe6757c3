package dev.ostinato.examples.tasks;

import dev.ostinato.nn.Batch;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.DivergedException;
import dev.ostinato.nn.InitialWeights;
import dev.ostinato.nn.Initializer;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Loss;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.Optimizer;
import dev.ostinato.nn.Trainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;

/**
 * How long does a cell remember? Every cell on the {@linkplain AddingProblem adding problem} and on {@linkplain CopyMemory copying}, beside who
 * remembers nothing, failures included. {@code LongTermMemory FOLDER UPDATES} trains all and draws the curves.
 */
public final class LongTermMemory {
    private static final int HIDDEN = 64;
    private static final int POINTS = 30;

    /** A cell, and what to call it. */
    private record Contender(String name, CellType cell, InitialWeights weights) {}

    private static final List<Contender> CONTENDERS = List.of(
            new Contender("RNN", CellType.RNN_TANH, InitialWeights.pytorch()),
            new Contender("identity RNN", CellType.RNN_RELU,
                    InitialWeights.pytorch().withRecurrent(Initializer.identity())),
            new Contender("LSTM", CellType.LSTM, InitialWeights.pytorch().withForgetBias(1)),
            new Contender("GRU", CellType.GRU, InitialWeights.pytorch()),
            new Contender("minGRU", CellType.MIN_GRU, InitialWeights.pytorch()),
            new Contender("IndRNN", CellType.IND_RNN_RELU,
                    InitialWeights.pytorch().withRecurrent(Initializer.constant(1))));

    /** Something to remember. */
    private record Task(String name, Supplier<Model.Builder> input, Supplier<Batch> batches, Loss loss,
            double baseline) {
        /** The sum of two numbers that were marked. */
        static Task adding(int steps) {
            AddingProblem problem = new AddingProblem(steps, 1);
            return new Task("adding, T = " + steps, () -> Model.builder().features(AddingProblem.INPUTS), problem::next,
                    Loss.squaredError(), AddingProblem.BASELINE);
        }

        /** Ten symbols. */
        static Task copying(int delay) {
            CopyMemory problem = new CopyMemory(delay, 1);
            return new Task("copying, T = " + delay, () -> Model.builder().oneHot(CopyMemory.TOKENS), problem::next,
                    Loss.crossEntropy(), problem.baseline());
        }

        Model model(Contender contender) {
            Model.Builder builder = input.get().initialWeights(contender.weights())
                    .recurrent(contender.cell(), HIDDEN).seed(1);
            return (loss instanceof Loss.CrossEntropy
                    ? builder.dense(CopyMemory.TOKENS)
                    : builder.pool(Layer.Pooling.LAST).dense(1)).build();
        }
    }

    /**
     * How a training ended.
     *
     * @param cell that learned
     * @param losses each the mean of a part of the training
     */
    public record Course(String cell, List<Double> losses) {
        /** Returns the mean loss of the last part. */
        public double end() {
            return losses.getLast();
        }
    }

    private final int updates;

    /** @param updates of each training, a multiple of 30 */
    public LongTermMemory(int updates) {
        this.updates = updates;
    }

    /** Trains every cell to add. */
    public List<Course> adding(int steps) {
        return courses(() -> Task.adding(steps));
    }

    /** Trains every cell to copy. */
    public List<Course> copying(int delay) {
        return courses(() -> Task.copying(delay));
    }

    /** Every cell gets the same rows. */
    private List<Course> courses(Supplier<Task> task) {
        return CONTENDERS.stream().map(contender -> course(task.get(), contender)).toList();
    }

    /** A training that diverges stays where it was. */
    private Course course(Task task, Contender contender) {
        double[] losses = new double[POINTS];
        Arrays.fill(losses, Double.NaN);
        try (Trainer trainer = Trainer.builder(task.model(contender)).loss(task.loss()).optimizer(Optimizer.adam(2e-3))
                .clipGlobalNorm(1).threads(2).build()) {
            for (int point = 0; point < POINTS; point++) {
                double sum = 0;
                int each = updates / POINTS;
                for (int i = 0; i < each; i++) {
                    sum += trainer.step(task.batches().get());
                    trainer.resetState();
                }
                losses[point] = sum / each;
            }
        } catch (DivergedException e) {
            Arrays.fill(losses, Double.POSITIVE_INFINITY);
        }
        return new Course(contender.name(), Arrays.stream(losses).boxed().toList());
    }

    private void draw(Path folder, Task task, List<Course> courses, double most) throws IOException {
        int apart = updates / POINTS;
        LinePlot plot = LinePlot.linear(task.name(), "updates", 0, most);
        for (int i = 0; i < courses.size(); i++) {
            double[] losses = courses.get(i).losses().stream().mapToDouble(loss -> Math.min(loss, most)).toArray();
            plot.curve(courses.get(i).cell(), i, apart, apart, losses);
        }
        double[] baseline = new double[POINTS];
        Arrays.fill(baseline, task.baseline());
        plot.dashed("without memory", 4, apart, apart, baseline);
        plot.write(folder.resolve(task.name().replaceAll("[^a-z0-9]+", "-") + ".png"));
        System.out.printf(Locale.ROOT, "%s, without memory %.4f:", task.name(), task.baseline());
        courses.forEach(course -> System.out.printf(Locale.ROOT, " %s %.4f", course.cell(), course.end()));
        System.out.println();
    }

    static void main(String[] args) throws IOException {
        if (args.length != 2) {
            System.err.println("expected a folder for the pictures and the updates of each training");
            return;
        }
        Path folder = Files.createDirectories(Path.of(args[0]));
        LongTermMemory memory = new LongTermMemory(Integer.parseInt(args[1]));
        for (int steps : new int[] {100, 400}) {
            memory.draw(folder, Task.adding(steps), memory.adding(steps), 0.3);
        }
        for (int delay : new int[] {30, 100, 1000}) {
            Task task = Task.copying(delay);
            memory.draw(folder, task, memory.copying(delay), 1.5 * task.baseline());
        }
    }
}
