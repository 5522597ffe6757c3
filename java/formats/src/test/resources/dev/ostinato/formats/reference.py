"""Writes reference.safetensors with the Python reference (safetensors 0.8.0, numpy 2.4.6).

    python reference.py reference.safetensors

One tensor of each dtype and its bytes are 1, 2, 3, ...; a scalar, two empties, and names that JSON has to escape.
"""

import sys

import numpy as np
from safetensors import TensorSpec, serialize_file

DTYPES = {
    "bool": 1, "uint8": 1, "int8": 1, "float8_e5m2": 1, "float8_e4m3fn": 1,
    "int16": 2, "uint16": 2, "float16": 2, "bfloat16": 2,
    "int32": 4, "uint32": 4, "float32": 4,
    "float64": 8, "int64": 8, "uint64": 8,
}

keep = []


def tensor(dtype, shape, data=None):
    size = DTYPES[dtype] * int(np.prod(shape, dtype=np.int64))
    data = np.arange(1, size + 1, dtype=np.uint8) if data is None else data.view(np.uint8)
    assert data.size == size
    keep.append(data)
    return TensorSpec(dtype=dtype, shape=shape, data_ptr=data.ctypes.data, data_len=size)


tensors = {f"every.{name}": tensor(name, (2, 3)) for name in DTYPES}
tensors["every.bool"] = tensor("bool", (2, 3), np.array([0, 1, 1, 0, 1, 0], np.uint8))
tensors["scalar"] = tensor("float32", (), np.array([-1.5], "<f4"))
tensors["empty.float"] = tensor("float32", (3, 0))
tensors["empty.byte"] = tensor("uint8", (0,))
# A quote, a backslash, a slash, control characters; then two names that UTF-16 would sort the other way round.
tensors['odd "\\/\b\f\n\r\t\x01\x1f\x7f'] = tensor("float32", (1,), np.array([0.25], "<f4"))
tensors["odd \ufb01"] = tensor("float32", (1,), np.array([1e-45], "<f4"))
tensors["odd \U0001d11e"] = tensor("float32", (1,), np.array([np.inf], "<f4"))

# One pair only: the reference writes several in an order that changes from run to run.
serialize_file(tensors, sys.argv[1], metadata={"about": "caf\u00e9 \u2192 \"quoted\"\n"})
