"""S3FD and FAN as face-alignment has them: boxes, and 68 landmarks in whole px. AKD and its kin were published with it.

A face is cut out around its box, moved up by 0.12 of the height; the landmark is where its heat map is highest, a
quarter of a cell towards the higher neighbour, cut to whole px of the frame. Frames aren't mirrored as well
(``flip_input=False``).

Sources: Zhang et al., ICCV 2017 (S3FD); Bulat, Tzimiropoulos, ICCV 2017 (FAN); face-alignment 1.5.0
``face_alignment/api.py``, ``utils.py`` and ``detection/sfd``.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval import networks
from thgeval.features.faces.crops import window
from thgeval.features.faces.detection import Found

SURE, MOST_OVERLAP = 0.5, 0.3
SMALLEST_PX = 32
BOX_SIDE = 195.0  # of a face whose square is 200 px
SQUARE_SIDE = 200.0
UPWARDS = 0.12
SIDE_PX, CELLS = 256, 64


def detected(frame: NDArray[np.uint8]) -> Found:
    """Faces of a (height, width, 3) frame by S3FD, the most certain first."""
    if min(frame.shape[:2]) < SMALLEST_PX:
        return Found(np.empty((0, 4)), np.empty(0))
    from thgeval_models.s3fd import distinct

    with networks.alone():
        boxes, scores = networks.published("s3fd")(networks.as_images(frame[None], 255.0, white=255.0))
        boxes, scores = distinct(boxes[0], scores[0], threshold=SURE, overlap=MOST_OVERLAP, edge_px=1.0)
        return Found(boxes.numpy().astype(np.float64), scores.numpy().astype(np.float64))


def landmarks68(frame: NDArray[np.uint8], boxes: NDArray[Any]) -> NDArray[np.float32]:
    """FAN's 68 landmarks for (faces, 4) boxes of one frame: (faces, 68, 2)."""
    places = [square(box) for box in np.asarray(boxes, np.float64)]
    crops = [cut(frame, *place) for place in places]
    maps = networks.rows(networks.published("fan-2d"), networks.as_images(np.stack(crops), 255.0))
    return np.stack([highest(heat, *place) for heat, place in zip(maps, places, strict=True)])


def square(box: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Centre, (2,), and side of the square around a box that FAN is shown."""
    left, top, right, bottom = box
    centre = np.array([(left + right) / 2, (top + bottom) / 2 - UPWARDS * (bottom - top)])
    return centre, float((right - left + bottom - top) / BOX_SIDE * SQUARE_SIDE)


def cut(frame: NDArray[np.uint8], centre: NDArray[np.float64], side: float) -> NDArray[np.uint8]:
    """The square as (256, 256, 3), its corners cut to whole px as the original has them."""
    first, last = (np.trunc(centre - side / 2 + side * end / SIDE_PX).astype(int) for end in (1, SIDE_PX))
    return window(frame, (*first, *last), SIDE_PX)


def highest(maps: NDArray[np.float32], centre: NDArray[np.float64], side: float) -> NDArray[np.float32]:
    """Where each of (68, 64, 64) heat maps is highest, in px of the frame: (68, 2)."""
    best = maps.reshape(len(maps), -1).argmax(axis=1)
    cells = np.stack([best % CELLS, best // CELLS], axis=1)
    inner = ((cells > 0) & (cells < CELLS - 1)).all(axis=1)
    point, (x, y) = np.flatnonzero(inner), cells[inner].T
    slopes = [maps[point, y, x + 1] - maps[point, y, x - 1], maps[point, y + 1, x] - maps[point, y - 1, x]]
    places = cells + 0.5
    places[inner] += 0.25 * np.sign(np.stack(slopes, axis=1))
    return np.trunc(places * (side / CELLS) + centre - side / 2).astype(np.float32)
