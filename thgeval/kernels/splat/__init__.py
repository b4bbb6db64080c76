"""Pixels of one view, each written to where another camera sees its point.

Contract of every device
    image      (height, width, channels), uint8, float32 or float64
    places     (height, width, 2) float64: x to the right, then y downwards, as shares of the sides, so that 0 and 1
               are the outer edges; NaN for a pixel that has no place
    writing    pixel (x, y) goes to column floor(x * width), row floor(y * height); pixels are taken row by row, and the
               last one written to a place stays: there is no test of which lies in front
    leaving    a pixel whose place lies outside [0, 1] in x or y leaves the image; it is not written, or with ``clamp``
               goes to the nearest pixel of the border

Source: the forward warp of PV3D (Xu et al., ICLR 2023), where the last of several pixels stays too.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import ProtocolError
from thgeval.kernels.splat import cpu

PIXELS = (np.uint8, np.float32, np.float64)


class Splat(NamedTuple):
    """The image as the other camera sees it, 0 where nothing was written; where it was; which pixels leave."""

    pixels: NDArray[Any]
    written: NDArray[np.bool_]
    leaves: NDArray[np.bool_]


def splat(image: NDArray[Any], *, places: NDArray[np.float64], clamp: bool = False) -> Splat:
    """The image written to ``places``; ProtocolError for other shapes and types than the contract's."""
    if image.ndim != 3 or image.dtype not in PIXELS:
        raise ProtocolError(f"splat reads (height, width, channels) pixels, not {image.dtype} of shape {image.shape}.")
    if places.shape != (*image.shape[:2], 2) or places.dtype != np.float64:
        raise ProtocolError(
            f"splat wants float64 places of shape {(*image.shape[:2], 2)}, not {places.dtype} of {places.shape}."
        )
    x, y = np.ascontiguousarray(places[..., 0]), np.ascontiguousarray(places[..., 1])
    return Splat(*cpu.splat(np.ascontiguousarray(image), x, y, clamp))
