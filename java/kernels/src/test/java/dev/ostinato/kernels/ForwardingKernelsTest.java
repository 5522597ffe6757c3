package dev.ostinato.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is not overridden reaches the other kernels as it came. */
final class ForwardingKernelsTest {
    static List<Method> operations() {
        return List.of(KernelSet.class.getMethods());
    }

    @ParameterizedTest
    @MethodSource("operations")
    void anOperationIsPassedOn(Method operation) throws ReflectiveOperationException {
        List<String> calls = new ArrayList<>();
        KernelSet recording = (KernelSet) Proxy.newProxyInstance(KernelSet.class.getClassLoader(),
                new Class<?>[] {KernelSet.class}, (proxy, method, arguments) -> {
                    calls.add(method.getName() + Arrays.toString(arguments));
                    return method.getReturnType() == float.class ? 7f : null;
                });
        Object[] arguments = Arrays.stream(operation.getParameterTypes()).map(new Values()::next).toArray();
        Object result = operation.invoke(new ForwardingKernels(recording) {}, arguments);
        assertEquals(List.of(operation.getName() + Arrays.toString(arguments)), calls);
        assertEquals(operation.getReturnType() == float.class ? 7f : null, result);
    }

    /** A value of its own for each argument, told apart by how it prints. */
    private static final class Values {
        private int count = 1;

        @Nullable Object next(Class<?> type) {
            int n = ++count;
            if (type == Matrix.class) {
                return Matrix.of(n, n);
            } else if (type == PackedMatrix.class || type == PackedWeights.class) {
                return PackedMatrix.of(n, 1, n);
            } else if (type == Bf16Matrix.class) {
                return Bf16Matrix.of(PackedMatrix.of(n, 1, n));
            } else if (type == Int8Matrix.class) {
                return Int8Matrix.of(PackedMatrix.of(n, 1, n));
            } else if (type == QuantizedRows.class) {
                return QuantizedRows.of(n, n);
            } else if (type == Indices.class) {
                return Indices.of(n);
            } else if (type == Sweep.class) {
                return new Sweep(true, n, n + 1);
            } else if (type == AdamStep.class) {
                return AdamStep.at(n, 1e-3, 0.9, 0.999, 1e-8, 1f);
            } else if (type.isEnum()) {
                return type.getEnumConstants()[1];
            }
            return number(type, n);
        }

        private static @Nullable Object number(Class<?> type, int n) {
            if (type == boolean.class) {
                return true;
            } else if (type == int.class) {
                return n;
            } else if (type == long.class) {
                return (long) n;
            }
            return type == float.class ? (float) n : null;
        }
    }
}
