"""Writes the goldens of EncoderDecoderGoldenTest: PyTorch's encoder-decoder models, with and without dot attention.

    python tests/src/test/goldens/encoder_decoder.py

Made with torch 2.13, numpy and safetensors. Each file holds one model of two layers: weights, ragged pairs of tokens, one of them with an empty
source, the logits of teacher forcing, and the loss with its gradients. With attention the encoder has two directions, whose states are
concatenated. Each pair is computed alone, in double precision from floats, and rounded once when it is stored.
"""

import pathlib

import numpy as np
import torch
from safetensors.numpy import save_file

FOLDER = pathlib.Path(__file__).parents[1] / "resources" / "goldens"
LETTERS, PHONEMES, SIZE, HIDDEN, LAYERS = 7, 6, 5, 10, 2
SOURCES, TARGETS = [4, 2, 6, 0], [3, 5, 1, 4]
CELLS = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}


def floats(tensor):
    return tensor.detach().numpy().astype(np.float32)


def padded(rows):
    result = np.full((max(map(len, rows)), len(rows)), -1, dtype=np.int32)
    for b, row in enumerate(rows):
        result[: len(row), b] = row
    return result


def golden(cell, attends, seed):
    random = np.random.default_rng(seed)
    directions = 2 if attends else 1
    part = HIDDEN // directions
    network = torch.nn.ModuleDict({
        "encoder": torch.nn.ModuleDict({
            "embedding": torch.nn.Embedding(LETTERS, SIZE),
            "rnn": CELLS[cell](SIZE, part, LAYERS, bidirectional=attends),
        }),
        "decoder": torch.nn.ModuleDict({
            "embedding": torch.nn.Embedding(PHONEMES, SIZE),
            "rnn": CELLS[cell](SIZE, HIDDEN, LAYERS),
            "head": torch.nn.Linear(2 * HIDDEN if attends else HIDDEN, PHONEMES),
        }),
    }).double()
    with torch.no_grad():
        for parameter in network.parameters():
            scale = 1.6 / np.sqrt(parameter.shape[-1])
            values = random.uniform(-scale, scale, parameter.shape).astype(np.float32)
            parameter.copy_(torch.from_numpy(values).double())
    encoder, decoder = network["encoder"], network["decoder"]

    def begin(states):
        """(layers * directions, part) to (layers, hidden): directions side by side."""
        return states.reshape(LAYERS, 1, directions * part)

    def logits(source, inputs):
        outputs = torch.zeros(0, HIDDEN).double()
        states = [torch.zeros(LAYERS, 1, HIDDEN).double() for _ in "hc"]
        if source:
            out, end = encoder["rnn"](encoder["embedding"](torch.tensor(source))[:, None])
            outputs = out[:, 0]
            states = [begin(state) for state in (end if cell == "lstm" else (end,))]
        given = decoder["embedding"](torch.tensor(inputs))[:, None]
        h, _ = decoder["rnn"](given, tuple(states) if cell == "lstm" else states[0])
        h = h[:, 0]
        if attends:
            weights = torch.softmax(h @ outputs.T, dim=1) if source else torch.zeros(len(inputs), 0).double()
            h = torch.cat([weights @ outputs, h], dim=1)
        return decoder["head"](h)

    sources = [random.integers(0, LETTERS, length).tolist() for length in SOURCES]
    inputs = [random.integers(0, PHONEMES, length).tolist() for length in TARGETS]
    classes = [random.integers(0, PHONEMES, length).tolist() for length in TARGETS]
    rows = [logits(source, row) for source, row in zip(sources, inputs)]
    loss = torch.nn.functional.cross_entropy(torch.cat(rows), torch.tensor(sum(classes, [])))
    loss.backward()

    y = np.zeros((max(TARGETS), len(TARGETS), PHONEMES), dtype=np.float32)
    for b, row in enumerate(rows):
        y[: len(row), b] = floats(row)
    tensors = {f"initial.{name}": floats(parameter) for name, parameter in network.named_parameters()}
    tensors |= {f"gradient.{name}": floats(parameter.grad) for name, parameter in network.named_parameters()}
    tensors |= {"sources": padded(sources), "inputs": padded(inputs), "classes": padded(classes), "y": y}
    tensors |= {"loss": floats(loss.reshape(1))}
    save_file(tensors, FOLDER / f"encoder-decoder-{cell}{'-attention' if attends else ''}.safetensors")


for number, (cell, attends) in enumerate((cell, attends) for cell in CELLS for attends in (False, True)):
    golden(cell, attends, 300 + number)
