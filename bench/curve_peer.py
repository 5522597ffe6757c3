#!/usr/bin/env python3
"""PyTorch's side of run-curves: trains a character model from the tokens, initial weights and options that
dev.ostinato.examples.tasks.CharacterModel leaves in a file, and writes the course of the training as it does.

    python bench/curve_peer.py FOLDER/NAME.safetensors

writes FOLDER/NAME-pytorch.csv. Needs torch and safetensors; uses one thread. Change both sides together. PyTorch is given what suits it on CPUs:
time-major batches, whole-sequence modules, fused Adam, subnormals flushed to zero.
"""

import math
import pathlib
import sys
import time

try:
    import torch
    from safetensors import safe_open
except ImportError as missing:
    sys.exit(f"curve_peer.py: {sys.executable} has no {missing.name}: pip install torch safetensors, or set PYTHON")


class CharacterModel(torch.nn.Module):
    def __init__(self, weights):
        super().__init__()
        vocabulary, embedding = weights["embedding.weight"].shape
        hidden = weights["rnn.weight_hh_l0"].shape[1]
        self.embedding = torch.nn.Embedding(vocabulary, embedding)
        self.rnn = torch.nn.LSTM(embedding, hidden)
        self.head = torch.nn.Linear(hidden, vocabulary)
        self.load_state_dict(weights)

    def forward(self, tokens, state):
        h, state = self.rnn(self.embedding(tokens), state)
        return self.head(h), state


def side_by_side(text, streams):
    """As TokenStreams cuts a text: streams of equal length beside each other, (length, streams), and their successors."""
    length = (len(text) - 1) // streams
    tokens = text[: length * streams].view(streams, length).t().contiguous()
    following = text[1 : length * streams + 1].view(streams, length).t().contiguous()
    return tokens, following


def train(model, text, held_out, options):
    updates, points = int(options["updates"]), int(options["points"])
    steps, streams = int(options["steps"]), int(options["streams"])
    rate, last, clip = float(options["rate"]), float(options["lastRate"]), float(options["clip"])
    tokens, following = side_by_side(text, streams)
    per_epoch = len(tokens) // steps
    optimizer = torch.optim.Adam(model.parameters(), lr=rate, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda done: last + (1 - last) * 0.5 * (1 + math.cos(math.pi * done / updates)))
    state, seconds = None, 0.0
    for point in range(points):
        began = time.perf_counter()
        for update in range(point * (updates // points), (point + 1) * (updates // points)):
            at = update % per_epoch * steps
            logits, state = model(tokens[at : at + steps], None if at == 0 else state)
            state = tuple(s.detach() for s in state)
            loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), following[at : at + steps].flatten())
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
            optimizer.step()
            schedule.step()
        seconds += time.perf_counter() - began
        yield (point + 1) * (updates // points), seconds, bits(model, held_out, streams)


@torch.no_grad()
def bits(model, text, streams):
    tokens, following = side_by_side(text, streams)
    state, nats = None, 0.0
    for at in range(0, len(tokens), 64):
        logits, state = model(tokens[at : at + 64], state)
        nats += torch.nn.functional.cross_entropy(logits.flatten(0, 1), following[at : at + 64].flatten(),
                                                  reduction="none").double().sum().item()
    return nats / following.numel() / math.log(2)


def main():
    if len(sys.argv) != 2:
        sys.exit("curve_peer.py: expected the file that CharacterModel leaves")
    start = pathlib.Path(sys.argv[1])
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    with safe_open(start, "pt") as file:
        weights = {name: file.get_tensor(name) for name in file.keys() if not name.startswith("text.")}
        text, held_out = (file.get_tensor(name).long() for name in ("text.training", "text.heldOut"))
        options = file.metadata()
    lines = ["updates,seconds,bits"]
    for updates, seconds, found in train(CharacterModel(weights), text, held_out, options):
        lines.append(f"{updates},{seconds:.3f},{found:.6f}")
    start.with_name(start.stem + "-pytorch.csv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
