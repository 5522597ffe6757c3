"""Writes the goldens of PyTorchFileTest: files of torch.save, and the tensors in them.

    python java/formats/src/test/resources/dev/ostinato/formats/torch_files.py

Made with torch 2.13, numpy and safetensors. The folder torch gets files of kinds that people have, and tensors.safetensors with what torch.load
finds in them, each tensor under the name of its file, a slash and its own name.
"""

import io
import pathlib
import zipfile

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

FOLDER = pathlib.Path(__file__).parent / "torch"


def model():
    torch.manual_seed(31)
    return nn.ModuleDict({"rnn": nn.GRU(3, 4), "head": nn.Linear(4, 2)})


def types():
    """A tensor of each type that there is a storage for, a scalar, and one without elements."""
    kinds = {
        "f64": torch.float64, "f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16, "i64": torch.int64,
        "i32": torch.int32, "i16": torch.int16, "i8": torch.int8, "u8": torch.uint8, "bool": torch.bool,
    }  # fmt: skip
    tensors = {name: torch.tensor([0, 1, 100]).to(kind) for name, kind in kinds.items()}
    return tensors | {"scalar": torch.tensor(-2.5), "empty": torch.zeros(0, 3), "negative": torch.tensor([-(2**40)])}


def strided():
    """Views: elements in another order, beginning somewhere, far from one another, several of one storage."""
    base = torch.arange(24, dtype=torch.float32)
    table = base.view(4, 6)
    return {
        "transposed": table.t(),
        "part": table[1:3, 2:5],
        "column": table[:, 3],
        "permuted": base.view(2, 3, 4).permute(2, 0, 1),
        "every-second": base[1::2],
        "thin": table[:, :1].t(),
        "tail": base[20:],
        "shared": base,
    }


def checkpoint():
    trained = model()
    optimizer = torch.optim.Adam(trained.parameters())
    sum(p.sum() for p in trained.parameters()).backward()
    optimizer.step()
    return {
        "epoch": 3, "rate": 0.125, "steps": 2**40, "negative": -7, "many": 100_000, "none": None, "done": True, "list": [1, "a", (2,)],
        "model": trained.state_dict(), "optimizer": optimizer.state_dict(), "size": torch.zeros(2, 3).size(),
    }  # fmt: skip


def big_endian(little):
    """The same file as a machine with the other byte order would write it."""
    target = io.BytesIO()
    with zipfile.ZipFile(little) as source, zipfile.ZipFile(target, "w") as out:
        for name in source.namelist():
            data = source.read(name)
            if "/data/" in name:
                data = np.frombuffer(data, "<f4").astype(">f4").tobytes()
            out.writestr(name, b"big" if name.endswith("byteorder") else data)
    return target.getvalue()


def main():
    FOLDER.mkdir(exist_ok=True)
    objects = {
        "plain": model().state_dict(),
        "types": types(),
        "strided": strided(),
        "checkpoint": checkpoint(),
        "two": {"model": model().state_dict(), "ema": {"model": model().state_dict(), "decay": 0.5}},
        "parameters": dict(model().named_parameters()),
        "mixed": {"w": torch.ones(2), "version": 1},
    }
    expected = {}
    for name, value in objects.items():
        torch.save(value, FOLDER / f"{name}.pt")
        loaded = torch.load(FOLDER / f"{name}.pt")
        loaded = loaded.get("model", loaded)
        for key, tensor in loaded.items():
            if isinstance(tensor, torch.Tensor):
                expected[f"{name}/{key}"] = tensor.detach().clone().contiguous()
    (FOLDER / "big-endian.pt").write_bytes(big_endian(FOLDER / "plain.pt"))
    for key, tensor in torch.load(FOLDER / "big-endian.pt").items():
        assert torch.equal(tensor, expected[f"plain/{key}"])
    save_file(expected, FOLDER / "tensors.safetensors")

    # What is refused.
    torch.save(model().state_dict(), FOLDER / "legacy.pt", _use_new_zipfile_serialization=False)
    torch.save(model(), FOLDER / "module.pt")
    torch.save({"w": torch.ones(1).expand(1000)}, FOLDER / "expanded.pt")
    torch.save([torch.ones(2)], FOLDER / "list.pt")
    torch.save(model().state_dict(), FOLDER / "protocol-4.pt", pickle_protocol=4)
    torch.jit.script(nn.Linear(2, 1)).save(str(FOLDER / "script.pt"))


if __name__ == "__main__":
    main()
