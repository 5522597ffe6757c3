"""Writes the goldens of OnnxNodesTest: the tests that ONNX itself publishes for the operators that are computed here.

    python tests/src/test/goldens/onnx_nodes.py

Made with onnx 1.23 and safetensors. The definitions are in the package (onnx.backend.test.case.node): a node, inputs and outputs, which NumPy computes. They are in
onnx-nodes.safetensors as `TEST.node`, the file as bytes, and `TEST.in.NAME` and `TEST.out.NAME`. Tests with types that graphs are not computed with are left out,
and so are large ones.
"""

import pathlib

import numpy as np
from onnx.backend.test.case.node import collect_testcases
from safetensors.numpy import save_file

FILE = pathlib.Path(__file__).parents[1] / "resources" / "goldens" / "onnx-nodes.safetensors"
OPERATORS = """
RNN LSTM GRU MatMul Gemm Conv Add Sub Mul Div Pow Min Max Sum And Or Xor Equal Greater GreaterOrEqual Less LessOrEqual Where Exp Log Tanh Sigmoid
Softplus Relu LeakyRelu HardSigmoid Elu Softsign Reciprocal Floor Ceil Sqrt Neg Abs Not Clip Cast Softmax LogSoftmax ReduceSum ReduceMean ReduceMax
ReduceMin ReduceSumSquare ReduceL2 ArgMax ArgMin LayerNormalization BatchNormalization Constant ConstantOfShape Range Shape Size Identity Dropout
Reshape Flatten Squeeze Unsqueeze Transpose Expand Tile Slice Split Concat Gather Pad If
""".split()
TYPES = {np.dtype(t) for t in ("float32", "float64", "int64", "int32", "bool")}
NEWEST_OPSET = 22
# Training, two axes, and a maximum of nothing.
LEFT_OUT = """
test_batchnorm_epsilon_training_mode test_batchnorm_example_training_mode test_basic_conv_with_padding test_basic_conv_without_padding
test_conv_with_autopad_same test_conv_with_strides_and_asymmetric_padding test_conv_with_strides_no_padding test_conv_with_strides_padding
test_reduce_max_empty_set test_reduce_max_empty_set_bool test_reduce_min_empty_set
""".split()


def main():
    arrays = {}
    for case in collect_testcases(None):
        nodes = case.model.graph.node
        if len(nodes) != 1 or nodes[0].op_type not in OPERATORS:
            continue
        ((inputs, outputs),) = case.data_sets
        if not all(isinstance(array, np.ndarray) and array.dtype in TYPES and array.size <= 200 for array in [*inputs, *outputs]):
            continue
        if case.name in LEFT_OUT or case.model.opset_import[0].version < 7:
            continue
        # Newer than what is read; the operators are those of the opset that is.
        for opset in case.model.opset_import:
            opset.version = min(opset.version, NEWEST_OPSET)
        arrays[f"{case.name}.node"] = np.frombuffer(case.model.SerializeToString(), np.uint8)
        graph = case.model.graph
        arrays |= {f"{case.name}.in.{info.name}": np.ascontiguousarray(array).reshape(array.shape) for info, array in zip(graph.input, inputs)}
        arrays |= {f"{case.name}.out.{info.name}": np.ascontiguousarray(array).reshape(array.shape) for info, array in zip(graph.output, outputs)}
    print(len({name.split(".")[0] for name in arrays}), "tests")
    save_file(arrays, FILE)


if __name__ == "__main__":
    main()
