"""What a metric is: a frozen set of parameters and two pure functions.

``measure`` looks at a piece of a pair of clips and returns a state; ``score`` turns the sum of all states into one
number. Decoding, shared features, workers, merging, intervals, signatures and printing are done once, elsewhere.

The fields of the dataclass are the protocol: whatever changes the number is a field, and every field is in the
signature. Fields that several metrics share are values that they hold. Presets are named sets of field values.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import ProtocolError
from thgeval.feature import Parameter
from thgeval.parameter import Held, check, declared, made, settings
from thgeval.states import State
from thgeval.view import Needs, Side, View, of_both, of_generated, of_pair

__all__ = ["Better", "Metric", "Needs", "Preset", "Side", "View", "of_both", "of_generated", "of_pair"]

S = TypeVar("S", bound=State)


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

    def badness(self, value: float, own: float | None = None) -> float | None:
        """How bad a score is, larger is worse, up to a constant; None if that can't be told.

        ``own`` is the reference's own score, which some are read beside.
        """
        if self is Better.CLOSER_TO_REFERENCE:
            return None if own is None or not math.isfinite(own) else abs(value - own)
        return {Better.HIGHER: -value, Better.LOWER: value, Better.CLOSER_TO_ZERO: abs(value)}.get(self)


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
    on_card: ClassVar[bool] = False
    """Whether ``measure`` takes arrays wherever they lie, be it on a graphics card, and brings numbers to memory."""
    sets: ClassVar[bool] = False
    """Whether all generated clips are compared with all reference clips, so that they need not come in pairs."""
    with_reference: ClassVar[bool] = False
    """Whether the number must not stand without the reference clips' own, as where a reader makes errors itself."""

    def __post_init__(self) -> None:
        check(self, self.name)
        try:
            self.check_together()
        except ProtocolError as error:
            raise ProtocolError(f"{self.name}: {error}") from None

    def check_together(self) -> None:
        """Refuse parameters that can't stand beside each other: ProtocolError, which need not name the metric."""
        return

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

    def score(self, state: S) -> float:
        """One number from the sum of all states; pure. NaN where nothing was measured. The state's own, as a rule."""
        return state.value

    def scores_without(self, state: S, groups: Sequence[Collection[str]]) -> NDArray[np.float64]:
        """The score of the scored clips without each group of them: (groups,)."""
        left = [sorted(set(state.scored) - set(group)) for group in groups]
        return np.array([self.score(state.only(clips)) for clips in left], dtype=np.float64)

    def per_frame(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """What each frame would score alone, from what a state keeps of it: (frames,); the same unless overridden."""
        return values

    def cautions(self, state: S) -> Iterator[str]:
        """What a reader must know of a number that there is; nothing as a rule."""
        yield from ()

    def remark(self, state: S) -> str | None:
        """What a reader must know beside the number: why it says little, or why there is none; None if nothing."""
        held = (value for item in fields(self) if isinstance(value := getattr(self, item.name), Held))  # type: ignore[arg-type]
        said = [line for value in held for line in value.remarks(state)]
        return "; ".join([*said, *(self.cautions(state) if state.scored else ())]) or None

    @classmethod
    def parameters(cls) -> dict[str, Any]:
        """Names of parameters and their defaults, in order."""
        return settings(cls)

    @classmethod
    def explained(cls) -> dict[str, str]:
        """What each parameter is, by name, in order."""
        return {name: said.get("says", "") for name, said in declared(cls).items()}

    @classmethod
    def configured(cls, given: Mapping[str, Any]) -> Self:
        """The metric with these values of its parameters, and its defaults for the others."""
        return made(cls, {**cls.parameters(), **given})

    def settings(self) -> dict[str, Any]:
        """Names of parameters and their values, in order."""
        return settings(self)
