package dev.ostinato.bench;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import dev.ostinato.nn.CellType;
import java.util.Map;

/**
 * Measures one streaming step in Ostinato and in ONNX Runtime, in one virtual machine and in turns, a block of steps each, so that both
 * see the same machine; prints one line of JSON. Mean times come from the clock around whole blocks; quantiles from blocks of their
 * own, in which every step is timed and therefore includes reading the clock once.
 */
public final class StepComparison {
    /** Steps that are compared before anything is measured. */
    static final int CHECKED = 100;
    static final double TOLERANCE = 1e-5;
    private static final double NANOS = 1e9;

    private StepComparison() {
    }

    /** One side. */
    private interface Stream {
        float[] step() throws OrtException;
    }

    static void main(String[] args) throws OrtException {
        Options options = new Options(args, Map.of("cell", "lstm", "hidden", "128", "backend", "vector", "blocks", "20", "block",
                "20000", "warmup", "5"));
        CellType cell = CellType.of(options.text("cell"));
        int hidden = options.count("hidden");
        String backend = options.text("backend");
        CellCalls.Shape shape = CellCalls.Shape.step(cell, hidden);
        try (OnnxRuntimeCalls peer = new OnnxRuntimeCalls(shape, 1)) {
            peer.checkAgainst(new CellCalls(shape, backend), CHECKED, TOLERANCE);
            CellCalls ours = new CellCalls(shape, backend);
            JsonLine line = new JsonLine().put("kind", "step").put("cell", cell.label()).put("hidden", hidden)
                    .put("backend", backend).put("peer", "ONNX Runtime " + OrtEnvironment.getEnvironment().getVersion())
                    .put("unit", "ns");
            System.out.println(measure(ours::call, peer::call, options, line));
        }
    }

    private static JsonLine measure(Stream ours, Stream peer, Options options, JsonLine line) throws OrtException {
        int blocks = options.count("blocks");
        int block = options.count("block");
        warmUp(ours, options.seconds("warmup"));
        warmUp(peer, options.seconds("warmup"));

        double[] ourMeans = new double[blocks];
        double[] peerMeans = new double[blocks];
        double[] ratios = new double[blocks];
        for (int i = 0; i < blocks; i++) {
            ourMeans[i] = mean(ours, block);
            peerMeans[i] = mean(peer, block);
            ratios[i] = peerMeans[i] / ourMeans[i];
        }

        int timed = Math.ceilDiv(blocks, 4); // 50000 steps and more give a p99.9
        double[] ourTimes = new double[timed * block];
        double[] peerTimes = new double[timed * block];
        for (int i = 0; i < timed; i++) {
            time(ours, ourTimes, i * block, block);
            time(peer, peerTimes, i * block, block);
        }
        put(line, "ostinato", new Samples(ourMeans), new Samples(ourTimes));
        put(line, "peer", new Samples(peerMeans), new Samples(peerTimes));
        Samples ratio = new Samples(ratios);
        return line.put("ratio", ratio.median()).put("ratioMin", ratio.min()).put("ratioMax", ratio.max())
                .put("blocks", blocks).put("block", block);
    }

    private static void put(JsonLine line, String side, Samples means, Samples times) {
        line.put(side + "Median", means.median()).put(side + "Min", means.min()).put(side + "Max", means.max())
                .put(side + "P50", times.quantile(0.5)).put(side + "P99", times.quantile(0.99))
                .put(side + "P999", times.quantile(0.999));
    }

    private static void warmUp(Stream stream, double seconds) throws OrtException {
        long end = System.nanoTime() + (long) (seconds * NANOS);
        while (System.nanoTime() < end) {
            mean(stream, 100);
        }
    }

    /** Returns the nanoseconds of a step, on average over a block. */
    private static double mean(Stream stream, int steps) throws OrtException {
        long start = System.nanoTime();
        for (int i = 0; i < steps; i++) {
            stream.step();
        }
        return (double) (System.nanoTime() - start) / steps;
    }

    /** Writes the nanoseconds of each of some steps. */
    private static void time(Stream stream, double[] times, int from, int steps) throws OrtException {
        long last = System.nanoTime();
        for (int i = 0; i < steps; i++) {
            stream.step();
            long now = System.nanoTime();
            times[from + i] = now - last;
            last = now;
        }
    }
}
