"""Writes the goldens of OnnxGoldenTest: what ONNX Runtime computes with the options of its RNN, LSTM and GRU.

    python tests/src/test/goldens/onnx_cells.py

Made with onnx 1.23, onnxruntime 1.30, numpy and safetensors. One file holds all cases, each under the number of its place in the list of cells in
the metadata: inputs, states before and after, outputs, and the weights turned into PyTorch's order of gates. ONNX Runtime computes in single
precision with functions of its own, so what it says is also compared with NumPy in double precision here.
"""

import pathlib

import numpy as np
import onnxruntime
from onnx import TensorProto, helper
from safetensors.numpy import save_file

FILE = pathlib.Path(__file__).parents[1] / "resources" / "goldens" / "onnx-cells.safetensors"
STEPS, ROWS, INPUTS, HIDDEN = 6, 3, 5, 7

# Names of ONNX, and what Ostinato calls them; alpha and beta as ONNX lists them.
FUNCTIONS = {
    "Tanh": "tanh",
    "Relu": "relu",
    "Sigmoid": "sigmoid",
    "Softsign": "softsign",
    "Softplus": "softplus",
    "Affine": "affine",
    "LeakyRelu": "leaky-relu",
    "ThresholdedRelu": "thresholded-relu",
    "ScaledTanh": "scaled-tanh",
    "HardSigmoid": "hard-sigmoid",
    "Elu": "elu",
}


def f(name, *parameters):
    return name, parameters


SIGMOID, TANH = f("Sigmoid"), f("Tanh")

CASES = [
    # operator, activations, clip, what else
    ("LSTM", [SIGMOID, TANH, TANH], None, {"peepholes"}),
    ("LSTM", [SIGMOID, TANH, TANH], None, {"peepholes", "coupled"}),
    ("LSTM", [SIGMOID, TANH, TANH], None, {"coupled", "no-bias"}),
    ("LSTM", [SIGMOID, TANH, TANH], 0.5, {"peepholes"}),
    ("LSTM", [f("HardSigmoid", 0.25, 0.5), f("ScaledTanh", 1.25, 0.75), f("Softsign")], None, {"peepholes"}),
    ("LSTM", [SIGMOID, f("LeakyRelu", 0.125), f("Elu", 1.5)], 0.75, {"peepholes", "coupled"}),
    ("GRU", [SIGMOID, TANH], 0.5, {"after"}),
    ("GRU", [f("HardSigmoid", 0.25, 0.5), f("Softsign")], None, {"after", "no-bias"}),
    ("GRU", [SIGMOID, TANH], 0.5, set()),
    ("GRU", [f("HardSigmoid", 0.25, 0.5), f("ScaledTanh", 0.75, 1.25)], None, {"no-bias"}),
    ("RNN", [TANH], 0.5, {"no-bias"}),
    ("RNN", [f("Relu")], None, set()),
    ("RNN", [SIGMOID], None, set()),
    ("RNN", [f("Softsign")], None, set()),
    ("RNN", [f("Softplus")], None, set()),
    ("RNN", [f("Affine", 0.5, 0.25)], None, set()),
    ("RNN", [f("LeakyRelu", 0.125)], None, set()),
    ("RNN", [f("ThresholdedRelu", 0.25)], None, set()),
    ("RNN", [f("ScaledTanh", 1.25, 0.75)], None, set()),
    ("RNN", [f("HardSigmoid", 0.25, 0.5)], None, set()),
    ("RNN", [f("Elu", 1.5)], None, set()),
]

# Where PyTorch's gates i f g o, r z n and the only one stand among those of ONNX.
ORDER = {"LSTM": [0, 2, 3, 1], "GRU": [1, 0, 2], "RNN": [0]}


def number(value):
    return f"{value:g}"


def label(operator, activations, clip, options):
    """Returns the cell in Ostinato's notation."""
    written = [name for name in ("peepholes", "coupled") if name in options]
    if operator == "RNN":
        function, parameters = activations[0]
        written += [f"{name}={number(value)}" for name, value in zip(("alpha", "beta"), parameters)]
    if clip:
        written.append(f"clip={number(clip)}")
    if operator != "RNN":
        for name, usual, (function, parameters) in zip(("gates", "candidate", "output"), (SIGMOID, TANH, TANH), activations):
            if (function, parameters) != usual:
                inside = f"({','.join(map(number, parameters))})" if parameters else ""
                written.append(f"{name}={FUNCTIONS[function]}{inside}")
    if "no-bias" in options:
        written.append("no-bias")
    name = {"LSTM": "lstm", "GRU": "gru" if "after" in options else "gru-reset-before", "RNN": "rnn-" + FUNCTIONS[activations[0][0]]}[operator]
    return f"{name}({','.join(written)})" if written else name


def value(function, z):
    name, p = function
    return {
        "Tanh": lambda: np.tanh(z),
        "Relu": lambda: np.maximum(z, 0),
        "Sigmoid": lambda: 1 / (1 + np.exp(-z)),
        "Softsign": lambda: z / (1 + np.abs(z)),
        "Softplus": lambda: np.log1p(np.exp(z)),
        "Affine": lambda: p[0] * z + p[1],
        "LeakyRelu": lambda: np.where(z >= 0, z, p[0] * z),
        "ThresholdedRelu": lambda: np.where(z >= p[0], z, 0),
        "ScaledTanh": lambda: p[0] * np.tanh(p[1] * z),
        "HardSigmoid": lambda: np.clip(p[0] * z + p[1], 0, 1),
        "Elu": lambda: np.where(z >= 0, z, p[0] * np.expm1(z)),
    }[name]()


def by_hand(operator, activations, clip, options, t):
    """The equations of the operators' documentation in double precision, gates in PyTorch's order."""
    t = {name: array.astype(np.float64) for name, array in t.items()}
    gates = lambda array, number: np.split(array, number)[0:number]
    bounded = lambda z: z if clip is None else np.clip(z, -clip, clip)
    h, outputs = t["h0"], []
    c = t.get("c0")
    for x in t["x"]:
        w, u = x @ t["w"].T + t["b"], h @ t["u"].T + t["bu"]
        if operator == "RNN":
            h = value(activations[0], bounded(w + u))
        elif operator == "GRU":
            (wr, wz, wn), (ur, uz, un) = np.split(w, 3, axis=1), np.split(u, 3, axis=1)
            r = value(activations[0], bounded(wr + ur))
            z = value(activations[0], bounded(wz + uz))
            n_weights, n_bias = gates(t["u"], 3)[2], gates(t["bu"], 3)[2]
            from_state = r * un if "after" in options else (r * h) @ n_weights.T + n_bias
            n = value(activations[1], bounded(wn + from_state))
            h = (1 - z) * n + z * h
        else:
            i, f_, g, o = np.split(w + u, 4, axis=1)
            pi, pf, po = np.split(t["p"], 3)
            i = value(activations[0], bounded(i + pi * c))
            forget = 1 - i if "coupled" in options else value(activations[0], bounded(f_ + pf * c))
            c = forget * c + i * value(activations[1], bounded(g))
            h = value(activations[0], bounded(o + po * c)) * value(activations[2], c)
        outputs.append(h)
    return np.array(outputs), h, c


def reordered(array, order):
    """Gates of PyTorch's order as ONNX has them."""
    parts = np.split(array, len(order))
    places = np.argsort(order)
    return np.concatenate([parts[place] for place in places])


def run(operator, activations, clip, options, t):
    order = ORDER[operator]
    attributes = {
        "hidden_size": HIDDEN,
        "activations": [name for name, _ in activations],
        "activation_alpha": [p[0] for _, p in activations if len(p) > 0],
        "activation_beta": [p[1] for _, p in activations if len(p) > 1],
    }
    if clip is not None:
        attributes["clip"] = clip
    if operator == "GRU":
        attributes["linear_before_reset"] = int("after" in options)
    if "coupled" in options:
        attributes["input_forget"] = 1
    attributes = {name: attribute for name, attribute in attributes.items() if attribute != []}
    feeds = {
        "X": t["x"],
        "W": reordered(t["w"], order)[None],
        "R": reordered(t["u"], order)[None],
        "B": np.concatenate([reordered(t["b"], order), reordered(t["bu"], order)])[None],
        "initial_h": t["h0"][None],
    }
    names = ["X", "W", "R", "B", "", "initial_h"]
    outputs = ["Y", "Y_h"]
    if operator == "LSTM":
        pi, pf, po = np.split(t["p"], 3)
        feeds |= {"initial_c": t["c0"][None], "P": np.concatenate([pi, po, pf])[None]}
        names += ["initial_c", "P"]
        outputs += ["Y_c"]
    if "no-bias" in options:
        del feeds["B"]
        names[3] = ""
    value_info = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
    graph = helper.make_graph(
        [helper.make_node(operator, names, outputs, **attributes)],
        "cell",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, array.shape) for name, array in feeds.items()],
        [value_info(name) for name in outputs],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    y, *last = session.run(outputs, feeds)
    return y[:, 0], *(state[0] for state in last)


def generate(number, operator, activations, clip, options):
    random = np.random.default_rng(number)
    normal = lambda *shape: random.standard_normal(shape).astype(np.float32)
    gates = len(ORDER[operator])
    t = {
        "x": normal(STEPS, ROWS, INPUTS),
        "h0": normal(ROWS, HIDDEN),
        "w": 0.5 * normal(gates * HIDDEN, INPUTS),
        "u": 0.5 * normal(gates * HIDDEN, HIDDEN),
        "b": 0.5 * normal(gates * HIDDEN),
        "bu": 0.5 * normal(gates * HIDDEN),
    }
    if "no-bias" in options:
        t |= {"b": np.zeros_like(t["b"]), "bu": np.zeros_like(t["bu"])}
    if operator == "LSTM":
        seeing = "peepholes" in options
        t |= {"c0": normal(ROWS, HIDDEN), "p": normal(3 * HIDDEN) if seeing else np.zeros(3 * HIDDEN, np.float32)}
    found = run(operator, activations, clip, options, t)
    cell = label(operator, activations, clip, options)
    for ours, theirs in zip(by_hand(operator, activations, clip, options, t), found):
        np.testing.assert_allclose(theirs, ours, rtol=2e-5, atol=2e-5, err_msg=cell)
    # The gates that a coupled cell has; ONNX has weights of f too, and does not look at them.
    kept = [gate for gate in range(gates) if not ("coupled" in options and gate == 1)]
    some = lambda array: np.concatenate([np.split(array, gates)[gate] for gate in kept])
    arrays = {"x": t["x"], "h0": t["h0"], "y": found[0], "h": found[1], "weight_ih": some(t["w"]), "weight_hh": some(t["u"])}
    if "no-bias" not in options:
        arrays |= {"bias_ih": some(t["b"]), "bias_hh": some(t["bu"])}
    if operator == "LSTM":
        arrays |= {"c0": t["c0"], "c": found[2]}
    if "peepholes" in options:
        named = dict(zip(("weight_ci", "weight_cf", "weight_co"), np.split(t["p"], 3)))
        arrays |= {name: array for name, array in named.items() if not ("coupled" in options and name == "weight_cf")}
    return cell, {f"{number}.{name}": np.ascontiguousarray(array) for name, array in arrays.items()}


def main():
    made = [generate(number, *case) for number, case in enumerate(CASES)]
    arrays = {name: array for _, some in made for name, array in some.items()}
    save_file(arrays, FILE, {"cells": " ".join(cell for cell, _ in made)})
    print("\n".join(cell for cell, _ in made))


if __name__ == "__main__":
    main()
