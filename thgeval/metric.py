"""What a metric is: a frozen set of parameters and two pure functions.

``measure`` looks at a piece of a pair of clips and returns a state; ``score`` turns the sum of all states into one
number. Decoding, shared features, workers, merging, intervals, signatures and printing are done once, elsewhere.

The fields of the dataclass are the protocol: whatever changes the number is a field, and every field is in the
signature. Presets are named sets of field values.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import ProtocolError
from thgeval.feature import Feature, Parameter
from thgeval.states import State

S = TypeVar("S", bound=State)
T = TypeVar("T")


class Better(Enum):
    """Which way a score improves; the values are what result files say."""

    HIGHER = "higher"
    LOWER = "lower"
    CLOSER_TO_REFERENCE = "closer-to-reference"
    CLOSER_TO_ZERO = "closer-to-zero"
    NONE = "none"

    @property
    def arrow(self) -> str:
        """One character for tables."""
        return {"higher": "↑", "lower": "↓", "closer-to-reference": "≈", "closer-to-zero": "0", "none": "·"}[self.value]


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


class Side(Protocol):
    """The features of one side of a view."""

    def __getitem__(self, feature: Feature[T]) -> T:
        """The value of a feature that the metric declared; anything else is refused."""
        ...


class View(Protocol):
    """One chunk, or for metrics of clip features one whole clip, of a pair."""

    @property
    def clip(self) -> str:
        """The pair's id."""

    @property
    def start(self) -> int:
        """Index of the first frame seen."""

    @property
    def generated(self) -> Side:
        """Features of the generated clip."""

    @property
    def reference(self) -> Side:
        """Features of the reference clip."""

    @property
    def pair(self) -> Side:
        """Features of the two together."""


@dataclass(frozen=True)
class Preset:
    """A named deviation from a metric's defaults, with where it is used."""

    fields: Mapping[str, Parameter]
    says: str


class Metric(ABC, Generic[S]):
    """Base of every metric; subclasses are frozen dataclasses whose docstring has Reads, Returns, Source, Departs."""

    name: ClassVar[str]
    version: ClassVar[int]
    better: ClassVar[Better]
    cites: ClassVar[tuple[str, ...]]
    presets: ClassVar[Mapping[str, Preset]] = {}
    timeline: ClassVar[bool] = False
    """Whether a report shows its values over time for every clip, not for those that stand out alone."""
    embedded: ClassVar[str] = ""
    """The preset that needs nothing to be fetched, where the defaults do."""
    sets: ClassVar[bool] = False
    """Whether all generated clips are compared with all reference clips, so that they need not come in pairs."""
    with_reference: ClassVar[bool] = False
    """Whether the number must not stand without the reference clips' own, as where a reader makes errors itself."""

    @property
    def unit(self) -> str:
        """What the number is counted in; a class attribute where it is always the same."""
        return ""

    @property
    def interval_note(self) -> str:
        """What a reader must know of the interval; a class attribute where it is always the same."""
        return ""

    @property
    def counts_events(self) -> bool:
        """Whether a state's Counts are of events that happen on their own, so that few or none still bound a rate."""
        return False

    @property
    def stepwise(self) -> bool:
        """Whether the score jumps as clips come and go, as a median does."""
        return False

    @property
    @abstractmethod
    def range(self) -> tuple[float, float]:
        """The smallest and the largest value there can be; a class attribute where they are always the same."""

    @property
    @abstractmethod
    def needs(self) -> Needs:
        """The features ``measure`` reads."""

    @abstractmethod
    def measure(self, view: View) -> S:
        """The state of one piece of a pair; pure."""

    def measure_alone(self, view: View) -> State:
        """The state of one piece of a clip that has no partner, whichever side it is from; pure."""
        return self.measure(view)

    @abstractmethod
    def score(self, state: S) -> float:
        """One number from the sum of all states; pure. NaN where nothing was measured."""

    def scores_without(self, state: S, groups: Sequence[Collection[str]]) -> NDArray[np.float64]:
        """The score of the scored clips without each group of them: (groups,)."""
        left = [sorted(set(state.scored) - set(group)) for group in groups]
        return np.array([self.score(state.only(clips)) for clips in left], dtype=np.float64)

    def per_frame(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """What each frame would score alone, from what a state keeps of it: (frames,); the same unless overridden."""
        return values

    def remark(self, state: S) -> str | None:
        """What a reader must know beside the number: why it says little, or why there is none; None as a rule."""
        return None

    @classmethod
    def parameters(cls) -> dict[str, Any]:
        """Field names and default values, in order."""
        return {item.name: item.default for item in fields(cls)}  # type: ignore[arg-type]

    def settings(self) -> dict[str, Any]:
        """Field names and values, in order."""
        return {name: getattr(self, name) for name in self.parameters()}

    def check(self, **choices: Collection[str]) -> None:
        """Refuse a field whose value is not among its choices: ProtocolError."""
        for field, allowed in choices.items():
            if (value := getattr(self, field)) not in allowed:
                raise ProtocolError(f"{self.name}: {field} must be one of {', '.join(allowed)}, not {value!r}")
