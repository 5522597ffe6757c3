package dev.ostinato.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.kernels.raw.Probe;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The probes do all of their work, and the limits are made of it. */
class LimitsTest {
    static List<Backend> probed() {
        return Backends.all().stream().filter(b -> b instanceof Probe.Source && b.status().available()).toList();
    }

    @ParameterizedTest
    @MethodSource("probed")
    void everyFloatIsReadInEveryRound(Backend backend) {
        SplittableRandom random = new SplittableRandom(1);
        for (int floats : new int[] {256, 1280}) {
            Memory x = Memory.ofFloats(floats);
            Memory sums = Memory.ofFloats(16);
            int[] expected = new int[16];
            for (int j = 0; j < 16; j++) {
                sums.setInt(j, random.nextInt());
                expected[j] = sums.getInt(j);
            }
            for (int i = 0; i < floats; i++) {
                x.setInt(i, random.nextInt());
                expected[i % 16] += 3 * x.getInt(i);
            }
            ((Probe.Source) backend).probe().reads(3, x.address(), floats, sums.address());
            for (int j = 0; j < 16; j++) {
                assertEquals(expected[j], sums.getInt(j));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("probed")
    void everyProductIsComputed(Backend backend) {
        SplittableRandom random = new SplittableRandom(2);
        Memory x = Memory.ofFloats(Probe.PRODUCT_FLOATS);
        float[] expected = new float[Probe.PRODUCT_FLOATS];
        for (int i = 0; i < expected.length; i++) {
            expected[i] = (float) random.nextDouble(-1, 1);
            x.setFloat(i, expected[i]);
            for (int r = 0; r < 5; r++) {
                expected[i] = Math.fma(expected[i], 0.7f, 0.7f);
            }
        }
        ((Probe.Source) backend).probe().products(5, 0.7f, x.address());
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], x.getFloat(i));
        }
    }

    /** A round costs time: no compiler has found a way around it. */
    @ParameterizedTest
    @MethodSource("probed")
    void everyRoundIsRun(Backend backend) {
        Probe probe = ((Probe.Source) backend).probe();
        Memory x = Memory.ofFloats(1 << 12);
        Memory sums = Memory.ofFloats(16);
        assertTakesRounds(rounds -> probe.reads(rounds, x.address(), 1 << 12, sums.address()));
        assertTakesRounds(rounds -> probe.products(16 * rounds, 0.9f, x.address()));
        x.setFloat(0, 1);
    }

    private static void assertTakesRounds(IntConsumer call) {
        for (int i = 0; i < 3_000; i++) {
            call.accept(10);
        }
        long few = Long.MAX_VALUE;
        long many = Long.MAX_VALUE;
        for (int i = 0; i < 50; i++) {
            few = Math.min(few, time(call, 20));
            many = Math.min(many, time(call, 20 * 32));
        }
        assertTrue(many > 8 * few, few + " ns for 20 rounds, " + many + " ns for 32 times as many");
    }

    private static long time(IntConsumer call, int rounds) {
        long start = System.nanoTime();
        call.accept(rounds);
        return System.nanoTime() - start;
    }

    @Test
    void theFastestBackendMeasures() {
        Limits limits = Limits.here();
        assertEquals(probed().getFirst().name(), limits.backend().name());
        // Within three powers of ten of any machine.
        double rate = limits.readRate(100_000);
        assertTrue(rate > 1e8 && rate < 1e13, () -> rate + " bytes/s");
        double peak = limits.fmaPeak();
        assertTrue(peak > 1e8 && peak < 1e13, () -> peak + " FLOP/s");
        assertTrue(assertThrows(IllegalArgumentException.class, () -> limits.readRate(0)).getMessage()
                .contains("bytes: expected >= 1, got 0"));
    }
}
