"""Whose face a metric looks at: one value that it holds, and what it finds of them in one clip or in two."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from thgeval.errors import InputError
from thgeval.feature import Feature
from thgeval.features.faces.detection import FOLLOWS
from thgeval.features.faces.identity import Embeddings
from thgeval.features.faces.landmarks import MODELS
from thgeval.features.faces.people import POLICIES, choice, why_absent
from thgeval.features.heads.rest import Both
from thgeval.metric import Side, View
from thgeval.metrics.faces.missing import BECAME, NO_FACE, Array, Missing, Why, present, told
from thgeval.parameter import Held, parameter
from thgeval.states import Part, State

PNP: Mapping[str, str] = MappingProxyType({"estimator": "pnp", "landmarks": "dlib-x4"})
GEOMETRIC: Mapping[str, str] = MappingProxyType({"source": "geometric", "landmarks": "dlib-x4"})
"""Pose and action units with nothing to fetch, from the landmarks that are nearest to the truth (docs/faces.md)."""


class Sides(NamedTuple):
    """What was found on both sides, (frames, people, ...), NaN where there is no face; and why a frame has none.

    ``why`` is (frames,), empty where there is a face on either side, whatever a policy puts in its place.
    """

    generated: Array
    reference: Array
    why: Why


@dataclass(frozen=True)
class Whom(Held):
    """In which frames faces are looked for, which of several is taken, and what becomes of frames without any."""

    follow: str = parameter("every", "in which frames the detector looks", of=FOLLOWS)
    who: str = parameter(
        "largest",
        ("of several faces: ``largest``, ``first``, ``last``, ``track`` (one through the clip) or ``all``"),
        of=POLICIES,
    )
    min_px: int = parameter(0, "faces whose box is narrower or lower than this are not there", least=0)
    missing: Missing = Missing()

    def alone(self, view: View, source: Feature[Any], read: Callable[[Any], Array] = np.asarray) -> tuple[Array, Why]:
        """What a feature of people has of the clip itself, ``read`` as (frames, people, ...), and why a frame has none.

        Both are as the policy has it; InputError under ``fail`` if a frame has no face.
        """
        values = read(view.generated[source])
        why = np.where(present(values).any(axis=1), "", lacking(view.generated, source))
        (values,) = self.missing.applied(view.clip, why, values)
        return values, why

    def pairs(
        self,
        view: View,
        source: Feature[Any],
        read: Callable[[Any], Array] = np.asarray,
        one_rest: Feature[Both[Any]] | None = None,
    ) -> Sides:
        """The same of both sides, from one rest where there is one; InputError if they show other numbers of people.

        Whatever measures both from a person's rest needs ``one_rest`` of the pair, else each side has one of its own.
        """
        both = Both(view.generated[source], view.reference[source]) if one_rest is None else view.pair[one_rest]
        generated, reference = read(both.generated), read(both.reference)
        nobody = [lacking(side, source) for side in (view.generated, view.reference)]
        return self.sides(view.clip, generated, reference, nobody)

    def sides(self, clip: str, generated: Array, reference: Array, nobody: Sequence[Why] = (NO_FACE, NO_FACE)) -> Sides:
        """Two sides of a clip as the policy has them, with what to say of either where it has no one."""
        generated, reference = alike(clip, generated, reference)
        here, there = (
            np.where(present(side).any(axis=1), "", why)
            for side, why in zip((generated, reference), nobody, strict=True)
        )
        why = told(here, there)
        generated, reference = self.missing.applied(clip, why, generated, reference)
        return Sides(generated, reference, why)

    def part(self, values: Array, why: Why, *, under: str = "") -> Part:
        """One clip's values, (frames,) or (frames, 2), with the frames of each reason, and what became of them."""
        return self.missing.part(values, why, under=under)

    def remarks(self, state: State) -> Iterator[str]:
        """How many frames had no value of their own, by reason; nothing if every one had."""
        if reasons := state.left_out:
            without = sum(reasons.values())
            became = tuple(BECAME.values())
            total = state.frames_seen + sum(count for reason, count in reasons.items() if not reason.endswith(became))
            said = ", ".join(f"{reason}: {count}" for reason, count in sorted(reasons.items()))
            yield f"{without} of {total} frames have no value of their own ({said})"


@dataclass(frozen=True)
class Landmarked(Whom):
    """People of whom 68 landmarks are known."""

    landmarks: str = parameter("dlib", "whose 68 points, and whose boxes they stand in", of=MODELS)
    fill: int = parameter(0, "gaps of at most so many frames are bridged along straight lines", least=0)

    @property
    def chosen(self) -> dict[str, Any]:
        """The people as features of landmarks take them."""
        return {name: getattr(self, name) for name in ("landmarks", "follow", "who", "min_px", "fill")}


def with_choice(source: Feature[Any]) -> tuple[Feature[Any], ...]:
    """A feature of people, and the choice of them that it rests on, for ``lacking``."""
    return source, *choice(source)


def lacking(side: Side, source: Feature[Any]) -> Why:
    """What to say of frames in which a feature of people has no one: (frames,), or () if that is always the same."""
    found = side[source]
    for slots in choice(source):
        why = why_absent(side[slots][found.frames] if isinstance(found, Embeddings) else side[slots])
        return np.where(why == "", NO_FACE, why)
    return NO_FACE


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
