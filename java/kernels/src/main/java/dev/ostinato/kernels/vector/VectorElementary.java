package dev.ostinato.kernels.vector;

import static dev.ostinato.kernels.scalar.Elementary.COTH_1;
import static dev.ostinato.kernels.scalar.Elementary.COTH_2;
import static dev.ostinato.kernels.scalar.Elementary.LN2_HIGH;
import static dev.ostinato.kernels.scalar.Elementary.LOG2_E;
import static dev.ostinato.kernels.scalar.Elementary.ROUND;
import static dev.ostinato.kernels.vector.Lanes.broadcast;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LT;

import dev.ostinato.kernels.scalar.Elementary;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/** What the cells' gradients take from {@link Elementary}, operation by operation, on whole vectors. */
final class VectorElementary {
    private static final int EXPONENT = 23;

    private VectorElementary() {
    }

    static FloatVector flush(FloatVector v) {
        return v.blend(0f, v.abs().compare(LT, Float.MIN_NORMAL));
    }

    static FloatVector tanh(FloatVector x) {
        IntVector sign = x.reinterpretAsInts().and(0x80000000);
        FloatVector a = x.abs();
        a = a.blend(10f, a.compare(GT, 10f));
        FloatVector t = a.fma(broadcast(2 * LOG2_E), broadcast(ROUND + 127));
        FloatVector n = t.sub(ROUND + 127);
        FloatVector r = n.fma(broadcast(-LN2_HIGH / 2), a);
        FloatVector s = t.reinterpretAsInts().lanewise(LSHL, EXPONENT).reinterpretAsFloats();
        FloatVector g = s.fma(broadcast(0.5f), broadcast(-0.5f));
        FloatVector u = r.mul(r);
        FloatVector v = u.fma(broadcast(COTH_2), broadcast(COTH_1));
        v = v.fma(u, broadcast(1f));
        FloatVector d = v.sub(r);
        FloatVector m = s.mul(r);
        m = g.fma(d, m);
        d = m.add(d);
        m = m.div(d);
        return m.reinterpretAsInts().or(sign).reinterpretAsFloats();
    }
}
