"""What one metric has seen so far: sums over clips without names, or a record of each clip that has one.

A score of many clips is, for most metrics, a sum over clips of what each adds above a fraction over what it adds below.
Two numbers are then all that must be remembered. They are kept in pairs of float64, a sum and what rounding took from
it, so that the order of updates, batches and processes changes nothing but the last bit. Clips with names have their
records kept, as a run does, and so an interval. Metrics of sets keep every row of every clip, named or not.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from thgeval.engine.plan import measures_reference, uninstalled
from thgeval.errors import InputError
from thgeval.meter.batch import Batch, framewise
from thgeval.meter.handed import wanted
from thgeval.metric import Metric
from thgeval.registry import Named, metric
from thgeval.states import State
from thgeval.statistics import contributions


class Exact(NamedTuple):
    """A sum and what rounding took from it, as numbers, arrays or tensors alike."""

    sum: Any
    rest: Any

    def plus(self, other: "Exact") -> "Exact":
        """The sum of two: within an ulp of the exact one after thousands of additions, in any order."""
        total = self.sum + other.sum
        came = total - self.sum
        lost = (self.sum - (total - came)) + (other.sum - came) + self.rest + other.rest
        whole = total + lost
        return Exact(whole, lost - (whole - total))

    @classmethod
    def of(cls, values: Sequence[float]) -> "Exact":
        """Of numbers."""
        whole = math.fsum(values)
        return cls(whole, math.fsum([*values, -whole]))


ZERO = Exact(0.0, 0.0)


class Sums(NamedTuple):
    """What clips add above and below the fraction that is the score, and what is counted beside it.

    ``infinite`` are clips whose own score is infinite, as of copies, which count in no sum; ``lost`` are those without
    any, as where no face was found.
    """

    above: Exact = ZERO
    below: Exact = ZERO
    clips: Any = 0
    frames: Any = 0
    infinite: Any = 0
    lost: Any = 0

    def plus(self, other: "Sums") -> "Sums":
        """The sums of both."""
        return Sums(
            self.above.plus(other.above),
            self.below.plus(other.below),
            self.clips + other.clips,
            self.frames + other.frames,
            self.infinite + other.infinite,
            self.lost + other.lost,
        )

    @property
    def value(self) -> float:
        """The score: NaN of nothing, infinite where that is all there is."""
        above, below = float(self.above.sum), float(self.below.sum)
        if below > 0:
            return above / below
        return math.inf if int(self.infinite) else math.nan


NOTHING = Sums()


def sums_of(metric: Metric[Any], state: State) -> Sums:
    """What the clips of a state add, whose score is such a fraction."""
    rows = contributions(metric, state)
    others = set(state.clips) - set(state.scored)
    copies = sum(math.isinf(metric.score(state.only([clip]))) for clip in others)
    infinite = copies + int((rows[:, 1] == 0).sum())
    above, below = (Exact.of(column) for column in rows.T.tolist())
    return Sums(above, below, len(rows) - infinite + copies, state.frames, infinite, len(others) - copies)


def is_sum(state: State) -> bool:
    """Whether sums are all that a score needs."""
    return state.per_clip and state.additive


class BatchStates(NamedTuple):
    """What a metric makes of one batch, and of the reference's own clips where their value stands beside."""

    state: State
    reference: State | None


@dataclass
class Records:
    """Clips by name: their states in the order they came, their references' own, and how long each is so far."""

    states: list[State] = field(default_factory=list)
    references: list[State] = field(default_factory=list)
    frames: dict[str, int] = field(default_factory=dict)

    def total(self) -> State | None:
        """All states as one; None of nothing."""
        return type(self.states[0]).total(self.states) if self.states else None


@dataclass
class Tally:
    """One metric and what it has seen; ``cap`` is how many rows a metric of sets may keep.

    ``nameless`` says that clips came without names; those that had to be told apart are numbered, ``unnamed`` of them.
    """

    named: Named
    cap: int
    sums: Sums = NOTHING
    records: Records = field(default_factory=Records)
    unnamed: int = 0
    nameless: bool = False

    @property
    def metric(self) -> Metric[Any]:
        """The metric."""
        return self.named.metric

    @property
    def has_names(self) -> bool:
        """Whether clips were told apart by their names."""
        return bool(self.records.frames) and not self.nameless

    def seen(self, batch: Batch) -> BatchStates:
        """What the metric makes of a batch; nothing is counted yet."""
        own = batch.reference is not None and measures_reference(self.metric)
        reference = batch.state(self.metric, reference=True) if own else None
        return BatchStates(batch.state(self.metric), reference)

    def check(self, names: Sequence[str] | None, frames: int) -> None:
        """Refuse names that can't be counted: InputError."""
        if names is None:
            if self.records.frames and not self.nameless:
                raise InputError("earlier clips had names; name these too", reason="no name")
            return
        if self.nameless:
            raise InputError("earlier clips had no names; name all of them or none", reason="no name")
        again = [name for name in names if name in self.records.frames]
        again += [name for name, count in Counter(names).items() if count > 1]
        if again and not framewise(self.metric):
            raise InputError(
                f"clip {again[0]!r} came before, and {self.metric.name} looks at whole clips; give all of its frames "
                "at once",
                reason="duplicate clip",
            )

    def count(self, seen: BatchStates, names: Sequence[str] | None) -> None:
        """Count what was seen, under the names of the clips if they have any."""
        self.nameless = self.nameless or names is None
        if names is None and is_sum(seen.state):
            self.sums = self.sums.plus(sums_of(self.metric, seen.state))
            return
        if names is None:
            first, self.unnamed = self.unnamed, self.unnamed + len(seen.state.clips)
            names = [number(clip) for clip in range(first, self.unnamed)]
        self.check_room(seen)
        for at, name in enumerate(names):
            start = self.records.frames.get(name, 0)
            self.records.states.append(_named(seen.state, str(at), name, start))
            if seen.reference is not None:
                self.records.references.append(_named(seen.reference, str(at), name, start))
            self.records.frames[name] = start + _length(seen.state, str(at))

    def count_alone(self, state: State, name: str | None) -> None:
        """Count the state of one clip, called "0", which was measured elsewhere."""
        self.count(BatchStates(state, None), None if name is None else [name])

    def check_room(self, seen: BatchStates) -> None:
        """Refuse more rows than there is room for: InputError."""
        state = seen.state
        if not state.large:
            return
        rows = sum(self.records.frames.values()) + sum(_length(state, clip) for clip in state.clips)
        if rows > self.cap:
            raise InputError(
                f"{self.named.key} keeps {self.cap} rows and would need {rows}; make room with cap={rows}, or more",
                reason="too many rows",
            )

    def value(self) -> float:
        """The score of all that was counted; NaN of nothing."""
        total = self.records.total()
        return self.sums.value if total is None else float(self.metric.score(total))

    def merged(self, others: Sequence["Tally"]) -> "Tally":
        """This tally and those of other processes, each of clips of its own.

        Raises InputError if two have one clip, and if some gave their clips names and others none.
        """
        if any(one.has_names for one in [self, *others]) and any(one.nameless for one in [self, *others]):
            raise InputError(
                "some processes gave their clips names, and others none; name all or none", reason="no name"
            )
        sums, records, unnamed = self.sums, Records(), 0
        for one in [self, *others]:
            sums = sums if one is self else sums.plus(one.sums)
            own = one.records
            both = set() if one.unnamed else records.frames.keys() & own.frames.keys()
            if both:
                raise InputError(
                    f"clip {min(both)!r} was measured by two processes; samplers that even out shards repeat clips, "
                    "and must not",
                    reason="duplicate clip",
                )
            names = {name: number(unnamed + at) if one.unnamed else name for at, name in enumerate(own.frames)}
            records.states += [_renamed(state, names) for state in own.states]
            records.references += [_renamed(state, names) for state in own.references]
            records.frames |= {names[name]: frames for name, frames in own.frames.items()}
            unnamed += one.unnamed
        nameless = any(one.nameless for one in [self, *others])
        return replace(self, sums=sums, records=records, unnamed=unnamed, nameless=nameless)

    def copied(self) -> "Tally":
        """The same, to be counted on without changing this one."""
        held = self.records
        return replace(self, records=Records(list(held.states), list(held.references), dict(held.frames)))


def tally(request: str | Named, *, cap: int, features: str = "") -> Tally:
    """An empty tally of a metric as users ask for it; UnmetNeed or ProtocolError if arrays can't serve it."""
    named = request if isinstance(request, Named) else metric(request)
    wanted(named.metric, features=features)
    if not features and (lack := uninstalled(named.metric)) is not None:
        raise lack
    return Tally(named, cap)


def number(clip: int) -> str:
    """What a clip without a name is called, so that they stay in the order in which they came."""
    return f"unnamed {clip:09d}"


def _named(state: State, clip: str, name: str, start: int) -> State:
    """One clip of a state under another name, from another frame on."""
    parts = tuple(replace(part, start=part.start + start) for part in state.parts[clip])
    return type(state)({name: parts})


def _renamed(state: State, names: Mapping[str, str]) -> State:
    return type(state)({names[clip]: parts for clip, parts in state.parts.items()})


def _length(state: State, clip: str) -> int:
    return sum(len(part.values) for part in state.parts[clip])
