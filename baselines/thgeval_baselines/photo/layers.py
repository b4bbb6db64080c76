"""A portrait in two layers, so that a head that moves leaves the wall behind it where it is.

The person (head, hair, neck, shoulders) is cut out by colour, starting from what landmarks say of where a person is;
the wall behind them is filled in from round them. The person's layer is bent with a mesh of landmarks and laid over
the wall.

Source: Rother, Kolmogorov, Blake, "GrabCut", SIGGRAPH 2004 (the cut, as OpenCV has it).
Conventions: points are (x, y) in px, pixel centres at whole numbers; lengths in eye distances.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from thgeval.jit import jit
from thgeval_baselines.photo.eyelids import Eyelid
from thgeval_baselines.photo.filling import spread
from thgeval_baselines.photo.portrait import Image, Points, Portrait

ROUNDS, SEED = 4, 1
EDGE_PX = 1.2
"""How soft the person's outline is, and how far from it colours count as the wall's or the person's own."""


@dataclass(frozen=True, eq=False)
class Layers:
    """Of one picture (height, width): the ``person``'s colours, continued beyond their outline, how much of each pixel
    they ``cover``, 0 to 1, and the ``wall`` without them.
    """

    person: Image
    cover: NDArray[np.float32]
    wall: Image

    @classmethod
    def of(cls, portrait: Portrait) -> "Layers":
        """Cut a portrait in two."""
        image, inside = portrait.image, _person(portrait)
        wide = 2 * int(np.ceil(2 * EDGE_PX)) + 1
        ring = np.ones((wide, wide), np.uint8)
        colours = image.astype(np.float32)
        own, others = cv2.erode(inside, ring), 1 - cv2.dilate(inside, ring)
        return cls(
            person=_continued(colours, own, keep=cv2.erode(inside, np.ones((3, 3), np.uint8))),
            cover=np.asarray(cv2.GaussianBlur(inside.astype(np.float32), (0, 0), EDGE_PX), np.float32),
            wall=_continued(colours, others, keep=others),
        )

    def composed(self, read_at: NDArray[np.float32], person: Image | None = None) -> Image:
        """The person bent and laid over the wall: (rows, columns, 3) uint8.

        ``read_at`` (rows, columns, 2) says which point of the person's layer each pixel shows, NaN for none; points
        beyond the layer show its border. ``person`` are other colours of that layer.
        """
        shown = self.person if person is None else person
        return _composed(np.ascontiguousarray(read_at), shown, self.cover, self.wall)

    def blinking(self, lids: Iterable[Eyelid], blinks: tuple[float, float], portrait: Image) -> Image:
        """The person's colours with lids pulled down by ``blinks``, 0 to 1, each with the portrait's own skin."""
        if not any(blinks):
            return self.person
        picture = self.person.copy()
        for lid, blink in zip(lids, blinks, strict=True):
            if blink > 0:
                lid.close(picture, portrait, blink)
        return picture


def _continued(colours: NDArray[np.float32], known: NDArray[Any], *, keep: NDArray[Any]) -> Image:
    """Colours (rows, columns, 3) where ``keep`` is 1; elsewhere what is spread there from where ``known`` is."""
    weights = known.astype(np.float32)
    filled = np.where(keep[..., None] > 0, colours, spread(colours * weights[..., None], weights))
    return np.asarray(np.rint(filled.clip(0, 255)), np.uint8)


def _person(portrait: Portrait) -> NDArray[np.uint8]:
    """1 where the person is, (size, size): what colours say, without islands and without holes."""
    marks, guess = portrait.landmarks, _guess(portrait)
    cv2.setRNGSeed(SEED)
    image, models = np.ascontiguousarray(portrait.image[..., ::-1]), np.zeros((2, 1, 65))
    if (guess == cv2.GC_PR_BGD).any():
        cv2.grabCut(image, guess, (0, 0, 1, 1), models[0], models[1], ROUNDS, cv2.GC_INIT_WITH_MASK)
    found = np.isin(guess, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    _, islands = cv2.connectedComponents(found, connectivity=4)
    row, column = np.clip(np.rint(marks[30, ::-1]).astype(int), 0, portrait.size - 1)
    person = (islands == islands[row, column]).astype(np.uint8)
    _, gaps = cv2.connectedComponents(1 - person, connectivity=4)
    edge = np.concatenate([gaps[0], gaps[-1], gaps[:, 0], gaps[:, -1]])
    return np.asarray((person > 0) | ~np.isin(gaps, edge), np.uint8)


def _guess(portrait: Portrait) -> NDArray[np.uint8]:
    """Where landmarks say that a person is, may be, or may not be: the marks that the cut starts from."""
    marks, unit, size = portrait.landmarks, portrait.eye_distance_px, portrait.size
    middle, half = (marks[0] + marks[16]) / 2, float(np.linalg.norm(marks[16] - marks[0])) / 2
    chin, down = marks[8, 1], size + unit
    guess = np.full((size, size), cv2.GC_PR_BGD, np.uint8)
    cv2.ellipse(
        guess, _whole(middle - (0, 0.1 * unit)), (int(1.5 * half), int(1.5 * unit)), 0, 0, 360, cv2.GC_PR_FGD, -1
    )
    for narrow, wide, top, sure in ((1.0, 2.5, chin, cv2.GC_PR_FGD), (0.5, 0.5, chin - 0.2 * unit, cv2.GC_FGD)):
        across = half * np.array([-narrow, narrow, wide, -wide])
        below = np.stack([middle[0] + across, np.array([top, top, down, down])], axis=-1)
        cv2.fillPoly(guess, [np.rint(below).astype(np.int32)], sure)
    face = np.concatenate([marks, marks[17:27] - (0, 0.35 * unit)]).astype(np.float32)
    hull = cv2.convexHull(face)[:, 0]
    cv2.fillPoly(guess, [np.rint(middle + 0.92 * (hull - middle)).astype(np.int32)], cv2.GC_FGD)
    return guess


def _whole(point: Points) -> tuple[int, int]:
    return int(np.rint(point[0])), int(np.rint(point[1]))


@jit(inline=True)
def _cubic(x: np.float32, taps: NDArray[np.float32]) -> None:
    """Weights of four neighbours at ``x`` in [0, 1) beyond the second (Catmull and Rom)."""
    half = np.float32(0.5)
    taps[0] = half * x * (x * (2 - x) - 1)
    taps[1] = half * (x * x * (3 * x - 5) + 2)
    taps[2] = half * x * (x * (4 - 3 * x) + 1)
    taps[3] = half * x * x * (x - 1)


@jit()
def _composed(
    read_at: NDArray[np.float32], person: Image, cover: NDArray[np.float32], wall: Image
) -> NDArray[np.uint8]:
    rows, columns = read_at.shape[0], read_at.shape[1]
    height, width = cover.shape
    shown = wall.copy()
    across, down = np.zeros(4, np.float32), np.zeros(4, np.float32)
    for row in range(rows):
        for column in range(columns):
            x, y = read_at[row, column, 0], read_at[row, column, 1]
            if np.isnan(x):
                continue
            x, y = min(max(x, np.float32(0)), np.float32(width - 1)), min(max(y, np.float32(0)), np.float32(height - 1))
            left, top = int(x), int(y)
            _cubic(x - np.float32(left), across)
            _cubic(y - np.float32(top), down)
            red = green = blue = share = np.float32(0)
            for n in range(4):
                v = min(max(top - 1 + n, 0), height - 1)
                for m in range(4):
                    u = min(max(left - 1 + m, 0), width - 1)
                    weight = down[n] * across[m]
                    share += weight * cover[v, u]
                    red += weight * person[v, u, 0]
                    green += weight * person[v, u, 1]
                    blue += weight * person[v, u, 2]
            share = min(max(share, np.float32(0)), np.float32(1))
            if share == 0:
                continue
            for channel in range(3):
                value = red if channel == 0 else (green if channel == 1 else blue)
                mixed = share * value + (1 - share) * wall[row, column, channel]
                shown[row, column, channel] = int(min(max(mixed, np.float32(0)), np.float32(255)) + np.float32(0.5))
    return shown
