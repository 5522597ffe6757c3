"""Writes the golden arrays with NumPy 2.4.6.

    python arrays.py DIRECTORY

The elements of each array are -3, -2, -1, ... in C order, from 0 on where the type has no sign; booleans are their lowest bit.
"""

import io
import sys
import zipfile

import numpy as np

TYPES = ["b1", "u1", "i1", "i2", "u2", "f2", "i4", "u4", "f4", "i8", "u8", "f8"]
directory = sys.argv[1]


def array(kind, shape, order="C"):
    first = 0 if kind[0] in "bu" else -3
    values = first + np.arange(np.prod(shape, dtype=int))
    if kind == "b1":
        values = values & 1
    return np.asarray(values.astype(kind).reshape(shape), order=order)


def npy(data, version):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, data, version=version)
    return stream.getvalue()


arrays = {kind: array(kind, (2, 3)) for kind in TYPES}
arrays["scalar"] = array("f4", ())
arrays["empty"] = array("f4", (3, 0))
arrays["long"] = array("f4", (13,))
arrays["deep"] = array("i8", (2, 1, 3, 2))
np.savez(f"{directory}/arrays.npz", **arrays)
np.savez_compressed(f"{directory}/compressed.npz", x=array("f4", (50, 4, 5)), n=array("i4", (5, 2)))

# What our writer does not write, but others do.
with zipfile.ZipFile(f"{directory}/unusual.npz", "w") as archive:
    for version in [(1, 0), (2, 0), (3, 0)]:
        archive.writestr(zipfile.ZipInfo(f"version{version[0]}.npy"), npy(array("f4", (2, 3)), version))
    archive.writestr(zipfile.ZipInfo("fortran.npy"), npy(array("f4", (2, 3, 4), "F"), (1, 0)))
    archive.writestr(zipfile.ZipInfo("fortran8.npy"), npy(array("i8", (3, 2), "F"), (1, 0)))
    old = b"{'descr': '<i4', 'fortran_order': False, 'shape': (2L, 3L)}"
    old += b" " * (80 - 10 - 1 - len(old)) + b"\n"
    archive.writestr(zipfile.ZipInfo("python2.npy"), b"\x93NUMPY\x01\x00" + bytes([len(old), 0]) + old
                     + array("i4", (2, 3)).tobytes())
np.save(f"{directory}/vector.npy", array("f4", (13,)))
