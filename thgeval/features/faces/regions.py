"""Parts of frames: the square around the mouth or the face, cut out and brought to one size.

The square lies about the middle of the box of the landmarks and is ``margin`` times the box's longer side; it is moved
into the frame where it sticks out, and made smaller where it doesn't fit, so that nothing outside a frame is ever
shown. Pixels are whole until the square is brought to ``side_px``, averaged over area where it shrinks and interpolated
linearly where it grows, as protocols resize. Of several faces the largest counts, in every frame anew.

Clips that are compared are both cut where the reference has its face (``at="reference"``), so that a face in the wrong
place is an error; a clip looked at alone is cut at its own (``at="own"``).
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from thgeval.feature import Feature, feature, in_reference
from thgeval.features.faces.detection import Faces, faces
from thgeval.features.faces.landmarks import CHAINS, landmarks
from thgeval.features.faces.people import chosen, taken
from thgeval.features.frames.frames import rgb
from thgeval.media.frames import FrameBatch
from thgeval.media.resample import write_resized


class Region(NamedTuple):
    """Landmarks, how much wider than their box the square is, and its side in px once cut."""

    points: slice
    margin: float
    side_px: int


REGIONS: Mapping[str, Region] = MappingProxyType(
    {"mouth": Region(slice(48, 68), 1.5, 96), "face": Region(slice(0, 68), 1.25, 256)}
)

Squares = NDArray[np.float64]


@feature(
    lambda model, **_: faces(detector=CHAINS[model].detector),
    lambda model, **_: landmarks(model=model),
    version=1,
)
def squares(found: Faces, points: NDArray[np.float32], *, region: str, model: str = "dlib") -> Squares:
    """Left and upper edge and side, in whole px, of the region of the largest face: (frames, 3), NaN without a face."""
    own = taken(points, chosen(found, who="largest", min_px=0))[:, 0, REGIONS[region].points]
    low, high = own.min(axis=1), own.max(axis=1)
    wanted = REGIONS[region].margin * (high - low + 1).max(axis=1)
    side = np.rint(np.minimum(wanted, found.size.min(axis=1)))
    corner = np.rint((low + high) / 2 - (side[:, None] - 1) / 2)
    inside = np.clip(corner, 0, found.size - side[:, None])
    return np.concatenate([inside, side[:, None]], axis=1)


def places(*, region: str, at: str) -> Feature[Squares]:
    """The squares of a clip's own faces, or of the reference's."""
    return squares(region=region) if at == "own" else in_reference(squares(region=region))


@feature(rgb, lambda region, at: places(region=region, at=at), version=1)
def cropped(frames: FrameBatch, where: Squares, *, region: str, at: str) -> FrameBatch:
    """The region of every frame, in the frames' type and range; a frame without a face is black."""
    side_px = REGIONS[region].side_px
    pixels: NDArray[Any] = np.zeros((len(frames), side_px, side_px, 3), frames.pixels.dtype)
    for frame, square, out in zip(frames.new, where, pixels, strict=True):
        if not np.isnan(square).any():
            left, top, side = (int(value) for value in square)
            write_resized(frame[top : top + side, left : left + side], out)
    return replace(frames, pixels=pixels, lead=0)
