package dev.ostinato.onnx;

import dev.ostinato.formats.DType;
import dev.ostinato.formats.onnx.OnnxTypes;
import dev.ostinato.kernels.Function;
import dev.ostinato.onnx.RecurrentNode.Kind;

/** What there is: makes the operator of a node. */
final class Operators {
    private Operators() {
    }

    /** @throws IllegalArgumentException if there is none, or an attribute is wrong */
    static Operator create(Attributes attributes) {
        if (!attributes.node().domain().isEmpty()) {
            throw new IllegalArgumentException("expected an operator of ONNX, got one of another domain");
        }
        return switch (attributes.node().operator()) {
            case "RNN" -> new RecurrentOperator(Kind.RNN, attributes);
            case "LSTM" -> new RecurrentOperator(Kind.LSTM, attributes);
            case "GRU" -> new RecurrentOperator(Kind.GRU, attributes);

            case "MatMul" -> MatrixOperators.matMul();
            case "Gemm" -> MatrixOperators.gemm(attributes);
            case "Conv" -> MatrixOperators.conv(attributes);

            case "Add" -> BinaryOperators.add();
            case "Sub" -> BinaryOperators.subtract();
            case "Mul" -> BinaryOperators.multiply();
            case "Div" -> BinaryOperators.divide();
            case "Pow" -> BinaryOperators.power();
            case "Min" -> BinaryOperators.variadic(Math::min, Math::min);
            case "Max" -> BinaryOperators.variadic(Math::max, Math::max);
            case "Sum" -> BinaryOperators.variadic(Double::sum, Long::sum);
            case "And" -> BinaryOperators.ofBooleans((a, b) -> a & b);
            case "Or" -> BinaryOperators.ofBooleans((a, b) -> a | b);
            case "Xor" -> BinaryOperators.ofBooleans((a, b) -> a ^ b);
            case "Equal" -> BinaryOperators.compare(sign -> sign == 0);
            case "Greater" -> BinaryOperators.compare(sign -> sign > 0);
            case "GreaterOrEqual" -> BinaryOperators.compare(sign -> sign >= 0);
            case "Less" -> BinaryOperators.compare(sign -> sign < 0);
            case "LessOrEqual" -> BinaryOperators.compare(sign -> sign <= 0);
            case "Where" -> BinaryOperators.where();

            case "Exp" -> UnaryOperators.kernel(Function.EXP, Math::exp);
            case "Log" -> UnaryOperators.kernel(Function.LOG, Math::log);
            case "Tanh" -> UnaryOperators.kernel(Function.TANH, Math::tanh);
            case "Sigmoid" -> UnaryOperators.kernel(Function.SIGMOID, x -> 1 / (1 + Math.exp(-x)));
            case "Softplus" -> UnaryOperators.kernel(Function.SOFTPLUS,
                    x -> Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))));
            case "Relu" -> UnaryOperators.relu();
            case "LeakyRelu" -> UnaryOperators.leakyRelu(attributes.real("alpha", 0.01f));
            case "HardSigmoid" ->
                    UnaryOperators.hardSigmoid(attributes.real("alpha", 0.2f), attributes.real("beta", 0.5f));
            case "Elu" -> {
                float alpha = attributes.real("alpha", 1);
                yield UnaryOperators.of(x -> x < 0 ? alpha * Math.expm1(x) : x);
            }
            case "Softsign" -> UnaryOperators.of(x -> x / (1 + Math.abs(x)));
            case "Reciprocal" -> UnaryOperators.of(x -> 1 / x);
            case "Floor" -> UnaryOperators.of(Math::floor);
            case "Ceil" -> UnaryOperators.of(Math::ceil);
            case "Sqrt" -> UnaryOperators.sqrt();
            case "Neg" -> UnaryOperators.negate();
            case "Abs" -> UnaryOperators.abs();
            case "Not" -> UnaryOperators.not();
            case "Clip" -> UnaryOperators.clip(attributes);
            case "Cast" -> {
                attributes.ignore("saturate");
                yield UnaryOperators.cast(type(attributes, "to"));
            }

            case "Softmax" -> ReductionOperators.softmax(attributes, false);
            case "LogSoftmax" -> ReductionOperators.softmax(attributes, true);
            case "ReduceSum" -> ReductionOperators.reduce(attributes, 13, ReductionOperators::sum);
            case "ReduceMean" -> ReductionOperators.reduce(attributes, 18, ReductionOperators::mean);
            case "ReduceMax" -> ReductionOperators.reduce(attributes, 18, ReductionOperators::max);
            case "ReduceMin" -> ReductionOperators.reduce(attributes, 18, ReductionOperators::min);
            case "ReduceSumSquare" -> ReductionOperators.reduce(attributes, 18, ReductionOperators::sumOfSquares);
            case "ReduceL2" -> ReductionOperators.reduce(attributes, 18, ReductionOperators::norm);
            case "ArgMax" -> ReductionOperators.place(attributes, 1);
            case "ArgMin" -> ReductionOperators.place(attributes, -1);
            case "LayerNormalization" -> ReductionOperators.layerNorm(attributes);
            case "BatchNormalization" -> ReductionOperators.batchNorm(attributes);

            case "Constant" -> ShapeOperators.constant(attributes);
            case "ConstantOfShape" -> ShapeOperators.constantOfShape(attributes);
            case "Range" -> ShapeOperators.range();
            case "Shape" -> ShapeOperators.shape(attributes);
            case "Size" -> ShapeOperators.size();
            case "Identity" -> ShapeOperators.identity();
            case "Dropout" -> ShapeOperators.dropout(attributes);
            case "Reshape" -> ShapeOperators.reshape(attributes);
            case "Flatten" -> ShapeOperators.flatten(attributes);
            case "Squeeze" -> ShapeOperators.squeeze(attributes);
            case "Unsqueeze" -> ShapeOperators.unsqueeze(attributes);
            case "Transpose" -> ShapeOperators.transpose(attributes);
            case "Expand" -> ShapeOperators.expand();
            case "Tile" -> ShapeOperators.tile();
            case "Slice" -> ShapeOperators.slice(attributes);
            case "Split" -> ShapeOperators.split(attributes);
            case "Concat" -> ShapeOperators.concat(attributes);
            case "Gather" -> ShapeOperators.gather(attributes);
            case "Pad" -> ShapeOperators.pad(attributes);
            default -> throw new IllegalArgumentException("expected an operator that is supported");
        };
    }

    private static DType type(Attributes attributes, String name) {
        int number = attributes.integer(name, 0);
        return OnnxTypes.of(number)
                .orElseThrow(() -> attributes.problem(name, "the number of a type that is supported", number));
    }
}
