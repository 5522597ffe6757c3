package dev.ostinato.openblas;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.ostinato.kernels.Backend;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.PackedMatrix;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Threads: those of the library, and those of the callers. */
final class OpenBlasBackendTest {
    /** Loads the backend on a thread with a name, computes, and prints how many threads of the system have that name. */
    static final class CountThreads {
        private static final Path TASKS = Path.of("/proc/self/task");

        public static void main(String[] arguments) throws Exception {
            Thread thread = new Thread(CountThreads::run, "loading");
            thread.start();
            thread.join();
        }

        private static void run() {
            Backend backend = new OpenBlasBackend();
            if (!backend.status().available()) {
                throw new IllegalStateException(backend.status().reason());
            }
            product(Kernels.of(backend), 1, 300);
            try (Stream<Path> tasks = Files.list(TASKS)) {
                long count = tasks.filter(task -> name(task).equals("loading")).count();
                System.out.println(count + " " + backend.description());
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        }

        private static String name(Path task) {
            try {
                return Files.readString(task.resolve("comm")).strip();
            } catch (IOException e) {
                return ""; // it has ended
            }
        }
    }

    @BeforeAll
    static void assumeThatThereIsALibrary() {
        Backend.Status status = new OpenBlasBackend().status();
        assumeTrue(status.available(), status.reason());
    }

    /** A thread that native code starts has the name of the one that starts it. */
    @Test
    void oneThreadMeansThatOpenBlasHasNone() throws Exception {
        assumeTrue(Files.exists(CountThreads.TASKS), "no /proc");
        String printed = countThreads(1);
        assertTrue(printed.matches("1 .*JavaCPP.*, OpenBLAS 0[.].*, 1 thread"), printed);
    }

    /** That the count above would show them. */
    @Test
    void twoThreadsAreTheCallersAndOneMore() throws Exception {
        assumeTrue(Files.exists(CountThreads.TASKS), "no /proc");
        assumeTrue(Runtime.getRuntime().availableProcessors() == 2, "OpenBLAS starts as many as there are processors");
        String printed = countThreads(2);
        assertTrue(printed.matches("2 .*, 2 threads"), printed);
    }

    private static String countThreads(int threads) throws Exception {
        ProcessBuilder builder = new ProcessBuilder(System.getProperty("java.home") + "/bin/java", "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED", "-Dostinato.blas.threads=" + threads, "-cp",
                System.getProperty("java.class.path"), CountThreads.class.getName());
        builder.environment().keySet().removeIf(name -> name.matches("(OPENBLAS|GOTO|OMP)_NUM_THREADS"));
        Process process = builder.redirectError(ProcessBuilder.Redirect.INHERIT).start();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        assertEquals(0, process.waitFor(), printed);
        return printed;
    }

    /** Few rows and many, so that threads hold scratch of different sizes. */
    @Test
    void callersOnManyThreadsDoNotDisturbEachOther() throws Exception {
        Kernels kernels = Kernels.of(new OpenBlasBackend());
        int[] rows = {1, 2, 33, 64, 65, 100};
        List<Future<float[][]>> results = new ArrayList<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            for (int i = 0; i < 120; i++) {
                int seed = i % rows.length;
                results.add(threads.submit(() -> product(kernels, seed, rows[seed])));
            }
        }
        for (int i = 0; i < results.size(); i++) {
            int seed = i % rows.length;
            assertArrayEquals(product(kernels, seed, rows[seed]), results.get(i).get());
        }
    }

    private static float[][] product(Kernels kernels, long seed, int rows) {
        SplittableRandom random = new SplittableRandom(seed);
        Matrix a = Matrix.of(rows, 80);
        PackedMatrix w = PackedMatrix.of(80, 4, 50);
        for (int k = 0; k < 80; k++) {
            for (int r = 0; r < rows; r++) {
                a.set(r, k, (float) random.nextGaussian());
            }
            for (int j = 0; j < 200; j++) {
                w.set(k, j / 50, j % 50, (float) random.nextGaussian());
            }
        }
        Matrix out = Matrix.of(rows, w.outputs());
        kernels.multiplyAdd(a, w, out);
        return out.toArray();
    }
}
