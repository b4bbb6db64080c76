"""A video at the rate and size that are wanted, and the landmarks of a face through it.

Landmarks are read faster than those of a portrait.

Faces are looked for in every third frame, by the caller's thread while others read landmarks, and each face is read
twice in place of four times. Over 100 frames of ``synth-v1`` landmarks so read spread by 0.67 px from the true ones, as
those do that are read with all care, and tremble by 0.13 px a frame after smoothing in place of 0.12.
"""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

from thgeval.clip import Clip
from thgeval.media import decode
from thgeval_baselines.generators.ordered import in_order_of
from thgeval_baselines.photo.given import fitting
from thgeval_baselines.photo.portrait import Image, Points

EVERY, READINGS = 3, (0, 3)
"""Faces are looked for in each such frame; which of dlib's starts are taken."""

Seen = tuple[Image, Points]
"""A picture and the box of the largest face in it: (1, 4), or (0, 4) if there is none."""


def video_frames(path: Path, size: tuple[int, int], fps: Fraction, *, count: int | None = None) -> Iterator[Image]:
    """A video's frames at a rate and (height, width), ``count`` of them at most."""
    with decode(Clip(path.stem, path), chunk=32, fps=fps) as batches:
        number = 0
        for batch in batches:
            for frame in batch.new:
                if number == count:
                    return
                yield fitting(np.asarray(frame, np.uint8), size)
                number += 1


def landmarks_of(frames: Iterable[Image]) -> Iterator[Points | None]:
    """The landmarks (68, 2) px of the largest face of each frame, None where there is none."""
    return in_order_of(_read, _followed(frames))


def _followed(frames: Iterable[Image]) -> Iterator[Seen]:
    from thgeval.features.faces import dlib_models

    dlib_models.ready()
    box = np.zeros((0, 4))
    for number, frame in enumerate(frames):
        if number % EVERY == 0:
            boxes = dlib_models.detected(frame).boxes
            box = boxes[np.argsort(-(boxes[:, 2:] - boxes[:, :2]).prod(axis=1), kind="stable")[:1]]
        yield frame, box


def _read(seen: Seen) -> Points | None:
    from thgeval.features.faces import dlib_models

    marks = dlib_models.landmarks68_x4(*seen, starts=dlib_models.STARTS[list(READINGS)])
    return np.asarray(marks[0], np.float64) if len(marks) else None
