"""The reference training step of ../src/reference-step.mjs: same formulas, weights and data."""

import math
from array import array

MASK = 0xFFFFFFFF


class Lcg:
    """The linear congruential generator that every contestant draws from."""

    def __init__(self, seed):
        self.state = seed & MASK

    def __call__(self):
        self.state = (self.state * 1664525 + 1013904223) & MASK
        return self.state / 4294967296


def parameters(dims):
    width = dims["D"]
    specs = [("wte", (dims["V"], width)), ("wpe", (dims["T"], width))]
    for layer in range(dims["L"]):
        specs += [
            (f"ln1g{layer}", (width,)),
            (f"ln1b{layer}", (width,)),
            (f"wqkv{layer}", (width, 3 * width)),
            (f"wo{layer}", (width, width)),
            (f"ln2g{layer}", (width,)),
            (f"ln2b{layer}", (width,)),
            (f"w1{layer}", (width, 4 * width)),
            (f"w2{layer}", (4 * width, width)),
        ]
    return specs + [("lnfg", (width,)), ("lnfb", (width,)), ("head", (width, dims["V"]))]


def weights(dims):
    """Arrays of 32-bit numbers by name: lists of Python's numbers would count in the peak memory."""
    draw = Lcg(42)
    out = {}
    for name, shape in parameters(dims):
        size = math.prod(shape)
        if name.startswith("ln"):
            out[name] = array("f", [1.0 if "g" in name else 0.0]) * size
        else:
            out[name] = array("f", ((draw() - 0.5) * 0.07 for _ in range(size)))
    return out


def batch(dims, step):
    """Rows of ids and of the tokens that follow them."""
    draw = Lcg(7 + step * 977)
    size = dims["V"]
    ids, targets = [], []
    for _ in range(dims["B"]):
        token = int(draw() * size)
        for _ in range(dims["T"]):
            ids.append(token)
            token = (token * 5 + 17) % size if draw() < 0.9 else int(draw() * size)
            targets.append(token)
    return ids, targets
