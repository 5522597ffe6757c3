"""Writes the golden of WindowsTest: training by windows of a text that overlap, TBPTT(k1, k2), in PyTorch's autograd.

    python tests/src/test/goldens/windows.py

For each cell: a text that is cut into streams, the tensors before and after an epoch of gradient descent over its windows, the losses, and the gradients of
some windows. A window reads K2 tokens from the state, cut from the graph, that the window before has had K1 tokens after its own beginning; only its last K1
outputs have a loss, of the first window all. In double precision from floats, rounded once when stored.
"""

import numpy as np
import torch
from generate import FOLDER, VOCABULARY, Network, as_input, detached, markov_text, named, randomise
from safetensors.numpy import save_file

K1, K2, WINDOWS, ROWS, RATE = 3, 7, 5, 3, 0.5
GRADIENTS = (1, 4)
LENGTH = K2 + (WINDOWS - 1) * K1 + 1  # a token more than the windows need


def train(network, streams):
    """Returns the losses, and gradients."""
    optimiser = torch.optim.SGD(network.parameters(), lr=RATE)
    losses, gradients, state = [], {}, None
    for i in range(WINDOWS):
        optimiser.zero_grad()
        window = streams[i * K1 : i * K1 + K2 + 1]
        head, next_state = network(window[:K1], state)
        tail, _ = network(window[K1:-1], next_state)
        outputs, classes = torch.cat([head, tail]), window[1:]
        first = 0 if i == 0 else K2 - K1
        loss = torch.nn.functional.cross_entropy(outputs[first:].reshape(-1, VOCABULARY), classes[first:].reshape(-1))
        loss.backward()
        gradients |= {f"{i}.{n}": p.grad.detach().clone() for n, p in network.named_parameters() if i in GRADIENTS}
        optimiser.step()
        state = detached(next_state)
        losses.append(float(loss.detach()))
    return losses, gradients


def generate(seed, cell, layers):
    random = np.random.default_rng((seed, 22))
    network = Network(cell, layers, "embedding")
    randomise(network, random)
    text = markov_text(random, ROWS * LENGTH + 1)
    streams = np.stack([text[b * LENGTH : (b + 1) * LENGTH + 1] for b in range(ROWS)], axis=1)
    arrays = {"text": text} | named("initial", network.named_parameters())
    losses, gradients = train(network, as_input(streams))
    arrays |= {"losses": np.array(losses)} | named("gradient", gradients.items()) | named("final", network.named_parameters())
    print(f"{cell}: losses {losses}")
    return {f"{cell}.{name}": array for name, array in arrays.items()}


def main():
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    arrays = generate(0, "lstm", 2) | generate(1, "gru", 1)
    floats = {n: a if a.dtype == np.int32 else np.ascontiguousarray(a, dtype=np.float32) for n, a in arrays.items()}
    save_file(floats, FOLDER / "windows.safetensors")


if __name__ == "__main__":
    main()
