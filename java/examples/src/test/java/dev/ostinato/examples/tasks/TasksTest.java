package dev.ostinato.examples.tasks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.examples.tasks.Sentiment.Sentence;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import javax.sound.midi.InvalidMidiDataException;
import javax.sound.midi.MidiSystem;
import javax.sound.midi.Sequence;
import javax.sound.midi.ShortMessage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The tasks in a small form, on data made here. A training gives the same bits every time, so that what holds once holds. */
final class TasksTest {
    /** "good, not bad" or "bad, not good": the same words, so that no bag of them can tell. */
    @Test
    void theOrderOfWords() {
        SplittableRandom random = new SplittableRandom(3);
        List<Sentence> sentences = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            boolean positive = random.nextBoolean();
            String filling = " thing".repeat(random.nextInt(4));
            sentences.add(
                    Sentence.of(positive ? "good" + filling + " not bad" : "bad" + filling + " not good", positive));
        }
        Sentiment.Accuracy accuracy = new Sentiment(sentences, 3, 6).crossValidate();
        assertTrue(accuracy.network() > 0.95, accuracy.toString());
        assertTrue(accuracy.bagOfWords() < 0.7, accuracy.toString());
    }

    @Test
    void aStateTellsWhatTheLastNumberDoesNot() {
        RepeatingSequence.Errors errors = new RepeatingSequence().compare(300);
        assertTrue(errors.network() < 0.08, errors.toString());
        assertTrue(errors.memoryless() > 0.3, errors.toString());
    }

    /** Of a trend that turns slowly, whose rise the network can go on with. */
    @Test
    void aSeriesWithSeasons() {
        SplittableRandom random = new SplittableRandom(5);
        double[] series = new double[40 * 12];
        Arrays.setAll(series, t -> 300 + 0.1 * t + 4 * Math.sin(Math.PI * t / 60) + 3 * Math.sin(Math.PI * t / 6)
                + 0.02 * random.nextGaussian());
        CarbonDioxide.Errors[] errors = new CarbonDioxide(series).compare(300, 1, 12);
        for (CarbonDioxide.Errors ahead : errors) {
            assertTrue(ahead.network() < 0.8 * ahead.seasonalNaive(), ahead.toString());
        }
    }

    /** Few steps and few updates: every cell is on its way. */
    @Test
    void longTermMemory() {
        List<LongTermMemory.Course> adding = new LongTermMemory(300).adding(6);
        assertEquals(6, adding.size());
        for (LongTermMemory.Course course : adding) {
            assertTrue(course.end() < 0.8 * AddingProblem.BASELINE, course.cell() + " " + course.end());
        }
        List<LongTermMemory.Course> copying = new LongTermMemory(240).copying(3);
        double baseline = new CopyMemory(3, 1).baseline();
        for (LongTermMemory.Course course : copying) {
            assertTrue(course.end() < course.losses().getFirst() && course.end() < 1.2 * baseline,
                    course.cell() + " " + course.end());
        }
    }

    @TempDir
    Path folder;

    @Test
    void aTuneFromANote() throws IOException, InvalidMidiDataException {
        Melody melody = Melody.learned(250);
        Melody.Surprise surprise = melody.surprise();
        assertTrue(surprise.network() < surprise.pairs(), surprise.toString());
        Melody.Note first = new Melody.Note(62, 2);
        List<Melody.Note> tune = melody.from(first, 30, 0.8, 7);
        assertEquals(first, tune.getFirst());
        assertTrue(tune.size() > 5, tune.toString());
        assertEquals(tune, melody.from(first, 30, 0.8, 7));
        assertNotEquals(tune, melody.from(first, 30, 0.8, 8));

        Path file = folder.resolve("tune.mid");
        Melody.write(tune, file);
        Sequence read = MidiSystem.getSequence(file.toFile());
        List<Integer> pitches = new ArrayList<>();
        for (int i = 0; i < read.getTracks()[0].size(); i++) {
            if (read.getTracks()[0].get(i).getMessage() instanceof ShortMessage message
                    && message.getCommand() == ShortMessage.NOTE_ON) {
                pitches.add(message.getData1());
            }
        }
        assertEquals(tune.stream().map(Melody.Note::pitch).toList(), pitches);
    }
}
