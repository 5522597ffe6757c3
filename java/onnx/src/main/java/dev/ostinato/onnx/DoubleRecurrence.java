package dev.ostinato.onnx;

import dev.ostinato.nn.Layer.Direction;
import dev.ostinato.onnx.RecurrentOperator.Places;
import dev.ostinato.onnx.RecurrentOperator.RecurrentInputs;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A recurrent node in double precision, as ONNX writes its equations: for F64, for weights that are computed, and for functions that the kernels
 * do not have. Plain loops, gates in the order of ONNX; f is clipped like all of them:
 *
 * <pre>
 * RNN    h' = f(W x + Wb + R h + Rb)
 * GRU    z = f(Wz x + Wbz + Rz h + Rbz);   r likewise;   h' = (1 - z) * n + z * h
 *        n = g(Wh x + Wbh + Rh (r * h) + Rbh), or with linear_before_reset g(Wh x + Wbh + r * (Rh h + Rbh))
 * LSTM   i = f(Wi x + Wbi + Ri h + Rbi + Pi * c);   f likewise, or with input_forget 1 - i;   n = g(Wc x + Wbc + Rc h + Rbc)
 *        c' = f * c + i * n;   o = f(Wo x + Wbo + Ro h + Rbo + Po * c');   h' = o * h(c')</pre>
 */
final class DoubleRecurrence implements Runnable {
    private final RecurrentNode node;
    private final RecurrentInputs in;
    private final Places places;
    private final List<Value> outputs;
    private final int hidden;
    private final int[] lengths;
    private final double[] h;
    private final double[] c;
    /** r * h of a GRU. */
    private final double[] reset;
    /** W x + Wb and R h + Rb of all gates. */
    private final double[] fromInput;
    private final double[] fromState;

    DoubleRecurrence(RecurrentNode node, RecurrentInputs in, List<Value> outputs) {
        this.node = node;
        this.in = in;
        this.places = Places.of(node, in);
        this.outputs = outputs;
        this.hidden = in.hidden();
        this.lengths = new int[in.rows()];
        this.h = new double[hidden];
        this.c = new double[hidden];
        this.reset = new double[hidden];
        this.fromInput = new double[node.kind().gates * hidden];
        this.fromState = new double[node.kind().gates * hidden];
    }

    @Override
    public void run() {
        in.readLengths(lengths);
        for (int way = 0; way < places.ways(); way++) {
            for (int b = 0; b < places.rows(); b++) {
                run(way, b);
            }
        }
    }

    private void run(int way, int b) {
        boolean reverse = node.ways().get(way).direction() == Direction.REVERSE;
        for (int j = 0; j < hidden; j++) {
            h[j] = lengths[b] == 0 ? 0 : number(in.h(), places.state(way, b) + j);
            c[j] = lengths[b] == 0 ? 0 : number(in.c(), places.state(way, b) + j);
        }
        for (int k = 0; k < places.steps(); k++) {
            boolean there = k < lengths[b];
            int t = there && reverse ? lengths[b] - 1 - k : k;
            if (there) {
                step(way, places.x(t, b));
            }
            for (int j = 0; j < hidden; j++) {
                outputs.getFirst().setNumber(places.y(t, way, b) + j, there ? h[j] : 0);
            }
        }
        for (int j = 0; j < hidden; j++) {
            outputs.get(1).setNumber(places.state(way, b) + j, h[j]);
            if (outputs.size() > 2) {
                outputs.get(2).setNumber(places.state(way, b) + j, c[j]);
            }
        }
    }

    private void step(int way, int x) {
        int gates = node.kind().gates;
        for (int j = 0; j < gates * hidden; j++) {
            int row = way * gates * hidden + j;
            fromInput[j] = number(in.b(), 2 * way * gates * hidden + j);
            for (int i = 0; i < places.inputs(); i++) {
                fromInput[j] += in.w().number(row * places.inputs() + i) * in.x().number(x + i);
            }
            fromState[j] = recurrent(way, j, h);
        }
        switch (node.kind()) {
            case RNN -> rnn(way);
            case GRU -> gru(way);
            case LSTM -> lstm(way);
        }
    }

    /** Returns row {@code j} of R v + Rb. */
    private double recurrent(int way, int j, double[] v) {
        int gates = node.kind().gates;
        int row = way * gates * hidden + j;
        double sum = number(in.b(), (2 * way + 1) * gates * hidden + j);
        for (int i = 0; i < hidden; i++) {
            sum += in.r().number(row * hidden + i) * v[i];
        }
        return sum;
    }

    private void rnn(int way) {
        for (int j = 0; j < hidden; j++) {
            h[j] = function(way, 0, fromInput[j] + fromState[j]);
        }
    }

    private void gru(int way) {
        for (int j = 0; j < 2 * hidden; j++) { // z, then r
            fromInput[j] = function(way, 0, fromInput[j] + fromState[j]);
        }
        for (int j = 0; j < hidden; j++) {
            reset[j] = fromInput[hidden + j] * h[j];
        }
        for (int j = 0; j < hidden; j++) {
            int n = 2 * hidden + j;
            double state = node.linearBeforeReset() ? fromInput[hidden + j] * fromState[n] : recurrent(way, n, reset);
            fromInput[n] = function(way, 1, fromInput[n] + state);
        }
        for (int j = 0; j < hidden; j++) {
            h[j] = (1 - fromInput[j]) * fromInput[2 * hidden + j] + fromInput[j] * h[j];
        }
    }

    private void lstm(int way) {
        for (int j = 0; j < hidden; j++) {
            double i = function(way, 0, sum(j) + peephole(way, 0, j) * c[j]);
            double f = node.inputForget() ? 1 - i
                    : function(way, 0, sum(2 * hidden + j) + peephole(way, 2, j) * c[j]);
            double n = function(way, 1, sum(3 * hidden + j));
            c[j] = f * c[j] + i * n;
            double o = function(way, 0, sum(hidden + j) + peephole(way, 1, j) * c[j]);
            h[j] = o * node.ways().get(way).functions().get(2).value(c[j]);
        }
    }

    private double sum(int j) {
        return fromInput[j] + fromState[j];
    }

    private double peephole(int way, int gate, int j) {
        return number(in.peepholes(), (3 * way + gate) * hidden + j);
    }

    private double function(int way, int number, double z) {
        double clip = node.clip();
        return node.ways().get(way).functions().get(number).value(Math.clamp(z, -clip, clip));
    }

    private static double number(@Nullable Value value, int i) {
        return value == null ? 0 : value.number(i);
    }
}
