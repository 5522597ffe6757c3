"""Writes the golden of NormLayersTest: torch.nn.LayerNorm before an LSTM and torch.nn.BatchNorm1d behind it, over all steps of all streams.

    python tests/src/test/goldens/norms.py

One file: the tensors before and after three steps of gradient descent, with the batches and losses, the gradients of the first step, and
what the trained model makes of other inputs with its running statistics. In double precision from floats, rounded once when stored.
"""

import numpy as np
import torch
from generate import FOLDER
from safetensors.numpy import save_file

INPUTS, HIDDEN, VALUES, BATCHES, STEPS, ROWS, RATE = 7, 19, 4, 3, 5, 3, 0.2


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer_norm = torch.nn.LayerNorm(INPUTS)
        self.rnn = torch.nn.LSTM(INPUTS, HIDDEN)
        self.batch_norm = torch.nn.BatchNorm1d(HIDDEN)
        self.head = torch.nn.Linear(HIDDEN, VALUES)

    def forward(self, x, state):
        y, state = self.rnn(self.layer_norm(x), state)
        return self.head(self.batch_norm(y.reshape(-1, HIDDEN)).reshape(y.shape)), state


def tensors(prefix, network):
    """All but the number of batches, which is an integer."""
    found = {n: t for n, t in network.state_dict().items() if "num_batches" not in n}
    return {f"{prefix}.{n}": t.detach().numpy().copy() for n, t in found.items()}


def main():
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    random = np.random.default_rng(7)

    def floats(*shape):
        return random.standard_normal(shape).astype(np.float32)

    network = Network()
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if "num_batches" not in name:
                middle = 1.0 if "norm.weight" in name or "running_var" in name else 0.0
                tensor.copy_(torch.from_numpy((middle + 0.4 * floats(*tensor.shape).clip(-2, 2)).astype(np.float32)))
    arrays = tensors("initial", network)
    arrays |= {"features": 3 * floats(BATCHES, STEPS, ROWS, INPUTS) + 1, "values": floats(BATCHES, STEPS, ROWS, VALUES)}
    optimiser = torch.optim.SGD(network.parameters(), lr=RATE)
    losses, state = [], None
    for x, values in zip(arrays["features"], arrays["values"]):
        optimiser.zero_grad()
        y, state = network(torch.from_numpy(x).double(), state)
        loss = torch.nn.functional.mse_loss(y, torch.from_numpy(values).double())
        loss.backward()
        if not losses:
            arrays |= {f"gradient.{n}": p.grad.numpy().copy() for n, p in network.named_parameters()}
        optimiser.step()
        state = tuple(s.detach() for s in state)
        losses.append(float(loss.detach()))
    arrays |= tensors("final", network) | {"losses": np.array(losses), "inputs": floats(STEPS, ROWS, INPUTS)}
    network.eval()
    with torch.no_grad():
        arrays["outputs"] = network(torch.from_numpy(arrays["inputs"]).double(), None)[0].numpy()
    floats32 = {n: np.ascontiguousarray(a, dtype=np.float32) for n, a in arrays.items()}
    save_file(floats32, FOLDER / "norm-layers.safetensors", {"settings": f"cell=lstm rate={RATE}"})
    print(f"norm-layers: losses {losses}")


if __name__ == "__main__":
    main()
