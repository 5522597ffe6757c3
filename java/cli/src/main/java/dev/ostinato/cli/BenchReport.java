package dev.ostinato.cli;

import dev.ostinato.kernels.Backend;
import dev.ostinato.nn.Model;
import java.io.PrintStream;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What a measurement found, per step of all rows, beside what the machine allows.
 *
 * @param model its file, or what it is made of
 * @param measuring the backend by which the rates were measured
 * @param open times at a load of {@code openPercent}, if asked for
 */
record BenchReport(String name, Model model, Backend backend, Backend measuring, StepWork work, StepWork.Rates rates,
        Caches caches, CallTimes service, @Nullable CallTimes open, @Nullable Double openPercent) {
    private static final double[] PERCENTILES = {50, 99, 99.9};
    private static final List<String> NAMES = List.of("p50", "p99", "p999");

    /** @throws Failure if the median beats a limit that nothing can beat: then the measurement is broken */
    void check() {
        if (share() > 1 && caches.wholly(work.bytesOfAThread())) {
            throw new Failure(String.format(Locale.ROOT,
                    "broken measurement: a step took %.1f ns, less than the limit of %.1f ns: %,d bytes"
                            + " from %s at %.1f GB/s, %.1f GFLOP/s; is the machine busy?",
                    perStep(service.percentile(50)), limit(),
                    work.sweptBytes(), caches.levelOf(work.bytesOfAThread()), rates.read() / 1e9,
                    rates.multiply() / 1e9));
        }
    }

    private double limit() {
        return work.limit(rates);
    }

    private double share() {
        return limit() / perStep(service.percentile(50));
    }

    private double perStep(double nanosOfCall) {
        return nanosOfCall / work.steps();
    }

    SequencedMap<String, Object> toMap() {
        SequencedMap<String, Object> map = new LinkedHashMap<>();
        map.put("model", name);
        map.put("layers", model.layers().stream().map(Object::toString).toList());
        map.put("backend", backend.name());
        map.put("isa", backend.isa());
        map.put("precision", Precisions.name(work.precision()));
        map.put("threads", work.threads());
        map.put("batch", work.rows());
        map.put("steps", work.steps());
        map.put("calls", service.calls());
        putTimes(map, service);
        map.put("steps_per_s", rounded(service.callsPerSecond() * work.steps()));
        map.put("alloc_bytes_per_step", service.allocatedPerCall() / work.steps());
        map.put("weight_bytes", work.weightBytes());
        map.put("swept_bytes", work.sweptBytes());
        map.put("level", caches.levelOf(work.bytesOfAThread()));
        map.put("wholly_in_level", caches.wholly(work.bytesOfAThread()));
        map.put("read_bytes_per_s", Math.round(rates.read()));
        map.put("fma_flops", Math.round(rates.multiply()));
        map.put("limits_by", measuring.name());
        map.put("limits_isa", measuring.isa());
        map.put("limit_ns", rounded(limit()));
        map.put("share_of_limit", Math.round(share() * 1e4) / 1e4);
        map.put("gc", collectors());
        if (open != null) {
            SequencedMap<String, Object> loop = new LinkedHashMap<>();
            loop.put("percent", openPercent);
            loop.put("calls", open.calls());
            putTimes(loop, open);
            map.put("open_loop", loop);
        }
        return map;
    }

    private void putTimes(SequencedMap<String, Object> map, CallTimes times) {
        for (int i = 0; i < PERCENTILES.length; i++) {
            map.put(NAMES.get(i) + "_ns", rounded(perStep(times.percentile(PERCENTILES[i]))));
        }
        map.put("max_ns", rounded(perStep(times.max())));
        map.put("mean_ns", rounded(perStep(times.mean())));
    }

    void print(PrintStream out) {
        double steps = service.callsPerSecond() * work.steps();
        out.printf(Locale.ROOT, "model        %s; %s, batch %d, %s%n", name,
                Precisions.name(work.precision()), work.rows(),
                work.steps() == 1 ? "single steps" : work.steps() + " steps a call");
        out.printf(Locale.ROOT, "backend      %s (%s), %d thread%s%n", backend.name(), backend.description(),
                work.threads(), work.threads() == 1 ? "" : "s");
        out.printf(Locale.ROOT, "weights      %,.0f KB a step and thread, in %s%s%n", work.bytesOfAThread() / 1024.0,
                caches.levelOf(work.bytesOfAThread()),
                caches.wholly(work.bytesOfAThread()) ? "" : ", and partly in a nearer cache");
        out.printf(Locale.ROOT, "             %12s %12s %12s %12s%n", "p50", "p99", "p99.9", "max");
        print(out, "ns per step", service);
        if (open != null) {
            print(out, String.format(Locale.ROOT, "at %.0f %% load", openPercent), open);
        }
        out.printf(Locale.ROOT, "limit        %,12.1f   for reading at %.1f GB/s, and %.1f GFLOP/s (%s, %s)%n", limit(),
                rates.read() / 1e9, rates.multiply() / 1e9, measuring.name(), measuring.isa());
        out.printf(Locale.ROOT, "share of it  %10.1f %%%n", 100 * share());
        out.printf(Locale.ROOT, "throughput   %,.0f steps/s, %,.0f rows/s%n", steps, steps * work.rows());
        out.printf(Locale.ROOT, "allocated    %.1f bytes/step%n", service.allocatedPerCall() / work.steps());
    }

    private void print(PrintStream out, String title, CallTimes times) {
        out.printf(Locale.ROOT, "%-12s %,12.1f %,12.1f %,12.1f %,12.1f%n", title,
                perStep(times.percentile(PERCENTILES[0])),
                perStep(times.percentile(PERCENTILES[1])), perStep(times.percentile(PERCENTILES[2])),
                perStep(times.max()));
    }

    private static double rounded(double value) {
        return Math.round(value * 10) / 10.0;
    }

    private static String collectors() {
        return ManagementFactory.getGarbageCollectorMXBeans().stream().map(GarbageCollectorMXBean::getName)
                .collect(Collectors.joining(", "));
    }
}
