"""Footage of a person cut up for ``ref-video``: where the mouth is in each frame, its shape, its picture, its phones.

Every face is brought into one *plane* by the affine map that best moves the points that speech leaves alone (eyes,
nose, ears) to their median over the footage; mouths are compared and cut out there.

Source of plane and shapes: Bregler, Covell, Slaney, "Video Rewrite", SIGGRAPH 1997. Departs: landmarks are dlib's, the
published ones come from eigenpoints trained on hand-labelled frames of the person.
"""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from thgeval.errors import InputError
from thgeval.media.audio import decoded_speech
from thgeval_baselines.generators.following import landmarks_of, video_frames
from thgeval_baselines.generators.triphones import Footage, plain
from thgeval_baselines.photo.given import NO_FACE
from thgeval_baselines.speech.hearing import RATE_HZ, heard
from thgeval_baselines.speech.visemes import Phone

Array = NDArray[np.float64]
Image = NDArray[np.uint8]

STEADY = (0, 1, 15, 16, 27, 28, 29, 30, 31, 33, 35, 36, 39, 42, 45)
"""Points that speech leaves alone."""
STEADIED_FRAMES, READ_FRAMES = 1.0, 0.5
"""Time over which steady and other points are smoothed: dlib's readings tremble."""
LONGEST_S = 600.0
"""Footage beyond it isn't looked at; eight minutes were published."""
MARGIN = 0.25
"""Room round the jaw in the pictures of mouths, in eye distances."""
BRIGHT = 0.75
"""What is lighter than this part of the nose's bridge, between lips, is taken for teeth."""


@dataclass(frozen=True, eq=False)
class Mouths:
    """``footage`` to search, and what is shown of it, all in the plane, px.

    ``marks`` (frames, 68, 2) with NaN where no face is seen, ``steady`` (steady points, 2), ``pictures`` (frames,
    height, width, 3) RGB whose upper left pixel is at ``corner``, and the ``placed`` (frames, 68, 2) landmarks in
    the footage's own frames.
    """

    footage: Footage
    marks: Array
    placed: Array
    steady: Array
    pictures: NDArray[np.uint8]
    corner: tuple[int, int]


def learnt(path: Path, size: tuple[int, int], fps: Fraction, folder: Path) -> None:
    """Leave in ``folder`` what ``recalled`` reads: ``mouths.npy`` and ``footage.npz``.

    Raises ``InputError`` where the video has no sound, or no face in half of its frames.
    """
    sound = decoded_speech(path, rate_hz=RATE_HZ)
    placed = points_in(path, size, fps)
    seen = np.isfinite(placed[:, 0, 0])
    if seen.mean() < 0.5:
        raise InputError(f"{path}: a face is found in {seen.mean():.0%} of its frames, half are needed", reason=NO_FACE)
    plane = np.nanmedian(placed, axis=0)
    steady = plane[list(STEADY)]
    maps = [affine(points[list(STEADY)], steady) if there else None for points, there in zip(placed, seen, strict=True)]
    marks = np.full(placed.shape, np.nan)
    for number, to_plane in enumerate(maps):
        if to_plane is not None:
            marks[number] = moved(placed[number], to_plane)
    corner, shape = _box(marks)
    held = np.lib.format.open_memmap(folder / "mouths.npy", "w+", np.uint8, (len(maps), *shape, 3))
    teeth = np.zeros(len(maps))
    for number, frame in enumerate(video_frames(path, size, fps, count=len(maps))):
        to_plane = maps[number]
        if to_plane is not None:
            cut = to_plane - np.array([[0, 0, corner[0]], [0, 0, corner[1]]])
            held[number] = cv2.warpAffine(
                frame, cut, shape[::-1], flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
            )
            teeth[number] = _teeth(frame, placed[number])
    held.flush()
    phones = plain(
        (Phone(name, start_s + sound.start_s, end_s + sound.start_s) for name, start_s, end_s in heard(sound.samples)),
        seconds=float(len(maps) / fps),
    )
    np.savez_compressed(
        folder / "footage.npz",
        names=np.array([phone.name for phone in phones]),
        times_s=np.array([(phone.start_s, phone.end_s) for phone in phones]),
        shapes=_shapes(marks, teeth),
        fps=float(fps),
        marks=marks,
        placed=placed,
        steady=steady,
        corner=corner,
    )


def recalled(folder: Path) -> Mouths:
    """What ``learnt`` left."""
    with np.load(folder / "footage.npz", allow_pickle=False) as held:
        found = {name: held[name] for name in held.files}
    phones = tuple(
        Phone(str(name), float(start_s), float(end_s))
        for name, (start_s, end_s) in zip(found["names"], found["times_s"], strict=True)
    )
    return Mouths(
        Footage(phones, found["shapes"], float(found["fps"])),
        found["marks"],
        found["placed"],
        found["steady"],
        np.load(folder / "mouths.npy", mmap_mode="r"),
        (int(found["corner"][0]), int(found["corner"][1])),
    )


def points_in(path: Path, size: tuple[int, int], fps: Fraction, *, count: int | None = None) -> Array:
    """The steadied landmarks (frames, 68, 2) px of the largest face in each frame, NaN where there is none."""
    most = round(LONGEST_S * fps) if count is None else count
    found = landmarks_of(video_frames(path, size, fps, count=most))
    points = np.array([np.full((68, 2), np.nan) if each is None else each for each in found])
    return steadied(points)


def steadied(points: Array) -> Array:
    """Landmarks (frames, 68, 2) without their trembling; gaps stay gaps."""
    there = np.flatnonzero(np.isfinite(points[:, 0, 0]))
    if not len(there):
        return points
    frames = np.arange(len(points))
    flat = points.reshape(len(points), -1)
    whole = np.stack([np.interp(frames, there, each[there]) for each in flat.T], axis=-1).reshape(points.shape)
    smooth = gaussian_filter1d(whole, READ_FRAMES, axis=0, mode="nearest")
    steady = list(STEADY)
    smooth[:, steady] = gaussian_filter1d(whole[:, steady], STEADIED_FRAMES, axis=0, mode="nearest")
    smooth[~np.isfinite(points[:, 0, 0])] = np.nan
    return np.asarray(smooth)


def affine(source: Array, target: Array) -> Array:
    """The affine map (2, 3) that moves points (points, 2) nearest to others, by least squares."""
    ones = np.ones((len(source), 1))
    return np.ascontiguousarray(np.linalg.lstsq(np.concatenate([source, ones], axis=1), target, rcond=None)[0].T)


def moved(points: Array, by: Array) -> Array:
    """Points (..., 2) through an affine map (2, 3)."""
    return points @ by[:, :2].T + by[:, 2]


def _box(marks: Array) -> tuple[tuple[int, int], tuple[int, int]]:
    """The corner (x, y) and (height, width) of the lower face in the plane, whatever it does."""
    low, high = np.nanmin(marks[:, 1:16], axis=(0, 1)), np.nanmax(marks[:, 1:16], axis=(0, 1))
    low[1] = np.nanmin(marks[:, 30, 1])
    eyes = float(np.linalg.norm(np.nanmedian(marks[:, 45] - marks[:, 36], axis=0)))
    left, top = np.floor(low - MARGIN * eyes).astype(int)
    right, bottom = np.ceil(high + MARGIN * eyes).astype(int)
    return (int(left), int(top)), (int(bottom - top), int(right - left))


def _shapes(marks: Array, teeth: Array) -> Array:
    """Width and height of the lips, height of their opening and of the teeth in it, in eye distances: (frames, 4)."""
    eyes = np.nanmedian(np.linalg.norm(marks[:, 45] - marks[:, 36], axis=-1))
    width = np.linalg.norm(marks[:, 54] - marks[:, 48], axis=-1)
    height = np.linalg.norm(marks[:, 57] - marks[:, 51], axis=-1)
    opening = np.linalg.norm(marks[:, [67, 66, 65]] - marks[:, [61, 62, 63]], axis=-1).mean(axis=-1)
    return np.stack([width / eyes, height / eyes, opening / eyes, teeth * opening / eyes], axis=-1)


def _teeth(frame: Image, points: Array) -> float:
    """The part of the opening that is light, on the line through the middle of the lips."""
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    high, wide = grey.shape

    def along(one: int, other: int) -> NDArray[np.uint8]:
        line = points[one] + np.linspace(0, 1, 16)[:, None] * (points[other] - points[one])
        x, y = np.rint(line).astype(int).T
        return np.asarray(grey[np.clip(y, 0, high - 1), np.clip(x, 0, wide - 1)])

    return float(np.mean(along(62, 66) > BRIGHT * np.median(along(27, 29))))
