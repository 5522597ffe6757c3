"""Writes the golden of RegularizationTest: a residual connection past a recurrent layer that everything disturbs, in PyTorch's autograd.

    python tests/src/test/goldens/regularization.py

PyTorch has none of this, so the masks are made here, from the definition of the numbers: number n of a key is SplitMix64's finaliser of
key + n * golden ratio. For each cell the file holds the tensors before and after three steps of gradient descent with momentum, whose state goes on
from batch to batch, the batches and losses, the gradients of the first step, and what the trained model makes of other inputs, where
nothing is drawn. In double precision from floats, rounded once when stored.
"""

import numpy as np
import torch
from generate import FOLDER
from safetensors.numpy import save_file

UNITS, VALUES, BATCHES, STEPS, ROWS, SEED, RATE, MOMENTUM = 9, 4, 3, 5, 3, 7, 0.1, 0.5
DROPOUT, RECURRENT, CONNECT, ZONEOUT, CELL_ZONEOUT = 0.2, 0.3, 0.25, 0.2, 0.35
CELLS = {"lstm": 4, "gru": 3, "rnn-tanh": 1}
MASK64 = (1 << 64) - 1


def bits(key, number):
    z = (key + number * 0x9E3779B97F4A7C15) & MASK64
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK64
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK64
    return z ^ (z >> 31)


def key(of, *purposes):
    for purpose in purposes:
        of = bits(bits(of, purpose), ~purpose & MASK64)
    return of


def below(of, rate, shape, first=0):
    """Whether numbers first, first + 1, ... are below a rate."""
    uniform = [(bits(of, first + n) >> 40) * 2.0**-24 for n in range(int(np.prod(shape)))]
    return torch.tensor(np.array(uniform).reshape(shape) < np.float32(rate))


def dropped(of, rate, shape):
    kept = float(np.float32(1) / (np.float32(1) - np.float32(rate)))
    return torch.where(below(of, rate, shape), 0.0, kept)


class Network(torch.nn.Module):
    """Dropout, a recurrent layer with a residual connection past it, a dense layer; layers 1 to 4 behind the input."""

    def __init__(self, cell):
        super().__init__()
        self.cell = cell
        rows = CELLS[cell] * UNITS
        self.weight_ih = torch.nn.Parameter(torch.zeros(rows, UNITS))
        self.weight_hh = torch.nn.Parameter(torch.zeros(rows, UNITS))
        self.bias_ih = torch.nn.Parameter(torch.zeros(rows))
        self.bias_hh = torch.nn.Parameter(torch.zeros(rows))
        self.head = torch.nn.Linear(UNITS, VALUES)

    def new_state(self, w, u, x, h_seen, h, c):
        a = x @ w.T + self.bias_ih
        b = h_seen @ u.T + self.bias_hh
        if self.cell == "lstm":
            i, f, g, o = (a + b).chunk(4, dim=-1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            return torch.sigmoid(o) * torch.tanh(c), c
        if self.cell == "gru":
            (ar, az, an), (br, bz, bn) = a.chunk(3, dim=-1), b.chunk(3, dim=-1)
            z = torch.sigmoid(az + bz)
            return (1 - z) * torch.tanh(an + torch.sigmoid(ar + br) * bn) + z * h, c
        return torch.tanh(a + b), c

    def forward(self, x, state, step):
        """Step 0 is inference: each unit keeps as much of what it was as is expected."""
        steps, rows, _ = x.shape
        h, c = state
        u = self.weight_hh
        if step > 0:
            of_step = key(SEED, step) | 1
            of_layer = key(of_step, 2, 0)
            x = x * dropped(key(of_step, 1), DROPOUT, (rows, UNITS))
            seen = dropped(key(of_layer, 1), RECURRENT, (rows, UNITS))
            u = u * dropped(key(of_layer, 4), CONNECT, u.shape)
        outputs = []
        for t in range(steps):
            new_h, new_c = self.new_state(self.weight_ih, u, x[t], h * seen if step > 0 else h, h, c)
            keep_h, keep_c = ZONEOUT, CELL_ZONEOUT
            if step > 0:
                keep_h, keep_c = (
                    below(key(of_layer, purpose), rate, (rows, UNITS), t * rows * UNITS).double()
                    for purpose, rate in ((2, ZONEOUT), (3, CELL_ZONEOUT))
                )
            h, c = keep_h * h + (1 - keep_h) * new_h, keep_c * c + (1 - keep_c) * new_c
            outputs.append(h)
        return self.head(x + torch.stack(outputs)), (h, c)


def arrays_of(cell, random):
    def floats(*shape):
        return random.standard_normal(shape).astype(np.float32)

    def named(prefix, tensors):
        names = {n: n if "head" in n else f"rnn.{n}_l0" for n in tensors}
        return {f"{cell}.{prefix}.{names[n]}": t.detach().numpy().copy() for n, t in tensors.items()}

    network = Network(cell)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.from_numpy(0.4 * floats(*parameter.shape)))
    arrays = named("initial", dict(network.named_parameters()))
    features, values = floats(BATCHES, STEPS, ROWS, UNITS), floats(BATCHES, STEPS, ROWS, VALUES)
    optimiser = torch.optim.SGD(network.parameters(), lr=RATE, momentum=MOMENTUM)
    zeros = (torch.zeros(ROWS, UNITS), torch.zeros(ROWS, UNITS))
    losses, state = [], zeros
    for i in range(BATCHES):
        optimiser.zero_grad()
        y, state = network(torch.from_numpy(features[i]).double(), state, i + 1)
        loss = torch.nn.functional.mse_loss(y, torch.from_numpy(values[i]).double())
        loss.backward()
        state = tuple(s.detach() for s in state)
        if i == 0:
            arrays |= named("gradient", {n: p.grad for n, p in network.named_parameters()})
        optimiser.step()
        losses.append(loss.item())
    arrays |= named("final", dict(network.named_parameters()))
    inputs = floats(STEPS, ROWS, UNITS)
    outputs, _ = network(torch.from_numpy(inputs).double(), zeros, 0)
    arrays |= {f"{cell}.features": features, f"{cell}.values": values, f"{cell}.inputs": inputs}
    arrays |= {f"{cell}.losses": np.array(losses), f"{cell}.outputs": outputs.detach().numpy()}
    return arrays


def main():
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    random = np.random.default_rng(19)
    arrays = {}
    for cell in CELLS:
        arrays |= arrays_of(cell, random)
    arrays = {name: np.ascontiguousarray(array, dtype=np.float32) for name, array in arrays.items()}
    save_file(arrays, FOLDER / "regularization.safetensors")


if __name__ == "__main__":
    main()
