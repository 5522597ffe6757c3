package dev.ostinato.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.formats.DType;
import dev.ostinato.formats.ModelFile;
import dev.ostinato.formats.Npz;
import dev.ostinato.formats.SafeTensors;
import dev.ostinato.formats.Tensor;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.JsonNode;

class ConvertCommandTest {
    /** A GRU of three inputs and four units with a linear layer of two outputs, twice. */
    private static final Path TWO =
            Path.of("../formats/src/test/resources/dev/ostinato/formats/torch/two.pt").toAbsolutePath().normalize();

    @TempDir
    Path directory;

    @Test
    void convertedComputesTheSame() throws IOException {
        Path out = directory.resolve("out.safetensors");
        String line = CommandLineRun.of("convert", TWO, out, "--state-dict", "model").succeeded().out();
        assertTrue(line.startsWith(out + ": features 3, gru 4, dense 2, 118 parameters in f32, "), line);
        assertArrayEquals(outputs(TWO, "--state-dict", "model"), outputs(out));
        JsonNode json = CommandLineRun.of("inspect", TWO, "--state-dict", "ema.model", "--json").succeeded().json();
        assertEquals(118, json.get("parameters").asLong());
        assertEquals(Files.size(TWO), json.get("file_bytes").asLong());
    }

    @Test
    void whatIsMissingIsAskedFor() throws IOException {
        Path out = directory.resolve("out.safetensors");
        for (String[] command : new String[][] {{"convert", TWO.toString(), out.toString()},
            {"inspect", TWO.toString()},
            {"bench", TWO.toString()}, {"sample", TWO.toString()}, {"eval", TWO.toString(), "--next", "a"}}) {
            CommandLineRun.of((Object[]) command).failed(1, "--state-dict", "\"model\" and \"ema.model\"");
        }
        assertFalse(Files.exists(out));
        Path rnn = directory.resolve("rnn");
        writeStateDict(rnn, Model.builder().features(3).rnn(4).dense(2).build());
        CommandLineRun.of("convert", rnn, out).failed(1, "--nonlinearity relu");
        CommandLineRun.of("convert", rnn, out, "--nonlinearity", "RELU", "--modules", "rnn,head").succeeded();
        assertEquals("rnn-relu", ModelFile.read(out).model().layers().get(1).label());
        CommandLineRun.of("convert", out, out, "--modules", "rnn").failed(1, "expected no hints");
        CommandLineRun.of("convert", rnn, out, "--nonlinearity", "elu").failed(2, "--nonlinearity");
    }

    @Test
    void aGraphComputesTheSame() throws IOException {
        Path model = directory.resolve("model.safetensors");
        Path graph = directory.resolve("model.onnx");
        ModelFile.write(model, Model.builder().features(3).lstm(4).gru(5).dense(2).seed(1).build(), null);
        CommandLineRun.of("convert", model, graph).succeeded();

        Path in = directory.resolve("in.npz");
        Path out = directory.resolve("out.npz");
        float[] x = new float[6 * 2 * 3];
        for (int i = 0; i < x.length; i++) {
            x[i] = (float) Math.sin(i);
        }
        Tensor inputs = Tensor.of("x", new long[] {6, 2, 3}, x);
        Npz.write(in, List.of(inputs));
        CommandLineRun.of("run", model, "--input", in, "--output", out).succeeded();
        float[] expected = Npz.read(out).tensor("y").toFloats();
        JsonNode described = CommandLineRun.of("inspect", graph, "--json").succeeded().json();
        assertEquals("onnx", described.get("format").asString());
        assertEquals(1, described.get("operators").get("LSTM").asInt());
        assertEquals(1, described.get("operators").get("GRU").asInt());
        assertEquals(3, described.get("states").size());
        assertTrue(CommandLineRun.of("inspect", graph).succeeded().out().contains("x F32 [steps, batch, 3]"));

        List<Tensor> all = new ArrayList<>(List.of(inputs));
        for (String state : described.get("states").propertyNames()) {
            int units = state.startsWith("rnn2") ? 5 : 4;
            all.add(Tensor.of(state, new long[] {1, 2, units}, new float[2 * units]));
        }
        CommandLineRun.of("run", graph, "--input", in, "--output", out).failed(1, in.toString());
        Npz.write(in, all);
        CommandLineRun.of("run", graph, "--input", in, "--output", out).succeeded();
        assertArrayEquals(expected, Npz.read(out).tensor("y").toFloats(), 1e-6f);

        CommandLineRun.of("run", graph, "--input", in, "--output", out, "--stream").failed(2, "--stream");
        CommandLineRun.of("inspect", graph, "--precision", "int8").failed(2, "--precision");
        CommandLineRun.of("eval", graph, "--next", "a").failed(1, "got a graph of ONNX");
        CommandLineRun.of("convert", model, graph, "--precision", "int8").failed(1, "expected weights in f32");
    }

    @Test
    void otherFormatsAreReadOnly() {
        CommandLineRun.of("convert", TWO, directory.resolve("out.pt")).failed(1, "ends in .safetensors",
                "safetensors.torch.load_file");
        CommandLineRun.of("convert", TWO).failed(2, "OUT");
    }

    @ParameterizedTest
    @EnumSource(Precision.class)
    void precisionIsThatOfTheFile(Precision precision) throws IOException {
        String name = Precisions.name(precision);
        Path exact = directory.resolve("exact.safetensors");
        Path narrow = directory.resolve("narrow.safetensors");
        ModelFile.write(exact, Model.builder().features(3).lstm(33).gru(20).dense(2).seed(1).build(), null);
        JsonNode json = CommandLineRun.of("convert", exact, narrow, "--precision", name, "--json").succeeded().json();
        assertEquals(name, json.get("precision").asString());
        assertArrayEquals(outputs(exact, "--precision", name), outputs(narrow));
        assertEquals(precision, ModelFile.read(narrow).model().precision());
    }

    @Test
    void vocabularyMakesAModelOfText() throws IOException {
        Path tokens = directory.resolve("tokens");
        Path text = directory.resolve("text.safetensors");
        Path characters = Files.writeString(directory.resolve("characters"), "ab\n");
        writeStateDict(tokens, Model.builder().embedding(3, 4).gru(5).dense(3).seed(2).build());
        CommandLineRun.of("sample", tokens).failed(1, "ostinato convert --vocabulary");
        CommandLineRun.of("convert", tokens, text, "--vocabulary", characters).succeeded();
        String sample = CommandLineRun.of("sample", text, "--prompt", "ab", "--length", 20).succeeded().out();
        assertTrue(sample.startsWith("ab"), sample);
        Files.writeString(characters, "abcd");
        CommandLineRun.of("convert", tokens, text, "--vocabulary", characters).failed(1, "3 of them", "got 4");
    }

    private static void writeStateDict(Path file, Model model) throws IOException {
        SafeTensors.Writer writer = new SafeTensors.Writer();
        for (NamedArray tensor : model.tensors()) {
            writer.add(tensor.name(), DType.F32, tensor.shape().stream().mapToLong(Integer::longValue).toArray(),
                    tensor.data());
        }
        writer.write(file);
    }

    private float[] outputs(Path model, String... options) throws IOException {
        Path in = directory.resolve("in.npz");
        Path out = directory.resolve("out.npz");
        float[] x = new float[5 * 2 * 3];
        for (int i = 0; i < x.length; i++) {
            x[i] = (float) Math.sin(i);
        }
        Npz.write(in, List.of(Tensor.of("x", new long[] {5, 2, 3}, x)));
        Object[] arguments = new Object[6 + options.length];
        System.arraycopy(new Object[] {"run", model, "--input", in, "--output", out}, 0, arguments, 0, 6);
        System.arraycopy(options, 0, arguments, 6, options.length);
        CommandLineRun.of(arguments).succeeded();
        return Npz.read(out).tensor("y").toFloats();
    }
}
