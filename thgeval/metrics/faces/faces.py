"""What metrics of faces have in common: whose face, and what becomes of a frame in which no face is found.

A frame counts where a face is found in it, on both sides if there are two. Every other frame stands in the result
under its reason, whatever the policy:

``skip``  it has no value
``fail``  the clip fails, with a sentence
``hold``  it takes what was found last on that side; before the first face it has no value
``zero``  its value is 0, as if nothing differed, which is what some published scripts do
"""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import InputError
from thgeval.feature import Feature
from thgeval.features.faces.detection import FOLLOWS
from thgeval.features.faces.identity import Embeddings
from thgeval.features.faces.landmarks import MODELS
from thgeval.features.faces.people import POLICIES, absent, choice
from thgeval.features.heads.rest import Both
from thgeval.metric import Metric, Needs, Side, View, of_both
from thgeval.parameter import parameter
from thgeval.states import ClipMean, Part, PooledMean, State

MISSING: Mapping[str, str] = MappingProxyType(
    {"skip": "left out", "fail": "the clip fails", "hold": "as in the last frame with one", "zero": "counted as 0"}
)
BECAME: Mapping[str, str] = MappingProxyType({"hold": ", held", "zero": ", counted as 0"})
PNP: Mapping[str, str] = MappingProxyType({"estimator": "pnp", "landmarks": "dlib-x4"})
GEOMETRIC: Mapping[str, str] = MappingProxyType({"source": "geometric", "landmarks": "dlib-x4"})
"""Pose and action units with nothing to fetch, from the landmarks that are nearest to the truth (docs/faces.md)."""

POOLS: Mapping[str, type[ClipMean] | type[PooledMean]] = MappingProxyType({"clip": ClipMean, "frame": PooledMean})

Array = NDArray[np.float64]
Why = NDArray[np.str_]
NO_FACE: Why = np.array("no face")
S = TypeVar("S", bound=State)


def policy(*among: str) -> Any:
    """The parameter that says what becomes of frames without a face: one of these of ``MISSING``, else the first."""
    meaning = ", ".join(f"``{name}`` ({MISSING[name]})" for name in among)
    return parameter(among[0], f"what becomes of frames without a face: {meaning}", of=among)


@dataclass(frozen=True)
class PeopleMetric(Metric[S]):
    """A metric of faces: in which frames they are looked for, whose, and what becomes of frames without any."""

    follow: str = parameter("every", "in which frames the detector looks", of=FOLLOWS)
    who: str = parameter(
        "largest",
        ("of several faces: ``largest``, ``first``, ``last``, ``track`` (one through the clip) or ``all``"),
        of=POLICIES,
    )
    min_px: int = parameter(0, "faces whose box is narrower or lower than this are not there", least=0)
    missing: str = policy(*MISSING)

    def cautions(self, state: S) -> Iterator[str]:
        """What a reader must know of the number beside frames without a face; nothing as a rule."""
        yield from ()

    def remark(self, state: S) -> str | None:
        """How many frames had no face, and what else must be known; None if there is nothing."""
        said = [*coverage(state), *(self.cautions(state) if state.scored else ())]
        return "; ".join(said) or None


@dataclass(frozen=True)
class FaceMetric(PeopleMetric[S]):
    """A metric that rests on the 68 landmarks of faces."""

    landmarks: str = parameter("dlib", "whose 68 points, and whose boxes they stand in", of=MODELS)
    fill: int = parameter(0, "gaps of at most so many frames are bridged along straight lines", least=0)

    @property
    def chosen(self) -> dict[str, Any]:
        """Whose face is measured, as features of people take it."""
        return {name: getattr(self, name) for name in ("landmarks", "follow", "who", "min_px", "fill")}


@dataclass(frozen=True)
class PairedMetric(PeopleMetric[ClipMean | PooledMean]):
    """A mean over frames in which the same people are compared; several people of a frame are averaged first."""

    pool: str = parameter(
        "clip", "``clip``: the mean of each clip, then over clips; ``frame``: over all frames at once", of=POOLS
    )

    pools: ClassVar[Mapping[str, type[ClipMean] | type[PooledMean]]] = POOLS
    """What keeps the values, by the name of the pool."""

    @property
    @abstractmethod
    def values(self) -> Feature[Any]:
        """What is compared of each person."""

    def read(self, value: Any) -> Array:
        """The value of that feature as (frames, people, ...), NaN where there is no face."""
        return np.asarray(value, np.float64)

    @abstractmethod
    def compared(self, generated: Array, reference: Array) -> Array:
        """The number for each pair of faces: two (faces, ...) arrays -> (faces,)."""

    @property
    def of_both_sides(self) -> Feature[Both[Any]] | None:
        """The same of both sides together, where it is measured from one rest; None where each frame stands alone."""
        return None

    @property
    def needs(self) -> Needs:
        """The same of both clips."""
        needs = of_both(*with_choice(self.values))
        return needs if self.of_both_sides is None else replace(needs, pair=(self.of_both_sides,))

    def sides(self, view: View) -> "Sides":
        """Both sides of a view under this metric's policy."""
        if self.of_both_sides is None:
            return Sides.seen(view, self.values, missing=self.missing, read=self.read)
        both: Both[Any] = view.pair[self.of_both_sides]
        nobody = [lacking(side, self.values) for side in (view.generated, view.reference)]
        return Sides.of(
            view.clip, self.read(both.generated), self.read(both.reference), missing=self.missing, nobody=nobody
        )

    def measure(self, view: View) -> ClipMean | PooledMean:
        """One value per frame."""
        sides = self.sides(view)
        return self.state(view, over_pairs(sides.generated, sides.reference, self.compared), sides.why)

    def under(self, view: View) -> str:
        """The condition that the values were taken under, if they have none in common with values under another."""
        return ""

    def state(self, view: View, values: Array, why: Why) -> ClipMean | PooledMean:
        """The state of one clip: (frames,) values, and why a frame has no face."""
        return self.pools[self.pool]({view.clip: (stated(values, why, missing=self.missing, under=self.under(view)),)})

    def score(self, state: ClipMean | PooledMean) -> float:
        """Mean over frames, then over clips; over all frames at once if they are pooled."""
        return state.value


@dataclass(frozen=True)
class PairedFaceMetric(PairedMetric, FaceMetric[ClipMean | PooledMean]):
    """A comparison of faces that rests on their landmarks."""


class Sides(NamedTuple):
    """What was found on both sides, (frames, people, ...), NaN where there is no face; and why a frame has none.

    ``why`` is (frames,), empty where there is a face on either side, whatever a policy puts in its place.
    """

    generated: Array
    reference: Array
    why: Why

    @classmethod
    def of(
        cls, clip: str, generated: Array, reference: Array, *, missing: str, nobody: Sequence[Why] = (NO_FACE, NO_FACE)
    ) -> "Sides":
        """Two sides of a clip, with what to say of either where it has no one.

        InputError if they show other numbers of people, or under ``fail`` a frame has none.
        """
        generated, reference = alike(clip, generated, reference)
        here, there = (
            np.where(present(side).any(axis=1), "", why)
            for side, why in zip((generated, reference), nobody, strict=True)
        )
        why = told(here, there)
        if missing == "fail":
            refuse(clip, why)
        if missing == "hold":
            generated, reference = held(generated), held(reference)
        return cls(generated, reference, why)

    @classmethod
    def seen(
        cls, view: View, source: Feature[Any], *, missing: str, read: Callable[[Any], Array] = np.asarray
    ) -> "Sides":
        """What one feature of people has on both sides, its values ``read`` as (frames, people, ...)."""
        generated, reference = (read(side[source]) for side in (view.generated, view.reference))
        nobody = [lacking(side, source) for side in (view.generated, view.reference)]
        return cls.of(view.clip, generated, reference, missing=missing, nobody=nobody)


def with_choice(source: Feature[Any]) -> tuple[Feature[Any], ...]:
    """A feature of people, and the choice of them that it rests on, for ``lacking``."""
    return source, *choice(source)


def lacking(side: Side, source: Feature[Any]) -> Why:
    """What to say of frames in which a feature of people has no one: (frames,), or () if that is always the same."""
    found = side[source]
    for slots in choice(source):
        why = absent(side[slots][found.frames] if isinstance(found, Embeddings) else side[slots])
        return np.where(why == "", NO_FACE, why)
    return NO_FACE


def told(generated: Why, reference: Why) -> Why:
    """Why frames don't count, from why either side has no one in them: (frames,), "" where both have someone."""
    in_generated = np.where(generated == "", "", np.char.add(generated, " in generated"))
    in_reference = np.where(reference == "", "", np.char.add(reference, " in reference"))
    both = np.where(
        generated == reference,
        np.char.add(generated, " in either"),
        np.char.add(np.char.add(in_generated, ", "), in_reference),
    )
    alone = np.char.add(in_generated, in_reference)
    return np.where((generated != "") & (reference != ""), both, alone)


def alike(clip: str, generated: Array, reference: Array, *, what: str = "people") -> tuple[Array, Array]:
    """Both sides with the same number of people; a side where nobody was found has as many as the other.

    InputError if each shows some, and others, or if their faces are not measured in the same number of numbers.
    """
    if generated.shape[2:] != reference.shape[2:]:
        sizes = [" x ".join(map(str, side.shape[2:])) for side in (generated, reference)]
        raise InputError(
            f"{clip} has {sizes[0]} numbers for a face and its reference {sizes[1]}; measure both in one way",
            reason="other number of values",
        )
    if generated.shape[1] == reference.shape[1]:
        return generated, reference
    if not present(generated).any():
        return np.full_like(reference, np.nan), reference
    if not present(reference).any():
        return generated, np.full_like(generated, np.nan)
    raise InputError(
        f"{clip} shows {generated.shape[1]} {what} and its reference {reference.shape[1]}; "
        "compare as many on either side",
        reason=f"other number of {what}",
    )


def present(values: Array) -> NDArray[np.bool_]:
    """Where something was found: (frames, people, ...) -> (frames, people)."""
    return np.asarray(~np.isnan(values).any(axis=tuple(range(2, values.ndim))))


def refuse(clip: str, why: Why) -> None:
    """Raise InputError if any frame has a reason not to count."""
    frames = np.flatnonzero(why != "")
    if frames.size:
        raise InputError(
            f"{clip}: {why[frames[0]]} in {frames.size} of {len(why)} frames, first in frame {frames[0]}",
            reason="no face",
        )


def held(values: Array) -> Array:
    """The same values with each person's gaps filled by what was found last: (frames, people, ...)."""
    frames = np.arange(len(values))[:, None]
    last = np.maximum.accumulate(np.where(present(values), frames, -1), axis=0)
    filled = values[np.maximum(last, 0), np.arange(values.shape[1])]
    filled[last < 0] = np.nan
    return filled


def over_pairs(generated: Array, reference: Array, compared: Callable[[Array, Array], Array]) -> Array:
    """``compared`` of people found on both sides, averaged within each frame: (frames,), NaN where there are none."""
    both = present(generated) & present(reference)
    found = np.full(both.shape, np.nan)
    if both.any():
        found[both] = compared(generated[both], reference[both])
    return over_people(found)


def over_people(values: Array) -> Array:
    """Mean over the people of each frame who have a value: (frames, people) -> (frames,)."""
    there = ~np.isnan(values)
    total, count = np.where(there, values, 0.0).sum(axis=1), there.sum(axis=1)
    return np.asarray(np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0))


def stated(values: Array, why: Why, *, missing: str, under: str = "") -> Part:
    """One clip's values, (frames,) or (frames, 2), with the frames of each reason, and what a policy made of them."""
    values = np.array(values, np.float64)
    none = np.isnan(Part(0, values).column)
    if missing == "zero":
        values[none & (why != "")] = 0.0
        none &= why == ""
    why = np.where((why == "") & none, "other people on either side", why)
    labels = np.where((why != "") & ~none, np.char.add(why, BECAME.get(missing, "")), why)
    reasons = {str(label): tuple(np.flatnonzero(labels == label).tolist()) for label in np.unique(labels) if label}
    return Part(0, values, reasons, under)


def coverage(state: State) -> Iterator[str]:
    """How many frames had no value of their own, by reason; nothing if every one had."""
    if reasons := state.left_out:
        without = sum(reasons.values())
        became = tuple(BECAME.values())
        total = state.frames_seen + sum(count for reason, count in reasons.items() if not reason.endswith(became))
        said = ", ".join(f"{reason}: {count}" for reason, count in sorted(reasons.items()))
        yield f"{without} of {total} frames have no value of their own ({said})"
