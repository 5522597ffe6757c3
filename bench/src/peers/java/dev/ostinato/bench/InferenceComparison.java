package dev.ostinato.bench;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.Precision;
import dev.ostinato.nn.Team;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Measures one regime of inference, T steps of B streams a call, at every precision and number of threads, beside ONNX Runtime with as many
 * threads: all in one virtual machine and in turns, some milliseconds each, so that all see the same machine. Prints one line of JSON for
 * each contestant, with the ratio to ONNX Runtime of as many threads, round by round.
 */
public final class InferenceComparison {
    private static final double TOLERANCE = 1e-4;
    private static final double NANOS = 1e9;
    /** The share of a turn that is not measured: threads of the one before go to sleep, caches fill. */
    private static final double LEAD = 0.2;

    private InferenceComparison() {
    }

    private interface Call {
        float[] run() throws OrtException;
    }

    /** Computes for some seconds, and returns the nanoseconds of a call. */
    private interface Turn {
        double take(double seconds) throws OrtException;
    }

    /** One way to compute the same. */
    private record Contestant(String engine, String precision, int threads, long stepBytes, Turn turn) {}

    static void main(String[] args) throws OrtException {
        Options options = new Options(args, Map.of("cell", "lstm", "hidden", "128", "steps", "1", "rows", "1", "backend",
                "native", "threads", "2", "rounds", "10", "turn", "0.05", "warmup", "1"));
        CellCalls.Shape shape = new CellCalls.Shape(CellType.of(options.text("cell")), options.count("hidden"),
                options.count("steps"), options.count("rows"));
        int threads = options.count("threads");
        List<Contestant> contestants = new ArrayList<>();
        OnnxRuntimeCalls[] peers = new OnnxRuntimeCalls[threads];
        for (int i = 0; i < threads; i++) {
            OnnxRuntimeCalls peer = new OnnxRuntimeCalls(shape, i + 1);
            peers[i] = peer;
            peer.checkAgainst(new CellCalls(shape, options.text("backend")), 3, TOLERANCE);
            for (Precision precision : Precision.values()) {
                contestants.add(ours(shape, options.text("backend"), precision, i + 1));
            }
            // Last: its threads go on looking for work for a while, and whoever comes next with as many would have too few cores.
            contestants.add(
                    new Contestant("ONNX Runtime", "f32", i + 1, 0, seconds -> measure(peer::call, seconds)));
        }
        double[][] nanos = measure(contestants, options);
        for (int i = 0; i < nanos.length; i++) {
            int group = nanos.length / threads;
            int peer = i / group * group + group - 1; // the last of as many threads
            System.out.println(line(shape, contestants.get(i), nanos[i], nanos[peer]));
        }
        for (OnnxRuntimeCalls peer : peers) {
            peer.close();
        }
    }

    private static Contestant ours(CellCalls.Shape shape, String backend, Precision precision, int threads) {
        Model model = shape.model().withBackend(backend).withPrecision(precision);
        return new Contestant(backend, precision.name().toLowerCase(Locale.ROOT), threads, model.stepBytes(), seconds -> {
            try (Team team = Team.of(threads)) { // no longer than it computes: its threads would take the cores of the others
                return measure(new CellCalls(shape, model, team)::call, seconds);
            }
        });
    }

    private static double[][] measure(List<Contestant> contestants, Options options) throws OrtException {
        for (Contestant contestant : contestants) {
            contestant.turn.take(options.seconds("warmup"));
        }
        double[][] nanos = new double[contestants.size()][options.count("rounds")];
        for (int round = 0; round < options.count("rounds"); round++) {
            for (int i = 0; i < nanos.length; i++) {
                nanos[i][round] = contestants.get(i).turn.take(options.seconds("turn"));
            }
        }
        return nanos;
    }

    private static double measure(Call call, double seconds) throws OrtException {
        mean(call, seconds * LEAD);
        return mean(call, seconds);
    }

    private static double mean(Call call, double seconds) throws OrtException {
        long start = System.nanoTime();
        long taken;
        int calls = 0;
        do {
            call.run();
            calls++;
            taken = System.nanoTime() - start;
        } while (taken < seconds * NANOS);
        return (double) taken / calls;
    }

    private static JsonLine line(CellCalls.Shape shape, Contestant contestant, double[] nanos, double[] peerNanos) {
        double[] ratios = new double[nanos.length];
        for (int i = 0; i < ratios.length; i++) {
            ratios[i] = peerNanos[i] / nanos[i];
        }
        Samples times = new Samples(nanos);
        Samples ratio = new Samples(ratios);
        return new JsonLine().put("kind", "inference").put("cell", shape.cell().label()).put("hidden", shape.hidden())
                .put("steps", shape.steps()).put("rows", shape.rows()).put("engine", contestant.engine)
                .put("peer", "ONNX Runtime " + OrtEnvironment.getEnvironment().getVersion())
                .put("precision", contestant.precision).put("threads", contestant.threads)
                .put("stepBytes", contestant.stepBytes).put("unit", "ns").put("median", times.median())
                .put("min", times.min()).put("max", times.max()).put("ratio", ratio.median())
                .put("ratioMin", ratio.min()).put("ratioMax", ratio.max());
    }
}
