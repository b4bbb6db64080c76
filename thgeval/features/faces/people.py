"""Who is measured: one face of each frame, or all of them, chosen from boxes over the whole clip.

``who`` is the policy:

``largest``  the face with the largest box of each frame
``first``    the one that the detector lists first
``last``     the one that it lists last
``track``    one face followed through the clip: it begins with the largest face of the first frame that has any, and
             goes on with the face whose box overlaps the last one most, if any does
``all``      every face, from left to right; a frame with another number of faces than most has none

Arrays of people are (frames, people, ...): one person, or as many as most frames show under ``all``. What isn't there
is NaN, and its slot says why (``ABSENT``).
"""

from collections.abc import Callable, Mapping
from functools import wraps
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from thgeval.feature import Feature, Grain, Requirements, chosen_from, feature
from thgeval.features.faces.detection import Faces, faces
from thgeval.features.faces.gaps import filled
from thgeval.features.faces.landmarks import GIVEN, detector_of, landmarks
from thgeval.features.faces.supplied import given
from thgeval.features.frames.frames import Shown, shown

POLICIES = ("largest", "first", "last", "track", "all")

ABSENT: Mapping[int, str] = MappingProxyType(
    {-1: "no face", -2: "face too small", -3: "face lost", -4: "other number of faces"}
)
"""What stands in place of a slot where there is no one, and what it says."""

ELSEWHERE: Mapping[str, int] = MappingProxyType({"track": -3, "all": -4})
"""Why a policy may find no one in a frame that has faces of every size asked for."""

Slots = NDArray[np.int64]
T = TypeVar("T")


def _faces_of(landmarks: str, follow: str, **_: Any) -> Feature[Faces]:
    return faces(detector=detector_of(landmarks), follow=follow)


@feature(_faces_of, version=1, grain=Grain.CLIP)
def people(
    found: Faces, *, landmarks: str = "dlib", follow: str = "every", who: str = "largest", min_px: int = 0
) -> Slots:
    """The slots of the chosen faces: (frames, people), one of ``ABSENT`` where there is none.

    Faces whose box is less than ``min_px`` wide or high are not there at all. ``landmarks`` names a chain, for the sake
    of its detector, or a detector.
    """
    return chosen(found, who=who, min_px=min_px)


def chosen(found: Faces, *, who: str, min_px: int) -> Slots:
    """The slots of the faces that the policy chooses, as ``people`` gives them."""
    choose = chosen_from(CHOOSERS, who=who)
    boxes = found.boxes.astype(np.float64)
    large = large_enough(boxes, min_px)
    boxes[~large] = np.nan
    slots = choose(boxes)
    why = np.select([found.counts == 0, ~large.any(axis=1)], [-1, -2], default=ELSEWHERE.get(who, -1))
    return np.where(slots < 0, why[:, None], slots)


def choice(source: Feature[Any]) -> tuple[Feature[Slots], ...]:
    """The choice of people that a feature rests on; none where no policy made one, as in a file beside the clip."""
    return tuple(needed for needed in source.closure() if needed.name == people.name)[-1:]


def why_absent(slots: Slots) -> NDArray[np.str_]:
    """Why not all of the chosen people are in a frame: (frames, people) -> (frames,) text, "" where they are."""
    least = slots.min(axis=1)
    return np.select([least == slot for slot in ABSENT], list(ABSENT.values()), default="")


@feature(
    lambda landmarks, follow, **_: _landmarks(landmarks, follow),
    lambda fill, **chosen: _slots(**chosen),
    version=1,
    grain=Grain.CLIP,
)
def shapes(
    points: NDArray[np.float32],
    slots: Slots,
    *,
    landmarks: str = "dlib",
    follow: str = "every",
    who: str = "largest",
    min_px: int = 0,
    fill: int = 0,
) -> NDArray[np.float64]:
    """68 landmarks of the chosen people in px: (frames, people, 68, 2), NaN where there is no face.

    Gaps of at most ``fill`` frames between two frames with a face are filled along straight lines. A file (``npz``)
    holds one person, whom no policy chooses.
    """
    return filled(taken(points, slots), fill)


def _landmarks(model: str, follow: str) -> Feature[Any]:
    return given(array="landmarks_px") if model == GIVEN else landmarks(model=model, follow=follow)


def _slots(landmarks: str, **chosen: Any) -> Feature[Slots]:
    return only_person() if landmarks == GIVEN else people(landmarks=landmarks, **chosen)


@feature(shown, version=1, grain=Grain.CLIP)
def only_person(frames: Shown) -> Slots:
    """The first slot in every frame: (frames, 1)."""
    return np.zeros((len(frames.size), 1), np.int64)


def of_slots(
    source: Callable[[str, str], tuple[Feature[Any], str]], *, version: int, requires: Requirements = ()
) -> Callable[[Callable[[Any], NDArray[Any]]], Callable[..., Feature[NDArray[np.float64]]]]:
    """Declare the function below, from a feature of all faces to (frames, SLOTS, ...), for the chosen people.

    ``source`` tells that feature, and the detector whose faces it knows, from ``landmarks`` and ``follow``. What is
    declared takes the parameters of ``shapes`` and gives (frames, people, ...), gaps filled in the same way.
    """

    def declare(compute: Callable[[Any], NDArray[Any]]) -> Callable[..., Feature[NDArray[np.float64]]]:
        def of_people(values: Any, slots: Slots, *, fill: int) -> NDArray[np.float64]:
            return filled(taken(compute(values), slots), fill)

        @wraps(compute)
        def of(
            *, landmarks: str = "dlib", follow: str = "every", who: str = "largest", min_px: int = 0, fill: int = 0
        ) -> Feature[NDArray[np.float64]]:
            seen, detector = source(landmarks, follow)
            slots = people(landmarks=detector, follow=follow, who=who, min_px=min_px)
            name, given = compute.__name__.replace("_", "-"), (("fill", fill),)
            return Feature(name, version, given, (seen, slots), Grain.CLIP, compute=of_people, requires=requires)

        return of

    return declare


def large_enough(boxes: NDArray[Any], min_px: int) -> NDArray[np.bool_]:
    """Which (..., 4) boxes are there, and at least ``min_px`` wide and high."""
    sides = np.minimum(boxes[..., 2] - boxes[..., 0], boxes[..., 3] - boxes[..., 1])
    return np.asarray(sides >= min_px)


def taken(values: NDArray[Any], slots: Slots) -> NDArray[np.float64]:
    """Values of slots, (frames, SLOTS, ...), as values of people, (frames, people, ...); NaN where there is none."""
    frames = np.arange(len(slots))[:, None]
    chosen = values[frames, np.maximum(slots, 0)].astype(np.float64)
    chosen[slots < 0] = np.nan
    return chosen


def _largest(boxes: NDArray[np.float64]) -> Slots:
    return _best(_area(boxes))[:, None]


def _first(boxes: NDArray[np.float64]) -> Slots:
    return _best(-_order(boxes))[:, None]


def _last(boxes: NDArray[np.float64]) -> Slots:
    return _best(_order(boxes))[:, None]


def _order(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """The place of each face in the detector's list: (frames, SLOTS), NaN for slots without one."""
    return np.where(np.isnan(boxes[..., 0]), np.nan, np.arange(boxes.shape[1], dtype=np.float64))


def _best(scores: NDArray[np.float64]) -> Slots:
    """The slot with the highest score in each frame, the first of equals, -1 in frames without any: (frames,)."""
    there = ~np.isnan(scores)
    return np.where(there.any(axis=1), np.where(there, scores, -np.inf).argmax(axis=1), -1)


def _track(boxes: NDArray[np.float64]) -> Slots:
    slots = np.full((len(boxes), 1), -1, np.int64)
    last: NDArray[np.float64] | None = None
    largest = _largest(boxes)[:, 0]
    for frame, found in enumerate(boxes):
        if last is None:
            slot = int(largest[frame])
        else:
            overlaps = overlap(found, last)
            slot = int(np.nanargmax(overlaps)) if np.nanmax(overlaps, initial=0.0) > 0 else -1
        if slot >= 0:
            slots[frame, 0], last = slot, found[slot]
    return slots


def _all(boxes: NDArray[np.float64]) -> Slots:
    there = ~np.isnan(boxes[..., 0])
    counts = there.sum(axis=1)
    seen = counts[counts > 0]
    if not len(seen):
        return np.full((len(boxes), 1), -1, np.int64)
    usual = int(np.bincount(seen).argmax())
    order = np.argsort(np.where(there, boxes[..., 0] + boxes[..., 2], np.inf), axis=1, kind="stable")[:, :usual]
    return np.where((counts == usual)[:, None], order, -1)


AS_LARGE = 1 / 1.5
"""A face of at least this share of another's area is as large: detectors see sizes in steps of 1.2 a side."""
ONE_FACE = 0.4
"""Boxes that overlap by more are of one face, found twice."""


class Company(NamedTuple):
    """In how many frames another face is as large as the chosen one, and how often the choice went to another."""

    frames: int
    changes: int


def company(found: Faces, slots: NDArray[np.int64], *, min_px: int = 0) -> Company:
    """Who is beside the one person chosen in each frame, whose slots are (frames,).

    The choice changed owner where the face that overlaps the last chosen box most is there and is not the chosen one.
    """
    boxes = found.boxes.astype(np.float64)
    boxes[~large_enough(boxes, min_px)] = np.nan
    frames = changes = 0
    last: NDArray[np.float64] | None = None
    for here, slot in zip(boxes, slots, strict=True):
        if slot < 0:
            continue
        own = here[slot]
        others = here[overlap(here, own) <= ONE_FACE]
        frames += bool((_area(others) >= AS_LARGE * _area(own)).any())
        if last is not None:
            overlaps = np.nan_to_num(overlap(here, last))
            best = int(overlaps.argmax())
            changes += bool(overlaps[best] > 0 and best != slot and overlap(here[best : best + 1], own)[0] <= ONE_FACE)
        last = own
    return Company(frames, changes)


def _area(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1]))


def overlap(boxes: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of (boxes, 4) with one (4,); NaN for boxes that are not there."""
    width = np.minimum(boxes[:, 2], other[2]) - np.maximum(boxes[:, 0], other[0])
    height = np.minimum(boxes[:, 3], other[3]) - np.maximum(boxes[:, 1], other[1])
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    union = area + (other[2] - other[0]) * (other[3] - other[1]) - shared
    return np.asarray(shared / union)


CHOOSERS = MappingProxyType({"largest": _largest, "first": _first, "last": _last, "track": _track, "all": _all})
