"""What a metric needs of a pair of clips, and what ``measure`` gets to see: features, computed when first asked for."""

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from thgeval.errors import InputError
from thgeval.feature import Feature, Grain
from thgeval.features.frames.frames import rgb
from thgeval.media.frames import FrameBatch
from thgeval.seen import SeenChunk
from thgeval.stages import stage, stage_of

T = TypeVar("T")
Given: TypeAlias = Mapping[Feature[Any], Any]


@dataclass(frozen=True)
class Needs:
    """Features of the generated clip, of the reference clip, and of the two together."""

    generated: tuple[Feature[Any], ...] = ()
    reference: tuple[Feature[Any], ...] = ()
    pair: tuple[Feature[Any], ...] = ()

    def every(self) -> tuple[Feature[Any], ...]:
        """All features named, each once."""
        return tuple(dict.fromkeys(self.generated + self.reference + self.pair))

    @property
    def a_reference(self) -> bool:
        """Whether the reference clip is looked at at all."""
        return self.compares or any(source.of_reference for need in self.generated for source in need.closure())

    @property
    def compares(self) -> bool:
        """Whether the two clips are compared with each other."""
        return bool(self.reference or self.pair)


def of_generated(*features: Feature[Any]) -> Needs:
    """Features of the generated clip alone."""
    return Needs(generated=features)


def of_both(*features: Feature[Any]) -> Needs:
    """The same features of both clips."""
    return Needs(generated=features, reference=features)


def of_pair(*features: Feature[Any]) -> Needs:
    """Features computed from both clips together."""
    return Needs(pair=features)


class Side:
    """Features of one side of a pair, each computed at most once from what is given.

    ``reference`` is the side of the reference clip, if this is not that side itself; ``chunk`` knows what was found in
    the same frames before.
    """

    def __init__(self, given: Given, reference: "Side | None" = None, chunk: SeenChunk | None = None) -> None:
        self._held = dict(given)
        self._reference = reference  # never itself: a circle would keep the frames until somebody looks for circles
        self._chunk = chunk
        self._declared: tuple[Feature[Any], ...] | None = None
        self._metric = ""

    def only(self, declared: tuple[Feature[Any], ...], metric: str) -> "Side":
        """The same side, of which a metric sees what it declared and nothing else."""
        narrow = copy(self)
        narrow._declared, narrow._metric = declared, metric
        return narrow

    def __getitem__(self, feature: Feature[T]) -> T:
        """The value of any feature that can be computed from what is given; a metric declares it in its needs."""
        if self._declared is not None and feature not in self._declared:
            raise LookupError(f"{self._metric} reads {feature} without declaring it in its needs")
        return self._value(feature)

    def _value(self, feature: Feature[T]) -> T:
        """The value, or why there is none: what can't be computed for one metric isn't tried again for the next."""
        if feature not in self._held:
            try:
                self._held[feature] = self._computed(feature)
            except InputError as error:
                self._held[feature] = error
        value = self._held[feature]
        if isinstance(value, InputError):
            raise value
        found: T = value
        return found

    def _computed(self, feature: Feature[Any]) -> Any:
        if feature.of_reference:
            return (self._reference or self)._value(feature.inputs[0])
        if feature.compute is None:
            if feature.grain is Grain.CLIP:
                raise InputError(f"there is no {feature.name} beside the clip", reason=f"no {feature.name}")
            raise KeyError(str(feature))
        compute = feature.compute

        def value() -> Any:
            return compute(*map(self._value, feature.inputs), **dict(feature.parameters))

        with stage(stage_of(feature)):
            return value() if self._chunk is None else self._chunk.value(feature, value)


class PairSide(Side):
    """Features computed from both sides together, each at most once."""

    def __init__(self, generated: Side, reference: Side) -> None:
        super().__init__({}, reference)
        self._sides = generated, reference

    def _computed(self, feature: Feature[Any]) -> Any:
        if feature.compute is None or feature.grain is not Grain.PAIR:
            raise KeyError(str(feature))
        with stage(stage_of(feature)):
            inputs = [side[source] for side in self._sides for source in feature.inputs]
            return feature.compute(*inputs, **dict(feature.parameters))


@dataclass(frozen=True)
class View:
    """One chunk, or for metrics of clip features one whole clip, of a pair.

    ``clip`` is the pair's id, ``start`` the index of the first frame seen.
    """

    clip: str
    start: int
    generated: Side
    reference: Side
    pair: Side

    @classmethod
    def of(
        cls,
        clip: str,
        start: int,
        generated: Given,
        reference: Given,
        seen: Callable[[FrameBatch, bool], SeenChunk] | None = None,
    ) -> "View":
        """A piece of a pair from what is given on each side, and from what was seen before in the same frames."""
        chunks = [
            seen(given[rgb], given is reference) if seen is not None and rgb in given else None
            for given in (generated, reference)
        ]
        second = Side(reference, None, chunks[1])
        first = Side(generated, second, chunks[0])
        return cls(clip, start, first, second, PairSide(first, second))

    def swapped(self) -> "View":
        """The reference seen as if it were the generated clip, to measure its own value."""
        return View(self.clip, self.start, self.reference, self.generated, self.pair)

    def seen_by(self, needs: Needs, metric: str) -> "View":
        """What the metric of that name declared, and nothing else."""
        return View(
            self.clip,
            self.start,
            self.generated.only(needs.generated, metric),
            self.reference.only(needs.reference, metric),
            self.pair.only(needs.pair, metric),
        )
