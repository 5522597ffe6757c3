"""Writes the goldens of PackedGoldenTest: what PyTorch computes over packed sequences, in both directions.

    python tests/src/test/goldens/sequences.py

Made with torch 2.13, numpy and safetensors. Each file holds a stack of two bidirectional layers with a linear layer behind it: weights, inputs
with NaN behind the end of each row, lengths, initial states, outputs, final states, and the loss with its gradients. Computed in double
precision from floats and rounded once when it is stored.
"""

import pathlib

import numpy as np
import torch
from safetensors.numpy import save_file
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

FOLDER = pathlib.Path(__file__).parents[1] / "resources" / "goldens"
INPUTS, HIDDEN, LAYERS, CLASSES = 7, 19, 2, 5
STEPS, LENGTHS = 9, [4, 9, 1, 6, 9, 3]
ROWS = len(LENGTHS)

CELLS = {
    "rnn-tanh": lambda: torch.nn.RNN(INPUTS, HIDDEN, LAYERS, bidirectional=True),
    "lstm": lambda: torch.nn.LSTM(INPUTS, HIDDEN, LAYERS, bidirectional=True),
    "gru": lambda: torch.nn.GRU(INPUTS, HIDDEN, LAYERS, bidirectional=True),
}


def floats(tensor):
    return tensor.detach().numpy().astype(np.float32)


def golden(cell, seed):
    random = np.random.default_rng(seed)
    network = torch.nn.ModuleDict({"rnn": CELLS[cell](), "head": torch.nn.Linear(2 * HIDDEN, CLASSES)}).double()
    scale = 1.6 / np.sqrt(HIDDEN)
    with torch.no_grad():
        for parameter in network.parameters():
            values = random.uniform(-scale, scale, parameter.shape).astype(np.float32)
            parameter.copy_(torch.from_numpy(values).double())
    x = random.standard_normal((STEPS, ROWS, INPUTS)).astype(np.float32)
    classes = random.integers(0, CLASSES, (STEPS, ROWS)).astype(np.int32)
    states = [random.uniform(-0.5, 0.5, (2 * LAYERS, ROWS, HIDDEN)).astype(np.float32) for _ in range(2)]
    begin = [torch.from_numpy(state).double() for state in states]

    packed = pack_padded_sequence(torch.from_numpy(x).double(), LENGTHS, enforce_sorted=False)
    outputs, end = network["rnn"](packed, tuple(begin) if cell == "lstm" else begin[0])
    end = end if cell == "lstm" else (end,)
    y = network["head"](pad_packed_sequence(outputs, total_length=STEPS)[0])
    there = torch.arange(STEPS)[:, None] < torch.tensor(LENGTHS)
    loss = torch.nn.functional.cross_entropy(y[there], torch.from_numpy(classes).long()[there])
    loss.backward()

    tensors = {f"initial.{name}": floats(parameter) for name, parameter in network.named_parameters()}
    tensors |= {f"gradient.{name}": floats(parameter.grad) for name, parameter in network.named_parameters()}
    tensors |= {kind + "0": state for kind, state in zip("hc", states[: len(end)])}
    tensors |= {kind: floats(state) for kind, state in zip("hc", end)}
    x[~there.numpy()] = np.nan
    tensors |= {
        "x": x,
        "lengths": np.array(LENGTHS, dtype=np.int32),
        "classes": classes,
        "y": floats(y * there[:, :, None]),
        "loss": floats(loss.reshape(1)),
    }
    save_file(tensors, FOLDER / f"bidirectional-{cell}.safetensors")


for number, name in enumerate(CELLS):
    golden(name, 100 + number)
