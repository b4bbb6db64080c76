"""The inside of the mouth, which a mesh can't make: teeth, cavity, a hint of tongue, the line between closed lips.

It is built in the picture plane of the portrait, before pose. The teeth are the portrait's own and belong to the
skull: they stay where they are while the lips move over them. Where the mouth opens beyond them there is a dark cavity.

Conventions: (x, y) in pixels, pixel centres at whole numbers; colours are 8-bit RGB; lengths in eye distances.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from thgeval_baselines.photo.portrait import Image, Points, Portrait

LIP_POINTS = 11
_ALONG_LIPS = (1 - np.cos(np.linspace(0, np.pi, LIP_POINTS))) / 2
_UPPER_LIP = np.array([60, 61, 62, 63, 64])
_LOWER_LIP = np.array([60, 67, 66, 65, 64])

_CAVITY = np.array([38.0, 14.0, 14.0], np.float32)
_ENAMEL = np.array([206.0, 197.0, 186.0], np.float32)
_SHUT, _BAND = 0.03, 0.07
"""Below which parting a portrait shows no teeth of its own, and how high the band is that stands for them."""
_TONGUE = np.array([126.0, 62.0, 60.0], np.float32)


@dataclass(frozen=True, eq=False)
class Lips:
    """The edges of the opening: upper and lower inner lip, both (11, 2) from corner to corner."""

    upper: Points
    lower: Points

    @classmethod
    def of(cls, landmarks: Points) -> "Lips":
        """Smooth curves through the inner-lip landmarks (60-67) of a head without pose."""
        from scipy.interpolate import PchipInterpolator  # takes half a second to import

        x = landmarks[60, 0] + (landmarks[64, 0] - landmarks[60, 0]) * _ALONG_LIPS
        upper, lower = (
            np.stack([x, PchipInterpolator(landmarks[lip, 0], landmarks[lip, 1])(x)], axis=-1)
            for lip in (_UPPER_LIP, _LOWER_LIP)
        )
        return cls(upper, lower)

    @property
    def outline(self) -> Points:
        """Once round the opening: (20, 2), the upper lip with both corners, then the lower one backwards."""
        return np.concatenate([self.upper, self.lower[-2:0:-1]])

    @classmethod
    def around(cls, outline: Points) -> "Lips":
        """The lips with this ``outline``."""
        upper = outline[:LIP_POINTS]
        return cls(upper, np.concatenate([upper[:1], outline[: LIP_POINTS - 1 : -1], upper[-1:]]))


@dataclass(frozen=True, eq=False)
class Mouth:
    """What one mouth is filled with: its teeth, as an RGB box at ``corner`` (x, y), where they show, and its width."""

    teeth: NDArray[np.float32]
    visible: NDArray[np.float32]
    corner: tuple[int, int]
    width_px: float
    unit_px: float

    @classmethod
    def of(cls, portrait: Portrait) -> "Mouth":
        """Cut the teeth out of a portrait, in a box with room for the widest opening."""
        lips, unit_px = Lips.of(portrait.landmarks), portrait.eye_distance_px
        left, right = int(lips.upper[0, 0] - 0.1 * unit_px), int(lips.upper[-1, 0] + 0.1 * unit_px)
        top, bottom = int(lips.upper[:, 1].min() - 0.15 * unit_px), int(lips.lower[:, 1].max() + 0.45 * unit_px)
        rows, columns = np.arange(top, bottom)[:, None], np.arange(left, right)
        first = np.interp(columns, *lips.upper.T) + 0.02 * unit_px
        last = np.interp(columns, *lips.lower.T) - 0.015 * unit_px
        read_y = np.clip(rows, np.minimum(first, last), last).astype(np.float32)
        read_x = np.broadcast_to(columns, read_y.shape).astype(np.float32)
        teeth = cv2.remap(portrait.image, read_x, read_y, cv2.INTER_LINEAR).astype(np.float32)
        softness = 0.015 * unit_px
        visible = np.clip((last - rows) / softness + 0.5, 0, 1) * np.clip((last - first) / (3 * softness), 0, 1)
        width_px = float(lips.upper[-1, 0] - lips.upper[0, 0])
        if np.max(lips.lower[:, 1] - lips.upper[:, 1]) < _SHUT * unit_px:
            teeth, visible = _plain_teeth(portrait, lips, rows, columns)
        return cls(teeth, visible[..., None].astype(np.float32), (left, top), width_px, unit_px)

    def inside(self, lips: Lips) -> NDArray[np.float32]:
        """What is seen between lips without pose: the RGB box at ``corner``."""
        left, top = self.corner
        rows = top + np.arange(self.teeth.shape[0])[:, None]
        columns = left + np.arange(self.teeth.shape[1])
        below_upper = (rows - np.interp(columns, *lips.upper.T)) / self.unit_px
        above_lower = (np.interp(columns, *lips.lower.T) - rows) / self.unit_px
        tongue = 0.8 * np.clip(1 - above_lower / 0.09, 0, 1)[..., None] ** 1.5
        shadow_of_lip = 0.72 + 0.28 * np.clip(below_upper / 0.04, 0, 1)[..., None]
        drawn_together = 1 - (lips.upper[-1, 0] - lips.upper[0, 0]) / self.width_px
        light = 1 - 0.6 * float(np.clip(drawn_together / 0.35 - 0.4, 0, 1))
        visible = light * self.visible
        shown = visible * self.teeth + (1 - visible) * (_CAVITY + tongue * (_TONGUE - _CAVITY))
        return np.asarray(shown * shadow_of_lip, np.float32)

    def paint(self, picture: Image, lips: Lips, placed: Lips) -> None:
        """Fill the mouth of ``picture``, in place; ``lips`` are without pose, ``placed`` where the picture has them."""
        margin = 3
        x0, y0 = np.maximum(np.floor(placed.outline.min(axis=0)).astype(int) - margin, 0)
        x1, y1 = np.minimum(np.ceil(placed.outline.max(axis=0)).astype(int) + margin + 1, picture.shape[0])
        origin, box = np.array([x0, y0]), (int(y1 - y0), int(x1 - x0))
        to_picture = _affine(lips.outline - self.corner, placed.outline - origin)
        colours = cv2.warpAffine(self.inside(lips), to_picture, box[::-1], borderMode=cv2.BORDER_REPLICATE)
        opening, seam = np.zeros(box, np.uint8), np.zeros(box, np.uint8)
        cv2.fillPoly(opening, [_sixteenths(placed.outline - origin)], 255, cv2.LINE_AA, 4)
        between = _sixteenths((placed.upper + placed.lower) / 2 - origin)
        cv2.polylines(seam, [between], False, 255, max(1, round(0.014 * self.unit_px)), cv2.LINE_AA, 4)
        gap = float(np.max(lips.lower[:, 1] - lips.upper[:, 1])) / self.unit_px
        blended = picture[y0:y1, x0:x1].astype(np.float32)
        blended += self._soft(opening) * (colours - blended)
        blended += 0.65 * max(0.0, 1 - gap / 0.05) * self._soft(seam) * (_CAVITY - blended)
        picture[y0:y1, x0:x1] = np.rint(np.clip(blended, 0, 255)).astype(np.uint8)

    def _soft(self, mask: NDArray[np.uint8]) -> NDArray[np.float32]:
        """A drawn mask as weights in [0, 1], its edge as soft as the photograph."""
        blurred = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.008 * self.unit_px)
        return np.asarray(blurred[..., None] / 255, np.float32)


def _plain_teeth(
    portrait: Portrait, lips: Lips, rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Colours and where they show, of upper teeth for a portrait that keeps its mouth shut: a plain band, lit as the
    cheeks are.
    """
    unit_px, middle = portrait.eye_distance_px, float(lips.upper[:, 0].mean())
    cheeks = portrait.landmarks[[2, 14]] * 0.5 + portrait.landmarks[[31, 35]] * 0.5
    places = np.clip(np.rint(cheeks).astype(int), 0, portrait.size - 1)
    light = portrait.image[places[:, 1], places[:, 0]].astype(np.float32).max() / 200
    half = 0.42 * float(lips.upper[-1, 0] - lips.upper[0, 0])
    away = np.clip(np.abs(columns - middle) / half, 0, 1)
    edge = np.interp(columns, *lips.upper.T) + _BAND * unit_px * (1 - 0.35 * away**2)
    shown = np.clip((edge - rows) / (0.015 * unit_px) + 0.5, 0, 1) * np.clip((1 - away) / 0.2, 0, 1)
    shade = (min(light, 1.1) * (1 - 0.3 * away))[None, :, None] * _ENAMEL
    return np.broadcast_to(shade, (*shown.shape, 3)).astype(np.float32), shown


def _affine(before: Points, after: Points) -> Points:
    """The (2, 3) affine map that takes ``before`` to ``after`` best, by least squares."""
    ones = np.ones((len(before), 1))
    solution = np.linalg.lstsq(np.concatenate([before, ones], axis=1), after, rcond=None)[0]
    return np.asarray(solution.T)


def _sixteenths(points: Points) -> NDArray[np.int32]:
    """Points in sixteenths of a pixel, as OpenCV's drawing reads them with ``shift=4``."""
    return np.rint(points * 16).astype(np.int32)
