package dev.ostinato.examples.tasks;

import dev.ostinato.formats.AtomicFile;
import dev.ostinato.nn.Batch;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.Optimizer;
import dev.ostinato.nn.Schedule;
import dev.ostinato.nn.Sequences;
import dev.ostinato.nn.State;
import dev.ostinato.nn.Trainer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import javax.sound.midi.InvalidMidiDataException;
import javax.sound.midi.MidiEvent;
import javax.sound.midi.MidiSystem;
import javax.sound.midi.Sequence;
import javax.sound.midi.ShortMessage;
import javax.sound.midi.Track;

/**
 * One to many: from a start note to a melody. Learns from old tunes, in all keys, what note follows what went before, then goes on by itself
 * from a note, each answer being the next input, and writes what it made as a MIDI file. {@code Melody FILE.mid} does all that.
 */
public final class Melody {
    /** Old tunes that belong to nobody: notes of the {@link #SCALE}, each with its length in eighths. */
    private static final List<String> TUNES = List.of(
            // Ode to Joy, Beethoven 1824
            "E2 E2 F2 G2 G2 F2 E2 D2 C2 C2 D2 E2 E3 D1 D4 E2 E2 F2 G2 G2 F2 E2 D2 C2 C2 D2 E2 D3 C1 C4 "
                    + "D2 D2 E2 C2 D2 E1 F1 E2 C2 D2 E1 F1 E2 D2 C2 D2 G4 E2 E2 F2 G2 G2 F2 E2 D2 C2 C2 D2 E2 D3 C1 C4",
            // Ah! vous dirai-je, maman, 1761
            "C2 C2 G2 G2 A2 A2 G4 F2 F2 E2 E2 D2 D2 C4 G2 G2 F2 F2 E2 E2 D4 G2 G2 F2 F2 E2 E2 D4 "
                    + "C2 C2 G2 G2 A2 A2 G4 F2 F2 E2 E2 D2 D2 C4",
            // Frère Jacques, before 1780
            "C2 D2 E2 C2 C2 D2 E2 C2 E2 F2 G4 E2 F2 G4 G1 A1 G1 F1 E2 C2 G1 A1 G1 F1 E2 C2 C2 g2 C4 C2 g2 C4",
            // Au clair de la lune, 18th century
            "C2 C2 C2 D2 E4 D4 C2 E2 D2 D2 C8 C2 C2 C2 D2 E4 D4 C2 E2 D2 D2 C8 D2 D2 D2 D2 a4 a4 D2 C2 b2 a2 g8 "
                    + "C2 C2 C2 D2 E4 D4 C2 E2 D2 D2 C8",
            // Mary had a little lamb, 1830
            "E2 D2 C2 D2 E2 E2 E4 D2 D2 D4 E2 G2 G4 E2 D2 C2 D2 E2 E2 E2 E2 D2 D2 E2 D2 C8",
            // London Bridge, 1744
            "G3 A1 G2 F2 E2 F2 G4 D2 E2 F4 E2 F2 G4 G3 A1 G2 F2 E2 F2 G4 D4 G4 E2 C6",
            // Row, row, row your boat, 1852
            "C3 C3 C2 D1 E3 E2 D1 E2 F1 G6 ^1 ^1 ^1 G1 G1 G1 E1 E1 E1 C1 C1 C1 G2 F1 E2 D1 C6",
            // Jingle bells, Pierpont 1857
            "E2 E2 E4 E2 E2 E4 E2 G2 C3 D1 E8 F2 F2 F3 F1 F2 E2 E2 E2 E2 D2 D2 E2 D4 G4 "
                    + "E2 E2 E4 E2 E2 E4 E2 G2 C3 D1 E8 F2 F2 F3 F1 F2 E2 E2 E2 G2 G2 F2 D2 C8",
            // Hänschen klein (Alles neu macht der Mai), before 1800
            "G2 E2 E4 F2 D2 D4 C2 D2 E2 F2 G2 G2 G4 G2 E2 E4 F2 D2 D4 C2 E2 G2 G2 C8 D2 D2 D2 D2 D2 E2 F4 "
                    + "E2 E2 E2 E2 E2 F2 G4 G2 E2 E4 F2 D2 D4 C2 E2 G2 G2 C8",
            // Alle Vögel sind schon da, 18th century
            "C3 E1 G2 ^2 A2 ^1 A1 G4 F3 G1 E2 C2 D4 C4 G2 G2 F2 F2 E2 G1 E1 D4 G2 G2 F2 F2 E2 G1 E1 D4 "
                    + "C3 E1 G2 ^2 A2 ^1 A1 G4 F3 G1 E2 C2 D4 C4");
    /** Of these the last ones are not learned from. */
    private static final int HELD_OUT = 2;
    /** Half a tone from place to place: those in front of C are below it, and the last is the C above. */
    private static final String SCALE = "g a bC D EF G A B^";
    private static final int MIDDLE_C = 60;
    private static final int KEYS = 12;
    private static final int LONGEST = 8;
    private static final int PITCHES = SCALE.length() + KEYS - 1;
    private static final int LOWEST = MIDDLE_C - SCALE.indexOf('C') - KEYS / 2;

    /** A note, or the end of a tune. */
    private static final int END = PITCHES * LONGEST;
    private static final int TOKENS = END + 1;

    /**
     * A note.
     *
     * @param pitch as MIDI counts
     * @param eighths its length
     */
    public record Note(int pitch, int eighths) {
        int token() {
            return (pitch - LOWEST) * LONGEST + eighths - 1;
        }

        static Note of(int token) {
            return new Note(LOWEST + token / LONGEST, token % LONGEST + 1);
        }
    }

    private final Model model;

    private Melody(Model model) {
        this.model = model;
    }

    /** Learns the tunes in so many updates. */
    public static Melody learned(int updates) {
        List<int[]> tunes = tunes(0, TUNES.size() - HELD_OUT);
        Model fresh = Model.builder().embedding(TOKENS, 32).dropout(0.3).lstm(96).dropout(0.3).dense(TOKENS).seed(1)
                .build();
        SplittableRandom random = new SplittableRandom(1);
        try (Trainer trainer = Trainer.builder(fresh).optimizer(Optimizer.adamW(4e-3, 0.02))
                .schedule(Schedule.cosine(updates, 0.02)).clipGlobalNorm(1).seed(1).build()) {
            for (int i = 0; i < updates; i++) {
                List<int[]> rows = random.ints(16, 0, tunes.size()).mapToObj(tunes::get).toList();
                trainer.step(batch(rows));
                trainer.resetState();
            }
            return new Melody(trainer.model());
        }
    }

    /** Returns some tunes in all keys. */
    private static List<int[]> tunes(int from, int to) {
        List<int[]> tunes = new ArrayList<>();
        for (String tune : TUNES.subList(from, to)) {
            for (int key = 0; key < KEYS; key++) {
                int lowest = LOWEST + key;
                tunes.add(Arrays.stream(tune.split(" "))
                        .mapToInt(
                                note -> new Note(lowest + SCALE.indexOf(note.charAt(0)), note.charAt(1) - '0').token())
                        .toArray());
            }
        }
        return tunes;
    }

    /** At each note the one that follows; behind the last the end. */
    private static Batch batch(List<int[]> rows) {
        int[] lengths = rows.stream().mapToInt(row -> row.length).toArray();
        int steps = Arrays.stream(lengths).max().orElseThrow();
        int[] tokens = new int[steps * rows.size()];
        int[] next = new int[steps * rows.size()];
        for (int b = 0; b < rows.size(); b++) {
            int[] row = rows.get(b);
            for (int t = 0; t < row.length; t++) {
                tokens[t * rows.size() + b] = row[t];
                next[t * rows.size() + b] = t + 1 < row.length ? row[t + 1] : END;
            }
        }
        return Batch.tokensToClasses(Sequences.ofLengths(steps, lengths), tokens, next);
    }

    /**
     * How hard the notes of the tunes that were not learned from are to foresee, in bits for each.
     *
     * @param network for the network
     * @param pairs for who knows how often each note followed each other in the tunes learned from
     */
    public record Surprise(double network, double pairs) {}

    /** Measures on the tunes held out. */
    public Surprise surprise() {
        double[][] counts = new double[TOKENS][TOKENS];
        for (int[] tune : tunes(0, TUNES.size() - HELD_OUT)) {
            for (int t = 0; t < tune.length; t++) {
                counts[tune[t]][t + 1 < tune.length ? tune[t + 1] : END]++;
            }
        }
        double ofNetwork = 0;
        double ofPairs = 0;
        int notes = 0;
        for (int[] tune : tunes(TUNES.size() - HELD_OUT, TUNES.size())) {
            State state = model.newState();
            float[] logits = new float[TOKENS];
            for (int t = 0; t < tune.length; t++) {
                int next = t + 1 < tune.length ? tune[t + 1] : END;
                model.step(tune[t], state, logits);
                ofNetwork -= Math.log(Sampling.probabilities(logits, 1)[next]);
                // Of what never came, a little: as if each note had followed once in all.
                double[] row = counts[tune[t]];
                ofPairs -= Math.log((row[next] + 1.0 / TOKENS) / (Arrays.stream(row).sum() + 1));
                notes++;
            }
        }
        return new Surprise(ofNetwork / notes / Math.log(2), ofPairs / notes / Math.log(2));
    }

    /** Goes on from a note until the tune ends or has {@code most} notes; the same seed makes the same tune. */
    public List<Note> from(Note first, int most, double temperature, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        List<Note> tune = new ArrayList<>(List.of(first));
        State state = model.newState();
        float[] logits = new float[model.outputs()];
        while (tune.size() < most) {
            model.step(tune.getLast().token(), state, logits);
            int next = Sampling.draw(logits, temperature, random.nextDouble());
            if (next == END) {
                break;
            }
            tune.add(Note.of(next)); // the next input
        }
        return tune;
    }

    /** Writes a tune for a piano. */
    public static void write(List<Note> tune, Path file) throws IOException {
        int ticks = 12; // of an eighth
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            Sequence sequence = new Sequence(Sequence.PPQ, 2 * ticks);
            Track track = sequence.createTrack();
            long now = 0;
            for (Note note : tune) {
                track.add(new MidiEvent(new ShortMessage(ShortMessage.NOTE_ON, note.pitch(), 90), now));
                now += (long) note.eighths() * ticks;
                track.add(new MidiEvent(new ShortMessage(ShortMessage.NOTE_OFF, note.pitch(), 0), now - 1));
            }
            MidiSystem.write(sequence, 0, bytes);
        } catch (InvalidMidiDataException e) {
            throw new IllegalArgumentException("tune: expected pitches from 0 to 127, got " + tune, e);
        }
        AtomicFile.write(file, channel -> channel.write(ByteBuffer.wrap(bytes.toByteArray())));
    }

    static void main(String[] args) throws IOException {
        if (args.length != 1) {
            System.err.println("expected the name of the MIDI file to write");
            return;
        }
        Melody melody = learned(1500);
        Surprise surprise = melody.surprise();
        System.out.printf(Locale.ROOT, "bits per note of two tunes held out: network %.2f, pairs of notes %.2f%n",
                surprise.network(), surprise.pairs());
        List<Note> tune = melody.from(new Note(MIDDLE_C, 2), 64, 0.7, 1);
        write(tune, Path.of(args[0]));
        System.out.println("wrote " + tune.size() + " notes to " + args[0]);
    }
}
