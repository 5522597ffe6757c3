"""Writes the golden of OnnxSequencesTest: what ONNX Runtime makes of rows of different lengths, in reverse and in both directions.

    python tests/src/test/goldens/onnx_sequences.py

Made with onnx 1.23, onnxruntime 1.30, numpy and safetensors. One file; tensors begin with the name of their case, operator and direction, and have
PyTorch's names, layouts and order of gates. No row is empty: of those ONNX Runtime has an opinion of its own. Behind the end of a row it writes
zeros.
"""

import numpy as np
import onnxruntime
from onnx import TensorProto, helper
from onnx_cells import FILE, ORDER, reordered
from safetensors.numpy import save_file

STEPS, INPUTS, HIDDEN = 6, 5, 7
LENGTHS = np.array([4, 6, 1, 5], np.int32)
CELLS = {"rnn-tanh": ("RNN", {}), "lstm": ("LSTM", {}), "gru": ("GRU", {"linear_before_reset": 1}), "gru-reset-before": ("GRU", {})}


def generate(random, cell, direction):
    operator, attributes = CELLS[cell]
    order = ORDER[operator]
    ways = 2 if direction == "bidirectional" else 1
    rows = len(LENGTHS)
    normal = lambda *shape: random.standard_normal(shape).astype(np.float32)
    t = {"weight_ih": 0.5 * normal(ways, len(order) * HIDDEN, INPUTS), "weight_hh": 0.5 * normal(ways, len(order) * HIDDEN, HIDDEN),
         "bias_ih": 0.5 * normal(ways, len(order) * HIDDEN), "bias_hh": 0.5 * normal(ways, len(order) * HIDDEN)}
    turned = {name: np.stack([reordered(way, order) for way in array]) for name, array in t.items()}
    states = {"h": normal(ways, rows, HIDDEN)} | ({"c": normal(ways, rows, HIDDEN)} if operator == "LSTM" else {})
    feeds = {"X": normal(STEPS, rows, INPUTS), "W": turned["weight_ih"], "R": turned["weight_hh"],
             "B": np.concatenate([turned["bias_ih"], turned["bias_hh"]], axis=1), "sequence_lens": LENGTHS}
    feeds |= {f"initial_{name}": state for name, state in states.items()}
    outputs = ["Y"] + [f"Y_{name}" for name in states]
    node = helper.make_node(operator, list(feeds), outputs, hidden_size=HIDDEN, direction=direction, **attributes)
    kind = lambda array: TensorProto.INT32 if array.dtype == np.int32 else TensorProto.FLOAT
    graph = helper.make_graph(
        [node], "cell",
        [helper.make_tensor_value_info(name, kind(array), array.shape) for name, array in feeds.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    y, *last = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(outputs, feeds)
    arrays = {"x": feeds["X"], "y": y.transpose(0, 2, 1, 3)}  # (T, B, directions, H)
    for way in range(ways):
        suffix = "_l0" + ("_reverse" if way else "")
        arrays |= {"weights.rnn." + name + suffix: array[way] for name, array in t.items()}
        arrays |= {"before.rnn." + name + suffix: state[way] for name, state in states.items()}
        arrays |= {"after.rnn." + name + suffix: state[way] for name, state in zip(states, last)}
    return {f"{cell}.{direction}.{name}": np.ascontiguousarray(array) for name, array in arrays.items()}


def main():
    random = np.random.default_rng(13)
    arrays = {}
    for cell in CELLS:
        for direction in ("reverse", "bidirectional"):
            arrays |= generate(random, cell, direction)
    save_file(arrays, FILE.with_name("onnx-sequences.safetensors"), {"lengths": " ".join(map(str, LENGTHS))})


if __name__ == "__main__":
    main()
