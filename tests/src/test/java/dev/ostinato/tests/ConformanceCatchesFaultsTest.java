package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.kernels.KernelSet;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import dev.ostinato.kernels.PackedMatrix;
import dev.ostinato.kernels.QuantizedRows;
import dev.ostinato.tests.Conformance.Case;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The comparison of {@link ConformanceTest} reports what it is there to report: faults planted into the scalar kernels. */
final class ConformanceCatchesFaultsTest {
    private static final Map<String, List<Case>> CASES = ConformanceCases.all();
    private static final KernelSet SCALAR = Conformance.scalar().kernels();
    private static final Kernels EXPECTED = Kernels.of(Conformance.scalar());

    /** Calls an operation of the scalar kernels, wrongly. */
    @FunctionalInterface
    private interface Fault {
        Object call(Method operation, Object[] arguments) throws ReflectiveOperationException;
    }

    private static Kernels faulty(String operation, Fault fault) {
        Object proxy = Proxy.newProxyInstance(KernelSet.class.getClassLoader(), new Class<?>[] {KernelSet.class},
                (self, method, arguments) -> method.getName().equals(operation)
                        ? fault.call(method, arguments)
                        : right(method, arguments));
        return Conformance.checked((KernelSet) proxy);
    }

    private static Object right(Method operation, Object[] arguments) throws ReflectiveOperationException {
        try {
            return operation.invoke(SCALAR, arguments);
        } catch (InvocationTargetException e) {
            throw new AssertionError(e.getCause());
        }
    }

    private static Stream<String> operations() {
        return CASES.keySet().stream();
    }

    @Test
    void rightKernelsAreNotReported() {
        for (List<Case> cases : CASES.values()) {
            Case c = cases.getLast();
            assertEquals(List.of(), Conformance.differences(EXPECTED, faulty("", (o, a) -> right(o, a)), List.of(c)));
        }
    }

    @ParameterizedTest
    @MethodSource("operations")
    void oneUnitInTheLastPlaceOfOneElement(String operation) {
        int planted = 0;
        for (Case c : CASES.get(operation)) {
            OneBit fault = new OneBit();
            List<String> found = Conformance.differences(EXPECTED, faulty(operation, fault), c, Inputs.NORMAL);
            if (fault.planted) {
                planted++;
                assertEquals(1, found.size(), () -> c.name() + " reported " + found);
            }
        }
        assertTrue(planted > 0, "nothing was planted");
    }

    /** Computes rightly, then flips the last bit of the last float that has changed. */
    private static final class OneBit implements Fault {
        private boolean planted;

        @Override
        public Object call(Method operation, Object[] arguments) throws ReflectiveOperationException {
            List<Memory> memories = new ArrayList<>();
            List<Memory> before = new ArrayList<>();
            for (Object argument : arguments) {
                if (argument instanceof Matrix matrix) {
                    memories.add(matrix.memory());
                } else if (argument instanceof PackedMatrix matrix) {
                    memories.add(matrix.memory());
                } else if (argument instanceof QuantizedRows rows) {
                    memories.add(rows.memory());
                }
            }
            memories.forEach(memory -> before.add(memory.copy()));
            Object result = right(operation, arguments);
            if (result instanceof Float sum) {
                planted = true;
                return Math.nextUp(sum);
            }
            for (int i = 0; i < memories.size() && !planted; i++) {
                planted = flip(memories.get(i), before.get(i));
            }
            return result;
        }

        private static boolean flip(Memory memory, Memory before) {
            for (long i = memory.floats() - 1; i >= 0; i--) {
                if (memory.getInt(i) != before.getInt(i) && Float.isFinite(memory.getFloat(i))) {
                    memory.setInt(i, memory.getInt(i) ^ 1);
                    return true;
                }
            }
            return false;
        }
    }

    @Test
    void swappedGates() {
        caught("lstmForward", Inputs.NORMAL, (operation, arguments) -> {
            Matrix z = (Matrix) arguments[2];
            int units = z.columns() / 4;
            for (int r = 0; r < z.rows(); r++) {
                float[] row = z.row(r);
                float[] swapped = row.clone();
                System.arraycopy(row, 0, swapped, units, units);
                System.arraycopy(row, units, swapped, 0, units);
                z.setRow(r, swapped);
            }
            return right(operation, arguments);
        });
    }

    @Test
    void aWriteOneFloatPastARow() {
        caught("apply", Inputs.NORMAL, (operation, arguments) -> {
            Object result = right(operation, arguments);
            Matrix y = (Matrix) arguments[2];
            long behind = (y.address() - y.memory().address()) / Float.BYTES + y.columns();
            y.memory().setFloat(behind, 0f);
            return result;
        });
    }

    @Test
    void aWriteToAnInput() {
        caught("columnSums", Inputs.NORMAL, (operation, arguments) -> {
            Object result = right(operation, arguments);
            ((Matrix) arguments[0]).set(0, 0, 7f);
            return result;
        });
    }

    @Test
    void aReadOneFloatPastARow() {
        caught("sumOfSquares", Inputs.NORMAL, (operation, arguments) -> {
            arguments[0] = longer((Matrix) arguments[0], 0);
            return right(operation, arguments);
        });
    }

    /** A maximum passes over NaNs, so only margins of infinities tell. */
    @Test
    void aMaximumOverOneFloatPastARow() {
        Fault fault = (operation, arguments) -> {
            Matrix x = (Matrix) arguments[0];
            Object result = right(operation, arguments);
            Matrix y = (Matrix) arguments[1];
            for (int r = 0; r < x.rows(); r++) {
                if (longer(x, r).get(0, x.columns()) > 1e30f) {
                    y.set(r, 0, Float.NaN);
                }
            }
            return result;
        };
        Case c = CASES.get("softmax").stream().filter(s -> s.name().contains("(1, 17)")).findFirst().orElseThrow();
        assertEquals(List.of(), Conformance.differences(EXPECTED, faulty("softmax", fault), c, Inputs.NORMAL));
        assertFalse(Conformance.differences(EXPECTED, faulty("softmax", fault), List.of(c)).isEmpty());
    }

    /** Returns a row and the float behind it. */
    private static Matrix longer(Matrix x, int row) {
        long first = (x.rowAddress(row) - x.memory().address()) / Float.BYTES;
        return Matrix.wrap(x.memory(), first, 1, x.columns() + 1, x.columns() + 1);
    }

    private static void caught(String operation, Inputs inputs, Fault fault) {
        for (Case c : CASES.get(operation)) {
            if (c.name().contains("(1, 16)") || c.name().contains("(2, 48)") || c.name().contains("(2, 130)")) {
                assertFalse(Conformance.differences(EXPECTED, faulty(operation, fault), c, inputs).isEmpty(), c.name());
            }
        }
    }
}
