"""Portraits to animate: a public-domain photograph under seeded, always visible changes.

The photograph is scikit-image's ``astronaut`` (NASA; no known copyright restrictions, released into the public
domain), read from the installed package without network. It shows a real, named person, so it is never used as it
is: ``portrait`` draws a *pseudo-identity* from a seed, changing the proportions of the face, the colours, and the
side the face is lit from (mirror), and no draw is close to no change.

Conventions: images are (size, size, 3) ``uint8`` RGB; points are (x, y) in pixels, y down, pixel centres at whole
numbers; landmarks are the 68 of iBUG 300-W in their order. Lengths that must not depend on the size are in *eye
distances*: the distance of the outer eye corners (points 36 and 45), 60 px in the photograph.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from thgeval.errors import MissingExtra, ProtocolError

Points = NDArray[np.float64]
Image = NDArray[np.uint8]

# The photograph's landmarks (512 x 512 px). Made once: dlib 20.0's 68-point predictor on the photograph enlarged 2, 3
# and 4 times and with 75 shifted detection windows each, the median of all, to 0.1 px; the eight inner-lip points were
# then moved, by at most 1.6 px, onto the edge of the lips as seen at 16-fold enlargement.
PHOTOGRAPH_LANDMARKS: Points = np.array(
    [
        *[(179.4, 104.0), (179.6, 115.7), (180.4, 127.0), (181.7, 138.4), (184.7, 150.0), (191.0, 160.1)],
        *[(199.8, 168.3), (209.2, 175.7), (220.3, 178.2), (232.1, 176.8), (242.9, 170.9), (253.0, 163.3)],
        *[(260.3, 153.8), (265.0, 142.8), (267.9, 131.1), (270.2, 119.8), (271.8, 108.0)],  # 0-16 jaw
        *[(186.2, 94.1), (192.0, 88.2), (200.4, 87.0), (208.9, 88.8), (216.6, 92.4)],  # 17-21 brow on the left
        *[(235.9, 93.6), (243.8, 90.8), (252.0, 90.3), (260.0, 92.2), (265.2, 98.3)],  # 22-26 brow on the right
        *[(225.8, 102.2), (225.4, 110.7), (225.3, 118.7), (225.1, 127.1)],  # 27-30 nose, downwards
        *[(214.2, 131.0), (219.1, 132.4), (224.1, 134.2), (229.4, 133.0), (234.2, 131.7)],  # 31-35 nostrils
        *[(195.0, 101.0), (200.3, 97.8), (206.9, 98.4), (212.4, 103.8), (206.2, 104.2), (199.7, 103.7)],  # 36-41 eye
        *[(237.4, 105.1), (243.6, 100.3), (249.9, 100.3), (255.1, 104.1), (250.1, 106.2), (243.8, 106.1)],  # 42-47 eye
        *[(200.6, 139.1), (209.1, 139.1), (217.7, 139.4), (223.2, 140.8), (229.3, 139.9), (237.3, 140.1)],
        *[(245.6, 140.7), (237.3, 150.9), (228.8, 155.0), (222.2, 155.7), (216.0, 154.7), (207.7, 149.8)],  # 48-59 lips
        *[(202.9, 139.8), (217.2, 142.9), (223.0, 143.5), (229.1, 142.9)],  # 60-63 upper lip's lower edge
        *[(242.4, 140.9), (229.0, 148.7), (222.7, 149.2), (216.7, 148.8)],  # 64-67 lower lip's upper edge
    ],
)

# Each landmark's partner when left and right are exchanged.
MIRRORED: NDArray[np.intp] = np.array(
    [
        *range(16, -1, -1),
        *range(26, 16, -1),
        *(27, 28, 29, 30, 35, 34, 33, 32, 31),
        *(45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40),
        *(54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55),
        *(64, 63, 62, 61, 60, 67, 66, 65),
    ],
)

CROP_CENTRE = (227.0, 102.0)
CROP_SIDE = 216.0
STRENGTHS = (0.05, 0.2)

# Where the face is stretched: the landmarks whose mean is the centre, and the radius in eye distances.
REGIONS: dict[str, tuple[tuple[int, ...], float]] = {
    "left eye": ((36, 37, 38, 39, 40, 41), 0.22),
    "right eye": ((42, 43, 44, 45, 46, 47), 0.22),
    "nose": ((28, 29, 30, 33), 0.28),
    "mouth": ((48, 51, 54, 57), 0.35),
    "jaw": ((5, 8, 11), 0.55),
    "head": ((19, 24, 27), 1.4),
}


@dataclass(frozen=True, eq=False)
class Portrait:
    """One face to animate: (size, size, 3) RGB and its (68, 2) landmarks in pixels of that image."""

    image: Image
    landmarks: Points

    @property
    def size(self) -> int:
        """Height and width in pixels."""
        return int(self.image.shape[0])

    @property
    def eye_distance_px(self) -> float:
        """Distance of the outer eye corners, the unit of all sizes in this package."""
        return float(np.linalg.norm(self.landmarks[45] - self.landmarks[36]))


@dataclass(frozen=True)
class _Stretch:
    """A local stretch by ``factors`` (x, y) that fades with a Gaussian of ``radius_px`` round ``centre``."""

    centre: tuple[float, float]
    radius_px: float
    factors: tuple[float, float]

    def offset(self, points: Points) -> Points:
        """How much further from the centre the photograph is read, at (..., 2) points of the stretched face."""
        away = points - np.array(self.centre)
        fade = np.exp(-0.5 * np.sum((away / self.radius_px) ** 2, axis=-1, keepdims=True))
        return np.asarray(-np.array(self.factors) * away * fade)


def portrait(*, seed: int, size: int = 256, strength: float = 0.12) -> Portrait:
    """A pseudo-identity drawn from the photograph: the same for the same seed, size and strength.

    ``strength`` is how far proportions may change, in [0.05, 0.2]; around 0.12 faces look different and unforced.
    ``size`` is 64 to 1024 px. Raises ``ProtocolError`` outside these ranges and ``MissingExtra`` without scikit-image.
    """
    if not STRENGTHS[0] <= strength <= STRENGTHS[1]:
        raise ProtocolError(
            f"strength is {strength}, choose one in [0.05, 0.2]: the photograph is never shown unchanged"
        )
    if not 64 <= size <= 1024:
        raise ProtocolError(f"size is {size} px, choose one in [64, 1024]")
    rng = np.random.default_rng(seed)
    mirror = bool(rng.integers(2))
    photograph, landmarks = _photograph(mirror=mirror)
    stretches = _stretches(landmarks, rng, strength)
    photograph = _recoloured(photograph, rng, strength)
    scale, half = CROP_SIDE / size, (CROP_SIDE - 1) / 2
    centre = np.array([511.0 - CROP_CENTRE[0] if mirror else CROP_CENTRE[0], CROP_CENTRE[1]]) - 0.5
    upright = _upright(landmarks)
    rows, columns = np.mgrid[0:size, 0:size]
    read_at = centre + ((np.stack([columns, rows], axis=-1) + 0.5) * scale - 0.5 - half) @ upright
    x, y = np.moveaxis((read_at + _offset(read_at, stretches)).astype(np.float32), -1, 0)
    image = cv2.remap(photograph, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    on_face = _where_shown(landmarks, stretches)
    shown = ((on_face - centre) @ upright.T + half + 0.5) / scale - 0.5
    return Portrait(image=np.asarray(image, np.uint8), landmarks=shown)


def _upright(landmarks: Points) -> Points:
    """The turn (2, 2) that levels the outer eye corners: the photographed head leans by three degrees."""
    across, down = (landmarks[45] - landmarks[36]) / np.linalg.norm(landmarks[45] - landmarks[36])
    return np.array([[across, down], [-down, across]])


def _photograph(*, mirror: bool) -> tuple[Image, Points]:
    try:
        from skimage import data
    except ImportError as error:
        raise MissingExtra("the demo portrait", extra="demo") from error
    image = np.asarray(data.astronaut(), np.uint8)  # type: ignore[no-untyped-call]
    if not mirror:
        return image, PHOTOGRAPH_LANDMARKS
    flipped = PHOTOGRAPH_LANDMARKS[MIRRORED] * np.array([-1.0, 1.0]) + np.array([image.shape[1] - 1.0, 0.0])
    return np.ascontiguousarray(image[:, ::-1]), np.asarray(flipped)


def _drawn(rng: np.random.Generator, count: int) -> Points:
    """Numbers in [-1, -0.5] or [0.5, 1]: a draw never leaves the portrait nearly as it was."""
    return np.asarray(rng.uniform(0.5, 1.0, count) * rng.choice([-1.0, 1.0], count))


def _stretches(landmarks: Points, rng: np.random.Generator, strength: float) -> list[_Stretch]:
    unit = float(np.linalg.norm(landmarks[45] - landmarks[36]))
    changes = {name: _drawn(rng, 2) for name in REGIONS}
    changes["right eye"] = changes["left eye"]
    return [
        _Stretch(
            centre=(float(landmarks[list(members), 0].mean()), float(landmarks[list(members), 1].mean())),
            radius_px=radius * unit,
            factors=(float(strength * changes[name][0]), float(strength * changes[name][1])),
        )
        for name, (members, radius) in REGIONS.items()
    ]


def _offset(points: Points, stretches: list[_Stretch]) -> Points:
    return np.asarray(sum(stretch.offset(points) for stretch in stretches))


def _where_shown(landmarks: Points, stretches: list[_Stretch]) -> Points:
    """The points that are read at ``landmarks``, by fixed-point iteration (the stretches contract)."""
    shown = landmarks.copy()
    for _ in range(60):
        shown = landmarks - _offset(shown, stretches)
    return shown


def _recoloured(image: Image, rng: np.random.Generator, strength: float) -> Image:
    """Other light and tint: CIE Lab with another contrast, saturation and (a, b) shift."""
    contrast, saturation, green_red, blue_yellow = _drawn(rng, 4) * strength
    lab = cv2.cvtColor(image.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB)
    lab[..., 0] = 55.0 + (lab[..., 0] - 55.0) * (1.0 + contrast) - 30.0 * contrast
    lab[..., 1:] = lab[..., 1:] * (1.0 + 2.0 * saturation) + (30.0 * green_red, 60.0 * blue_yellow)
    rgb = cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)
    return np.asarray(np.rint(np.clip(rgb, 0.0, 1.0) * 255.0), np.uint8)
