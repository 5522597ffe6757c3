package dev.ostinato.tests;

import static java.nio.ByteOrder.nativeOrder;
import static jdk.incubator.vector.VectorOperators.ADD;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.LT;
import static jdk.incubator.vector.VectorOperators.XOR;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorShape;

/**
 * Stands for other code in the virtual machine that computes with vectors, of another width than ours: from then on the profile of the Vector
 * API's methods, which all their callers share, says that they are called on those. One width is worse than several, which the profile gives up on.
 */
final class AnotherWidth {
    private static final int ROUNDS = 20_000;
    private static final int FLOATS = 64;
    /** Half of what is preferred, which is ours. */
    private static final VectorShape HALF =
            VectorShape.forBitSize(Math.min(FloatVector.SPECIES_PREFERRED.vectorBitSize(), 512) / 2);

    private AnotherWidth() {
    }

    /** Computes until the methods are profiled and compiled; returns what nobody needs. */
    static float compute() {
        float sum = 0;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment floats = arena.allocate(FLOATS * Float.BYTES, 64);
            for (int i = 0; i < ROUNDS; i++) {
                sum += floats(HALF, floats) + ints(HALF, floats);
            }
        }
        return sum;
    }

    private static float floats(VectorShape shape, MemorySegment floats) {
        var species = shape.withLanes(float.class);
        FloatVector sum = FloatVector.zero(species);
        for (int i = 0; i < FLOATS; i += species.length()) {
            FloatVector v = FloatVector.fromMemorySegment(species, floats, (long) i * Float.BYTES, nativeOrder());
            sum = sum.add(v).sub(v).fma(v, v).max(v).min(v).mul(v).div(2f).neg().abs().sqrt();
            sum = sum.blend(v, sum.compare(LT, v)).blend(1f, sum.compare(GT, 1f)).add(1f).mul(2f).sub(1f);
            sum = sum.reinterpretAsInts().and(-1).reinterpretAsFloats();
        }
        sum.intoMemorySegment(floats, 0, nativeOrder());
        return sum.reduceLanes(ADD);
    }

    private static int ints(VectorShape shape, MemorySegment floats) {
        IntVector sum = IntVector.zero(shape.withLanes(int.class));
        ShortVector product = ShortVector.zero(shape.withLanes(short.class));
        for (int i = 0; i < 4; i++) {
            product = product.mul(product).add(product).lanewise(LSHL, 8).lanewise(ASHR, 8);
            sum = sum.add(product.reinterpretAsInts()).sub(1).and(-1).lanewise(XOR, sum);
            sum = sum.lanewise(LSHL, 1).lanewise(ASHR, 1).lanewise(LSHR, 1);
        }
        sum.intoMemorySegment(floats, 0, nativeOrder());
        return sum.reduceLanes(ADD);
    }
}
