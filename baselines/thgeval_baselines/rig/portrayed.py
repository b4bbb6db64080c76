"""A portrait on the fitted rig: the picture projected onto the head, and drawn again as the head turns and acts.

What the picture shows of the head becomes its texture; what it hides (the far cheek, the other ear) is taken from the
mirrored side, and where that is hidden too from what is round it. Hair, neck and wall are a second, bent layer
behind the head: near the head it follows the skull, towards the picture's border it stays. A z-buffer decides what is
in front. Light is the portrait's own and turns with the head.
"""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from thgeval_baselines.photo.filling import spread
from thgeval_baselines.rig import eyeballs
from thgeval_baselines.rig.colours import GUMS, TEXTURE_PX, charts, inner, places
from thgeval_baselines.rig.eyeballs import Eyeballs
from thgeval_baselines.rig.fitting import FACING, Fitted
from thgeval_baselines.rig.light import Light
from thgeval_baselines.rig.model import Points, rig
from thgeval_baselines.rig.picture import SAMPLES, coloured, normals_of
from thgeval_baselines.rig.pose import Pose, posed, skull
from thgeval_baselines.rig.raster import rasterise

Image = NDArray[np.uint8]

LOWEST_DM = -1.25
HIDDEN_DM = 0.05
FACING_FROM, FACING_WHOLLY = 0.05, 0.3
LIDS = 0.8
"""How much of what the picture shows on eyelids is left out: their folds would be smeared over shut eyes."""
TEETH = 1.15
"""How much brighter teeth and tongue are than in a rendering: a photograph is exposed for them."""
MOUTH = ("upper teeth", "lower teeth", "tongue")
STEPS = 32
WALL_DEPTH_DM = 1e3
FOLLOWS_DM, ENDS = 0.3, 2.1
"""Depth of the plane that hair turns with, and where in head radii the layer behind the head stays."""
EYES = (range(36, 42), range(42, 48))
EYE_RINGS = {(0, 14.5): (0.03, 0.03, 0.03), (14.5, 30): (0.2, 0.14, 0.1), (30, 91): (0.8, 0.78, 0.76)}
"""Pupil, iris and white: their degrees, and their colour where the picture shows nothing of them."""


@dataclass(frozen=True, eq=False)
class Portrayed:
    """One person's picture and the rig fitted to it; ``Portrayed.of`` prepares what every frame needs."""

    fitted: Fitted
    atlas: NDArray[np.uint8]
    places: NDArray[np.float32]
    light: NDArray[np.float32]
    corners: NDArray[np.int32]
    two_sided: NDArray[np.bool_]
    grid: Points
    follow: Points

    @classmethod
    def of(cls, image: Image, landmarks: Points, fitted: Fitted) -> "Portrayed":
        """Project a picture (height, width, 3) with these landmarks onto the head that was fitted to it."""
        head = rig()
        height, width = fitted.size
        atlas, shares = _beside(_texture(image, fitted), image)
        grid, cells = _grid(fitted.size)
        balls = eyeballs.triangles()
        kept = head.triangles[_kept()]
        first_ball = len(head.drawn) + len(grid)
        corners = np.concatenate([kept, cells + len(head.drawn), balls + first_ball]).astype(np.int32)
        lashes = head.part[kept[:, 0]] >= head.parts.index("upper lashes")
        on_head = np.column_stack([head.uv[:, 0], 1 - head.uv[:, 1]]) * (TEXTURE_PX - 1)
        behind = (grid + 0.5) * SAMPLES - 0.5
        behind = behind.clip(0, np.array([width, height]) * SAMPLES - 1)
        behind[:, 0] += TEXTURE_PX
        colours = _eye_colours(image, landmarks, fitted)
        light = np.concatenate([np.ones((first_ball, 3), np.float32), colours])
        in_mouth = np.isin(head.part, [head.parts.index(name) for name in MOUTH])
        light[: len(head.drawn)][in_mouth] = Light().on(normals_of(fitted.neutral)[head.drawn][in_mouth])
        return cls(
            fitted=fitted,
            atlas=atlas,
            places=(np.concatenate([on_head, behind]) * shares).astype(np.float32),
            light=light,
            corners=corners,
            two_sided=np.concatenate([lashes, np.ones(len(cells), np.bool_), np.zeros(len(balls), np.bool_)]),
            grid=grid,
            follow=_follow(grid, fitted),
        )

    def frame(self, actions: Points, pose: Pose) -> Image:
        """The person with these actions (52,) and this pose: (height, width, 3) uint8 RGB."""
        fitted, head = self.fitted, rig()
        face = posed(fitted.acting(actions), pose)
        points = np.concatenate(
            [
                fitted.projected(face)[head.drawn],
                self._behind(pose),
                fitted.projected(Eyeballs.of(face).points),
            ]
        )
        fragments = rasterise(points, self.corners, size=fitted.size, samples=SAMPLES, two_sided=self.two_sided)
        return coloured(fragments, self.corners, self.light, self.places, self.atlas, (0.5, 0.5, 0.5))[0]

    def _behind(self, pose: Pose) -> Points:
        """The layer behind the head (G, 3), px and depth: bent as the skull moves from how it was fitted."""
        fitted, (height, width) = self.fitted, self.fitted.size
        depth = float(fitted.shift[2]) - FOLLOWS_DM
        rays = (self.grid - [(width - 1) / 2, (height - 1) / 2]) / fitted.focal_px
        there = np.column_stack([rays * depth, np.full(len(rays), depth)]) - fitted.shift
        moving = skull(pose) @ np.linalg.inv(skull(fitted.pose))
        moved = there @ FACING @ moving[:3, :3].T + moving[:3, 3]
        shown = self.grid + self.follow[:, None] * (fitted.projected(moved)[:, :2] - self.grid)
        return np.column_stack([shown, np.full(len(shown), WALL_DEPTH_DM)])


def wireframe(portrayed: Portrayed) -> bytes:
    """The fitted mesh on the picture, twice as large, as a JPEG."""
    fitted, head = portrayed.fitted, rig()
    face = posed(fitted.acting(fitted.actions), fitted.pose)
    points = fitted.projected(face)[head.drawn, :2]
    kept = _kept()[::2] & _kept()[1::2]  # two triangles make a quadrangle, and its edges are the mesh's own
    quads = np.concatenate([head.triangles[::2], head.triangles[1::2, 2:]], axis=1)[kept]
    a, b, c = points[quads[:, :3]].transpose(1, 0, 2)
    facing = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0]) < 0
    picture = cv2.resize(portrayed.frame(fitted.actions, fitted.pose), None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    drawn = np.ascontiguousarray(picture)
    lines = np.rint(((points[quads[facing]] + 0.5) * 2 - 0.5) * 16).astype(np.int32)
    cv2.polylines(drawn, list(lines), isClosed=True, color=(90, 255, 170), lineType=cv2.LINE_AA, shift=4)
    mixed = cv2.addWeighted(drawn, 0.45, picture, 0.55, 0)
    return bytes(cv2.imencode(".jpg", np.ascontiguousarray(mixed[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, 85])[1])


def _grid(size: tuple[int, int]) -> tuple[Points, NDArray[np.int32]]:
    """Points (G, 2) over the whole picture in px, to its outer edges, and triangles (F, 3) of them."""
    height, width = size
    rows, columns = np.meshgrid(
        np.linspace(-0.5, height - 0.5, STEPS + 1), np.linspace(-0.5, width - 0.5, STEPS + 1), indexing="ij"
    )
    number = np.arange(rows.size).reshape(rows.shape)
    a, b, c, d = (part.ravel() for part in (number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]))
    cells = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    return np.stack([columns.ravel(), rows.ravel()], axis=-1), cells.astype(np.int32)


def _follow(grid: Points, fitted: Fitted) -> Points:
    """How far each point of the layer behind (G,) moves with the skull: wholly near it, not at all at the border."""
    head = rig()
    face = posed(fitted.acting(fitted.actions), fitted.pose)
    skin = fitted.projected(face[head.vertices[:, 1] > -0.4])[:, :2]
    low, high = skin.min(axis=0), skin.max(axis=0)
    away = np.linalg.norm((grid - (low + high) / 2) / ((high - low) / 2), axis=-1)
    share = np.clip((ENDS - away) / (ENDS - 1.2), 0, 1)
    chin = fitted.projected(face[head.landmarks[[8]]])[0, 1]
    shoulders = fitted.projected(np.array([[0.0, LOWEST_DM - 0.2, 0.3]]))[0, 1]
    above = np.clip((shoulders - grid[:, 1]) / max(shoulders - chin, 1.0), 0, 1)
    edge = np.min(np.concatenate([grid + 0.5, np.array(fitted.size[::-1]) - 0.5 - grid], axis=-1), axis=-1)
    inside = np.clip(edge / (0.08 * min(fitted.size)), 0, 1)
    weight = share * above * inside
    return np.asarray(weight**2 * (3 - 2 * weight))


def _texture(image: Image, fitted: Fitted) -> Image:
    """The head's texture (1024, 1024, 3): the picture where it shows the head, its mirror image, what is round them."""
    head, (_, kind, regions) = rig(), places()
    face = posed(fitted.acting(fitted.actions), fitted.pose)
    seen = fitted.projected(face)
    shown = _shown(face, seen, fitted)
    mirror = _mirror()
    values = np.column_stack([seen[:, :2], shown, seen[mirror, :2], shown[mirror]])[head.drawn]
    texels = charts().of(values.astype(np.float32))
    source = image.astype(np.float32) / 255
    direct, mirrored = (
        cv2.remap(
            source,
            np.ascontiguousarray(texels[..., first]),
            np.ascontiguousarray(texels[..., first + 1]),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        for first in (0, 3)
    )
    of_direct, of_mirrored = texels[..., 2:3], (1 - texels[..., 2:3]) * texels[..., 5:6]
    painted = spread(direct * of_direct + mirrored * of_mirrored, (of_direct + of_mirrored)[..., 0])
    gums = np.clip(2 * regions[..., 1:2] - 0.5, 0, 1)
    painted = painted + gums.astype(np.float32) * (np.array(GUMS, np.float32) - painted)
    for name, colour in inner((0.0, 0.0, 0.0)).items():
        if name in MOUTH:
            painted[kind == head.parts.index(name)] = TEETH * np.array(colour)
    return np.asarray(np.rint(255 * painted.clip(0, 1)), np.uint8)


def _beside(texture: Image, image: Image) -> tuple[Image, Points]:
    """The head's texture, on its right the picture with a texel for each sample, and one over the size of both."""
    height, width = image.shape[:2]
    enlarged = cv2.resize(image, (SAMPLES * width, SAMPLES * height), interpolation=cv2.INTER_CUBIC)
    atlas = np.zeros((max(TEXTURE_PX, SAMPLES * height), TEXTURE_PX + SAMPLES * width, 3), np.uint8)
    atlas[:TEXTURE_PX, :TEXTURE_PX] = texture
    atlas[: SAMPLES * height, TEXTURE_PX:] = enlarged
    return atlas, 1 / (np.array(atlas.shape[1::-1], np.float64) - 1)


def _shown(face: Points, seen: Points, fitted: Fitted) -> Points:
    """How much of each vertex (V,) the picture shows, 0 to 1: what looks at the camera and has nothing before it."""
    head = rig()
    normals = normals_of(face) @ FACING.T
    towards = face @ FACING.T + fitted.shift
    cosine = -np.sum(normals * towards, axis=-1) / np.linalg.norm(towards, axis=-1)
    facing = np.clip((cosine - FACING_FROM) / (FACING_WHOLLY - FACING_FROM), 0, 1)
    corners = head.triangles[_kept()]
    two_sided = np.zeros(len(corners), np.bool_)
    depth = rasterise(seen[head.drawn], corners, size=fitted.size, two_sided=two_sided).depth
    nearest = cv2.dilate(np.where(np.isfinite(depth), depth, 0), np.ones((3, 3)))
    height, width = fitted.size
    columns, rows = np.rint(seen[:, :2]).astype(np.intp).T
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    before = nearest[rows.clip(0, height - 1), columns.clip(0, width - 1)]
    outer = np.ones(len(face), np.bool_)
    outer[head.drawn[np.isin(head.part, [head.parts.index(name) for name in MOUTH])]] = False
    clear = inside & outer & (seen[:, 2] <= before + HIDDEN_DM)
    return np.asarray(facing * clear * (1 - head.regions[:, 1]) * (1 - LIDS * head.regions[:, 2]))


def _eye_colours(image: Image, landmarks: Points, fitted: Fitted) -> NDArray[np.float32]:
    """Colours (E, 3) of the eyeballs: the picture's where it shows them, else the white's and the iris' own mean."""
    source = image.astype(np.float32) / 255
    balls = Eyeballs.of(posed(fitted.acting(fitted.actions), fitted.pose))
    px = fitted.projected(balls.points)[:, :2].astype(np.float32)
    rings = eyeballs.rings_deg()
    found = cv2.remap(source, px[:, :1], px[:, 1:], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[:, 0]
    for half, marks in zip(np.array_split(np.arange(len(px)), 2), EYES, strict=True):
        outline = landmarks[list(marks)]
        middle = outline.mean(axis=0)
        opened = (middle + 0.85 * (outline - middle)).astype(np.float32)
        inside = np.array(
            [cv2.pointPolygonTest(opened[:, None], (float(x), float(y)), False) >= 0 for x, y in px[half]]
        )
        for (first, last), usual in EYE_RINGS.items():
            ring = (rings[half] >= first) & (rings[half] < last)
            seen, hidden = half[ring & inside], half[ring & ~inside]
            found[hidden] = np.median(found[seen], axis=0) if len(seen) else np.array(usual)
    return np.asarray(found, np.float32)


@cache
def _kept() -> NDArray[np.bool_]:
    """Triangles above the collar."""
    head = rig()
    return np.asarray((head.vertices[head.drawn[head.triangles], 1] > LOWEST_DM).all(axis=1))


@cache
def _mirror() -> NDArray[np.intp]:
    """The vertex (V,) at each one's mirror image."""
    return np.asarray(KDTree(rig().vertices).query(rig().vertices * [-1, 1, 1])[1])
