"""Cells that PyTorch lacks, from their papers' equations, as modules that are called like torch.nn.LSTM.

Each is written in PyTorch's operations on whole rows, with autograd for the gradients, and shares nothing with the Java code.
"""

import torch
from torch.nn.functional import layer_norm

EPSILON = 1e-5


class Layers(torch.nn.Module):
    """Layers of one cell; parameters are named as in torch.nn, with the layer behind an underscore."""

    states = "h"

    def __init__(self, inputs, hidden, layers):
        super().__init__()
        self.hidden, self.count = hidden, layers
        for layer in range(layers):
            for name, shape in self.shapes(inputs if layer == 0 else hidden, hidden).items():
                self.register_parameter(f"{name}_l{layer}", torch.nn.Parameter(torch.zeros(shape)))

    def weights(self, layer):
        suffix = f"_l{layer}"
        return {n.removesuffix(suffix): p for n, p in self.named_parameters() if n.endswith(suffix)}

    def forward(self, x, state):
        """x (T, B, I) and states (layers, B, H) to outputs (T, B, H) and states."""
        if state is None:
            state = tuple(torch.zeros(self.count, x.shape[1], self.hidden) for _ in self.states)
        state = state if isinstance(state, tuple) else (state,)
        last = []
        for layer in range(self.count):
            now, outputs = tuple(s[layer] for s in state), []
            for row in x:
                now = self.step(self.weights(layer), row, *now)
                outputs.append(now[0])
            x = torch.stack(outputs)
            last.append(now)
        last = tuple(torch.stack(s) for s in zip(*last))
        return x, last if len(last) > 1 else last[0]


class IndRnn(Layers):
    """Li et al. 2018, equation 2."""

    @staticmethod
    def shapes(inputs, hidden):
        return {"weight_ih": (hidden, inputs), "weight_hh": (hidden,), "bias_ih": (hidden,)}

    @staticmethod
    def step(w, x, h):
        return (torch.relu(x @ w["weight_ih"].T + w["weight_hh"] * h + w["bias_ih"]),)


class MinGru(Layers):
    """Feng et al. 2024, section 3.1.3; z, then the candidate."""

    @staticmethod
    def shapes(inputs, hidden):
        return {"weight_ih": (2 * hidden, inputs), "bias_ih": (2 * hidden,)}

    @staticmethod
    def step(w, x, h):
        z, candidate = (x @ w["weight_ih"].T + w["bias_ih"]).chunk(2, dim=-1)
        z = torch.sigmoid(z)
        return ((1 - z) * h + z * candidate,)


def normalised(rows, w, name):
    return layer_norm(rows, rows.shape[-1:], w[f"gain_{name}"], w[f"bias_{name}"], EPSILON)


class LayerNormLstm(Layers):
    """Ba et al. 2016, equations 20 to 22; the biases are those of the norms."""

    states = "hc"

    @staticmethod
    def shapes(inputs, hidden):
        return {
            "weight_ih": (4 * hidden, inputs),
            "weight_hh": (4 * hidden, hidden),
            **{f"{kind}_{name}": (4 * hidden,) for name in ("ih", "hh") for kind in ("gain", "bias")},
            "gain_c": (hidden,),
            "bias_c": (hidden,),
        }

    @staticmethod
    def step(w, x, h, c):
        gates = normalised(x @ w["weight_ih"].T, w, "ih") + normalised(h @ w["weight_hh"].T, w, "hh")
        i, f, g, o = gates.chunk(4, dim=-1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(normalised(c, w, "c")), c


class LayerNormGru(Layers):
    """The norms of Ba et al. 2016 in the GRU that resets after the product; r z n."""

    @staticmethod
    def shapes(inputs, hidden):
        return {
            "weight_ih": (3 * hidden, inputs),
            "weight_hh": (3 * hidden, hidden),
            **{f"{kind}_{name}": (3 * hidden,) for name in ("ih", "hh") for kind in ("gain", "bias")},
        }

    @staticmethod
    def step(w, x, h):
        xr, xz, xn = normalised(x @ w["weight_ih"].T, w, "ih").chunk(3, dim=-1)
        hr, hz, hn = normalised(h @ w["weight_hh"].T, w, "hh").chunk(3, dim=-1)
        r, z = torch.sigmoid(xr + hr), torch.sigmoid(xz + hz)
        n = torch.tanh(xn + r * hn)
        return ((1 - z) * n + z * h,)


CELLS = {"ind-rnn-relu": IndRnn, "min-gru": MinGru, "layer-norm-lstm": LayerNormLstm, "layer-norm-gru": LayerNormGru}
