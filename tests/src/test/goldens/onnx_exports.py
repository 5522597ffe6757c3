"""Writes the goldens of OnnxExportsTest: models of PyTorch as its two exporters write them, with inputs and PyTorch's outputs.

    python tests/src/test/goldens/onnx_exports.py

Made with PyTorch 2.13, onnx 1.23, onnxscript 0.7 and safetensors. Each model is one file of goldens/onnx, small enough to be committed; inputs and outputs
of all are in onnx-exports.safetensors, named `MODEL.NAME`, with the names that the file has. Sizes of batches and steps vary in the file where the exporter can
say so, and are others here than in the export, so that nothing that was computed from them may have become a constant.
The newer exporter unrolls nn.RNN.
"""

import pathlib

import torch
from safetensors.torch import save_file
from torch import nn

FOLDER = pathlib.Path(__file__).parents[1] / "resources" / "goldens"


class Tagger(nn.Module):
    """Tokens to the logarithms of probabilities of each step."""

    def __init__(self, cell, **options):
        super().__init__()
        self.embedding = nn.Embedding(11, 5)
        self.rnn = cell(5, 6, **options)
        self.head = nn.Linear(12 if options.get("bidirectional") else 6, 4)

    def forward(self, tokens):
        return torch.log_softmax(self.head(self.rnn(self.embedding(tokens))[0]), -1)


class Classifier(nn.Module):
    """Features to one answer, from the last step."""

    def __init__(self, cell, **options):
        super().__init__()
        self.norm = nn.LayerNorm(5)
        self.rnn = cell(5, 6, **options)
        self.head = nn.Sequential(nn.Linear(6, 7), nn.LeakyReLU(), nn.Linear(7, 3), nn.Softmax(-1))

    def forward(self, x):
        y, _ = self.rnn(self.norm(x))
        return self.head(y[:, -1])


class Streaming(nn.Module):
    """A step with its states in and out, behind a convolution over a frame."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(2, 5, 4, stride=2, padding=1)
        self.rnn = nn.LSTM(5, 6, 2)
        self.head = nn.Linear(6, 1)

    def forward(self, frame, h, c):
        x = torch.relu(self.conv(frame)).mean(-1)
        y, (h, c) = self.rnn(x.unsqueeze(0), (h, c))
        return torch.sigmoid(self.head(y.squeeze(0))), h, c


def models():
    yield "tagger-lstm", Tagger(nn.LSTM, num_layers=2, bidirectional=True, batch_first=True), ["tokens"], ["y"]
    yield "tagger-gru", Tagger(nn.GRU, batch_first=True), ["tokens"], ["y"]
    yield "tagger-rnn", Tagger(nn.RNN, num_layers=2, batch_first=True), ["tokens"], ["y"]
    yield "classifier-gru", Classifier(nn.GRU, num_layers=2, batch_first=True), ["x"], ["y"]
    yield "classifier-rnn-relu", Classifier(nn.RNN, nonlinearity="relu", batch_first=True), ["x"], ["y"]
    yield "streaming-lstm", Streaming(), ["frame", "h", "c"], ["y", "h1", "c1"]


def inputs(names, batch, steps):
    make = {
        "tokens": lambda: torch.randint(0, 11, (batch, steps)),
        "x": lambda: torch.randn(batch, steps, 5),
        "frame": lambda: torch.randn(batch, 2, 16),
        "h": lambda: torch.randn(2, batch, 6),
        "c": lambda: torch.randn(2, batch, 6),
    }
    return tuple(make[name]() for name in names)


def varying(names):
    return {name: {1: "batch"} if name in "hc" else {0: "batch"} if name == "frame" else {0: "batch", 1: "steps"} for name in names}


def export(model, names, outputs, file, dynamo):
    given = inputs(names, 3, 7)
    if dynamo:
        dynamic = {name: {axis: torch.export.Dim.AUTO for axis in axes} for name, axes in varying(names).items()}
        program = torch.onnx.export(model, given, input_names=names, output_names=outputs, dynamic_shapes=dynamic, dynamo=True, external_data=False)
        program.save(file, include_initializers=True, keep_initializers_as_inputs=False)
        stripped(file)
    else:
        torch.onnx.export(model, given, str(file), input_names=names, output_names=outputs, dynamic_axes=varying(names), dynamo=False, opset_version=17)


def stripped(file):
    """Takes out what the exporter notes about where nodes come from: names of folders, and most of the file."""
    import onnx

    model = onnx.load(file)
    del model.metadata_props[:]
    del model.functions[:]
    graph = model.graph
    for part in [graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer]:
        if hasattr(part, "metadata_props"):
            del part.metadata_props[:]
        part.doc_string = ""
    del graph.value_info[:]
    onnx.save(model, file)


def main():
    torch.manual_seed(5)
    (FOLDER / "onnx").mkdir(exist_ok=True)
    arrays = {}
    for label, model, names, outputs in models():
        model.eval()
        for dynamo in (False, True):
            name = label + ("-dynamo" if dynamo else "")
            try:
                export(model, names, outputs, FOLDER / "onnx" / f"{name}.onnx", dynamo)
            except Exception as e:  # noqa: BLE001 said, and left out
                print(name, "cannot be exported:", repr(e)[:300])
                continue
            unrolled = dynamo and "rnn" in label  # step by step, so for as many steps as there were
            given = inputs(names, 2, 7 if unrolled else 4)
            with torch.no_grad():
                results = model(*given)
            results = results if isinstance(results, tuple) else (results,)
            arrays |= {f"{name}.{key}": value.contiguous() for key, value in zip(names + outputs, given + results)}
    save_file(arrays, FOLDER / "onnx-exports.safetensors")


if __name__ == "__main__":
    main()
