"""Writes the goldens of GoldenTest: what PyTorch computes from given weights and batches.

    python tests/src/test/goldens/generate.py

Made with torch 2.13, numpy and safetensors. Each file holds one model: its initial weights, ten batches, the losses and the gradient norms
of ten optimiser steps over them, the gradients of the first step before clipping, the weights after the last, one stream stepped
through the initial model, and some streams that go on from given states. The state goes on from batch to batch, cut from the graph.

Everything is computed in double precision from weights and inputs that are floats, and rounded once when it is stored, so that a golden is
the exact result for the purpose of a test in single precision.
"""

import pathlib

import numpy as np
import torch
from cells import CELLS
from safetensors.numpy import save_file

FOLDER = pathlib.Path(__file__).parents[1] / "resources" / "goldens"
VOCABULARY, INPUTS, HIDDEN, VALUES = 23, 11, 19, 5
BATCHES, STEPS, ROWS, FORWARD_STEPS = 10, 7, 3, 12

CASES = [
    # name, cell, recurrent layers, input, optimiser, learning rate, momentum, clip
    ("rnn-tanh-1", "rnn-tanh", 1, "embedding", "adam", 1e-2, 0, 0.9),
    ("rnn-tanh-2", "rnn-tanh", 2, "embedding", "adam", 1e-2, 0, 1.0),
    ("rnn-relu-1", "rnn-relu", 1, "embedding", "adam", 1e-2, 0, 0.8),
    ("rnn-relu-2", "rnn-relu", 2, "embedding", "adam", 1e-2, 0, 0.7),
    ("lstm-1", "lstm", 1, "embedding", "adam", 1e-2, 0, 0.3),
    ("lstm-2", "lstm", 2, "embedding", "adam", 1e-2, 0, 0.3),
    ("gru-1", "gru", 1, "embedding", "adam", 1e-2, 0, 0.45),
    ("gru-2", "gru", 2, "embedding", "adam", 1e-2, 0, 0.45),
    ("gru-reset-before-1", "gru-reset-before", 1, "embedding", "adam", 1e-2, 0, 0.45),
    ("gru-reset-before-2", "gru-reset-before", 2, "embedding", "adam", 1e-2, 0, 0.55),
    ("lstm-features", "lstm", 1, "features", "adam", 1e-2, 0, 1.0),
    ("lstm-momentum", "lstm", 1, "embedding", "sgd", 0.5, 0.9, 0.3),
    ("lstm-projection-2", "lstm(projection=9)", 2, "embedding", "adam", 1e-2, 0, 0.3),
]

# Cells of cells.py, with seeds of their own.
MORE_CASES = [
    ("ind-rnn-relu-2", "ind-rnn-relu", 2, "embedding", "adam", 1e-2, 0, 0.5),
    ("min-gru-2", "min-gru", 2, "embedding", "adam", 1e-2, 0, 0.53),
    ("layer-norm-lstm-2", "layer-norm-lstm", 2, "embedding", "adam", 1e-2, 0, 0.5),
    ("layer-norm-gru-2", "layer-norm-gru", 2, "embedding", "adam", 1e-2, 0, 1.02),
]
CELL_STATE = ("lstm", "lstm(projection=9)", "layer-norm-lstm")


class ResetBeforeLayer(torch.nn.Module):
    """A GRU layer of the original paper, which PyTorch lacks: the reset gate acts before the product."""

    def __init__(self, inputs, hidden, number):
        super().__init__()
        self.suffix = f"_l{number}"
        for name, shape in (
            ("weight_ih", (3 * hidden, inputs)),
            ("weight_hh", (3 * hidden, hidden)),
            ("bias_ih", (3 * hidden,)),
            ("bias_hh", (3 * hidden,)),
        ):
            self.register_parameter(name + self.suffix, torch.nn.Parameter(torch.zeros(shape)))

    def weights(self):
        return [getattr(self, name + self.suffix) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]

    def forward(self, x, h):
        w, u, b, c = self.weights()
        (ur, uz, un), (cr, cz, cn) = u.chunk(3), c.chunk(3)
        outputs = []
        for step in x:
            xr, xz, xn = (step @ w.T + b).chunk(3, dim=-1)
            r = torch.sigmoid(xr + h @ ur.T + cr)
            z = torch.sigmoid(xz + h @ uz.T + cz)
            n = torch.tanh(xn + (r * h) @ un.T + cn)
            h = (1 - z) * n + z * h
            outputs.append(h)
        return torch.stack(outputs), h


class ResetBefore(torch.nn.Module):
    """Layers of it, with the parameters of torch.nn.GRU."""

    def __init__(self, inputs, hidden, layers):
        super().__init__()
        self.hidden = hidden
        self.cells = [ResetBeforeLayer(inputs if i == 0 else hidden, hidden, i) for i in range(layers)]
        for cell in self.cells:
            for name, parameter in list(cell.named_parameters()):
                self.register_parameter(name, parameter)

    def forward(self, x, state):
        if state is None:
            state = torch.zeros(len(self.cells), x.shape[1], self.hidden)
        last = []
        for cell, h in zip(self.cells, state):
            x, h = cell(x, h)
            last.append(h)
        return x, torch.stack(last)


class Network(torch.nn.Module):
    def __init__(self, cell, layers, takes):
        super().__init__()
        self.layers = layers
        tokens = takes == "embedding"
        self.embedding = torch.nn.Embedding(VOCABULARY, INPUTS) if tokens else torch.nn.Identity()
        self.rnn = {
            "rnn-tanh": lambda: torch.nn.RNN(INPUTS, HIDDEN, layers, nonlinearity="tanh"),
            "rnn-relu": lambda: torch.nn.RNN(INPUTS, HIDDEN, layers, nonlinearity="relu"),
            "lstm": lambda: torch.nn.LSTM(INPUTS, HIDDEN, layers),
            "lstm(projection=9)": lambda: torch.nn.LSTM(INPUTS, HIDDEN, layers, proj_size=9),
            "gru": lambda: torch.nn.GRU(INPUTS, HIDDEN, layers),
            "gru-reset-before": lambda: ResetBefore(INPUTS, HIDDEN, layers),
            **{name: lambda made=made: made(INPUTS, HIDDEN, layers) for name, made in CELLS.items()},
        }[cell]()
        self.outputs = getattr(self.rnn, "proj_size", 0) or HIDDEN
        self.head = torch.nn.Linear(self.outputs, VOCABULARY if tokens else VALUES)

    def forward(self, x, state):
        x, state = self.rnn(self.embedding(x), state)
        return self.head(x), state


def randomise(network, random):
    """Sets every parameter to floats of its own, larger than usual, so that gates leave the middle of their range."""
    for name, parameter in network.named_parameters():
        scale = 1.0 if name.startswith("embedding") else 1.6 / np.sqrt(HIDDEN)
        middle = 1.0 if "gain" in name else 0.0
        values = (middle + random.uniform(-scale, scale, parameter.shape)).astype(np.float32)
        with torch.no_grad():
            parameter.copy_(torch.from_numpy(values).double())


def markov_text(random, length):
    """A text in which some tokens follow others more often, so that there is something to learn."""
    following = random.integers(0, VOCABULARY, (VOCABULARY, 3))
    text = [0]
    while len(text) < length:
        usual = random.random() < 0.8
        text.append(int(following[text[-1], random.integers(0, 3)] if usual else random.integers(0, VOCABULARY)))
    return np.array(text, dtype=np.int32)


def batches(takes, random):
    """Inputs and targets, (batches, T, B) or (batches, T, B, size)."""
    if takes == "embedding":
        streams = np.stack([markov_text(random, BATCHES * STEPS + 1) for _ in range(ROWS)], axis=1)
        shape = (BATCHES, STEPS, ROWS)
        return {"tokens": streams[:-1].reshape(shape), "classes": streams[1:].reshape(shape)}
    features = random.standard_normal((BATCHES, STEPS, ROWS, INPUTS)).astype(np.float32)
    mix = random.standard_normal((INPUTS, VALUES))
    values = (np.sin(features @ mix) + np.roll(features, 1, axis=1) @ mix).astype(np.float32)
    return {"features": features, "values": values}


def as_input(array):
    return torch.from_numpy(array).long() if array.dtype == np.int32 else torch.from_numpy(array).double()


def detached(state):
    return tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()


def train(network, optimiser, clip, data):
    """Ten steps; returns losses, norms and the first gradients."""
    losses, norms, gradients, state = [], [], {}, None
    for i in range(BATCHES):
        optimiser.zero_grad()
        if "tokens" in data:
            y, state = network(as_input(data["tokens"][i]), state)
            classes = as_input(data["classes"][i])
            loss = torch.nn.functional.cross_entropy(y.reshape(-1, VOCABULARY), classes.reshape(-1))
        else:
            y, state = network(as_input(data["features"][i]), state)
            loss = torch.nn.functional.mse_loss(y, as_input(data["values"][i]))
        loss.backward()
        if i == 0:
            gradients = {n: p.grad.detach().clone() for n, p in network.named_parameters()}
        norms.append(float(torch.nn.utils.clip_grad_norm_(network.parameters(), clip)))
        optimiser.step()
        state = detached(state)
        losses.append(float(loss.detach()))
    return losses, norms, gradients


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def reset_before_by_hand(network, x):
    """The first layer and those above, one stream, in NumPy alone; returns the top layer's outputs and every last h."""
    weights = {n: p.detach().numpy() for n, p in network.rnn.named_parameters()}
    x = network.embedding.weight.detach().numpy()[x]
    last = []
    for layer in range(len(network.rnn.cells)):
        w, u = weights[f"weight_ih_l{layer}"], weights[f"weight_hh_l{layer}"]
        bias = weights[f"bias_ih_l{layer}"] + weights[f"bias_hh_l{layer}"]
        h, outputs = np.zeros(HIDDEN), []
        for step in x:
            gate = [w[g * HIDDEN : (g + 1) * HIDDEN] @ step + bias[g * HIDDEN : (g + 1) * HIDDEN] for g in range(3)]
            r = sigmoid(gate[0] + u[:HIDDEN] @ h)
            z = sigmoid(gate[1] + u[HIDDEN : 2 * HIDDEN] @ h)
            n = np.tanh(gate[2] + u[2 * HIDDEN :] @ (r * h))
            h = (1 - z) * n + z * h
            outputs.append(h)
        x = np.array(outputs)
        last.append(h)
    return x, np.array(last)


def forward(cell, network, data, random):
    """One stream from a zero state; outputs and the last states."""
    if "tokens" in data:
        inputs = {"forward.tokens": random.integers(0, VOCABULARY, FORWARD_STEPS).astype(np.int32)}
    else:
        inputs = {"forward.features": random.standard_normal((FORWARD_STEPS, INPUTS)).astype(np.float32)}
    (x,) = inputs.values()
    with torch.no_grad():
        y, state = network(as_input(x).unsqueeze(1), None)
    h, c = state if isinstance(state, tuple) else (state, None)
    found = {"forward.outputs": y[:, 0].numpy(), "forward.h": h[:, 0].numpy()}
    if c is not None:
        found["forward.c"] = c[:, 0].numpy()
    if cell == "gru-reset-before":
        top, last = reset_before_by_hand(network, x)
        head = network.head.weight.detach().numpy(), network.head.bias.detach().numpy()
        by_hand = {"forward.outputs": top @ head[0].T + head[1], "forward.h": last}
        for name, array in by_hand.items():
            np.testing.assert_allclose(found[name], array, rtol=0, atol=1e-12)
        found = by_hand
    return inputs | found


def go_on(cell, network, data, random):
    """Streams side by side from states that are not zero, some beyond 1; inputs, outputs, and the states before and after."""
    shape = (FORWARD_STEPS, ROWS)
    if "tokens" in data:
        inputs = {"going.tokens": random.integers(0, VOCABULARY, shape).astype(np.int32)}
    else:
        inputs = {"going.features": random.standard_normal((*shape, INPUTS)).astype(np.float32)}
    (x,) = inputs.values()
    before = {
        f"going.{kind}0": random.standard_normal((network.layers, ROWS, network.outputs if kind == "h" else HIDDEN)).astype(np.float32)
        for kind in ("hc" if cell in CELL_STATE else "h")
    }
    states = tuple(torch.from_numpy(state).double() for state in before.values())
    with torch.no_grad():
        y, state = network(as_input(x), states if cell in CELL_STATE else states[0])
    after = state if isinstance(state, tuple) else (state,)
    found = {f"going.{kind}": s.numpy() for kind, s in zip("hc", after)}
    return inputs | before | found | {"going.outputs": y.numpy()}


def named(prefix, tensors):
    return {f"{prefix}.{name}": tensor.detach().numpy().copy() for name, tensor in tensors}


def generate(seed, name, cell, layers, takes, optimiser, rate, momentum, clip):
    random = np.random.default_rng(seed)
    network = Network(cell, layers, takes)
    randomise(network, random)
    data = batches(takes, random)
    arrays = dict(data) | named("initial", network.named_parameters())
    arrays |= forward(cell, network, data, random)
    arrays |= go_on(cell, network, data, np.random.default_rng((seed, 1)))
    make = {
        "adam": lambda: torch.optim.Adam(network.parameters(), lr=rate),
        "sgd": lambda: torch.optim.SGD(network.parameters(), lr=rate, momentum=momentum),
    }[optimiser]
    losses, norms, gradients = train(network, make(), clip, data)
    clipped = sum(norm > clip for norm in norms)
    assert 0 < clipped < BATCHES, f"{name}: clipping should act on some steps, not on {clipped} of {norms}"
    arrays |= {"losses": np.array(losses), "norms": np.array(norms)}
    arrays |= named("gradient", gradients.items()) | named("final", network.named_parameters())
    floats = {n: a if a.dtype == np.int32 else np.ascontiguousarray(a, dtype=np.float32) for n, a in arrays.items()}
    # One entry: several would come in another order each time.
    settings = f"cell={cell} layers={layers} optimizer={optimiser} rate={rate} momentum={momentum} clip={clip}"
    save_file(floats, FOLDER / f"{name}.safetensors", {"settings": settings})
    print(f"{name}: losses {losses[0]:.4f} to {losses[-1]:.4f}, clipped {clipped} of {BATCHES} steps")


def main():
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for seed, case in [*enumerate(CASES), *enumerate(MORE_CASES, 100)]:
        generate(seed, *case)


if __name__ == "__main__":
    main()
