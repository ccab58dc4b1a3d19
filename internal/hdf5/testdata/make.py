# Makes the files of this directory with h5py 3.7 (HDF5 1.10.8) and HDF5's own h5repack. layouts_test.go knows the numbers:
# element i of every array, counted row by row, is i/4 for floats and i for integers.
import ctypes
import os
import subprocess

import h5py
import numpy as np

here = os.path.dirname(os.path.abspath(__file__))
F, H = (7, 5, 3), (16, 9)


def numbers(shape, dtype="<f4"):
    n = np.arange(np.prod(shape, dtype=int)).reshape(shape)
    return (n / 4 if np.dtype(dtype).kind == "f" else n).astype(dtype)


def file(name, **kw):
    return h5py.File(os.path.join(here, name), "w", **kw)


# Types, in the oldest and in the latest format.
for name, libver in {"types.h5": "earliest", "types_latest.h5": "latest"}.items():
    with file(name, libver=libver) as f:
        for t in "<f2 <f4 <f8 >f2 >f4 >f8 <i1 <i2 <i4 <i8 <u1 <u2 <u4 <u8 >i2 >i4 >u8".split():
            f["n/" + t.replace("<", "l").replace(">", "b")] = numbers((2, 3), t)
        f["bool"] = np.array([True, False, True])
        f["scalar"] = np.float32(2.5)
        f["nothing"] = h5py.Empty("f4")
        f["none"] = np.zeros((0, 4), "f4")
        f["compound"] = np.zeros(2, [("a", "f4"), ("b", "i4")])
        f["fixed"] = np.array([b"one", b"three"])
        f["texts"] = np.array(["eins", "", "drei \u00e9"], h5py.string_dtype())
        f["soft"] = h5py.SoftLink("/scalar")
        f["external"] = h5py.ExternalLink("other.h5", "/x")
        g = f["n"]
        g.attrs["names"] = np.array([b"a", b"bcd"])
        g.attrs["texts"] = ["x", "yz"]
        g.attrs["text"] = "hello"
        g.attrs["bytes"] = np.bytes_(b"abc")
        g.attrs["numbers"] = np.arange(6, dtype="<i4").reshape(2, 3)
        g.attrs["none"] = np.zeros(0, "f8")
        g.attrs["half"] = np.float16(0.5)

# Chunks, whole and cut, with every filter, never written in part; in the old format all are found by a B-tree.
filters = {
    "plain": {},
    "gzip": dict(compression="gzip"),
    "all": dict(compression="gzip", shuffle=True, fletcher32=True),
    "lzf": dict(compression="lzf"),
    "sum": dict(fletcher32=True),
}
for end, libver in {"": "earliest", "_latest": "latest"}.items():
    for i, names in enumerate((["plain", "gzip"], ["all"], ["lzf", "sum"])):
        with file("cut_%d%s.h5" % (i, end), libver=libver) as f:
            for k in names:
                f.create_dataset("cut_" + k, data=numbers(F), chunks=(2, 3, 2), **filters[k])
    with file("open%s.h5" % end, libver=libver) as f:
        f.create_dataset("open", data=numbers(F), chunks=(2, 3, 2), maxshape=(None, 5, 3))
        f.create_dataset("open_gzip", data=numbers(F), chunks=(2, 3, 2), maxshape=(None, 5, 3), compression="gzip")
        f.create_dataset("open_middle", data=numbers(F), chunks=(2, 2, 2), maxshape=(7, None, 3))
    with file("both%s.h5" % end, libver=libver) as f:
        f.create_dataset("open_both", data=numbers(F), chunks=(2, 3, 2), maxshape=(None, None, 3))
        f.create_dataset("open_both_gzip", data=numbers(F), chunks=(2, 3, 2), maxshape=(None, None, 3), compression="gzip")
    with file("chunks%s.h5" % end, libver=libver) as f:
        f.create_dataset("big", data=numbers(F, ">f4"), chunks=(3, 5, 3), compression="gzip")
        f.create_dataset("one", data=numbers(F), chunks=F)
        f.create_dataset("one_gzip", data=numbers(F), chunks=F, compression="gzip")
        d = f.create_dataset("holes", H, "f4", chunks=(2, 9), fillvalue=-1.5)
        d[3:5] = numbers(H)[3:5]
        f.create_dataset("never", H, "f4", fillvalue=7)
        f.create_dataset("never_chunked", H, "f4", chunks=(2, 9))

# Enough chunks for arrays with pages, blocks of blocks and trees of several levels.
with file("many_latest.h5", libver="latest") as f:
    f.create_dataset("fixed", data=numbers((1100,), "<u2"), chunks=(1,), maxshape=(1200,))
with file("endless_latest.h5", libver="latest") as f:
    f.create_dataset("open", data=numbers((700,), "<u2"), chunks=(1,), maxshape=(None,))
with file("pages_latest.h5", libver="latest") as f:
    f.create_dataset("far", (100000,), "u1", chunks=(1,), maxshape=(None,))[77777] = 5
with file("tree_latest.h5", libver="latest") as f:
    f.create_dataset("both", data=numbers((20, 20), "<u2"), chunks=(1, 1), maxshape=(None, None))
with file("tree.h5") as f:
    f.create_dataset("both", data=numbers((10, 10), "<u2"), chunks=(1, 1))

# Early allocation without filters: chunks without an index.
with file("implicit_latest.h5", libver="latest") as f:
    p = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    p.set_chunk((2, 3, 2))
    p.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    s = h5py.h5s.create_simple(F)
    h5py.h5d.create(f.id, b"implicit", h5py.h5t.IEEE_F32LE, s, p).write(h5py.h5s.ALL, h5py.h5s.ALL, numbers(F))
    p.set_layout(h5py.h5d.COMPACT)
    h5py.h5d.create(f.id, b"compact", h5py.h5t.IEEE_F32LE, s, p).write(h5py.h5s.ALL, h5py.h5s.ALL, numbers(F))

# Chunks that stick out of the shape stored as they are, which h5py has no way to ask for.
with file("edges_latest.h5", libver="latest") as f:
    p = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    p.set_chunk((2, 3, 2))
    p.set_deflate(9)
    ctypes.CDLL("libhdf5_serial.so.103").H5Pset_chunk_opts(ctypes.c_int64(p.id), ctypes.c_uint(2))
    s = h5py.h5s.create_simple(F)
    h5py.h5d.create(f.id, b"edges", h5py.h5t.IEEE_F32LE, s, p).write(h5py.h5s.ALL, h5py.h5s.ALL, numbers(F))

# Groups of many names: trees of tables, and a fractal heap. The names are more than the first block of the heap holds.
for name, libver, n in ("groups.h5", "earliest", 130), ("groups_latest.h5", "latest", 320):
    with file(name, libver=libver) as f:
        f["x"] = np.int32(7)
        for i in range(n):
            f["a_name_%03d" % i] = f["x"]

# Attributes that do not fit into a header.
with file("attributes_latest.h5", libver="latest") as f:
    for i in range(20):
        f.attrs["attribute_%02d" % i] = np.arange(i, dtype="i4")

# Repacked by HDF5's own tool, with a block of another program before the file.
with file("in.h5") as f:
    f["x"] = numbers(F)
path = os.path.join(here, "in.h5")
for name, how in {"repacked.h5": ["-f", "SHUF", "-f", "GZIP=9", "-l", "CHUNK=4x2x3"], "repacked_latest.h5": ["-L", "-f", "FLET", "-l", "CHUNK=4x2x3"]}.items():
    subprocess.check_call(["h5repack", *how, path, os.path.join(here, name)])
os.remove(path)
with file("user.h5", userblock_size=512) as f:
    f["x"] = numbers(F)
