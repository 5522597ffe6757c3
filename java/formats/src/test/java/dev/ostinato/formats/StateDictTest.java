package dev.ostinato.formats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.kernels.Activation;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which layers names and shapes tell, and what is asked for where they do not. Modules are written as {@code name:kind[sizes]}. */
class StateDictTest {
    @TempDir
    Path directory;

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            lstm:lstm[3,5]                                            | features 3, lstm 5
            gru:gru[3,5] fc:linear[5,2]                              | features 3, gru 5, dense 2
            net.emb:matrix[9,3] net.lstm:lstm[3,5] net.fc:linear[5,9] | embedding 3, lstm 5, dense 9
            # Called something else, an embedding is one if it fits as one alone.
            table:matrix[9,3] rnn:gru[3,5]                       | embedding 3, gru 5
            table:matrix[3,9] rnn:gru[3,5]                       | features 9, dense 3, gru 5
            emb:matrix[3,3] rnn:gru[3,5]                         | embedding 3, gru 5
            emb:matrix[3,9] rnn:gru[3,5]                         | features 9, dense 3, gru 5
            # As many outputs as inputs, and whatever the order in the file: a linear layer comes last.
            a:linear[5,3] b:lstm[3,5]                            | features 3, lstm 5, dense 3
            # Numbers are numbers.
            r.10:gru[5,5] r.9:gru[5,5] r.11:lstm[5,5]            | features 5, gru 5, gru 5, lstm 5
            x007:gru[4,4] x08:lstm[4,4] x10:linear[4,4]          | features 4, gru 4, lstm 4, dense 4
            a1.b:gru[4,4] a0.b:lstm[4,4] a2.b:linear[4,4]        | features 4, lstm 4, gru 4, dense 4
            n:vector[5] fc:linear[5,2] rnn:gru[3,5]              | features 3, gru 5, layer norm 5, dense 2
            """)
    void layersAreThoseOfTheTensors(String modules, String layers) throws IOException {
        Model model = read(modules, ImportHints.NONE);
        assertEquals(layers, model.layers().stream().map(layer -> layer.label() + " " + layer.outputs())
                .collect(Collectors.joining(", ")));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '$', textBlock = """
            # Which of two orders, or readings, if both would take the same inputs.
            lstm:lstm[4,4] fc:linear[4,4]                | --modules lstm,fc or --modules fc,lstm
            emb:matrix[9,4] l:lstm[4,4] fc:linear[4,4] | --modules emb,l,fc or --modules emb,fc,l
            one:gru[4,4] two:gru[4,4]               | --modules one,two or --modules two,one
            table:matrix[4,4] gru:gru[4,4]              | table:embedding
            # What is between them.
            lstm:lstm[3,4] fc1:linear[4,5] fc2:linear[5,2] | between "fc1" (Linear 4 -> 5) and "fc2" (Linear 5 -> 2)
            # Which head, which model.
            lstm:lstm[3,4] actor:linear[4,2] critic:linear[4,1] | feed one another, or --modules
            lstm:lstm[3,4] fc:linear[5,2]                | got "fc" (Linear 5 -> 2), "lstm" (LSTM 3 -> 4)
            rnn:rnn[3,4]                                | --nonlinearity relu
            """)
    void whatTensorsDoNotTellIsAskedFor(String modules, String question) {
        refused(modules, ImportHints.NONE, question);
    }

    @Test
    void hintsAnswer() throws IOException {
        assertEquals(List.of("features", "lstm", "dense"), labels("lstm:lstm[4,4] fc:linear[4,4]", "lstm", "fc"));
        assertEquals(List.of("features", "dense", "lstm"), labels("lstm:lstm[4,4] fc:linear[4,4]", "fc", "lstm"));
        assertEquals(List.of("features", "dense", "gru"), labels("t:matrix[4,4] gru:gru[4,4]", "t:linear", "gru"));
        assertEquals(List.of("embedding", "gru"), labels("t:matrix[4,4] gru:gru[4,4]", "t:embedding", "gru"));
        assertEquals(List.of("features", "lstm", "dense"),
                labels("lstm:lstm[3,4] actor:linear[4,2] critic:linear[4,1] conv:cube[3]", "lstm", "critic"));
        assertEquals(List.of("features", "dense", "dense"), labels("a:linear[3,4] b:linear[4,2]", "a", "b"));
        assertEquals("rnn-relu",
                read("rnn:rnn[3,4]", ImportHints.NONE.withNonlinearity(Activation.RELU)).layers().getLast()
                        .label());
        refused("lstm:lstm[4,4]", ImportHints.NONE.withStateDict("ema"), "--state-dict ema, got safetensors");
        refused("lstm:lstm[4,4]", ImportHints.NONE.withModules("lstm", "fc"), "no tensors of \"fc\"");
        refused("lstm:lstm[3,4] gru:gru[5,4]", ImportHints.NONE.withModules("lstm", "gru"), "feed one another");
        refused("lstm:lstm[3,4]", ImportHints.NONE.withModules("lstm:linear"), "feed one another");
        assertThrows(IllegalArgumentException.class, () -> ImportHints.NONE.withModules("a", "a"));
        assertThrows(IllegalArgumentException.class, () -> ImportHints.NONE.withNonlinearity(Activation.SIGMOID));
    }

    @Test
    void aDescriptionNeedsNoHints() throws IOException {
        Path file = directory.resolve("described");
        ModelFile.write(file, Model.builder().features(2).gru(3).build(), null);
        assertMessage(file, ImportHints.NONE.withModules("rnn"), "expected no hints");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '$', textBlock = """
            weight_hh_l0[20,5]                                      | a tensor "weight_ih_l0", got none
            weight_ih_l0[20,3] weight_hh_l0[21,5]                   | 21 for 5
            weight_ih_l0[20,3] weight_hh_l0[10,5]                   | 10 for 5
            weight_ih_l0[20] weight_hh_l0[20,5]                     | weight_ih_l0 with a dimension 1
            weight_ih_l0[20,0] weight_hh_l0[20,5]                   | weight_ih_l0 with a dimension 1
            weight_ih_l0[20,3] weight_hh_l0[20,5] weight_hr_l0[5,5] | RNN
            weight_ih_l0[20,3] weight_hh_l0[20,5] bias_ih_l0[20]    | a tensor "bias_hh_l0", got none
            weight_ih_l0[20,3] weight_hh_l0[20,5] bias_hh_l0[20]    | expected the tensors of
            weight_ih_l0[20,3] weight_hh_l0[20,5] extra[2]          | expected the tensors of
            weight_ih_l0[20,3] weight_hh_l0[20,5] weight_ih_l2[20,5] weight_hh_l2[20,5] | expected the tensors of
            weight_ih_l0[20,3] weight_hh_l0[20,5] weight_ih_l1[20,4] weight_hh_l1[20,5] | weight_ih_l1 [20, 5]
            weight_ih_l0[20,3] weight_hh_l0[20,5] weight_ih_l0_reverse[20,3] | "weight_hh_l0_reverse", got none
            m.weight[5,3] m.bias[4]                                 | bias [5] of floats, got F32 [4]
            m.weight[2,5,3]                                         | module "m": expected the tensors of
            m.bias[4]                                               | module "m": expected the tensors of
            m.weight[0,4] m.bias[0]                                 | weight with a dimension 0 from 1
            """)
    void tensorsThatDoNotFitAreRefused(String tensors, String reason) throws IOException {
        SafeTensors.Writer writer = new SafeTensors.Writer();
        for (String tensor : tensors.split(" ", -1)) {
            add(writer, name(tensor), sizes(tensor));
        }
        Path file = directory.resolve("odd");
        writer.write(file);
        assertMessage(file, ImportHints.NONE, reason);
    }

    @Test
    void integersAreNoWeights() throws IOException {
        Path file = directory.resolve("integers");
        new SafeTensors.Writer().add("a.weight", DType.I64, new long[] {1, 2}, new long[2])
                .add("a.bias", DType.F32, new long[] {1}, new float[1]).write(file);
        assertMessage(file, ImportHints.NONE, "weight [1, 2] of floats, got I64 [1, 2]");
    }

    /** Of tied weights safetensors keeps one, and says so in the metadata. */
    @Test
    void aliasesAreFollowed() throws IOException {
        Path file = directory.resolve("tied");
        new SafeTensors.Writer().add("emb.weight", DType.F32, new long[] {3, 2}, new float[] {1, 2, 3, 4, 5, 6})
                .add("out.bias", DType.F32, new long[] {3}, new float[3])
                .metadata(Map.of("out.weight", "emb.weight", "format", "pt")).write(file);
        Model model = ModelFile.read(file).model();
        List<NamedArray> tensors = model.tensors();
        assertEquals(Arrays.toString(tensors.get(0).data()), Arrays.toString(tensors.get(1).data()));
        assertEquals(List.of(new Layer.Embedding(3, 2), new Layer.Dense(2, 3)), model.layers());
    }

    /** All orders of many modules of one shape are as good: there is no time to try them. */
    @Test
    void mazesAreRefusedAtOnce() {
        String names = "abcdefghijklmnopqrstuvwxyz";
        String maze =
                IntStream.range(0, 60).mapToObj(i -> letters(names, i) + ":gru[2,2]").collect(Collectors.joining(" "));
        refused(maze + " odd:gru[3,5]", ImportHints.NONE, "feed one another");
        refused(maze, ImportHints.NONE, "one order");
        refused(IntStream.range(0, 70).mapToObj(i -> letters(names, i) + ":gru[2,2]").collect(Collectors.joining(" ")),
                ImportHints.NONE, "feed one another");
    }

    @Test
    void longNamesTakeNoTime() {
        String digits = "9".repeat(40_000);
        refused("a" + digits + ":gru[2,2] a" + digits + "9:gru[3,5]", ImportHints.NONE, "feed one another");
        String message = assertThrows(FormatException.class,
                () -> read("b\u001b" + digits + ":gru[2,2] a:gru[2,2]", ImportHints.NONE)).getMessage();
        assertTrue(message.length() < 1000 && message.contains("\\u001b"), message);
    }

    private static String letters(String names, int i) {
        return "m" + names.charAt(i / 26) + names.charAt(i % 26);
    }

    private List<String> labels(String modules, String... order) throws IOException {
        return read(modules, ImportHints.NONE.withModules(order)).layers().stream().map(Layer::label).toList();
    }

    private void refused(String modules, ImportHints hints, String part) {
        String message = assertThrows(FormatException.class, () -> read(modules, hints)).getMessage();
        assertTrue(message.contains(part), message);
    }

    private static void assertMessage(Path file, ImportHints hints, String part) {
        String message = assertThrows(FormatException.class, () -> ModelFile.read(file, hints)).getMessage();
        assertTrue(message.startsWith(file + ": ") && message.contains(part), message);
    }

    private Model read(String modules, ImportHints hints) throws IOException {
        SafeTensors.Writer writer = new SafeTensors.Writer();
        for (String module : modules.split(" ", -1)) {
            String[] parts = name(module).split(":", 2);
            add(writer, parts[0], parts[1], sizes(module));
        }
        Path file = directory.resolve("modules");
        writer.write(file);
        return ModelFile.read(file, hints).model();
    }

    private static String name(String module) {
        return module.replaceFirst("\\[.*", "");
    }

    private static long[] sizes(String module) {
        return Arrays.stream(module.replaceFirst(".*\\[", "").replace("]", "").split(",", -1))
                .mapToLong(Long::parseLong)
                .toArray();
    }

    /** Adds the tensors of one module. */
    private static void add(SafeTensors.Writer writer, String module, String kind, long[] sizes) {
        switch (kind) {
            case "linear" -> {
                add(writer, module + ".weight", sizes[1], sizes[0]);
                add(writer, module + ".bias", sizes[1]);
            }
            case "matrix" -> add(writer, module + ".weight", sizes[0], sizes[1]);
            case "vector" -> add(writer, module + ".weight", sizes[0]);
            case "cube" -> add(writer, module + ".weight", 1, 1, sizes[0]);
            default -> {
                long gates = Map.of("rnn", 1, "gru", 3, "lstm", 4).get(kind);
                add(writer, module + ".weight_ih_l0", gates * sizes[1], sizes[0]);
                add(writer, module + ".weight_hh_l0", gates * sizes[1], sizes[1]);
                add(writer, module + ".bias_ih_l0", gates * sizes[1]);
                add(writer, module + ".bias_hh_l0", gates * sizes[1]);
            }
        }
    }

    private static void add(SafeTensors.Writer writer, String name, long... shape) {
        writer.add(name, DType.F32, shape, new float[(int) Arrays.stream(shape).reduce(1, Math::multiplyExact)]);
    }
}
