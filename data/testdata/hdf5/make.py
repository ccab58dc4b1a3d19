# Makes the HDF5 files of this directory with h5py, the library that nearly all such files were written with.
# hdf5_test.go knows the numbers.
import os
import pickle

import h5py
import numpy as np

here = os.path.dirname(os.path.abspath(__file__))
N, n, w = 4, 3, 8
features = np.arange(N * n * w, dtype="f4").reshape(N, n, w) / 4
spatial = np.zeros((N, n, 6), "f4")
spatial[:, :, :2], spatial[:, :, 2:4], spatial[:, :, 4:] = 0.25, 0.75, 0.5
pixels = np.tile(np.array([[0, 0, 32, 24], [16, 12, 64, 48], [1, 2, 3, 4]], "f4"), (N, 1, 1))


def file(name, **kw):
    return h5py.File(os.path.join(here, name), "w", **kw)


with file("rows.h5") as f:
    f["image_features"], f["spatial_features"], f["image_bb"] = features, spatial, pixels
for name, how in {
    "gzip.h5": dict(chunks=(2, n, w), compression="gzip", shuffle=True),
    "cut.h5": dict(chunks=(2, 2, 3)),
    "half.h5": dict(dtype="f2"),
}.items():
    with file(name) as f:
        f.create_dataset("image_features", data=features, **how)
        f["spatial_features"] = spatial
with file("adaptive.h5") as f:
    f["image_features"], f["spatial_features"] = features.reshape(N * n, w), spatial.reshape(N * n, 6)
    f["pos_boxes"] = np.array([[0, 2], [2, 3], [3, 8], [8, 12]], "i4")
for name, version in {"groups.h5": "earliest", "latest.h5": "latest"}.items():
    with file(name, libver=version) as f:
        for i in range(N if version == "earliest" else 12):
            g = f.create_group("COCO_train2014_%012d" % i)
            g["obj_id"], g["obj_conf"] = np.arange(n) + i, np.full(n, 0.5, "f4")
            g["attr_id"], g["attr_conf"] = np.arange(n), np.full(n, 0.25, "f4")
            g["boxes"], g["img_w"], g["img_h"], g["features"] = pixels[i % N], 64, 48, features[i % N]
with open(os.path.join(here, "imgid2idx.pkl"), "wb") as f:
    pickle.dump({391895: 1, 9: 0, 100: 2, 101: 3}, f, protocol=0)
