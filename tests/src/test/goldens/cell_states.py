"""Writes the golden of TraceTest: h and c after each step, by loops of PyTorch's LSTMCell.

    python tests/src/test/goldens/cell_states.py

Made with torch 2.13, numpy and safetensors. The file holds a bidirectional layer with another LSTM layer behind it: weights, inputs with NaN
behind the end of each row, lengths, initial states, and h and c of every layer and direction after each step. Computed in double precision
from floats and rounded once when it is stored.
"""

import pathlib

import numpy as np
import torch
from safetensors.numpy import save_file

FOLDER = pathlib.Path(__file__).parents[1] / "resources" / "goldens"
INPUTS, HIDDEN = 5, 19
STEPS, LENGTHS = 6, [4, 6, 0, 1, 5]
ROWS = len(LENGTHS)

random = np.random.default_rng(200)
tensors = {}


def layer(name, inputs):
    """Returns a cell with random weights, and the states that rows begin with; stores them."""
    cell = torch.nn.LSTMCell(inputs, HIDDEN).double()
    module, suffix = name.split(".")
    scale = 1.6 / np.sqrt(HIDDEN)
    for kind, parameter in cell.named_parameters():
        values = random.uniform(-scale, scale, parameter.shape).astype(np.float32)
        tensors[f"initial.{module}.{kind}{suffix}"] = values
        with torch.no_grad():
            parameter.copy_(torch.from_numpy(values).double())
    states = []
    for kind in "hc":
        values = random.uniform(-0.5, 0.5, (ROWS, HIDDEN)).astype(np.float32)
        tensors[f"begin.{module}.{kind}{suffix}"] = values
        states.append(torch.from_numpy(values).double())
    return cell, states


def run(name, x):
    """Returns h and c, (T, B, H), zero where there is no step; stores them."""
    cell, begin = layer(name, x.shape[2])
    states = [torch.zeros(STEPS, ROWS, HIDDEN).double() for _ in "hc"]
    for b, length in enumerate(LENGTHS):
        h, c = (state[b : b + 1] for state in begin)
        for t in reversed(range(length)) if name.endswith("reverse") else range(length):
            h, c = cell(x[t, b : b + 1], (h, c))
            states[0][t, b], states[1][t, b] = h[0], c[0]
    module, suffix = name.split(".")
    for kind, state in zip("hc", states):
        tensors[f"state.{module}.{kind}{suffix}"] = state.numpy().astype(np.float32)
    return states[0]


x = random.standard_normal((STEPS, ROWS, INPUTS)).astype(np.float32)
inputs = torch.from_numpy(x).double()
with torch.no_grad():
    both = torch.cat([run("rnn._l0", inputs), run("rnn._l0_reverse", inputs)], dim=2)
    run("rnn2._l0", both)
for b, length in enumerate(LENGTHS):
    x[length:, b] = np.nan
tensors |= {"x": x, "lengths": np.array(LENGTHS, dtype=np.int32)}
save_file(tensors, FOLDER / "cell-states.safetensors")
