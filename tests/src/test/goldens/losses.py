"""Writes the goldens of LossGoldenTest: the value of each loss and its gradients by a linear layer, as PyTorch computes them.

    python tests/src/test/goldens/losses.py

Made with torch 2.13, numpy and safetensors. Inputs are rows of streams of different lengths, with NaN behind the end of each. A case has three
tensors: its loss, and the gradients of weights and bias. Computed in double precision from floats and rounded once when it is stored.
Sampled softmax follows TensorFlow's sampled_softmax_loss; the classes are drawn here as SampledSoftmax says, independently of the engine.
"""

import math
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file

FILE = pathlib.Path(__file__).parents[1] / "resources" / "goldens" / "losses.safetensors"
STEPS, LENGTHS, OUTPUTS = 7, [7, 4, 2, 6], 6
ROWS, TOTAL = len(LENGTHS), sum(LENGTHS)
LABELS = [[2, 2, 4], [1, 5], [], [3, 1, 3, 3]]
LARGE, SAMPLES, HEAD_LAYER = 50, 8, 2

random = np.random.default_rng(7)
x = random.standard_normal((STEPS, ROWS, TOTAL)).astype(np.float32)
there = np.arange(STEPS)[:, None] < np.array(LENGTHS)
classes = random.integers(0, OUTPUTS, (STEPS, ROWS)).astype(np.int32)
classes[0, 0] = 2  # so that something is ignored
values = random.standard_normal((STEPS, ROWS, OUTPUTS)).astype(np.float32)
shares = random.uniform(0, 1, (STEPS, ROWS, OUTPUTS)).astype(np.float32).round(1)
class_weights = [0.5, 2.0, 1.25, 0.0, 3.0, 0.75]
positive_weights = [0.5, 2.0, 1.25, 0.0, 3.0, 7.5]
tensors = {
    "x": np.where(there[:, :, None], x, np.nan),
    "lengths": np.array(LENGTHS, dtype=np.int32),
    "classes": classes,
    "values": values,
    "shares": shares,
    "class_weights": np.array(class_weights, dtype=np.float32),
    "positive_weights": np.array(positive_weights, dtype=np.float32),
    "labels": np.array(sum(LABELS, []), dtype=np.int32),
    "label_lengths": np.array([len(labels) for labels in LABELS], dtype=np.int32),
}


def layer(outputs, inputs=TOTAL, scale=0.4):
    """Returns the weights and the bias of a linear layer."""
    arrays = [random.normal(0, scale, shape).astype(np.float32) for shape in ((outputs, inputs), (outputs,))]
    return [torch.from_numpy(array).double().requires_grad_() for array in arrays]


def store(name, loss, **parameters):
    gradients = torch.autograd.grad(loss, list(parameters.values()), retain_graph=True)
    tensors[f"{name}.loss"] = np.float32([loss.item()])
    for parameter, gradient in zip(parameters, gradients):
        tensors[f"{name}.{parameter}"] = gradient.numpy().astype(np.float32)


weight, bias = layer(OUTPUTS)
tensors |= {"weight": weight.detach().numpy().astype(np.float32), "bias": bias.detach().numpy().astype(np.float32)}
rows = torch.from_numpy(there)
dense = F.linear(torch.from_numpy(x).double(), weight, bias)
pooled = F.linear(
    torch.stack([torch.from_numpy(x[: LENGTHS[b], b]).double().mean(0) for b in range(ROWS)]), weight, bias
)


def cases(name, y, target, losses):
    for option, loss in losses.items():
        store(f"{name}{option}", loss(y, target, "mean"), weight=weight, bias=bias)
        store(f"{name}{option}.summed", loss(y, target, "sum") / ROWS, weight=weight, bias=bias)


def cross_entropy(**options):
    return lambda y, target, reduction: F.cross_entropy(y, target, reduction=reduction, **options)


double_weights = torch.tensor(class_weights, dtype=torch.float64)
CROSS_ENTROPIES = {
    "": cross_entropy(),
    ".smoothing": cross_entropy(label_smoothing=0.3),
    ".weights": cross_entropy(weight=double_weights),
    ".ignored": cross_entropy(ignore_index=2),
    ".all": cross_entropy(label_smoothing=0.2, weight=double_weights, ignore_index=2),
}
BINARIES = {
    "": lambda y, t, reduction: F.binary_cross_entropy_with_logits(y, t, reduction=reduction),
    ".weights": lambda y, t, reduction: F.binary_cross_entropy_with_logits(
        y, t, reduction=reduction, pos_weight=torch.tensor(positive_weights, dtype=torch.float64)
    ),
}
DIFFERENCES = {
    "squared": lambda y, t, reduction: F.mse_loss(y, t, reduction=reduction),
    "absolute": lambda y, t, reduction: F.l1_loss(y, t, reduction=reduction),
    "huber": lambda y, t, reduction: F.huber_loss(y, t, reduction=reduction, delta=0.7),
}


def per_output(losses):
    """A row's loss is the mean over its outputs, also where rows are summed."""
    return {
        name: lambda y, t, reduction, loss=loss: loss(y, t, reduction) / (OUTPUTS if reduction == "sum" else 1)
        for name, loss in losses.items()
    }


for prefix, y, of in (("", dense[rows], lambda a: a[there]), ("pooled.", pooled, lambda a: a[0])):
    cases(prefix + "cross-entropy", y, torch.from_numpy(of(classes)).long(), CROSS_ENTROPIES)
    cases(prefix + "binary", y, torch.from_numpy(of(shares)).double(), per_output(BINARIES))
    cases(prefix, y, torch.from_numpy(of(values)).double(), per_output(DIFFERENCES))


def ctc(blank, labels):
    lengths = torch.tensor([len(row) for row in labels])
    target = torch.tensor(sum(labels, []))
    return lambda y, _, reduction: F.ctc_loss(
        F.log_softmax(y, 2), target, torch.tensor(LENGTHS), lengths, blank=blank, reduction=reduction
    )


cases("ctc", dense, None, {"": ctc(0, LABELS)})
cases("ctc", dense, None, {".last": ctc(5, [[label - 1 for label in row] for row in LABELS])})

# Sampled softmax

GOLDEN, MASK = 0x9E3779B97F4A7C15, (1 << 64) - 1


def bits(key, counter):
    z = (key + counter * GOLDEN) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def key_of(key, purpose):
    return bits(bits(key, purpose), ~purpose & MASK)


def sampled_classes(seed, step):
    """Returns distinct classes from a log-uniform distribution, and how many draws it took."""
    key = key_of(key_of(seed, step) | 1, HEAD_LAYER)
    found, draws = [], 0
    while len(found) < SAMPLES:
        u = (bits(key, draws) >> 11) * 2.0**-53
        drawn = min(int(math.exp(u * math.log(LARGE + 1))) - 1, LARGE - 1)
        draws += 1
        if drawn not in found:
            found.append(drawn)
    return np.array(found), draws


def log_expected(drawn, draws):
    p = np.log((drawn + 2.0) / (drawn + 1.0)) / math.log(LARGE + 1)
    return torch.from_numpy(np.log(-np.expm1(draws * np.log1p(-p))))


below_weight, below_bias = layer(5)
head_weight, head_bias = layer(LARGE, 5, 1.0)
words = np.minimum(random.integers(0, LARGE, (STEPS, ROWS)), random.integers(0, LARGE, (STEPS, ROWS))).astype(np.int32)
sampled, draws = sampled_classes(seed=3, step=1)
words[1, 0] = sampled[0]  # a sample that is right
h = F.linear(torch.from_numpy(x).double()[rows], below_weight, below_bias)
true = torch.from_numpy(words[there]).long()
true_logits = (h * head_weight[true]).sum(1) + head_bias[true] - log_expected(words[there], draws)
logits = h @ head_weight[sampled].T + head_bias[sampled] - log_expected(sampled, draws)
logits = logits.masked_fill(true[:, None] == torch.from_numpy(sampled), -math.inf)
loss = F.cross_entropy(torch.cat([true_logits[:, None], logits], 1), torch.zeros(TOTAL, dtype=torch.long))
parameters = {"dense.weight": below_weight, "dense.bias": below_bias, "head.weight": head_weight, "head.bias": head_bias}
store("sampled", loss, **parameters)
tensors |= {f"sampled.initial.{name}": p.detach().numpy().astype(np.float32) for name, p in parameters.items()}
tensors |= {"words": words}

save_file({name: np.ascontiguousarray(array, dtype=np.float32) if array.dtype != np.int32 else array
           for name, array in tensors.items()}, FILE)
