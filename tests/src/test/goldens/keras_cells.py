"""Writes the goldens of KerasGoldenTest: what Keras 3 computes with masks, backwards and in both directions.

    KERAS_BACKEND=torch python tests/src/test/goldens/keras_cells.py

Made with keras 3.15 on torch 2.13, numpy and safetensors. One file holds all cases, each under the number of its place in the list in the
metadata, which says the cell and the way through time: inputs, mask, states before and after, outputs as Keras orders them, and the weights with the
gradients of the mean squared error of the steps that there are, both turned into PyTorch's layout. Time first. Computed in double precision from
floats and rounded once when it is stored.
"""

import pathlib

import keras
import numpy as np
import torch
from safetensors.numpy import save_file

FILE = pathlib.Path(__file__).parents[1] / "resources" / "goldens" / "keras-cells.safetensors"
INPUTS, HIDDEN = 5, 7

# Steps that there are, row by row: all, without an end, with holes, with holes at both ends, one, none.
MASK = np.array([[int(step) for step in row] for row in "111111 111000 101101 011010 000100 000000".split()], dtype=bool)
ROWS, STEPS = MASK.shape

LAYERS = {
    "rnn-tanh": lambda **options: keras.layers.SimpleRNN(HIDDEN, **options),
    "lstm": lambda **options: keras.layers.LSTM(HIDDEN, **options),
    "gru": lambda **options: keras.layers.GRU(HIDDEN, reset_after=True, **options),
    "gru-reset-before": lambda **options: keras.layers.GRU(HIDDEN, reset_after=False, **options),
}

# Where PyTorch's gates (the only one, i f g o, r z n) stand among those of Keras.
ORDER = {"rnn-tanh": [0], "lstm": [0, 1, 2, 3], "gru": [1, 0, 2], "gru-reset-before": [1, 0, 2]}

CASES = (
    [(cell, "forward", True) for cell in LAYERS]
    + [(cell, "backwards", True) for cell in LAYERS]
    + [(cell, "forward", False) for cell in LAYERS]
    + [(cell, merge, True) for cell, merge in zip(LAYERS, ("sum", "ave", "concat", "sum"))]
    + [("lstm", "concat", False), ("gru-reset-before", "ave", False)]
)


def random_weights(layer, random):
    for weight in layer.weights:
        scale = 1.2 / np.sqrt(weight.shape[0]) if "kernel" in weight.name else 0.5
        weight.assign(random.uniform(-scale, scale, weight.shape).astype(np.float32))


def in_pytorchs_layout(cell, kernel, recurrent_kernel, bias=None, second=None):
    """Kernels (I, GH) and (H, GH) and the bias (GH), or of the GRU that resets after (2, GH), as PyTorch has them.

    second is made of the only bias if there is one.
    """
    order = ORDER[cell]
    gates = lambda array: np.concatenate([np.split(array, len(order))[place] for place in order])
    found = {"weight_ih": gates(kernel.T), "weight_hh": gates(recurrent_kernel.T)}
    if bias is not None:
        first, other = bias if bias.ndim == 2 else (bias, second(bias))
        found |= {"bias_ih": gates(first), "bias_hh": gates(other)}
    return found


def tensors(cell, layers):
    """Weights and gradients of one layer or of both directions. PyTorch's second bias, where Keras has one, is zero and has the gradient of the first."""
    found = {}
    for layer, suffix in zip(layers, ("", "_reverse")):
        weights = {weight.name: weight.value.detach().numpy() for weight in layer.weights}
        gradients = {weight.name: weight.value.grad.numpy() for weight in layer.weights}
        for kind, laid_out in (
            ("weights", in_pytorchs_layout(cell, **weights, second=np.zeros_like)),
            ("gradients", in_pytorchs_layout(cell, **gradients, second=np.copy)),
        ):
            found |= {f"{kind}.rnn.{name}_l0{suffix}": array for name, array in laid_out.items()}
    return found


def time_first(tensor):
    return tensor.detach().numpy().swapaxes(0, 1)


def generate(number, cell, way, bias):
    random = np.random.default_rng(number)
    options = {"return_sequences": True, "return_state": True, "use_bias": bias, "dtype": "float64"}
    x = random.standard_normal((ROWS, STEPS, INPUTS)).astype(np.float32)
    if way in ("forward", "backwards"):
        layer = LAYERS[cell](go_backwards=way == "backwards", **options)
    else:
        layer = keras.layers.Bidirectional(LAYERS[cell](**options), merge_mode=way, dtype="float64")
    layer.build(x.shape)
    layers = [layer.forward_layer, layer.backward_layer] if isinstance(layer, keras.layers.Bidirectional) else [layer]
    for one in layers:
        random_weights(one.cell, random)
    kinds = "hc" if cell == "lstm" else "h"
    before = [random.uniform(-0.5, 0.5, (ROWS, HIDDEN)).astype(np.float32) for _ in layers for _ in kinds]

    y, *after = layer(
        torch.from_numpy(x).double(),
        mask=torch.from_numpy(MASK),
        initial_state=[torch.from_numpy(state).double() for state in before],
    )
    # What is expected at a step, in the order of the outputs: that of a backward layer is the order in which it went.
    values = random.uniform(-0.5, 0.5, y.shape).astype(np.float32)
    there = torch.from_numpy(MASK[:, ::-1].copy() if way == "backwards" else MASK)
    torch.mean((y - torch.from_numpy(values).double())[there] ** 2).backward()

    arrays = {"x": time_first(torch.from_numpy(x)), "values": time_first(torch.from_numpy(values)), "y": time_first(y)}
    for index, (begin, end) in enumerate(zip(before, after)):
        suffix = "_reverse" if index >= len(kinds) else ""
        name = f"rnn.{kinds[index % len(kinds)]}_l0{suffix}"
        arrays |= {f"before.{name}": begin, f"after.{name}": end.detach().numpy()}
    arrays |= tensors(cell, [one.cell for one in layers])
    label = cell + ("" if bias else "(no-bias)") + "/" + way
    return label, {f"{number}.{name}": np.ascontiguousarray(array, dtype=np.float32) for name, array in arrays.items()}


def main():
    assert keras.backend.backend() == "torch"
    made = [generate(number, *case) for number, case in enumerate(CASES)]
    arrays = {name: array for _, some in made for name, array in some.items()}
    save_file(arrays | {"mask": np.ascontiguousarray(MASK.T).astype(np.int32)}, FILE, {"cases": " ".join(label for label, _ in made)})
    print("\n".join(label for label, _ in made))


if __name__ == "__main__":
    main()
