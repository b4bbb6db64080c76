"""The colours of a person who is nobody: skin, lips, brows and cropped hair, painted once into a texture.

Colours are RGB in [0, 1]; a texture's rows run downwards from the top of its layout.
"""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from thgeval_baselines.rig.model import Points, rig
from thgeval_baselines.rig.raster import Fragments, rasterise

Triple = tuple[float, float, float]

TEXTURE_PX = 1024
GUMS: Triple = (0.08, 0.02, 0.02)
"""The inside of the mouth."""

BROW, BROW_ENDS = (-1.5637, 0.9573, 0.3511), (0.1035, 0.5348)
"""The middle of a brow: its height as a polynomial of the distance from the face's middle, and where it ends, in dm."""


@dataclass(frozen=True)
class Colours:
    """The colours of one person, RGB in [0, 1]."""

    skin: tuple[float, float, float]
    lips: tuple[float, float, float]
    hair: tuple[float, float, float]
    iris: tuple[float, float, float]
    shirt: tuple[float, float, float]

    @classmethod
    def of(cls, seed: int) -> "Colours":
        """Colours drawn from a seed."""
        rng = np.random.default_rng([seed, 1])
        tone = rng.random()
        skin = (1 - tone) * np.array([0.89, 0.72, 0.63]) + tone * np.array([0.42, 0.28, 0.21])
        lips = skin * np.array([0.9, 0.66, 0.66])
        hair = np.array([0.06, 0.045, 0.04]) + rng.random() ** 2 * (1 - tone) * np.array([0.4, 0.27, 0.15])
        iris = np.array([0.22, 0.13, 0.07]) + rng.random() * (1 - tone) * np.array([0.1, 0.22, 0.3])
        return cls(*(_rgb(colour) for colour in (skin, lips, hair, iris, rng.uniform(0.15, 0.6, 3))))


def _rgb(colour: Points) -> tuple[float, float, float]:
    return float(colour[0]), float(colour[1]), float(colour[2])


def texture_of(colours: Colours, *, seed: int) -> NDArray[np.uint8]:
    """A person's texture (1024, 1024, 3), uint8 RGB."""
    head, (place, kind, regions) = rig(), places()
    rng = np.random.default_rng([seed, 2])
    coarse = cv2.resize(rng.standard_normal((96, 96)).astype(np.float32), (TEXTURE_PX, TEXTURE_PX))
    fine = rng.standard_normal((TEXTURE_PX, TEXTURE_PX)).astype(np.float32)
    skin = np.array(colours.skin) * (1 + 0.02 * coarse + 0.02 * fine)[..., None]
    painted = _over(skin, regions[..., 0], colours.lips)
    painted = _over(painted, regions[..., 1], GUMS)
    painted = _over(painted, 0.25 * regions[..., 2], np.array(colours.skin) * 0.7)
    strands = np.clip(0.8 + 0.25 * fine, 0, 1)
    painted = _over(painted, _brows(place) * strands, colours.hair)
    painted = _over(painted, _cropped(place) * (1 - regions[..., 3]) * np.clip(0.9 + 0.15 * fine, 0, 1), colours.hair)
    painted = _over(painted, np.clip((-1.35 - place[..., 1]) / 0.03, 0, 1), colours.shirt)
    for name, colour in inner(colours.skin).items():
        painted[kind == head.parts.index(name)] = colour
    return np.asarray(np.rint(255 * painted.clip(0, 1)), np.uint8)


def inner(skin: Triple) -> dict[str, Triple]:
    """The colours of the parts that are not skin, by their names."""
    return {
        "upper teeth": (0.62, 0.58, 0.53),
        "lower teeth": (0.5, 0.46, 0.42),
        "tongue": (0.2, 0.08, 0.08),
        "upper lashes": (0.05, 0.04, 0.04),
        "lower lashes": (0.6 * skin[0], 0.6 * skin[1], 0.6 * skin[2]),
    }


def _over(below: Points, weight: Points, colour: object) -> Points:
    return np.asarray(below + weight[..., None] * (np.asarray(colour) - below))


def _brows(place: Points) -> Points:
    """How much of each place is brow: a band along a curve below the landmarks, thinner outwards."""
    aside = np.abs(place[..., 0])
    height = np.polyval(BROW, aside)
    inside = (aside > BROW_ENDS[0]) & (aside < BROW_ENDS[1]) & (place[..., 2] > 0.9)
    thick = 0.016 + 0.016 * np.clip(1 - aside / 0.55, 0, 1)
    return np.asarray(0.85 * inside * np.clip(1.5 - np.abs(place[..., 1] - height) / thick, 0, 1))


def _cropped(place: Points) -> Points:
    """How much of each place is hair: above a line that rises from the nape over the ears to the forehead."""
    line = np.interp(place[..., 2], [-0.6, 0.2, 0.6, 0.75, 1.1, 1.4], [-0.35, 0.1, 0.35, 0.7, 0.95, 0.98])
    return np.asarray(np.clip((place[..., 1] - line) / 0.06, 0, 1))


@dataclass(frozen=True, eq=False)
class Charts:
    """The texture's layout as a picture: the triangle that each texel shows, and for those between charts the nearest.

    ``nearest`` (texels,) is, for each texel in rows, the one that it takes its value from: itself inside a chart.
    """

    fragments: Fragments
    nearest: NDArray[np.intp]

    def of(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """``values`` (corners, channels) of the drawn surface, interpolated at each texel (rows, columns, channels)."""
        shown = self.fragments.of(rig().triangles, values)
        return shown.reshape(-1, shown.shape[-1])[self.nearest].reshape(shown.shape)


@cache
def charts() -> Charts:
    """The layout of every texture of the rig."""
    head = rig()
    flat = np.column_stack([head.uv[:, 0], 1 - head.uv[:, 1], np.ones(len(head.uv))]) * [
        TEXTURE_PX - 1,
        TEXTURE_PX - 1,
        1,
    ]
    fragments = rasterise(
        flat, head.triangles, size=(TEXTURE_PX, TEXTURE_PX), two_sided=np.ones(len(head.triangles), np.bool_)
    )
    empty = (fragments.triangle < 0).astype(np.uint8)
    _, nearest = cv2.distanceTransformWithLabels(empty, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    source = np.zeros(nearest.max() + 1, np.intp)
    filled = np.flatnonzero(empty.ravel() == 0)
    source[nearest.ravel()[filled]] = filled
    return Charts(fragments, source[nearest.ravel()])


@cache
def places() -> tuple[Points, NDArray[np.intp], Points]:
    """For each texel: where on the neutral head it lies (rows, columns, 3), its part, and its regions."""
    head, layout = rig(), charts()
    values = np.column_stack([head.vertices[head.drawn], head.regions[head.drawn]]).astype(np.float32)
    shown = layout.of(values).astype(np.float64)
    kind = head.part[head.triangles[layout.fragments.triangle.ravel()[layout.nearest], 0]]
    return shown[..., :3], kind.reshape(TEXTURE_PX, TEXTURE_PX), shown[..., 3:]
