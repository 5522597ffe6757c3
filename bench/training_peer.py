#!/usr/bin/env python3
"""PyTorch's side of run-training: how many characters per second a character model is trained on, as one line of JSON.

The same model, weights, characters and options as dev.ostinato.bench.CharacterTraining, measured as TrainingRate measures: wall time
over a number of optimiser steps, several times, after warm-up. Change both sides together.

PyTorch is given what suits it on CPUs: time-major batches, whole-sequence modules rather than cells, batches made in advance, fused
Adam, subnormals flushed to zero.
"""

import argparse
import json
import math
import statistics
import sys
import time

try:
    import torch
except ImportError:
    sys.exit(f"training_peer.py: {sys.executable} has no torch: pip install torch, or set PYTHON to an interpreter that has it")

VOCABULARY = 65
LEARNING_RATE = 2e-3
CLIP = 5
BATCHES = 20
REPORTED_LOSSES = 10


class Sequence:
    """dev.ostinato.bench.Sequence: the linear congruential generator of Knuth's MMIX."""

    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
        return self.state

    def below(self, bound):
        return (self.next() >> 33) % bound

    def symmetric(self, factor):
        return ((self.next() >> 40) * 2.0**-23 - 1) * factor


class CharacterModel(torch.nn.Module):
    def __init__(self, cell, hidden, dense):
        super().__init__()
        self.embedding = torch.nn.Identity() if dense else torch.nn.Embedding(VOCABULARY, hidden)
        recurrent = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn-tanh": torch.nn.RNN}[cell]
        self.rnn = recurrent(hidden, hidden)
        self.head = torch.nn.Linear(hidden, VOCABULARY)
        sequence = Sequence(1)
        factor = 1 / math.sqrt(hidden)
        for parameter in self.parameters():
            values = [sequence.symmetric(factor) for _ in range(parameter.numel())]
            parameter.data = torch.tensor(values).reshape(parameter.shape)

    def forward(self, tokens, state):
        h, state = self.rnn(self.embedding(tokens), state)
        return self.head(h), state


class Training:
    def __init__(self, options):
        self.model = CharacterModel(options.cell, options.hidden, options.input == "dense")
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=LEARNING_RATE, fused=True)
        self.batches = batches(options)
        self.next = 0
        self.state = None

    def step(self):
        tokens, classes = self.batches[self.next]
        self.next = (self.next + 1) % BATCHES
        logits, state = self.model(tokens, self.state)
        self.state = tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()
        loss = torch.nn.functional.cross_entropy(logits.view(-1, VOCABULARY), classes)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), CLIP)
        self.optimizer.step()
        return loss.item()


def batches(options):
    """As TokenStreams cuts a text: B streams side by side, T characters at a time; (T, B) and its successors, flat. Dense inputs are (T, B, H)."""
    rows, steps, hidden = options.batch, options.steps, options.hidden
    sequence = Sequence(2)
    text = torch.tensor([sequence.below(VOCABULARY) for _ in range(BATCHES * rows * steps + 1)])
    length = BATCHES * steps
    tokens = text[:-1].view(rows, length).t()
    classes = text[1:].view(rows, length).t()
    cuts = [slice(i * steps, (i + 1) * steps) for i in range(BATCHES)]
    if options.input == "dense":
        inputs = [
            torch.tensor([sequence.symmetric(1) for _ in range(steps * rows * hidden)]).view(steps, rows, hidden) for _ in cuts
        ]
    else:
        inputs = [tokens[cut].contiguous() for cut in cuts]
    return [(x, classes[cut].reshape(-1)) for x, cut in zip(inputs, cuts)]


def peak_resident_megabytes():
    """As ProcessMemory: of the whole process, as Linux counts it; 0 where nobody counts."""
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM:"))
    except OSError:
        return 0


def repeat(training, seconds):
    """Takes steps for a time and returns the seconds that one took."""
    start = time.perf_counter()
    count = 0
    while True:
        training.step()
        count += 1
        elapsed = time.perf_counter() - start
        if elapsed >= seconds:
            return elapsed / count


def time_steps(training, count):
    start = time.perf_counter()
    for _ in range(count):
        training.step()
    return time.perf_counter() - start


def measure(options):
    training = Training(options)
    losses = [training.step() for _ in range(REPORTED_LOSSES)]
    repeat(training, options.warmup / 2)
    count = max(1, round(options.seconds / repeat(training, options.warmup / 2)))
    characters = count * options.batch * options.steps
    rates = [characters / time_steps(training, count) for _ in range(options.repetitions)]
    return {
        "kind": "training",
        "engine": "pytorch",
        "version": torch.__version__,
        "isa": torch.backends.cpu.get_cpu_capability(),
        "cell": options.cell,
        "batch": options.batch,
        "steps": options.steps,
        "hidden": options.hidden,
        "input": options.input,
        "threads": options.threads,
        "unit": "characters/s",
        "median": round(statistics.median(rates), 1),
        "min": round(min(rates), 1),
        "max": round(max(rates), 1),
        "rates": [round(rate, 1) for rate in rates],
        "optimizerSteps": count,
        "peakResidentMegabytes": round(peak_resident_megabytes(), 1),
        "firstLoss": round(losses[0], 6),
        "tenthLoss": round(losses[-1], 6),
    }


def main():
    parser = argparse.ArgumentParser(description="Measures how fast PyTorch trains a character model.")
    parser.add_argument("--cell", choices=["lstm", "gru", "rnn-tanh"], default="lstm")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--input", choices=["tokens", "dense"], default="tokens")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--warmup", type=float, default=5, help="seconds")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2, help="seconds of one repetition")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_num_interop_threads(1)
    torch.set_flush_denormal(True)
    print(json.dumps(measure(options), separators=(",", ":")), flush=True)


if __name__ == "__main__":
    main()
