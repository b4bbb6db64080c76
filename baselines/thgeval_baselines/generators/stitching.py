"""A mouth from one frame of a person put into another: brought to its pose, morphed to the lips and jaw, blended in.

Source: Bregler, Covell, Slaney, "Video Rewrite", SIGGRAPH 1997, section 5.3, and its morph: Beier, Neely,
"Feature-Based Image Metamorphosis", SIGGRAPH 1992. The jaw is that of the mouth at the chin and that of the background
at the ears; the background is morphed to it too. Departs: the morph's field is computed every ``STEP_PX`` px and
interpolated; light is evened out by one shift of each colour.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from thgeval_baselines.generators.footage import STEADY, Mouths, affine, moved

Array = NDArray[np.float64]
Image = NDArray[np.uint8]

STEP_PX = 6
MARGIN, FEATHER, SHRUNK = 0.35, 0.04, 0.05
"""Room round the jaw in which pixels may move, and the softness of the mask's edge, in eye distances; how far inside
the jaw the mask ends, as a part of the way to the lips."""
NEAR_PX, LENGTH_POWER, NEARNESS_POWER = 1.0, 0.3, 2
"""``a``, ``p`` and ``b`` of the morph."""

JAW = np.arange(17)
CHIN = np.sin(np.pi * JAW / 16) ** 2
"""How much of the jaw is the mouth's: nothing at the ears, all at the chin."""


def _chain(*points: int, closed: bool = False) -> list[tuple[int, int]]:
    return list(zip(points, (*points[1:], points[0]) if closed else points[1:], strict=False))


_HELD = [*_chain(*range(27, 31)), *_chain(*range(31, 36)), (36, 39), (42, 45)]
_FACE = np.array([*_HELD, *_chain(*range(17))])
_MOUTH = np.array([*_FACE, *_chain(*range(48, 60), closed=True), *_chain(*range(60, 68), closed=True)])


@dataclass(frozen=True)
class _Area:
    """The part of a frame in which something changes: columns and rows from the first to before the last."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def corner(self) -> Array:
        """The first pixel's (x, y)."""
        return np.array([self.left, self.top], np.float64)

    def of(self, image: Image) -> Image:
        """The part of the image, not a copy."""
        return image[self.top : self.bottom, self.left : self.right]


def stitched(
    background: Image, points: Array, mouths: Mouths, frames: Sequence[float], weights: Sequence[float]
) -> Image:
    """The background (height, width, 3), whose face has ``points`` (68, 2), with the mouth of the footage's ``frames``.

    ``frames`` lie between those of the footage too; their mouths are mixed by ``weights``, which sum to 1.
    """
    to_frame = affine(mouths.steady, points[list(STEADY)])
    mixed = [(frame, weight) for frame, weight in zip(frames, weights, strict=True) if weight > 0]
    marks = np.sum([weight * _between(mouths.marks, frame) for frame, weight in mixed], axis=0)
    mouth = moved(marks, to_frame)
    wanted = points.copy()
    wanted[48:] = mouth[48:]
    wanted[JAW] += CHIN[:, None] * (mouth[JAW] - points[JAW])
    eyes_px = float(np.linalg.norm(points[45] - points[36]))
    area = _area(np.concatenate([points[1:16], wanted[1:16], points[30:31]]), MARGIN * eyes_px, background.shape)
    if area.right - area.left < 2 * STEP_PX or area.bottom - area.top < 2 * STEP_PX:
        return background
    under = _sampled(background, _read_at(area, wanted, points, _FACE, fading=True))
    over = np.zeros(under.shape)
    for frame, weight in mixed:
        number = round(float(frame))
        at = _read_at(area, wanted, moved(mouths.marks[number], to_frame), _MOUTH)
        over += weight * _sampled(
            mouths.pictures[number],
            moved(at, np.asarray(cv2.invertAffineTransform(to_frame), np.float64)) - mouths.corner,
        )
    mask = _mask(area, wanted, FEATHER * eyes_px)[..., None]
    edge = mask * (1 - mask)
    over += (edge * (under - over)).sum(axis=(0, 1)) / max(float(edge.sum()), 1e-9)
    made = background.copy()
    area.of(made)[:] = np.rint(np.clip(under + mask * (over - under), 0, 255)).astype(np.uint8)
    return made


def _between(marks: Array, frame: float) -> Array:
    first = int(frame)
    share = frame - first
    beyond = marks[first + 1] if share else marks[first]
    return np.asarray((1 - share) * marks[first] + share * beyond)


def _area(points: Array, margin: float, shape: Sequence[int]) -> _Area:
    low = np.floor(points.min(axis=0) - margin).astype(int)
    high = np.ceil(points.max(axis=0) + margin).astype(int) + 1
    (left, top), (right, bottom) = np.maximum(low, 0), np.minimum(high, [shape[1], shape[0]])
    return _Area(int(left), int(top), int(right), int(bottom))


def _read_at(area: _Area, wanted: Array, held: Array, lines: NDArray[np.intp], *, fading: bool = False) -> Array:
    """Where each pixel of the area (height, width, 2) is read in a picture with points ``held``, to show ``wanted``.

    ``fading`` leaves the area's border where it is.
    """
    height, width = area.bottom - area.top, area.right - area.left
    rows, columns = -(-height // STEP_PX) + 1, -(-width // STEP_PX) + 1
    grid = _grid(columns, rows) * STEP_PX + area.corner
    shift = _morph(grid.reshape(-1, 2), wanted[lines], held[lines]).reshape(grid.shape)
    if fading:
        across, down = (np.minimum(np.arange(count), np.arange(count)[::-1]) / count for count in (columns, rows))
        shift *= np.clip(8 * np.minimum(across, down[:, None]), 0, 1)[..., None]
    pixels = _grid(width, height)
    fine = cv2.remap(shift.astype(np.float32), *_map(pixels / STEP_PX), cv2.INTER_LINEAR)
    return np.asarray(pixels + fine + area.corner)


def _grid(columns: int, rows: int) -> Array:
    """(x, y) of each of so many places: (rows, columns, 2)."""
    return np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).astype(np.float64)


def _map(at: Array) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Places (height, width, 2) as OpenCV wants them."""
    return np.ascontiguousarray(at[..., 0], np.float32), np.ascontiguousarray(at[..., 1], np.float32)


def _morph(at: Array, wanted: Array, held: Array) -> Array:
    """How far from each of ``at`` (points, 2) is read, if lines (lines, 2, 2) lie as ``wanted`` and are ``held`` so."""
    points, ours, theirs = (
        np.ascontiguousarray(each).astype(np.float32).view(np.complex64)[..., 0] for each in (at, wanted, held)
    )
    way, from_way = ours[:, 1] - ours[:, 0], theirs[:, 1] - theirs[:, 0]
    length, from_length = (np.maximum(np.abs(each), np.float32(1e-6)) for each in (way, from_way))
    place = (points[:, None] - ours[:, 0]) * (way / length).conj()  # along the line and aside of it, as one number
    along, aside = place.real, place.imag
    read = theirs[:, 0] + (from_way / from_length) * (along * (from_length / length) + 1j * aside)
    beyond = np.maximum(np.maximum(-along, along - length), 0)
    weight = length ** (LENGTH_POWER * NEARNESS_POWER) / (NEAR_PX + np.hypot(beyond, aside)) ** NEARNESS_POWER
    shift = np.sum(weight * (read - points[:, None]), axis=1) / weight.sum(axis=1)
    return np.stack([shift.real, shift.imag], axis=-1).astype(np.float64)


def _sampled(image: Image, at: Array) -> Array:
    """The image's colours at places (height, width, 2)."""
    shown = cv2.remap(image, *_map(at), cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(shown, np.float64)


def _mask(area: _Area, points: Array, feather_px: float) -> Array:
    """Where the mouth replaces the background, 0 to 1: from under the nose down to the jaw, soft at its edge."""
    centre = points[48:60].mean(axis=0)
    jaw = points[3:14] + SHRUNK * (centre - points[3:14])
    nose = points[[35, 34, 33, 32, 31]]
    outline = np.concatenate([jaw, nose + 0.25 * (points[51] - points[33])])
    mask = np.zeros((area.bottom - area.top, area.right - area.left), np.uint8)
    corners = np.rint((outline - area.corner) * 16).astype(np.int32)
    cv2.fillPoly(mask, [corners], 255, lineType=cv2.LINE_AA, shift=4)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), max(feather_px, 0.5)), np.float64) / 255
