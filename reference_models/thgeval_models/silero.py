"""Silero VAD at 16 kHz: how probably somebody speaks, every 32 ms. In numpy, but for what reads the file.

Paper     Silero Team, Silero VAD, 2021; no paper
Weights   ``silero_vad.jit`` in the package silero-vad 5.1.2 (MIT), of which the tensors of 16 kHz are read; later
          releases have other weights under the same name
Input     mono sound at 16 kHz, (samples,), in [-1, 1]
Output    probabilities, (windows,), of windows of 512 samples, the last filled up with silence

Each window is seen with the 64 samples before it. Names are the file's; the plan is after release 6.2.3, whose
``silero_vad/tinygrad_model.py`` describes the network.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

WINDOW, CONTEXT, PAD = 512, 64, 64
BANDS = 129
Floats = NDArray[np.float32]


def load(path: Path) -> dict[str, Floats]:
    """The tensors of the published file that belong to 16 kHz, under their names without ``_model.``."""
    from thgeval_models.loading import load_tensors, under

    return {name: tensor.numpy() for name, tensor in under(load_tensors(path), "_model.").items()}


def probabilities(tensors: Mapping[str, Floats], samples: Floats) -> Floats:
    """How probably somebody speaks in each window: (windows,) in [0, 1]."""
    seen = _encoded(tensors, _windows(samples))
    hidden, cell = np.zeros(seen.shape[1], np.float32), np.zeros(seen.shape[1], np.float32)
    given = seen @ tensors["decoder.rnn.weight_ih"].T + tensors["decoder.rnn.bias_ih"] + tensors["decoder.rnn.bias_hh"]
    weight, bias = tensors["decoder.decoder.2.weight"][0, :, 0], tensors["decoder.decoder.2.bias"][0]
    found = np.empty(len(seen), np.float32)
    for window, inputs in enumerate(given):
        hidden, cell = _remembered(inputs + tensors["decoder.rnn.weight_hh"] @ hidden, cell)
        found[window] = _sigmoid(np.maximum(hidden, 0) @ weight + bias)
    return found


def _windows(samples: Floats) -> Floats:
    """(windows, 640): each window behind the samples before it, and before its own mirror image."""
    count = -(-len(samples) // WINDOW)
    padded = np.pad(samples.astype(np.float32), (CONTEXT, count * WINDOW - len(samples)))
    starts = np.arange(count)[:, None] * WINDOW + np.arange(CONTEXT + WINDOW)
    return np.asarray(np.pad(padded[starts], ((0, 0), (0, PAD)), mode="reflect"))


def _encoded(tensors: Mapping[str, Floats], windows: Floats) -> Floats:
    """(windows, 640) -> (windows, 128)."""
    parts = _convolved(windows[:, None], tensors["stft.forward_basis_buffer"], None, stride=128, pad=0)
    x = np.sqrt(parts[:, :BANDS] ** 2 + parts[:, BANDS:] ** 2)
    for layer, stride in enumerate((1, 2, 2, 1)):
        weight, bias = (tensors[f"encoder.{layer}.reparam_conv.{part}"] for part in ("weight", "bias"))
        x = np.maximum(_convolved(x, weight, bias, stride=stride, pad=1), 0)
    return np.asarray(x[:, :, 0])


def _convolved(x: Floats, weight: Floats, bias: Floats | None, *, stride: int, pad: int) -> Floats:
    """A convolution along time: (n, channels, length) -> (n, outputs, places)."""
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad)))
    kernel = weight.shape[2]
    places = np.arange(0, x.shape[2] - kernel + 1, stride)[:, None] + np.arange(kernel)
    found = np.einsum("nclk,ock->nol", x[:, :, places], weight, optimize=True)
    return np.asarray(found if bias is None else found + bias[:, None], np.float32)


def _remembered(gates: Floats, cell: Floats) -> tuple[Floats, Floats]:
    """A step of the LSTM: gates in, forget, new, out, (512,), and the cell of before, (128,)."""
    enter, forget, new, leave = np.split(gates, 4)
    cell = _sigmoid(forget) * cell + _sigmoid(enter) * np.tanh(new)
    return _sigmoid(leave) * np.tanh(cell), cell


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-x)), np.float32)
