"""What may be handed over as arrays in place of a clip's files: frames, and features that something else has computed.

A metric reads features, and these rest on others, down to what a clip offers. ``wanted`` goes that way down and stops
at what can be handed over: frames, arrays of measurements (those of ``CLIP.faces.npz``), and, where ``features`` names
what computed them, what the metric's own network would have made. Everything above is computed as ever, so a number is
the command line's own. ``HANDED`` is the one table of it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import InputError, UnmetNeed
from thgeval.feature import Feature
from thgeval.features.faces.supplied import LAYOUTS, checked_person
from thgeval.features.frames.frames import Shown, rgb
from thgeval.features.sync import sync_lm
from thgeval.features.sync.offsets import aligned
from thgeval.features.sync.syncnet import SyncedTrack
from thgeval.features.words.av_hubert import PARTS, Embedded
from thgeval.metric import Metric

Arrays: TypeAlias = Mapping[str, NDArray[Any]]
SIZE, RATE = "size_px", "fps"
FACTS = (SIZE, RATE)
"""Facts of a clip that stand beside its arrays: width and height of the frames that px are of, and frames a second."""


class Handed(NamedTuple):
    """A feature as arrays: their names and numbers of axes, and how they become its value.

    ``value`` takes the feature, its arrays and the name of what computed them. ``by_network`` are features that the
    metric would compute itself, and takes from others only where that is named; ``all_needed`` is False where a metric
    reads some of the arrays alone.
    """

    arrays: Callable[[Feature[Any]], Mapping[str, int]]
    value: Callable[[Feature[Any], Arrays, str], Any]
    by_network: bool = True
    all_needed: bool = True


@dataclass(frozen=True)
class Wanted:
    """The features that must be handed over on each side; where ``rgb`` is one of them, frames."""

    generated: tuple[Feature[Any], ...]
    reference: tuple[Feature[Any], ...]

    @property
    def arrays(self) -> dict[str, int]:
        """Names and numbers of axes of arrays of either side, without frames and what stands beside."""
        named: dict[str, int] = {}
        for feature in (*self.generated, *self.reference):
            if feature != rgb:
                named |= HANDED[feature.name].arrays(feature)
        return {name: axes for name, axes in named.items() if name not in FACTS}


@cache
def wanted(metric: Metric[Any], *, features: str = "") -> Wanted:
    """What a metric must be handed; UnmetNeed if it rests on what no array stands for.

    ``features`` names the network of somebody else's that computed what the metric's own would have.
    """
    needs = metric.needs
    sides: tuple[dict[Feature[Any], None], dict[Feature[Any], None]] = ({}, {})
    starts = [(need, 0) for need in needs.generated + needs.pair] + [(need, 1) for need in needs.reference + needs.pair]
    for need, side in starts:
        for leaf, other in _down(need, metric, bool(features)):
            sides[1 - side if other else side][leaf] = None
    return Wanted(*(tuple(_needed(leaves)) for leaves in sides))


def takes_features(metric: Metric[Any]) -> bool:
    """Whether a metric takes anything that a network of somebody else's computed."""
    try:
        return wanted(metric, features="theirs") != wanted(metric)
    except UnmetNeed:  # it takes nothing else, or nothing at all
        return True


def _down(need: Feature[Any], metric: Metric[Any], named: bool, hint: str = "") -> Iterator[tuple[Feature[Any], bool]]:
    """Features to hand over below one, and whether they are the other side's."""
    row = HANDED.get(need.name)
    hint = hint if row is None else f"; or say in features what computed {' and '.join(row.arrays(need))}"
    if need == rgb or (row is not None and (named or not row.by_network)):
        yield need, False
        return
    if not need.inputs:
        lacking = "the file" if need.offered == "clip" else need.offered or need.name
        raise UnmetNeed(f"{metric.name} needs {lacking} of a clip, which arrays don't have{hint}")
    for source in need.inputs:
        for leaf, other in _down(source, metric, named, hint):
            yield leaf, other != need.of_reference


def _needed(leaves: Mapping[Feature[Any], None]) -> Iterator[Feature[Any]]:
    """All but how frames are shown where the frames themselves are there."""
    return (leaf for leaf in leaves if leaf.name != SHOWN or rgb not in leaves)


def is_handed(feature: Feature[Any], arrays: Arrays) -> bool:
    """Whether any of a feature's arrays are there."""
    return bool(HANDED[feature.name].arrays(feature).keys() & arrays.keys())


def handed_value(feature: Feature[Any], arrays: Arrays, features: str) -> Any:
    """What stands for a feature; InputError if its arrays are missing or of other axes."""
    row = HANDED[feature.name]
    for name, axes in row.arrays(feature).items():
        if name not in arrays and row.all_needed:
            raise InputError(f"{feature.name} needs the array {name!r}", reason="lacking")
        if name in arrays and arrays[name].ndim != axes:
            raise InputError(
                f"{name!r} has {axes} axes in one clip, not the shape {arrays[name].shape}", reason="wrong shape"
            )
    return row.value(feature, arrays, features)


def _given(feature: Feature[Any], arrays: Arrays, features: str) -> Any:
    name, fill = (dict(feature.parameters)[which] for which in ("array", "fill"))
    return checked_person(str(name), arrays[str(name)], fill=int(fill))


def _shown(feature: Feature[Any], arrays: Arrays, features: str) -> Shown:
    frames = next(len(array) for name, array in arrays.items() if name not in FACTS)
    size = np.asarray(arrays[SIZE]).astype(np.int64)
    seconds = 1 / float(arrays[RATE]) if RATE in arrays else np.nan
    times = np.arange(frames, dtype=np.float64) * seconds
    return Shown(np.tile(size, (frames, 1)), np.full(frames, seconds), times)


def _rows(feature: Feature[Any], arrays: Arrays, features: str) -> NDArray[Any]:
    rows = arrays["rows"]
    _check_finite("rows", rows)
    return rows if rows.dtype in (np.float32, np.float64) else rows.astype(np.float32)


def _embedded(feature: Feature[Any], arrays: Arrays, features: str) -> Embedded:
    for name, rows in arrays.items():
        _check_finite(name, rows)
    return Embedded({name: rows.astype(np.float64) for name, rows in arrays.items()}, features or "unnamed", "the clip")


def _synced_track(feature: Feature[Any], arrays: Arrays, features: str) -> tuple[SyncedTrack, ...]:
    _check_embedded(arrays)
    found = aligned(seen=arrays["seen"], heard=arrays["heard"], furthest=int(dict(feature.parameters)["furthest"]))
    return (SyncedTrack(0, found.windows + 5, found),)


def _synced_person(feature: Feature[Any], arrays: Arrays, features: str) -> tuple[sync_lm.SyncedPerson, ...]:
    seen, furthest = arrays["seen"], int(dict(feature.parameters)["furthest"])
    _check_embedded(arrays, unseen=np.isnan(seen).all(axis=1))
    person = sync_lm.compared(seen, arrays["heard"], furthest, rows=len(seen))
    if person is None:
        raise InputError(f"there are too few rows to compare {furthest} shifts either way", reason="too short")
    return (person,)


def _check_embedded(arrays: Arrays, *, unseen: Any = False) -> None:
    """Refuse what can't be compared at shifts: InputError; rows of ``seen`` that are ``unseen`` may be NaN."""
    seen, heard = arrays["seen"], arrays["heard"]
    if seen.shape != heard.shape:
        raise InputError(
            f"seen and heard are (windows, dimensions) alike, not {seen.shape} and {heard.shape}",
            reason="shape mismatch",
        )
    _check_finite("seen", seen[~np.broadcast_to(unseen, len(seen))])
    _check_finite("heard", heard)


def _check_finite(name: str, rows: NDArray[Any]) -> None:
    if not np.isfinite(rows).all():
        raise InputError(f"{name} hold NaN or infinity; check the network and its input", reason="not finite")


def _named(**arrays: int) -> Callable[[Feature[Any]], Mapping[str, int]]:
    return lambda feature: arrays


def _given_axes(feature: Feature[Any]) -> Mapping[str, int]:
    name = str(dict(feature.parameters)["array"])
    return {name: len(LAYOUTS[name].axes)}


def _part_axes(feature: Feature[Any]) -> Mapping[str, int]:
    return dict.fromkeys(PARTS[str(dict(feature.parameters)["kind"])], 2)


SHOWN = "how-shown"
_BOTH = _named(seen=2, heard=2)
HANDED: Mapping[str, Handed] = MappingProxyType(
    {
        "given": Handed(_given_axes, _given, by_network=False),
        SHOWN: Handed(_named(size_px=1), _shown, by_network=False),
        "embeddings": Handed(_part_axes, _embedded, all_needed=False),
        "inception": Handed(_named(rows=2), _rows),
        "i3d": Handed(_named(rows=2), _rows),
        "syncnet": Handed(_BOTH, _synced_track),
        "sync-lm": Handed(_BOTH, _synced_person),
    }
)
"""By the name of the feature."""
