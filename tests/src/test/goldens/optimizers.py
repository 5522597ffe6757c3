"""Writes the golden of OptimizerGoldenTest: what torch.optim and torch.nn.utils make of one small network in different ways.

    python tests/src/test/goldens/optimizers.py

One file: the tensors before training, the batches, the tensors after eight steps under the name of each way, and the factors of the
learning rate of each schedule. In double precision from floats, rounded once when stored. Penalties and decay are on matrices alone.
"""

import copy

import numpy as np
import torch
from generate import FOLDER
from safetensors.numpy import save_file
from torch.optim import lr_scheduler
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

INPUTS, HIDDEN, VALUES, BATCHES, STEPS, ROWS, RATES = 5, 9, 4, 8, 5, 3, 30


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = torch.nn.GRU(INPUTS, HIDDEN, 2)
        self.head = torch.nn.Linear(HIDDEN, VALUES)

    def forward(self, x):
        return self.head(self.rnn(x)[0])


def tensors(prefix, network):
    return {f"{prefix}.{n}": t.detach().numpy().copy() for n, t in network.state_dict().items()}


def groups(network, decay):
    return [{"params": [p for p in network.parameters() if p.dim() > 1], "weight_decay": decay},
            {"params": [p for p in network.parameters() if p.dim() == 1], "weight_decay": 0.0}]


def sgd(network):
    return torch.optim.SGD(network.parameters(), lr=0.3)


def by_norm(network):
    for parameter in network.parameters():
        torch.nn.utils.clip_grad_norm_(parameter, 0.05)


def rescale(network):
    norm = torch.sqrt(sum((p.grad**2).sum() for p in network.parameters()))
    for parameter in network.parameters():
        parameter.grad *= 0.5 / norm


def l1(network):
    for parameter in network.parameters():
        if parameter.dim() > 1:
            parameter.grad += 0.01 * torch.sign(parameter)


NOTHING = lambda network: None  # noqa: E731
WAYS = {
    "sgd": (sgd, NOTHING),
    "momentum": (lambda n: torch.optim.SGD(n.parameters(), lr=0.1, momentum=0.8), NOTHING),
    "nesterov": (lambda n: torch.optim.SGD(n.parameters(), lr=0.1, momentum=0.8, nesterov=True), NOTHING),
    "rmsprop": (lambda n: torch.optim.RMSprop(n.parameters(), lr=0.01), NOTHING),
    "adagrad": (lambda n: torch.optim.Adagrad(n.parameters(), lr=0.05), NOTHING),
    "adam": (lambda n: torch.optim.Adam(n.parameters(), lr=0.02), NOTHING),
    "adamw": (lambda n: torch.optim.AdamW(groups(n, 0.1), lr=0.02), NOTHING),
    "l2": (lambda n: torch.optim.Adam(groups(n, 0.1), lr=0.02), NOTHING),
    "l1": (sgd, l1),
    "by-value": (sgd, lambda n: torch.nn.utils.clip_grad_value_(n.parameters(), 0.02)),
    "by-norm": (sgd, by_norm),
    "by-global-norm": (sgd, lambda n: torch.nn.utils.clip_grad_norm_(n.parameters(), 0.1)),
    "rescale": (sgd, rescale),
}


def factors(schedule):
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = schedule(optimiser)
    found = []
    for _ in range(RATES):
        found.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        scheduler.step()
    return np.array(found)


SCHEDULES = {
    "steps": lambda o: lr_scheduler.StepLR(o, 4, 0.5),
    "exponential": lambda o: lr_scheduler.ExponentialLR(o, 0.9),
    "cosine-restarts": lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 4, 2, 0.1),
    "equal-restarts": lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 7),
    "warmed-up": lambda o: lr_scheduler.SequentialLR(
        o, [lr_scheduler.LinearLR(o, 1 / 5, 1, 4), lr_scheduler.StepLR(o, 4, 0.5)], [5]),
}


def main():
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    random = np.random.default_rng(11)

    def floats(*shape):
        return random.standard_normal(shape).astype(np.float32)

    initial = Network()
    with torch.no_grad():
        for tensor in initial.state_dict().values():
            tensor.copy_(torch.from_numpy(0.4 * floats(*tensor.shape).clip(-2, 2)))
    arrays = tensors("initial", initial)
    arrays |= {"features": floats(BATCHES, STEPS, ROWS, INPUTS), "values": floats(BATCHES, STEPS, ROWS, VALUES)}
    for name, (optimiser_of, change) in WAYS.items():
        network = copy.deepcopy(initial)
        optimiser = optimiser_of(network)
        average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(0.7))
        for x, values in zip(arrays["features"], arrays["values"]):
            optimiser.zero_grad()
            loss = torch.nn.functional.mse_loss(network(torch.from_numpy(x).double()), torch.from_numpy(values).double())
            loss.backward()
            change(network)
            optimiser.step()
            average.update_parameters(network)
        arrays |= tensors(name, network)
        if name == "adam":
            arrays |= tensors("averaged", average.module)
        moved = sum(float(((a - b) ** 2).sum().detach()) for a, b in zip(network.parameters(), initial.parameters()))
        print(f"{name}: last loss {float(loss.detach()):.4f}, moved {moved**0.5:.3f}")
    # The gradients of two batches at once: of rows side by side, each of which has half of the weight.
    network = copy.deepcopy(initial)
    optimiser = sgd(network)
    for i in range(0, BATCHES, 2):
        optimiser.zero_grad()
        for x, values in list(zip(arrays["features"], arrays["values"]))[i : i + 2]:
            y = network(torch.from_numpy(x).double())
            (torch.nn.functional.mse_loss(y, torch.from_numpy(values).double()) / 2).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 0.1)
        optimiser.step()
    arrays |= tensors("accumulated", network)
    arrays |= {f"factors.{name}": factors(schedule) for name, schedule in SCHEDULES.items()}
    floats32 = {n: np.ascontiguousarray(a, dtype=np.float32) for n, a in arrays.items()}
    save_file(floats32, FOLDER / "optimizers.safetensors", {"settings": "cell=gru"})


if __name__ == "__main__":
    main()
