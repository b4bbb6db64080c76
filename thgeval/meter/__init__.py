"""Metrics for loops of one's own: batches of arrays go in, numbers come out; no framework is needed.

    meter = thgeval.Meter(["psnr", "ssim"], peak=1.0)
    for generated, reference, names in batches:          # (clips, frames, height, width, 3)
        meter.update(generated, reference, names)
    log(meter.compute())                                 # {"psnr": 34.2, "ssim": 0.99}
    meter.result().write("step-1000.json")               # a result file like any other

What is measured is what ``thgeval score`` measures: the same metrics, by the same names, see the same features.
"""

import warnings
from collections.abc import Mapping, Sequence
from fractions import Fraction
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import InputError, ProtocolError
from thgeval.meter.batch import FRAMES, Batch, Material
from thgeval.meter.handed import FACTS, Wanted, takes_features, wanted
from thgeval.meter.runs import result
from thgeval.meter.tally import tally
from thgeval.metrics import DEFAULT
from thgeval.protocol import is_positive, rate
from thgeval.registry import metrics as named_metrics
from thgeval.results import Run

__all__ = ["Meter"]

CAP = 50_000
"""Rows that a metric of sets may keep: 400 MB of Inception's for each side."""

OneSide = NDArray[Any] | Mapping[str, NDArray[Any]]


class Meter:
    """Metrics of batches of arrays; ``update`` as often as there are batches, then ``compute``.

    metrics   names as ``thgeval score`` takes them, such as ``["psnr", "ssim:window=7"]``
    peak      the value of white of float frames; that of uint8 is 255
    fps       frames a second, for metrics that count in seconds
    features  the name of what computed features that are handed over where a metric has a network of its own for them
    size_px   width and height of the frames that landmarks in px are of
    cap       how many rows each metric of sets may keep

    Frames are (frames, height, width, 3) of one clip, or (clips, frames, height, width, 3), uint8 or floats in
    [0, peak]. Raises ProtocolError for what no metric is called, UnmetNeed for metrics that arrays can't serve.
    """

    def __init__(
        self,
        metrics: str | Sequence[str] = DEFAULT,
        *,
        peak: float | None = None,
        fps: float | None = None,
        features: str = "",
        size_px: tuple[int, int] | None = None,
        cap: int = CAP,
    ) -> None:
        if peak is not None and not is_positive(peak):
            raise ProtocolError(f"peak is the value of white, a positive number, not {peak!r}")
        self._named = named_metrics([metrics] if isinstance(metrics, str) else list(metrics))
        if features and not any(takes_features(named.metric) for named in self._named):
            raise ProtocolError(
                "features names a network whose rows are handed over, and none of these metrics takes any"
            )
        check_facts(size_px, fps)
        self._peak, self._features, self._cap = peak, features, checked_cap(cap)
        self._fps: Fraction | None = None if fps is None else rate(fps)
        self._beside = facts_of(size_px, fps)
        self._wanted = [wanted(named.metric, features=features) for named in self._named]
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._within_one = self._beyond_one = 0
        self._tallies = [tally(named, cap=self._cap, features=self._features) for named in self._named]

    def update(
        self, generated: OneSide, reference: OneSide | None = None, clips: str | Sequence[str] | None = None
    ) -> None:
        """Count one batch; ``clips`` names its clips, which gives the result intervals.

        A clip's frames may come in several updates for metrics of single frames. Raises InputError for what can't be
        measured, and then nothing of the batch counts.
        """
        batch = self._batch(generated, reference)
        names = checked_names(clips, batch.generated.shape[0])
        for one in self._tallies:
            one.check(names, batch.generated.shape[1])
        seen = [one.seen(batch) for one in self._tallies]
        for one, found in zip(self._tallies, seen, strict=True):
            one.check_room(found)
        for one, found in zip(self._tallies, seen, strict=True):
            one.count(found, names)
        self._count_range(batch)

    def compute(self) -> dict[str, float]:
        """The score of every metric over all that was counted, by its key; NaN where there is none."""
        self._warn_of_range()
        return {one.named.key: one.value() for one in self._tallies}

    def result(self) -> Run:
        """Scores with signatures, and where clips have names with intervals: a run that ``thgeval compare`` reads."""
        self._warn_of_range()
        keys = [named.key for named in self._named]
        return result(self._tallies, features=dict.fromkeys(keys, self._features))

    def _batch(self, generated: OneSide, reference: OneSide | None) -> Batch:
        first = material("generated", generated, self._wanted, self._beside)
        second = None if reference is None else material("reference", reference, self._wanted, self._beside)
        white = check_frames(first, second, self._peak)
        return Batch(first, second, white, self._fps, self._features)

    def _count_range(self, batch: Batch) -> None:
        """Whether the frames of a batch fill more than [0, 1], where the range is a wider one."""
        sides = [side.arrays[FRAMES] for side in (batch.generated, batch.reference) if side and FRAMES in side.arrays]
        if sides and sides[0].dtype != np.uint8 and batch.peak > 1:
            within = all(side.max() <= 1 for side in sides)
            self._within_one, self._beyond_one = self._within_one + within, self._beyond_one + (not within)

    def _warn_of_range(self) -> None:
        if self._within_one and not self._beyond_one:
            warnings.warn(range_looks_wrong(f"peak={self._peak:g}", "peak=1.0"), stacklevel=3)


def range_looks_wrong(given: str, meant: str) -> str:
    """What is said of float frames that lie in [0, 1] altogether, of which a wider range was stated."""
    return f"all values lie between 0 and 1, and {given} was stated; if they range from 0 to 1, say {meant}"


def check_facts(size_px: Any, fps: Any) -> None:
    """Refuse what is no size, two whole numbers of px, and what is no rate: ProtocolError."""
    sides = () if size_px is None else tuple(np.atleast_1d(size_px).tolist())
    if size_px is not None and not (
        len(sides) == 2 and all(map(is_positive, sides)) and all(s == int(s) for s in sides)
    ):
        raise ProtocolError(f"size_px is width and height of the frames that px are of, not {size_px!r}")
    if fps is not None:
        rate(fps)


def checked_cap(cap: Any) -> int:
    """How many rows may be kept, if it is a whole number above 0; ProtocolError if not."""
    if not isinstance(cap, Integral) or not is_positive(cap):
        raise ProtocolError(f"cap is how many rows a metric of sets may keep, a whole number above 0, not {cap!r}")
    return int(cap)


def facts_of(size_px: tuple[int, int] | None, fps: float | None) -> dict[str, NDArray[Any]]:
    """Facts of every clip, as arrays."""
    held = {"size_px": size_px, "fps": fps}
    return {name: np.asarray(value) for name, value in held.items() if value is not None}


def material(side: str, given: OneSide, needs: Sequence[Wanted], beside: Mapping[str, NDArray[Any]]) -> Material:
    """What was handed over for a side, as arrays of clips by name: InputError if their axes are not those of clips."""
    axes: dict[str, int] = {FRAMES: 4}
    for need in needs:
        axes |= need.arrays
    named = given if isinstance(given, Mapping) else {_only(side, axes): given}
    arrays = {name: _clips(side, name, array, axes) for name, array in named.items() if name not in FACTS}
    if len({array.shape[:2] for array in arrays.values()}) != 1:
        shapes = " and ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise InputError(f"{side} arrays differ in clips or frames: {shapes}", reason="shape mismatch")
    own = {name: np.asarray(array) for name, array in named.items() if name in FACTS}
    return Material(arrays, {**beside, **own})


def _only(side: str, axes: Mapping[str, int]) -> str:
    """The name of what is meant by an array without one."""
    others = [name for name in axes if name != FRAMES]
    if len(others) > 1:
        raise InputError(f"{side} is several arrays, by name: {', '.join(others)}", reason="lacking")
    return others[0] if others else FRAMES


def _clips(side: str, name: str, array: Any, axes: Mapping[str, int]) -> NDArray[Any]:
    """An array as (clips, frames, ...)."""
    if not isinstance(array, np.ndarray):
        raise InputError(f"{side} {name} must be a numpy array, not {type(array).__name__}", reason="wrong type")
    if name not in axes:
        raise InputError(f"nothing here reads {name!r}; there are {', '.join(axes)}", reason="lacking")
    if array.ndim not in (axes[name], axes[name] + 1):
        raise InputError(
            f"{side} {name} have {axes[name]} axes in one clip, and one more in several, not the shape {array.shape}",
            reason="wrong shape",
        )
    if not array.size:
        raise InputError(f"{side} {name} of shape {array.shape} hold nothing", reason="no frames")
    return array if array.ndim == axes[name] + 1 else array[None]


def check_frames(generated: Material, reference: Material | None, peak: float | None) -> float:
    """The value of white, if the frames of both sides are of one kind and lie in their range; InputError if not."""
    sides = [side.arrays[FRAMES] for side in (generated, reference) if side is not None and FRAMES in side.arrays]
    if not sides:
        return 255.0
    kinds = {side.dtype.name for side in sides}
    if len(kinds) > 1 or not kinds <= {"uint8", "float32", "float64"}:
        raise InputError(
            f"frames are uint8, float32 or float64 on both sides alike, not {' and '.join(sorted(kinds))}",
            reason="type differs",
        )
    if len(sides) == 2 and sides[0].shape != sides[1].shape:
        raise InputError(
            f"generated frames {sides[0].shape} and reference frames {sides[1].shape} differ in shape",
            reason="shape mismatch",
        )
    if sides[0].shape[-1] != 3:
        raise InputError(f"frames end in height, width and 3 colours, not {sides[0].shape}", reason="wrong shape")
    if kinds == {"uint8"}:
        return 255.0
    if peak is None:
        raise InputError("float frames need the value of white: peak=1.0 or peak=255", reason="range not stated")
    for side in sides:
        if not (side.min() >= 0 and side.max() <= peak):
            raise InputError(
                f"frames hold NaN, infinity or values outside [0, {peak:g}]; clamp them, or state the right peak",
                reason="out of range",
            )
    return float(peak)


def checked_names(clips: str | Sequence[str] | None, count: int) -> list[str] | None:
    """One name for each clip of a batch; InputError if there are more or fewer, or one is none."""
    if clips is None:
        return None
    names = [clips] if isinstance(clips, str) else list(clips)
    if len(names) != count or not all(names) or {type(name) for name in names} != {str}:
        raise InputError(f"a batch of {count} clips needs as many names, not {names!r}", reason="no name")
    return names
