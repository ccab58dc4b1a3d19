"""Saves small models with PyTorch (1.13 wrote those here): model.pt and wrapped.pt."""

import argparse
import collections
import pathlib

import torch

here = pathlib.Path(__file__).parent
x = torch.arange(24, dtype=torch.float32).reshape(4, 6)
state = collections.OrderedDict(
    plain=x,
    same=x,
    transposed=x.t(),
    rows=x[1:3],
    columns=x[:, 1:5:2],
    expanded=torch.tensor([[1.0], [2.0]]).expand(2, 3),
    permuted=torch.arange(24, dtype=torch.int16).reshape(2, 3, 4).permute(2, 0, 1),
    parameter=torch.nn.Parameter(torch.tensor([0.5, -0.5])),
    scalar=torch.tensor(7),
    empty=torch.zeros(0, 3),
    bf16=torch.tensor([1.0, -2.0], dtype=torch.bfloat16),
    f16=torch.tensor([1.0, -2.0], dtype=torch.float16),
    f64=torch.tensor([1.0, -2.0], dtype=torch.float64),
    i32=torch.tensor([1, -2], dtype=torch.int32),
    i8=torch.tensor([1, -2], dtype=torch.int8),
    u8=torch.tensor([1, 254], dtype=torch.uint8),
    truth=torch.tensor([True, False]),
    c64=torch.tensor([1 + 2j], dtype=torch.complex64),
)
torch.save(state, here / "model.pt")

linear = torch.nn.Linear(2, 1)
with torch.no_grad():
    linear.weight.copy_(torch.tensor([[1.0, 2.0]]))
    linear.bias.copy_(torch.tensor([3.0]))
adam = torch.optim.Adam(linear.parameters())
linear(torch.ones(1, 2)).sum().backward()
with torch.no_grad():
    adam.step()
    linear.weight.copy_(torch.tensor([[1.0, 2.0]]))
    linear.bias.copy_(torch.tensor([3.0]))
wrapped = {
    "epoch": 3, "state_dict": linear.state_dict(), "optimizer": adam.state_dict(), "args": argparse.Namespace(lr=0.1, names=["a"]),
    "rng": torch.tensor([1, 2], dtype=torch.uint8), "device": torch.device("cpu"), "shape": torch.Size([1, 2]), "dtype": torch.float32,
    "seen": {1, 2}, "counts": collections.Counter("aab"), "groups": collections.defaultdict(list, a=[1]),
}
torch.save(wrapped, here / "wrapped.pt")
