"""A lip reader for the sentences of GRID, from 68 landmarks: small, for one grammar, in plain numpy.

It reads the six words of a GRID sentence (*bin blue at f two now*) off the outline of the mouth and nothing else: it
has no way to say any other word, and whatever it is shown, it answers with a GRID sentence.
``reference_models/grid_reader.md`` says how well it reads, and whom.

Six residual convolutions along time give, for every frame, how likely it belongs to each third of each of the 51 words,
or to silence. The sentence is then the most likely path through the grammar (Viterbi).

Trained by ``reference_models/training/train_grid_reader.py``.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval_models.errors import ArchitectureError, InputShapeError, UnreadableFileError

Array = NDArray[np.float32]

GRAMMAR = (
    ("bin", "lay", "place", "set"),
    ("blue", "green", "red", "white"),
    ("at", "by", "in", "with"),
    tuple("abcdefghijklmnopqrstuvxyz"),
    ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    ("again", "now", "please", "soon"),
)
"""The words a GRID sentence may have in each of its six places."""

WORDS = tuple(word for place in GRAMMAR for word in place)
THIRDS = 3
SILENCE = THIRDS * len(WORDS)
CLASSES = SILENCE + 1
"""Classes of a frame: the thirds of the first word, of the second, ..., and silence."""

FPS = 25
FEWEST_FRAMES = THIRDS * len(GRAMMAR)
POINTS = (*range(48, 68), *range(6, 11))
SPREAD = 0.05
"""The landmarks that are read (lips and chin), and what their movements are divided by, in distances between the
eyes."""

WIDTH, KERNEL, DILATIONS = 128, 5, (1, 2, 4, 1, 2, 4)
COLUMNS = 4 * len(POINTS)
SHAPES = {
    "into.weight": (WIDTH, COLUMNS, 1),
    "into.bias": (WIDTH,),
    **{f"layers.{layer}.weight": (WIDTH, WIDTH, KERNEL) for layer in range(len(DILATIONS))},
    **{f"layers.{layer}.bias": (WIDTH,) for layer in range(len(DILATIONS))},
    "out.weight": (CLASSES, WIDTH, 1),
    "out.bias": (CLASSES,),
    "prior": (CLASSES,),
}
"""What a weight file holds; ``prior`` is the logarithm of how often each class occurs, already weighed."""


def movements(landmarks: NDArray[np.floating]) -> Array:
    """What the network reads, (frames, 100), of (frames, 68, 2) landmarks at 25 frames per second.

    Lips and chin seen from the nose, turned until the eyes are level, in distances between the eyes, less their mean
    over the clip, which takes most of whose mouth it is away; and how they change from the frame before to the next.
    """
    if landmarks.ndim != 3 or landmarks.shape[1:] != (68, 2):
        raise InputShapeError(f"The GRID reader takes landmarks of (frames, 68, 2), not {landmarks.shape}.")
    points = landmarks.astype(np.float64)
    across = points[:, 42:48].mean(axis=1) - points[:, 36:42].mean(axis=1)
    angle = np.arctan2(across[:, 1], across[:, 0])
    turn = np.stack([np.cos(angle), np.sin(angle), -np.sin(angle), np.cos(angle)], axis=1).reshape(-1, 2, 2)
    seen = points[:, POINTS] - points[:, 27:36].mean(axis=1, keepdims=True)
    level = np.einsum("fij,fpj->fpi", turn, seen) / np.median(np.hypot(*across.T))
    places = level.reshape(len(level), -1)
    places = (places - places.mean(axis=0)) / SPREAD
    beside = np.pad(places, ((1, 1), (0, 0)), mode="edge")
    return np.concatenate([places, 1.5 * (beside[2:] - beside[:-2])], axis=1).astype(np.float32)


def load(path: Path) -> dict[str, Array]:
    """The weights in a safetensors file of float16 arrays, as float32.

    Raises UnreadableFileError for another format, ArchitectureError for arrays of another network.
    """
    try:
        raw = path.read_bytes()
        size = int.from_bytes(raw[:8], "little")
        header = json.loads(raw[8 : 8 + size])
        held = {name: _array(raw[8 + size :], entry) for name, entry in header.items() if name != "__metadata__"}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UnreadableFileError(f"{path} is not a safetensors file of float16 arrays ({error}).") from None
    if {name: array.shape for name, array in held.items()} != SHAPES:
        raise ArchitectureError(f"{path} does not hold the arrays of the GRID reader; give it the file made for it.")
    return held


def _array(data: bytes, entry: Mapping[str, Any]) -> Array:
    if entry["dtype"] != "F16":
        raise ValueError(f"an array of {entry['dtype']}")
    first, end = entry["data_offsets"]
    return np.frombuffer(data[first:end], "<f2").reshape(entry["shape"]).astype(np.float32)


def likelihoods(weights: Mapping[str, Array], seen: Array) -> Array:
    """How well each frame fits each class, as logarithms: (frames, 154) of (frames, 100) movements."""
    x = seen @ weights["into.weight"][..., 0].T + weights["into.bias"]
    for layer, dilation in enumerate(DILATIONS):
        x = x + np.maximum(
            _along_time(x, weights[f"layers.{layer}.weight"], dilation) + weights[f"layers.{layer}.bias"], 0
        )
    scores = np.maximum(x, 0) @ weights["out.weight"][..., 0].T + weights["out.bias"]
    top = scores.max(axis=1, keepdims=True)
    posteriors = scores - top - np.log(np.exp(scores - top).sum(axis=1, keepdims=True))
    return np.asarray(posteriors - weights["prior"], np.float32)


def _along_time(x: Array, kernel: Array, dilation: int) -> Array:
    """Dilated convolution of (frames, channels), padded with zeros to its length."""
    reach = KERNEL // 2 * dilation
    padded = np.pad(x, ((reach, reach), (0, 0)))
    taps = [padded[tap * dilation : tap * dilation + len(x)] @ kernel[:, :, tap].T for tap in range(KERNEL)]
    return np.asarray(sum(taps), np.float32)


def sentence(fits: Array) -> tuple[str, ...]:
    """The six words of the likeliest way through the grammar, given (frames, 154) logarithms.

    Every word takes at least three frames; silence may stand before the first word and after the last. Raises
    InputShapeError for fewer frames than six words take.
    """
    if len(fits) < FEWEST_FRAMES:
        raise InputShapeError(f"A GRID sentence takes at least {FEWEST_FRAMES} frames, not {len(fits)}.")
    return tuple(WORDS[word] for word in _best_path(fits.astype(np.float64)))


def _best_path(fits: NDArray[np.float64]) -> list[int]:
    """Viterbi, place by place: the best score of being done with places 0..p by the end of each frame."""
    silence = np.concatenate([[0.0], np.cumsum(fits[:, SILENCE])])
    done = silence  # index t: frames 0..t-1 are explained
    first = 0
    chosen: list[NDArray[np.int64]] = []
    begun: list[NDArray[np.int64]] = []
    for place in GRAMMAR:
        ends, starts = zip(
            *(_word_ends(fits[:, THIRDS * word :][:, :THIRDS], done) for word in range(first, first + len(place))),
            strict=True,
        )
        table = np.stack(ends)
        best = table.argmax(axis=0)
        chosen.append(best + first)
        begun.append(np.take_along_axis(np.stack(starts), best[None], axis=0)[0])
        done = table.max(axis=0)
        first += len(place)
    at = int((done + silence[-1] - silence).argmax())
    path: list[int] = []
    for word, start in zip(reversed(chosen), reversed(begun), strict=True):
        path.append(int(word[at]))
        at = int(start[at])
    return path[::-1]


def _word_ends(fits: NDArray[np.float64], done: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Best score of ending a word after t frames, and after how many frames it then began; both (frames + 1,)."""
    score, start = done, np.arange(len(done))
    for third in fits.T:
        sums = np.concatenate([[0.0], np.cumsum(third)])
        gain = score - sums  # entered after t frames: what stays equal while the third goes on
        best = np.maximum.accumulate(gain)
        since = np.maximum.accumulate(np.where(gain == best, np.arange(len(gain)), 0))
        score = np.concatenate([[-np.inf], best[:-1] + sums[1:]])
        start = np.concatenate([[0], start[since[:-1]]])
    return score, start
