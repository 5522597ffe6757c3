package dev.ostinato.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.formats.ModelFile;
import dev.ostinato.kernels.Backend;
import dev.ostinato.kernels.Backends;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/** What a bench tells, and that its numbers are of what they say. */
class BenchCommandTest {
    /** So slow that every measurement beats the limit. */
    private static final StepWork.Rates SLOW = new StepWork.Rates(1, 1);

    @TempDir
    Path directory;

    @Test
    void aStepIsMeasuredAndComparedWithItsLimit() {
        JsonNode json =
                CommandLineRun.of("bench", "--cell", "gru", "--input", 24, "--hidden", 40, "--layers", 2, "--batch",
                        3, "--seconds", 0.3, "--open-loop", 20, "--churn", "--json").succeeded().json();
        long weights = 3 * 40 * (24 + 40) + 3 * 40 * (40 + 40);
        assertEquals(4 * weights, json.get("weight_bytes").asLong());
        assertEquals(4 * weights, json.get("swept_bytes").asLong());
        double p50 = json.get("p50_ns").asDouble();
        assertTrue(p50 > 100 && p50 <= json.get("p99_ns").asDouble(), json::toString);
        assertTrue(json.get("p99_ns").asDouble() <= json.get("p999_ns").asDouble(), json::toString);
        assertTrue(json.get("p999_ns").asDouble() <= json.get("max_ns").asDouble(), json::toString);
        assertTrue(json.get("steps_per_s").asDouble() < 1e9 / p50 * 2, json::toString);
        assertTrue(json.get("steps_per_s").asDouble() * 0.3 <= 1.01 * json.get("calls").asLong(), json::toString);
        double limit = Math.max(4e9 * weights / json.get("read_bytes_per_s").asDouble(),
                2e9 * weights * 3 / json.get("fma_flops").asDouble());
        assertEquals(limit, json.get("limit_ns").asDouble(), 0.06);
        assertEquals(limit / p50, json.get("share_of_limit").asDouble(), 1e-3);
        assertEquals("f32", json.get("precision").asString());
        assertEquals(1, json.get("threads").asInt());
        Backend auto = Backends.auto().backend();
        assertEquals(auto.name(), json.get("backend").asString());
        assertEquals(auto.isa(), json.get("isa").asString());
        assertTrue(json.get("alloc_bytes_per_step").asDouble() < 16, json::toString);
        assertTrue(json.get("open_loop").get("p50_ns").asDouble() > 0.5 * p50, json::toString);
    }

    @Test
    void precisionAndThreadsAreThoseThatCompute() {
        JsonNode json = CommandLineRun.of("bench", "--hidden", 40, "--precision", "int8", "--threads", 2, "--steps", 10,
                "--seconds", 0.1, "--json").succeeded().json();
        assertEquals("int8", json.get("precision").asString());
        assertEquals(2, json.get("threads").asInt());
        assertEquals(4 * 40 * 80, json.get("weight_bytes").asLong());
        assertEquals(4 * 40 * 40, json.get("swept_bytes").asLong());
        CommandLineRun.of("bench", "--threads", 0).failed(2, "--threads: expected 1 to 1024, got 0");
    }

    @Test
    void aModelInBothDirectionsIsMeasuredOverWholeSequences() throws IOException {
        Path file = directory.resolve("m.safetensors");
        ModelFile.write(file, Model.builder().features(5).bidirectional(CellType.LSTM, 16, Layer.Merge.CONCAT)
                .pool(Layer.Pooling.MAX).dense(3).build(), null);
        for (int steps : new int[] {1, 10}) {
            JsonNode json = CommandLineRun.of("bench", file, "--steps", steps, "--batch", 2, "--seconds", 0.1, "--json")
                    .succeeded().json();
            assertEquals(4 * (2 * 4 * 16 * (5 + 16) + 32 * 3), json.get("weight_bytes").asLong());
        }
    }

    @Test
    void aModelOfAFileIsMeasuredOverSequences() throws IOException {
        Path file = directory.resolve("m.safetensors");
        ModelFile.write(file, Model.builder().embedding(7, 5).lstm(16).dense(3).build(), null);
        CommandLineRun run = CommandLineRun.of("bench", file, "--steps", 10, "--seconds", 0.1, "--backend", "scalar")
                .succeeded();
        List<String> lines = run.out().lines().toList();
        assertTrue(lines.getFirst().contains("m.safetensors; f32, batch 1, 10 steps a call"), run.out());
        assertTrue(lines.get(1).contains("scalar"), run.out());
        assertTrue(lines.stream().anyMatch(line -> line.startsWith("share of it")), run.out());
        assertTrue(run.err().contains("warmed up in "), run.err());
    }

    @ParameterizedTest
    @CsvSource({"--seconds,0", "--seconds,NaN", "--batch,0", "--steps,-1", "--hidden,0", "--input,0", "--layers,0",
        "--open-loop,0", "--open-loop,101", "--cell,transformer"})
    void valuesOutOfRange(String option, String value) {
        CommandLineRun.of("bench", option, value).failed(2, option, value);
    }

    @Test
    void argumentsThatDoNotGoTogether() {
        CommandLineRun.of("bench", "m.safetensors", "--hidden", 3).failed(2, "expected one of them, got both");
        CommandLineRun.of("bench", directory.resolve("m.safetensors")).failed(1, "there is no such file");
        CommandLineRun.of("bench", "--backend", "abacus").failed(1, "abacus", "scalar");
    }

    @Test
    void weightsAreThoseThatAStepMultipliesWith() {
        Model dense = Model.builder().features(9).recurrent(CellType.LSTM, 5).dropout(0.5).dense(3).build();
        assertEquals(new StepWork(4 * 5 * 9 + 5 * 3, 4 * 5 * 5, Precision.F32, 1, 1, 1), StepWork.of(dense, 1, 1, 1));
        Model oneHot = Model.builder().oneHot(9).recurrent(CellType.RNN_TANH, 5).gru(2).build();
        assertEquals(new StepWork(3 * 2 * 5, 5 * 5 + 3 * 2 * 2, Precision.BF16, 8, 1, 2),
                StepWork.of(oneHot.withPrecision(Precision.BF16), 8, 1, 2));
        Model embedding = Model.builder().embedding(100, 6).lstm(5).build();
        assertEquals(new StepWork(0, 4 * 5 * 5, Precision.F32, 1, 1, 1), StepWork.of(embedding, 1, 1, 1));
        assertEquals(new StepWork(0, 4 * 5 * 5, Precision.F32, 1, 50, 1), StepWork.of(embedding, 1, 50, 1));
    }

    @Test
    void theLimitIsTheSlowerOfReadingAndMultiplying() {
        StepWork.Rates rates = new StepWork.Rates(100e9, 200e9);
        assertEquals(4000 / 100.0, new StepWork(600, 400, Precision.F32, 1, 1, 1).limit(rates), 1e-9);
        assertEquals(2 * 1000 * 8 / 200.0, new StepWork(600, 400, Precision.F32, 8, 1, 1).limit(rates), 1e-9);
        // Over a sequence, the inputs' products at once, then the state's weights step by step.
        assertEquals(2 * 600 / 200.0 + 1600 / 100.0, new StepWork(600, 400, Precision.F32, 1, 10, 1).limit(rates),
                1e-9);
        assertEquals(2 * 600 * 8 / 200.0 + 2 * 400 * 8 / 200.0,
                new StepWork(600, 400, Precision.F32, 8, 10, 1).limit(rates), 1e-9);
        StepWork shared = new StepWork(600, 400, Precision.INT8, 1, 1, 2);
        assertEquals(500, shared.bytesOfAThread());
        assertEquals(1000 / 100.0, shared.limit(rates), 1e-9);
        assertEquals(new StepWork.Rates(3, 4), new StepWork.Rates(3, 2).or(new StepWork.Rates(1, 4)));
    }

    @Test
    void aBeatenLimitIsABrokenMeasurement() {
        Model model = Model.builder().features(8).lstm(16).backend("scalar").build();
        StepWork work = StepWork.of(model, 1, 1, 1);
        CallTimes times = CallTimes.service(new Workload(model, model.newState(), 1), 0.01, passed -> {
        });
        Caches one = new Caches(List.of(new Caches.Cache(1, 1 << 20)));
        String message = assertThrows(Failure.class, () -> report(model, work, SLOW, one, times).check()).getMessage();
        assertTrue(message != null && message.startsWith("broken measurement: a step took "), message);
        // Where a part may have come from a nearer cache, or the limit holds, it is a result.
        report(model, work, SLOW, new Caches(List.of(new Caches.Cache(1, 5_000), new Caches.Cache(2, 1 << 20))), times)
                .check();
        report(model, work, new StepWork.Rates(1e15, 1e15), one, times).check();
    }

    private static BenchReport report(Model model, StepWork work, StepWork.Rates rates, Caches caches,
            CallTimes times) {
        Backend scalar = Backends.kernels("scalar").backend();
        return new BenchReport("m", model, scalar, scalar, work, rates, caches, times, null, null);
    }

    /** Calls that are all due at once: the last one has waited for all others. */
    @Test
    void openLoopTimesIncludeTheWait() {
        Model model = Model.builder().features(32).lstm(64).backend("scalar").build();
        Workload work = new Workload(model, model.newState(), 1);
        CallTimes service = CallTimes.service(work, 0.3, passed -> {
        });
        CallTimes open = CallTimes.openLoop(work, 1, 1e-6);
        assertEquals(1000, open.calls());
        assertTrue(open.max() > 300 * service.percentile(1), open.max() + " after " + service.percentile(1));
        assertTrue(open.percentile(50) > 100 * service.percentile(1), "half of them waited");
    }

    @Test
    void cachesAreThoseForData() throws IOException {
        cache("index0", "1", "Data", "48K");
        cache("index1", "1", "Instruction", "32K");
        cache("index2", "3", "Unified", "32M");
        cache("index3", "2", "Unified", "1024K");
        Files.writeString(directory.resolve("uevent"), "");
        Caches caches = Caches.in(directory);
        assertEquals(
                List.of(new Caches.Cache(1, 48 << 10), new Caches.Cache(2, 1 << 20), new Caches.Cache(3, 32 << 20)),
                caches.levels());
        assertEquals("L1", caches.levelOf(48 << 10));
        assertEquals("L2", caches.levelOf((48 << 10) + 1));
        assertEquals("L3", caches.levelOf(2 << 20));
        assertEquals("DRAM", caches.levelOf(33 << 20));
        assertTrue(caches.wholly(48 << 10) && caches.wholly(192 << 10) && caches.wholly(128 << 20));
        assertTrue(!caches.wholly(128 << 10) && !caches.wholly(2 << 20) && !caches.wholly(40 << 20));
        Caches unknown = Caches.in(directory.resolve("none"));
        assertEquals("unknown", unknown.levelOf(1));
        assertTrue(!unknown.wholly(1));
    }

    private void cache(String name, String level, String type, String size) throws IOException {
        Path index = Files.createDirectory(directory.resolve(name));
        Files.writeString(index.resolve("level"), level + "\n");
        Files.writeString(index.resolve("type"), type + "\n");
        Files.writeString(index.resolve("size"), size + "\n");
    }
}
