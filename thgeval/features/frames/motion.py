"""Motion between consecutive frames: dense optical flow, and which pixels can be followed along it.

Flow is (transitions, height, width, 2) float32: x to the right, then y downwards, in px per frame at the working size;
``forward`` flow leads from each frame's pixels into the next frame, ``backward`` flow the other way. It is computed on
OpenCV's grey (of floats, the same unrounded), on a scale of 255 whatever the range of the frames, by Farnebäck's
polynomial expansion as OpenCV has it.

OpenCV computes this flow on the calling thread alone; its setting for threads changes neither the time nor a single bit
(tests/metrics/motion/test_temporal.py shows it), and is left as the program around it wants it.

Source: Farnebäck, "Two-Frame Motion Estimation Based on Polynomial Expansion", SCIA 2003.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from thgeval.feature import feature
from thgeval.features.frames.frames import Neighbours, neighbours
from thgeval.kernels import luma, warp


@dataclass(frozen=True)
class Farneback:
    """OpenCV's parameters: a pyramid of ``levels``, each ``scale`` times the one below; iterations over a window;
    polynomials fitted over a neighbourhood, under a Gaussian of ``sigma`` px.

    ``rest`` says that equal frames have no motion at all. OpenCV sees some tenths of a px there, within a few px of the
    border, where its fit lacks neighbours.
    """

    scale: float
    levels: int
    window_px: int
    iterations: int
    neighbourhood_px: int
    sigma: float
    rest: bool


FLOWS: Mapping[str, Farneback] = MappingProxyType(
    {
        "farneback": Farneback(0.5, 3, 15, 3, 5, 1.2, rest=True),
        "farneback-diffused-heads": Farneback(0.5, 7, 5, 15, 5, 1.2, rest=False),
    }
)


@feature(lambda side_px, **_: neighbours(side_px=side_px), version=1)
def flow(
    beside: Neighbours, *, side_px: int = 0, method: str = "farneback", direction: str = "forward"
) -> NDArray[np.float32]:
    """Flow between each frame and the one before it: (transitions, height, width, 2), px per frame.

    ``side_px`` is the working size, as in ``neighbours``; ``method`` is a key of ``FLOWS``; ``direction`` is
    ``forward`` or ``backward``.
    """
    rule, planes = FLOWS[method], _grey(beside)
    field = np.zeros((*beside.current.shape[:3], 2), np.float32)
    for vectors, (first, second) in zip(field, pairwise(planes), strict=True):
        if not (rule.rest and np.array_equal(first, second)):
            start, end = (first, second) if direction == "forward" else (second, first)
            _write_farneback(start, end, rule, vectors)
    return field


@feature(
    lambda **parameters: flow(direction="forward", **parameters),
    lambda **parameters: flow(direction="backward", **parameters),
    version=1,
)
def visible(
    forward: NDArray[np.float32], backward: NDArray[np.float32], *, side_px: int = 0, method: str = "farneback"
) -> NDArray[np.bool_]:
    """Which pixels of each frame's predecessor can be followed into it: (transitions, height, width).

    ``side_px`` and ``method`` are those of the flow; what hides a pixel is said in ``thgeval.kernels.warp``.
    """
    return warp.visible(forward=forward, backward=backward)


def _grey(beside: Neighbours) -> NDArray[Any]:
    """Every frame of a run of transitions, of which each is the last one's end: (transitions + 1, height, width)."""
    rule = "cv2-grey" if beside.current.dtype == np.uint8 else "bt601-float"
    planes = np.concatenate(
        [luma.luma(part, rule=rule, peak=beside.peak) for part in (beside.previous[:1], beside.current)]
    )
    return planes if planes.dtype == np.uint8 else (planes * (255.0 / beside.peak)).astype(np.float32)


def _write_farneback(start: NDArray[Any], end: NDArray[Any], rule: Farneback, out: NDArray[np.float32]) -> None:
    cv2.calcOpticalFlowFarneback(
        start,
        end,
        out,
        pyr_scale=rule.scale,
        levels=rule.levels,
        winsize=rule.window_px,
        iterations=rule.iterations,
        poly_n=rule.neighbourhood_px,
        poly_sigma=rule.sigma,
        flags=0,
    )
