"""Following pixels from one frame to the next along a flow, and which of them can be followed.

Contract of every device
    frames     (frames, height, width, channels), uint8, float32 or float64
    flow       (frames, height, width, 2), float32 or float64: x to the right, then y downwards, in px; the pixel at
               (x, y) of one frame is found at (x + flow_x, y + flow_y) of the next
    sampling   bilinear between pixel centres; a place more than 0 px outside the outermost centres is outside the
               frame, and nothing is read there
    arithmetic float64 throughout; the sums of a frame run row by row, pixel by pixel, channel by channel, so that they
               depend on nothing but the frame; no fused or reordered operations. On a graphics card (see
               ``thgeval.kernels.places``) sums are taken in a tree, and operations may be fused

A pixel of the earlier frame is visible in the later one if the backward flow, read where the forward flow leads,
comes back to it, and if it does not lie on a boundary of the motion, where flow is least certain. With the forward flow
w, the backward flow u read at the pixel's target, and the change dw of w to the next pixels on the right and below, it
is hidden if

    |w + u|^2   > 0.01 (|w|^2 + |u|^2) + 0.5        it does not come back
    |dw|^2      > 0.01 |w|^2 + 0.002                it lies on a boundary

or if w leads out of the frame. Across the last column and below the last row nothing changes.

Sources: Lai et al., "Learning Blind Video Temporal Consistency", ECCV 2018, and its programs; the two tests and their
constants are those of Ruder, Dosovitskiy and Brox, "Artistic Style Transfer for Videos", GCPR 2016, after Sundaram,
Brox and Keutzer, ECCV 2010. Lai's program reads beyond the border as if the outermost pixels went on; here a pixel that
leaves the frame is not visible.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import ProtocolError
from thgeval.kernels.places import loops, readable
from thgeval.kernels.warp import cpu

PIXELS = (np.uint8, np.float32, np.float64)
VECTORS = (np.float32, np.float64)


class Warped(NamedTuple):
    """Frames read along a flow, (frames, height, width, channels) float64, 0 where ``inside`` is False."""

    pixels: NDArray[np.float64]
    inside: NDArray[np.bool_]


class SquaredError(NamedTuple):
    """Sum of squared differences of each frame over ``pixels`` pixels and all their channels: both (frames,)."""

    squared: NDArray[np.float64]
    pixels: NDArray[np.int64]


def warped(frames: NDArray[Any], *, flow: NDArray[Any]) -> Warped:
    """The frames as seen from where their flow begins: at (x, y) stands what was read at (x, y) + flow.

    Raises ProtocolError for other shapes and types than the contract's.
    """
    place, frames, flow = loops(cpu, frames, flow), readable(frames), readable(flow)
    _check(frames, PIXELS, "frames")
    _check(flow, VECTORS, "flow", like=frames)
    return Warped(*place.warped(frames, flow))


def visible(*, forward: NDArray[Any], backward: NDArray[Any]) -> NDArray[np.bool_]:
    """Which pixels of the earlier frames can be followed into the later ones: (frames, height, width).

    ``forward`` leads from the earlier frame to the later one, ``backward`` from the later to the earlier. Raises
    ProtocolError for other shapes and types than the contract's.
    """
    place, forward, backward = loops(cpu, forward, backward), readable(forward), readable(backward)
    _check(forward, VECTORS, "forward")
    _check(backward, VECTORS, "backward", like=forward)
    seen: NDArray[np.bool_] = place.visible(forward, backward)
    return seen


def squared_error(
    *, previous: NDArray[Any], current: NDArray[Any], flow: NDArray[Any], mask: NDArray[np.bool_]
) -> SquaredError:
    """How far the current frames, read along the flow, are from the previous ones, where ``mask`` is True.

    ``mask`` is (frames, height, width); pixels whose flow leaves the frame count as masked out. Raises ProtocolError
    for other shapes and types than the contract's.
    """
    place = loops(cpu, previous, current, flow, mask)
    previous, current, flow, mask = readable(previous), readable(current), readable(flow), readable(mask)
    _check(previous, PIXELS, "previous")
    _check(current, PIXELS, "current", like=previous)
    _check(flow, VECTORS, "flow", like=previous)
    if previous.shape != current.shape or mask.shape != previous.shape[:3] or mask.dtype != np.bool_:
        raise ProtocolError(
            f"warp compares frames of one shape under a boolean mask, not {previous.shape} with {current.shape} under "
            f"{mask.dtype} of shape {mask.shape}."
        )
    return SquaredError(*place.squared_error(previous, current, flow, mask))


def _check(array: NDArray[Any], types: tuple[Any, ...], name: str, *, like: NDArray[Any] | None = None) -> None:
    if array.ndim != 4 or array.dtype not in types or (types is VECTORS and array.shape[3] != 2):
        raise ProtocolError(
            f"warp reads {name} as (frames, height, width, {'2' if types is VECTORS else 'channels'}) in "
            f"{', '.join(item.__name__ for item in types)}, not {array.dtype} of shape {array.shape}."
        )
    if like is not None and array.shape[:3] != like.shape[:3]:
        raise ProtocolError(f"warp's {name} are {array.shape[:3]} where (frames, height, width) is {like.shape[:3]}.")
