"""What ``measure`` gets to see: features of one chunk, or of one whole clip, computed when first asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from thgeval.errors import InputError
from thgeval.feature import Feature, Grain
from thgeval.features.frames.frames import rgb
from thgeval.metric import Metric, View
from thgeval.requirements import Pins
from thgeval.seen import Chunk, Seen

T = TypeVar("T")
Given = Mapping[Feature[Any], Any]


class Values:
    """Features of one side, each computed at most once from what is given.

    ``reference`` is the side of the reference clip, if this is not that side itself; ``chunk`` knows what
    was found in the same frames before.
    """

    def __init__(self, given: Given, reference: "Values | None" = None, chunk: Chunk | None = None) -> None:
        self._held = dict(given)
        self._reference = reference
        self._chunk = chunk

    def __getitem__(self, feature: Feature[T]) -> T:
        """The value of any feature that can be computed from what is given."""
        if feature not in self._held:
            self._held[feature] = self._computed(feature)
        value = self._held[feature]
        if isinstance(value, InputError):
            raise value
        found: T = value
        return found

    def _computed(self, feature: Feature[T]) -> T | InputError:
        """The value, or why there is none: what can't be computed for one metric isn't tried again for the next."""
        if feature.of_reference:
            return (self._reference or self)[cast("Feature[T]", feature.inputs[0])]
        if feature.compute is None:
            if feature.grain is Grain.CLIP:
                return InputError(f"there is no {feature.name} beside the clip", reason=f"no {feature.name}")
            raise KeyError(str(feature))
        compute = feature.compute

        def value() -> T:
            return compute(*(self[source] for source in feature.inputs), **dict(feature.parameters))

        try:
            return value() if self._chunk is None else self._chunk.value(feature, value)
        except InputError as error:
            return error


class PairValues:
    """Features computed from both sides together, each at most once."""

    def __init__(self, generated: Values, reference: Values) -> None:
        self._sides = generated, reference
        self._held: dict[Feature[Any], Any] = {}

    def __getitem__(self, feature: Feature[T]) -> T:
        """The value of a ``PAIR`` feature."""
        if feature not in self._held:
            if feature.compute is None or feature.grain is not Grain.PAIR:
                raise KeyError(str(feature))
            inputs = [side[source] for side in self._sides for source in feature.inputs]
            self._held[feature] = feature.compute(*inputs, **dict(feature.parameters))
        value: T = self._held[feature]
        return value


@dataclass(frozen=True)
class Declared:
    """A side that hands out declared features alone."""

    values: Values | PairValues
    features: tuple[Feature[Any], ...]
    metric: str

    def __getitem__(self, feature: Feature[T]) -> T:
        """The value of a declared feature."""
        if feature not in self.features:
            raise LookupError(f"{self.metric} reads {feature} without declaring it in its needs")
        return self.values[feature]


@dataclass(frozen=True)
class MetricView:
    """The part of a piece of a pair that one metric declared."""

    clip: str
    start: int
    generated: Declared
    reference: Declared
    pair: Declared


@dataclass(frozen=True)
class Piece:
    """One chunk, or one whole clip, of a pair, before a metric narrows it to what it declared."""

    clip: str
    start: int
    generated: Values
    reference: Values
    pair: PairValues

    @classmethod
    def of(
        cls,
        clip: str,
        start: int,
        generated: Given,
        reference: Given,
        seen: Seen | None = None,
        pins: Pins | None = None,
    ) -> "Piece":
        """A piece of a pair from what is given on each side, and from what was seen before."""

        def chunk(given: Given) -> Chunk | None:
            return Chunk(seen, pins or {}, given[rgb]) if seen is not None and rgb in given else None

        second = Values(reference, None, chunk(reference))
        first = Values(generated, second, chunk(generated))
        return cls(clip, start, first, second, PairValues(first, second))

    def swapped(self) -> "Piece":
        """The reference seen as if it were the generated clip, to measure its own value."""
        return Piece(self.clip, self.start, self.reference, self.generated, self.pair)

    def seen_by(self, metric: Metric[Any]) -> View:
        """What this metric declared, and nothing else."""
        needs = metric.needs

        def narrow(values: Values | PairValues, features: tuple[Feature[Any], ...]) -> Declared:
            return Declared(values, features, metric.name)

        return MetricView(
            self.clip,
            self.start,
            narrow(self.generated, needs.generated),
            narrow(self.reference, needs.reference),
            narrow(self.pair, needs.pair),
        )
