"""Pickles values of every kind that package pickle knows, in each protocol: values_0.pkl to values_5.pkl."""

import pathlib
import pickle

shared = ["once"]
looped = [1]
looped.append(looped)
values = {
    "none": None, "true": True, "false": False,
    "small": 5, "negative": -5, "two bytes": 40000, "four bytes": -2**31, "eight bytes": -2**62, "long": 2**70 + 1, "longer": -2**2100,
    "float": -1.5, "text": "é€\n\\u0041 \U0001f600", "bytes": b"\x00\xff'\\ab", "bytearray": bytearray(b"xy"),
    "list": [1, [2], []], "tuples": ((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)), "set": {7}, "frozenset": frozenset([8]),
    3: "number", "shared": [shared, shared], "looped": looped,
}
for protocol in range(6):
    path = pathlib.Path(__file__).with_name(f"values_{protocol}.pkl")
    path.write_bytes(pickle.dumps(values, protocol))
