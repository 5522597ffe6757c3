"""Writes the goldens of TorchModelsTest: PyTorch models as files that know nothing of Ostinato, and what they compute.

    python tests/src/test/goldens/torch_models.py

Made with torch 2.13, numpy and safetensors. Each model has a file of its own in the folder torch, a state dict and nothing else, and an
input and an output in outputs.safetensors there. Outputs are computed in double precision and rounded once.
"""

import pathlib

import numpy as np
import torch
from safetensors.torch import save_file, save_model
from torch import nn

FOLDER = pathlib.Path(__file__).parents[1] / "resources" / "goldens" / "torch"
STEPS, ROWS = 6, 2


class Chain(nn.Module):
    """Modules that feed one another."""

    def __init__(self, **modules):
        super().__init__()
        self.order = list(modules)
        for name, module in modules.items():
            self.add_module(name, module)

    def forward(self, x):
        for name in self.order:
            module = getattr(self, name)
            if isinstance(module, (nn.LSTMCell, nn.GRUCell, nn.RNNCell)):
                x = over_time(module, x)
            elif isinstance(module, nn.BatchNorm1d):
                x = module(x.flatten(0, 1)).view(x.shape)
            else:
                x = module(x)
                x = x[0] if isinstance(x, tuple) else x
        return x


def over_time(cell, x):
    state, outputs = None, []
    for step in x:
        state = cell(step, state)
        outputs.append(state[0] if isinstance(state, tuple) else state)
    return torch.stack(outputs)


def tied():
    model = Chain(encoder=nn.Embedding(13, 6), rnn=nn.LSTM(6, 6), decoder=nn.Linear(6, 13))
    model.decoder.weight = model.encoder.weight
    return model


MODELS = {
    "lstm": lambda: nn.LSTM(3, 5, num_layers=2),
    "gru-embedding-head": lambda: Chain(
        tokens=nn.Embedding(11, 4), gru=nn.GRU(4, 7, num_layers=2), out=nn.Linear(7, 11)
    ),
    "rnn-tanh": lambda: Chain(body=nn.RNN(3, 5, bias=False), head=nn.Linear(5, 2)),
    "rnn-relu": lambda: Chain(body=nn.RNN(3, 5, num_layers=2, nonlinearity="relu"), head=nn.Linear(5, 2)),
    "lstm-bidirectional-projection": lambda: Chain(
        rnn=nn.LSTM(3, 6, num_layers=2, bidirectional=True, proj_size=4), fc=nn.Linear(8, 3)
    ),
    "gru-bidirectional-no-bias": lambda: Chain(
        front=nn.Linear(3, 4), rnn=nn.GRU(4, 5, bidirectional=True, bias=False), fc=nn.Linear(10, 2, bias=False)
    ),
    "cells": lambda: Chain(cell=nn.LSTMCell(3, 5), second=nn.GRUCell(5, 4), head=nn.Linear(4, 2)),
    "numbered": lambda: Chain(emb=nn.Embedding(7, 5), lstm2=nn.LSTM(5, 5), lstm10=nn.LSTM(5, 5), fc=nn.Linear(5, 3)),
    "norms": lambda: Chain(
        bn=nn.BatchNorm1d(3), rnn=nn.GRU(3, 5), norm=nn.LayerNorm(5), fc1=nn.Linear(5, 4), fc2=nn.Linear(4, 2)
    ),
    "tied": tied,
    "half": lambda: Chain(rnn=nn.LSTM(3, 5, bias=False), head=nn.Linear(5, 2)).half(),
    "bfloat16": lambda: Chain(rnn=nn.GRU(3, 5), head=nn.Linear(5, 2)).bfloat16(),
    "double": lambda: Chain(rnn=nn.LSTM(3, 5), head=nn.Linear(5, 2)).double(),
}


# As torch.nn.DataParallel and torch.compile leave the names.
PREFIXES = {"gru-embedding-head": "module._orig_mod."}


def randomise(model, random):
    """Sets everything to numbers of its own, so that no gate, layer or direction looks like another."""
    for name, tensor in model.state_dict().items():
        if tensor.is_floating_point():
            low, high = (0.5, 1.5) if "running_var" in name else (-0.8, 0.8)
            tensor.copy_(torch.from_numpy(random.uniform(low, high, tensor.shape)))


def inputs(model, random):
    first = next(iter(model.parameters()))
    embedding = next((m for m in model.modules() if isinstance(m, nn.Embedding)), None)
    if embedding is not None:
        return torch.from_numpy(random.integers(0, embedding.num_embeddings, (STEPS, ROWS)))
    return torch.from_numpy(random.standard_normal((STEPS, ROWS, 3)).astype(np.float32)).to(first.dtype)


def main():
    FOLDER.mkdir(exist_ok=True)
    random = np.random.default_rng(2718)
    outputs = {}
    for name, build in MODELS.items():
        model = build().eval()
        with torch.no_grad():
            randomise(model, random)
            x = inputs(model, random)
            if name == "tied":
                save_model(model, str(FOLDER / f"{name}.safetensors"))
            else:
                prefix = PREFIXES.get(name, "")
                state = {prefix + key: tensor for key, tensor in model.state_dict().items()}
                save_file(state, FOLDER / f"{name}.safetensors")
            y = model.double()(x.double() if x.is_floating_point() else x)
            outputs[f"{name}.x"] = x.float() if x.is_floating_point() else x.int()
            outputs[f"{name}.y"] = (y[0] if isinstance(y, tuple) else y).float()
    save_file(outputs, FOLDER / "outputs.safetensors")


if __name__ == "__main__":
    main()
