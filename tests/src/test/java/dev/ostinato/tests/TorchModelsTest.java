package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.examples.Importing;
import dev.ostinato.formats.DType;
import dev.ostinato.formats.FormatException;
import dev.ostinato.formats.ImportHints;
import dev.ostinato.formats.ModelFile;
import dev.ostinato.formats.SafeTensors;
import dev.ostinato.formats.Tensor;
import dev.ostinato.kernels.Activation;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.Precision;
import dev.ostinato.nn.State;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** State dicts as PyTorch writes them, without a word about the model, compute what PyTorch computes; {@code torch_models.py} made them. */
class TorchModelsTest {
    private static final int ROWS = 2;
    /** What those models need to be told whose weights do not tell. */
    private static final Map<String, ImportHints> HINTS = Map.of(
            "rnn-tanh", ImportHints.NONE.withNonlinearity(Activation.TANH),
            "rnn-relu", ImportHints.NONE.withNonlinearity(Activation.RELU),
            "norms", ImportHints.NONE.withModules("bn", "rnn", "norm", "fc1", "fc2"));

    @ParameterizedTest
    @ValueSource(strings = {"lstm", "gru-embedding-head", "rnn-tanh", "rnn-relu", "lstm-bidirectional-projection",
        "gru-bidirectional-no-bias", "cells", "numbered", "norms", "tied", "half", "bfloat16", "double"})
    void outputsAreThoseOfPyTorch(String name) throws IOException {
        assertOutputs(name, ModelFile.read(file(name + ".safetensors"), HINTS.getOrDefault(name, ImportHints.NONE)));
    }

    @Test
    void theExampleConverts(@TempDir Path folder) throws IOException {
        Path relu = Files.createFile(folder.resolve("relu"));
        Model model = Model.builder().features(3).recurrent(CellType.RNN_RELU, 5).dense(2).build();
        SafeTensors.Writer writer = new SafeTensors.Writer();
        model.tensors().forEach(t -> writer.add(t.name(), DType.F32,
                t.shape().stream().mapToLong(Integer::longValue).toArray(), t.data()));
        writer.write(relu);
        Importing.convert(relu, folder.resolve("small"));
        assertEquals(Precision.INT8, Importing.read(folder.resolve("small")).precision());
        assertEquals(model.layers(), Importing.read(folder.resolve("small")).layers());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            rnn-relu | module "body": expected to know the function of this nn.RNN
            rnn-relu | --nonlinearity tanh, which is usual, nor --nonlinearity relu
            norms    | modules: expected to know what is between "fc1" (Linear 5 -> 4) and "fc2" (Linear 4 -> 2)
            norms    | --modules bn,rnn,norm,fc1,fc2 says that it is nothing but dropout
            """)
    void whatIsMissingIsAskedFor(String name, String part) {
        String message =
                assertThrows(FormatException.class, () -> ModelFile.read(file(name + ".safetensors"))).getMessage();
        assertTrue(message.contains(part), message);
    }

    private static void assertOutputs(String name, ModelFile file) throws IOException {
        SafeTensors outputs = SafeTensors.read(file("outputs.safetensors"));
        Tensor x = outputs.tensor(name + ".x");
        float[] expected = outputs.tensor(name + ".y").toFloats();
        Model model = file.model();
        State state = model.newState(ROWS);
        float[] y = new float[expected.length];
        if (model.takesTokens()) {
            model.run(x.toInts(), state, y);
        } else {
            model.run(x.toFloats(), state, y);
        }
        for (int i = 0; i < y.length; i++) {
            assertEquals(expected[i], y[i], 2e-6, name + ", output " + i);
        }
    }

    private static Path file(String name) throws IOException {
        return Goldens.path("torch/" + name);
    }
}
