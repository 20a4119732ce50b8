"""Writes layers.json: outputs of PyTorch's layers for small inputs, for the tests of both backends.

python3 layers.py; any PyTorch from 1.13 on, NumPy is not needed. Made with 1.13, all values in 64-bit floats.
"""

import json
import math
from pathlib import Path

import torch

torch.set_default_dtype(torch.float64)


def inputs(rows, width, seed):
    """Deterministic, without a generator whose numbers depend on the version. `[rows, width]`, rounded to 5 digits."""
    values = [math.sin(0.7 * (i + 1) * (seed + 0.3)) + 0.5 * math.cos(1.9 * i + seed) for i in range(rows * width)]
    return torch.tensor([round(v, 5) for v in values]).reshape(rows, width)


def weights(rows, width, seed):
    """Multiples of 1/127 up to 1 in every row: 8-bit integers hold them without an error."""
    values = torch.round(127 * inputs(rows, width, seed) / 1.5).clamp(-127, 127) / 127
    values[:, seed % width] = 1.0
    return values


def numbers(values):
    return [float(f"{v:.7g}") for v in values.detach().flatten().tolist()]


def linear(n_in, n_out, seed):
    return {"n_in": n_in, "weight": numbers(weights(n_out, n_in, seed)), "bias": numbers(inputs(1, n_out, seed + 1))}


def tensors(layer):
    bias = torch.tensor(layer["bias"])
    return torch.tensor(layer["weight"]).reshape(len(bias), layer["n_in"]), bias


def gru(n_in, width, rows):
    given = {"input": linear(n_in, 3 * width, 2), "hidden": linear(width, 3 * width, 5)}
    layer = torch.nn.GRU(n_in, width)
    with torch.no_grad():
        for half, name in (("input", "ih"), ("hidden", "hh")):
            weight, bias = tensors(given[half])
            getattr(layer, f"weight_{name}_l0").copy_(weight)
            getattr(layer, f"bias_{name}_l0").copy_(bias)
    x = inputs(rows, n_in, 7)
    out, _ = layer(x.unsqueeze(1))
    return {**given, "x": numbers(x), "y": numbers(out)}


def layer_norm(width, rows):
    weight, bias, x = inputs(1, width, 3), inputs(1, width, 4), inputs(rows, width, 6)
    layer = torch.nn.LayerNorm(width)
    with torch.no_grad():
        layer.weight.copy_(weight[0])
        layer.bias.copy_(bias[0])
    y = torch.nn.functional.leaky_relu(layer(x), 0.1)
    return {"weight": numbers(weight), "bias": numbers(bias), "x": numbers(x), "y": numbers(y)}


def conv(n_in, n_out, kernel, stride, dilation, outputs):
    """Files hold the taps one after the other; PyTorch wants `[out, in, taps]`. Zeros stand before the clip."""
    given = linear(kernel * n_in, n_out, 3)
    weight, bias = tensors(given)
    x = inputs(outputs * stride, n_in, 8)
    layer = torch.nn.Conv1d(n_in, n_out, kernel, stride=stride, dilation=dilation)
    with torch.no_grad():
        layer.weight.copy_(weight.reshape(n_out, kernel, n_in).transpose(1, 2))
        layer.bias.copy_(bias)
    past = (kernel - 1) * dilation + 1 - stride
    y = layer(torch.nn.functional.pad(x.T.unsqueeze(0), (past, 0)))[0].T
    assert y.shape == (outputs, n_out)
    spec = {"n_in": n_in, "n_out": n_out, "kernel": kernel, "stride": stride, "dilation": dilation}
    return {"spec": spec, **given, "x": numbers(x), "y": numbers(y)}


def main():
    golden = {
        "gru": gru(6, 8, 6),
        "layer_norm": layer_norm(20, 3),
        "convs": [conv(1, 6, 12, 4, 1, 6), conv(3, 5, 5, 4, 1, 4), conv(4, 3, 3, 1, 4, 12)],
    }
    Path(__file__).with_name("layers.json").write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()
