"""What a camera sees of a rigged head over time, and what is true of it: frames, landmarks, visibility, pose, depth.

Conventions: the rig's (decimetres, x to the person's left, y up, z to the viewer) for points; px with whole numbers at
pixel centres; angles as in ``rig.pose``. Depth is the distance along the camera's axis.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval.metrics.views.we import unprojected
from thgeval_baselines.rig.acting import Acting
from thgeval_baselines.rig.camera import Camera
from thgeval_baselines.rig.facs import as_openface
from thgeval_baselines.rig.light import Light
from thgeval_baselines.rig.model import Points, rig
from thgeval_baselines.rig.people import Person
from thgeval_baselines.rig.picture import Shot
from thgeval_baselines.rig.pose import seen_from

PLACES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"front": (0.0, 0.0), "left": (28.0, 0.0), "right": (-28.0, 0.0), "high": (-14.0, 20.0), "low": (14.0, -18.0)}
)
"""Azimuth and elevation in degrees of the five cameras."""

DEPTH_EVERY = 5
DEPTH_UNIT_DM = 1e-3
HIDDEN_DM = 0.06
BUNDLE_PX = 64
WALL_DM = 6.0
BUNDLE = (("front", 0), ("left", 1), ("left", 0), ("front", 1))


def camera(place: str, size: int) -> Camera:
    """One of the five cameras, for pictures of ``size`` px each way."""
    azimuth, elevation = PLACES[place]
    return Camera(size=(size, size), azimuth=azimuth, elevation=elevation)


@dataclass(frozen=True, eq=False)
class Scene:
    """One person who acts under one light before one colour."""

    person: Person
    acting: Acting
    light: Light
    background: tuple[float, float, float]

    def shot(self, frame: int, view: Camera, *, normals: bool = False) -> tuple[Points, Shot]:
        """The face (V, 3) in one frame, and its picture."""
        face = self.acting.face(self.person.neutral, frame)
        shown = self.person.shot(face, view, light=self.light, background=self.background, normals=normals)
        return face, shown


@dataclass(frozen=True, eq=False)
class Seen:
    """What is true of one view of a scene.

    ``landmarks_dm`` (frames, 68, 3) in the world; ``landmarks_px`` (frames, 68, 2); ``visible`` (frames, 68) whether
    nothing of the head is before a landmark; ``pose_deg`` (frames, 3) as this camera sees the head; ``depth`` (frames
    of every fifth, height, width) uint16 in 1/1000 dm, 0 off the head.
    """

    camera: Camera
    landmarks_dm: Points
    landmarks_px: Points
    visible: NDArray[np.bool_]
    pose_deg: Points
    depth: NDArray[np.uint16]


class Filming:
    """Frames of one view as they are asked for; ``seen`` is what is true of those that were."""

    def __init__(self, scene: Scene, view: Camera) -> None:
        self.scene, self.view = scene, view
        self._marks: list[Points] = []
        self._visible: list[NDArray[np.bool_]] = []
        self._depth: list[NDArray[np.uint16]] = []

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        """Every frame (height, width, 3) uint8 RGB in order."""
        for frame in range(len(self.scene.acting)):
            face, shown = self.scene.shot(frame, self.view)
            self._marks.append(face[rig().landmarks])
            self._visible.append(unhidden(self.view.project(face[rig().landmarks]), shown.depth))
            if frame % DEPTH_EVERY == 0:
                depth = np.where(np.isfinite(shown.depth), shown.depth / DEPTH_UNIT_DM, 0)
                self._depth.append(np.rint(depth).astype(np.uint16))
            yield shown.image

    def seen(self) -> Seen:
        """What is true of the frames so far."""
        marks = np.array(self._marks)
        return Seen(
            self.view,
            marks,
            np.array([self.view.project(each)[:, :2] for each in marks]),
            np.array(self._visible),
            np.array([seen_from(self.scene.acting.pose(frame), self.view) for frame in range(len(marks))]),
            np.array(self._depth),
        )


def unhidden(points: Points, depth: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which of projected points (n, 3) lie in the picture, and no further behind what it shows than 0.06 dm."""
    height, width = depth.shape
    columns, rows = np.rint(points[:, :2]).astype(np.intp).T
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    nearest = depth[rows.clip(0, height - 1), columns.clip(0, width - 1)]
    return np.asarray(inside & (points[:, 2] <= nearest + HIDDEN_DM))


def faces_file(scene: Scene, seen: Seen) -> dict[str, Any]:
    """The arrays of ``CLIP.faces.npz``; ``vertices`` are the 68 points of the person's own face at rest."""
    presence, intensity = as_openface(scene.acting.actions)
    height, width = seen.camera.size
    rest = scene.person.neutral[rig().landmarks]
    return {
        "size_px": np.array([width, height]),
        "landmarks_px": seen.landmarks_px,
        "pose_deg": seen.pose_deg,
        "expression": scene.acting.actions,
        "vertices": np.tile(rest, (len(scene.acting), 1, 1)),
        "au_presence": presence,
        "au_intensity": intensity,
    }


def bundle(scene: Scene, *, size: int) -> dict[str, Any]:
    """The arrays of ``CLIP.views.npz``: front and left at a third and two thirds of the time.

    Off the head is a round wall of ``WALL_DM`` about it, of the background's colour and of no opacity.
    """
    times = len(scene.acting) // 3, 2 * len(scene.acting) // 3
    shots = []
    for place, time in BUNDLE:
        small, whole = camera(place, BUNDLE_PX), camera(place, size)
        shown = scene.shot(times[time], small)[1]
        shots.append((scene.shot(times[time], whole)[1].image, _along_rays(shown.depth, small), shown.cover, whole))
    intrinsics, poses = (np.stack([each(view) for *_, view in shots]) for each in (Camera.intrinsics, Camera.pose))
    depth = np.stack([along for _, along, _, _ in shots])
    placed = zip(depth, intrinsics, poses, strict=True)
    return {
        "images": np.stack([image for image, *_ in shots]),
        "depth": depth,
        "points": np.stack([unprojected(along, intrinsics=shares, pose=pose) for along, shares, pose in placed]),
        "weights": np.stack([cover for _, _, cover, _ in shots]).astype(np.float64),
        "intrinsics": intrinsics,
        "poses": poses,
    }


def _along_rays(depth: NDArray[np.float32], view: Camera) -> Points:
    """Distances from the camera's centre, of depths along its axis; where there is nothing, to the wall."""
    rows, columns = depth.shape
    ray_x = (np.arange(columns) - (columns - 1) / 2) / (view.focal * columns)
    ray_y = (np.arange(rows) - (rows - 1) / 2) / (view.focal * columns)
    length = np.sqrt(1 + ray_x[None] ** 2 + ray_y[:, None] ** 2)
    cosine = 1 / length
    wall = view.distance * cosine + np.sqrt(WALL_DM**2 - view.distance**2 * (1 - cosine**2))
    return np.asarray(np.where(np.isfinite(depth), depth.astype(np.float64) * length, wall))
