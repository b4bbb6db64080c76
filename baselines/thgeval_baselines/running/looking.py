"""Looking at what came out: what makes it no result at all, and what whoever reads its scores should know.

``Problem`` ends an item as failed: it doesn't decode, is too long or too short, has several panels, an overlay that
nobody asked for, or no face. A remark stays with the record: a still picture, a copy of an input, faces that were not
looked for because no detector is installed.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from thgeval.clip import Clip
from thgeval.errors import InputError, ThgevalError
from thgeval.media import decode
from thgeval.media.image import SUFFIXES

LOOKED_AT = 12
"""Frames, evenly spread, in which faces and overlays are looked for."""
FACES = 0.5
"""The part of these that must show a face."""
FACE_FRAME_PX = 256
"""Faces are looked for at this size of the longer side, where one of 40 px is found."""
LENGTH = 0.1
"""How far the duration may be from the wanted one, as a part of it."""
STILL_LEVELS, SMALL_PX, BLOCK_PX = 2.0, 64, 8
"""Change of grey levels, in the mean of any block of 8 x 8 px of the picture at 64 x 64 px, under which a video is a
still picture. Heads at 128 px, H.264 at CRF 12 and 18: 1.3 at most for a still one, 4.5 and more for lips that part
by a tenth or a head that turns by half a degree, 10.5 for one blink."""
STILL_FRAMES = 1000
"""Frames that are compared for it, the first quarter aside: encoders refine a still picture for a while."""
COPY_LEVELS = 1.5
"""The same between a video and an input under which one is a copy of the other, encoding aside."""
OVERLAY_LEVELS, STEADY_LEVELS = 30.0, 3.0
OVERLAY_PART = (0.002, 0.12)
"""An overlay stands still, differs from the portrait by this much, and covers this part of the picture."""
ASPECT = 1.5
"""How many times wider or higher for its other side than wanted a frame may be before it has several panels."""


class Problem(InputError):
    """What came out is no result; ``reason`` is its short name."""


@dataclass(frozen=True)
class Expected:
    """What is known of the video before it is looked at.

    ``frames`` None where the generator decides; ``inputs`` are videos it could have copied, by input name;
    ``portrait`` is given where the generator keeps the framing of its source image; unless ``same_shape``, a
    square is as good as ``size``; the rest says what is no problem here.
    """

    fps: Fraction
    size: tuple[int, int]
    frames: int | None = None
    inputs: dict[str, Path] = field(default_factory=dict)
    portrait: Path | None = None
    must_show_face: bool = True
    same_shape: bool = True
    any_shape: bool = False
    overlay_is_problem: bool = True


@dataclass(frozen=True)
class Looked:
    """What was found in a video that is a result."""

    frames: int
    fps: Fraction | None
    width: int
    height: int
    faces: float | None
    remarks: tuple[str, ...]


def looked(path: Path, expected: Expected) -> Looked:
    """Read all of a video; Problem if it is no result, InputError if it can't be read."""
    count, samples, small = _read(path, expected)
    with decode(Clip(path.stem, path), chunk=1) as opened:
        info = opened.info
    _check_length(path, count, expected)
    _check_shape(path, samples[0], expected)
    remarks = []
    if count > 1 and _most_change(small[len(small) // 4 :]) < STILL_LEVELS:
        remarks.append("still: every frame shows the same picture")
    remarks += [
        f"copy: it shows what its {name} shows" for name, other in expected.inputs.items() if _alike(path, other)
    ]
    faces, said = _faces(samples)
    if said:
        remarks.append(said)
    if faces is not None and faces < FACES:
        story = f"{path.name} shows a face in {faces:.0%} of {len(samples)} frames that were looked at"
        if expected.must_show_face:
            raise Problem(story, reason="no face")
        remarks.append(story)
    if expected.portrait is not None and (part := _overlay(samples, expected.portrait)):
        story = f"{path.name} carries over {part:.1%} of its picture what its portrait hasn't, such as a watermark"
        if expected.overlay_is_problem:
            raise Problem(story, reason="overlay")
        remarks.append(story)
    return Looked(count, info.fps, info.width, info.height, faces, tuple(remarks))


def _read(path: Path, expected: Expected) -> tuple[int, list[NDArray[np.uint8]], list[NDArray[np.float32]]]:
    """How many frames there are, some of them, and the first ``STILL_FRAMES`` of them small."""
    about = expected.frames or 100
    wanted = set(np.linspace(0, max(about - 1, 0), LOOKED_AT).round().astype(int).tolist())
    samples: list[NDArray[np.uint8]] = []
    small: list[NDArray[np.float32]] = []
    count = 0
    with decode(Clip(path.stem, path), chunk=8) as batches:
        for batch in batches:
            for frame in np.asarray(batch.new, np.uint8):
                if count in wanted:
                    samples.append(frame)
                if count < STILL_FRAMES:
                    small.append(_small(frame))
                count += 1
    if not samples:
        raise Problem(f"{path.name} has no frames", reason="empty")
    return count, samples, small


def _most_change(small: list[NDArray[np.float32]]) -> float:
    """The largest change of any block between any of these frames and the last."""
    blocks = SMALL_PX // BLOCK_PX
    change = np.abs(np.stack(small) - small[-1]).reshape(len(small), blocks, BLOCK_PX, blocks, BLOCK_PX)
    return float(change.mean(axis=(2, 4)).max())


def _small(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A frame as (64, 64) grey levels."""
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(grey, (SMALL_PX, SMALL_PX), interpolation=cv2.INTER_AREA), np.float32)


def _check_length(path: Path, count: int, expected: Expected) -> None:
    if expected.frames is not None and abs(count - expected.frames) > max(LENGTH * expected.frames, 1):
        raise Problem(
            f"{path.name} has {count} frames at {float(expected.fps):g} per second, {expected.frames} were wanted",
            reason="wrong length",
        )


def _check_shape(path: Path, frame: NDArray[np.uint8], expected: Expected) -> None:
    height, width = frame.shape[:2]
    shapes = (
        [expected.size[1] / expected.size[0]] if expected.same_shape else [expected.size[1] / expected.size[0], 1.0]
    )
    if expected.any_shape or any(1 / ASPECT < width / height / shape < ASPECT for shape in shapes):
        return
    raise Problem(
        f"{path.name} is {width} x {height} px where {expected.size[1]} x {expected.size[0]} were wanted: it seems to "
        "hold several panels; a manifest's output.panel says which one to cut out",
        reason="panels",
    )


def _alike(path: Path, other: Path) -> bool:
    """Whether two videos show the same at the same times, as far as the first 50 frames go."""
    differences = []
    with decode(Clip("a", path), chunk=1) as ours, decode(Clip("b", other), chunk=1) as theirs:
        for one, another, _ in zip(ours, theirs, range(50), strict=False):
            pair = [_small(np.asarray(batch.new[0], np.uint8)) for batch in (one, another)]
            differences.append(float(np.abs(pair[0] - pair[1]).mean()))
    return bool(differences) and max(differences) < COPY_LEVELS


def _faces(samples: Iterable[NDArray[np.uint8]]) -> tuple[float | None, str]:
    """The part of frames that show a face, or None and why nobody looked."""
    try:
        from thgeval.features.faces.dlib_models import detected_enlarged

        found = [len(detected_enlarged(_at_most(frame, FACE_FRAME_PX)).boxes) > 0 for frame in samples]
    except (ImportError, ThgevalError):
        return None, "faces were not looked for: that needs the extra faces"
    return float(np.mean(found)), ""


def _at_most(frame: NDArray[np.uint8], px: int) -> NDArray[np.uint8]:
    """A frame whose longer side is at most so long."""
    scale = px / max(frame.shape[:2])
    if scale >= 1:
        return frame
    return np.asarray(cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def _overlay(samples: list[NDArray[np.uint8]], portrait: Path) -> float:
    """The part of the picture under one thing that stands still and isn't in the portrait; 0.0 if there is none.

    A generator that frames or colours its picture anew differs everywhere, and nothing is found.
    """
    if portrait.suffix.lower() not in SUFFIXES:
        return 0.0
    height, width = samples[0].shape[:2]
    with decode(Clip("portrait", portrait), chunk=1) as batches:
        source = np.asarray(next(iter(batches)).new[0], np.uint8)
    source = np.asarray(cv2.resize(source, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    stack = np.stack(samples).astype(np.float32)
    differs = np.abs(np.median(stack, axis=0) - source).max(axis=-1) > OVERLAY_LEVELS
    steady = stack.std(axis=0).max(axis=-1) < STEADY_LEVELS
    mask = cv2.morphologyEx((differs & steady).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask)
    parts = [float(area) / (height * width) for area in stats[1:, cv2.CC_STAT_AREA]]
    elsewhere = float((differs & steady).mean())
    found = [part for part in parts if OVERLAY_PART[0] < part < OVERLAY_PART[1]]
    return sum(found) if found and elsewhere < OVERLAY_PART[1] else 0.0
