package dev.ostinato.examples.tasks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.examples.tasks.Sentiment.Sentence;
import dev.ostinato.formats.SafeTensors;
import dev.ostinato.nn.Model;
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

    /** Lines that say a number twice, with a word between: who counts what came after five characters cannot know it. */
    @Test
    void charactersOfAText() throws IOException {
        SplittableRandom random = new SplittableRandom(2);
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 1_500; i++) {
            int digit = random.nextInt(2);
            text.append("int x").append(digit).append(" = first(").append(digit).append(");\n");
        }
        CharacterModel task = new CharacterModel(text.toString(), 80, 1);
        LearningCurve curve = task.train();
        assertTrue(curve.end() < task.bitsByCounting() && curve.end() < curve.points().getFirst().bits(),
                curve + " " + task.bitsByCounting());

        Path csv = folder.resolve("curve.csv");
        curve.write(csv);
        assertEquals(curve.end(), LearningCurve.read(csv).end(), 1e-6);
        double middle = curve.points().get(9).bits();
        assertEquals(curve.points().get(9).seconds(), curve.secondsTo(middle).orElseThrow(), 1e-6);
        assertTrue(curve.secondsTo(0).isEmpty());

        task.writeStart(folder.resolve("start.safetensors"));
        SafeTensors start = SafeTensors.read(folder.resolve("start.safetensors"));
        assertEquals("80", start.metadata().get("updates"));
        assertEquals(text.length(), start.tensor("text.training").size() + start.tensor("text.heldOut").size());
    }

    /** The verb agrees with a word that is three words back. */
    @Test
    void wordsThatAgreeFromAfar() {
        SplittableRandom random = new SplittableRandom(4);
        List<String> things = List.of("ships", "roads", "laws", "banks");
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            StringBuilder text = new StringBuilder();
            for (int sentence = 0; sentence < 50; sentence++) {
                boolean one = random.nextBoolean();
                text.append(one ? "The state" : "The states").append(" of the ")
                        .append(things.get(random.nextInt(4))).append(one ? " is good. " : " are good. ");
            }
            texts.add(text.toString());
        }
        NextWord task = new NextWord(texts);
        Model model = task.trained(64, 40);
        NextWord.Perplexity perplexity = task.perplexity(model);
        assertTrue(perplexity.network() < 0.95 * perplexity.triples(), perplexity.toString());
        assertTrue(perplexity.triples() <= perplexity.pairs() && perplexity.pairs() < perplexity.words(),
                perplexity.toString());
        assertTrue(task.sentences(model, 2, 0.5, 1).startsWith("the state"));
    }

    /** What a letter says depends on whether the word ends with an e, however far away. */
    @Test
    void lettersThatSayOneThingOrAnother() {
        SplittableRandom random = new SplittableRandom(6);
        List<LettersToPhonemes.Pair> dictionary = new ArrayList<>();
        for (int i = 0; i < 1_200; i++) {
            StringBuilder letters = new StringBuilder();
            random.ints(random.nextInt(2, 7), 0, 4).forEach(letter -> letters.append("abst".charAt(letter)));
            boolean ends = random.nextBoolean();
            List<String> phonemes = letters.chars()
                    .mapToObj(letter -> letter == 'a' ? ends ? "EY" : "AE" : Character.toString(letter - 32)).toList();
            dictionary.add(new LettersToPhonemes.Pair(letters + (ends ? "e" : ""), phonemes));
        }
        LettersToPhonemes.Result result = new LettersToPhonemes(dictionary).compare(8);
        assertTrue(result.greedy().phonemes() < 0.03 && result.beam().words() <= 0.1, result.toString());
        assertTrue(result.greedy().phonemes() < 0.5 * result.table().phonemes(), result.toString());
        assertTrue(result.table().phonemes() < result.letters().phonemes(), result.toString());
    }

    /** By hand, from "a b a b a c": a is followed by b twice and by c once. */
    @Test
    void countingAsKneserAndNey() {
        KneserNey pairs = new KneserNey(new int[] {0, 1, 0, 1, 0, 2}, 3, 2);
        // Pairs: ab 2, ba 2, ac 1, so that the discount is 1 / (1 + 2 * 2). Different tokens before a: 1, b: 1, c: 1,
        // so that there it is 3 / (3 + 0): all goes to equal parts.
        double discount = 0.2;
        double alone = 1.0 / 3;
        assertEquals((2 - discount + discount * 2 * alone) / 3, pairs.probability(new int[] {0, 1}, 1), 1e-12);
        assertEquals((1 - discount + discount * 2 * alone) / 3, pairs.probability(new int[] {0, 2}, 1), 1e-12);
        assertEquals(discount * 2 * alone / 3, pairs.probability(new int[] {0, 0}, 1), 1e-12);
        assertEquals(alone, pairs.probability(new int[] {2, 1}, 1), 1e-12);
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
