"""Pickles NumPy arrays as Detectron2's model files have them, in each protocol: arrays_0.pkl to arrays_5.pkl."""

import pathlib
import pickle

import numpy

rows = numpy.arange(6, dtype="<f4").reshape(2, 3)
model = {
    "rows": rows,
    "again": rows,
    "columns": numpy.asfortranarray(rows),
    "transposed": rows.T,
    "sliced": numpy.arange(20, dtype="<i4").reshape(4, 5)[1::2, ::2],
    "big": numpy.arange(3, dtype=">f8"),
    "bigcomplex": numpy.array([1 + 2j, 3 - 4j], dtype=">c8"),
    "half": numpy.array([1, -2], dtype="<f2"),
    "long": numpy.array([-1, 2**40], dtype="<i8"),
    "bytes": numpy.array([1, 255], dtype="u1"),
    "truth": numpy.array([True, False]),
    "scalar": numpy.array(7, dtype="<i2"),
    "empty": numpy.zeros((0, 3), dtype="<f4"),
    "number": numpy.float32(1.5),
}
for protocol in range(6):
    path = pathlib.Path(__file__).with_name(f"arrays_{protocol}.pkl")
    path.write_bytes(pickle.dumps({"model": model, "__author__": "nobody", "matching_heuristics": True, "mean": rows[0]}, protocol))
