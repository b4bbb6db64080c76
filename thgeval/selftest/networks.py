"""Networks on the examples for which their authors publish what comes out: the proof of those that are here.

``answers.toml`` has one table for each network: the weights (or checkouts) and examples it takes, what computes the
answer (a function of ``thgeval.selftest.answers``), the published values with their source, and how far from them the
answer may lie. Where no value is known to be published the table says so; then nothing is shown but that the network
loads and runs.

Neither weights nor examples are fetched here. Examples lie in ``THGEVAL_HOME/examples``, in an installed package, or
anywhere below a folder that is named, under whatever name: they are known by their hash.
"""

import math
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, TypeAlias

from thgeval.errors import ProtocolError, ThgevalError
from thgeval.networks import memory
from thgeval.requirements import programs, weights
from thgeval.requirements.weights import Policy

Finding: TypeAlias = Literal["as published", "not as published", "runs", "fails", "not here"]
Answer: TypeAlias = Callable[[Mapping[str, Path]], dict[str, float]]


@dataclass(frozen=True)
class Published:
    """One value and how it is to be met: up to ``tolerance``, at most, or at least."""

    value: float
    relation: Literal["is", "at most", "at least"] = "is"
    tolerance: float = 0.0

    def met(self, found: float) -> bool:
        """Whether an answer agrees; NaN never does."""
        if self.relation == "is":
            return abs(found - self.value) <= self.tolerance
        return found <= self.value if self.relation == "at most" else found >= self.value

    def __str__(self) -> str:
        bound = "" if self.relation == "is" else f"{self.relation} "
        return f"{bound}{self.value:.7g}" + (f" +- {self.tolerance:.3g}" if self.tolerance else "")


@dataclass(frozen=True)
class Row:
    """One network (or several that answer together) with its example; ``values`` is empty where none is published."""

    name: str
    weights: tuple[str, ...]
    checkouts: tuple[str, ...]
    examples: tuple[str, ...]
    packages: tuple[str, ...]
    answer: str
    values: Mapping[str, Published]
    source: str
    note: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RowOutcome:
    """What one row came to: the answers by name, or a sentence that says why there are none."""

    row: Row
    verdict: Finding
    found: Mapping[str, float] = field(default_factory=dict)
    why: str = ""

    @property
    def wrong(self) -> bool:
        """Whether a network that is here is not what it should be."""
        return self.verdict in ("not as published", "fails")

    @property
    def worst(self) -> float:
        """The largest distance from a published value that has to be met up to a tolerance; NaN if there is none."""
        distances = [
            abs(self.found[name] - known.value)
            for name, known in self.row.values.items()
            if known.relation == "is" and name in self.found
        ]
        return max(distances, default=math.nan)


def rows() -> tuple[Row, ...]:
    """Every row of ``answers.toml``."""
    return parsed(resources.files("thgeval.selftest").joinpath("answers.toml").read_text(encoding="utf-8"))


def parsed(text: str) -> tuple[Row, ...]:
    """The rows of a table in this form; ProtocolError for a row that says neither values nor why there are none."""
    return tuple(_row(name, table) for name, table in tomllib.loads(text).items())


KINDS: Mapping[str, Literal["is", "at most", "at least"]] = {
    "values": "is",
    "at_most": "at most",
    "at_least": "at least",
}


def _row(name: str, table: Mapping[str, Any]) -> Row:
    values = {
        key: Published(float(value), relation, float(table.get("tolerance", 0)) if relation == "is" else 0.0)
        for kind, relation in KINDS.items()
        for key, value in table.get(kind, {}).items()
    }
    if not table.get("source" if values else "note"):
        raise ProtocolError(f"the row {name!r} of published answers has neither a value with a source nor a note")
    return Row(
        name=name,
        weights=tuple(table.get("weights", ())),
        checkouts=tuple(table.get("checkouts", ())),
        examples=tuple(table.get("examples", ())),
        packages=tuple(table.get("packages", ())),
        answer=table["answer"],
        values=values,
        source=table.get("source", ""),
        note=table.get("note", ""),
        options=table.get("options", {}),
    )


def network_outcomes(table: Sequence[Row], *, examples: Path | None = None) -> Iterator[RowOutcome]:
    """Run every row whose weights and examples are here; files of unknown hash may be used, as this is their proof."""
    at_hand = Hand(examples)
    for row in table:
        with weights.allowed(Policy(unverified=True)), memory.apart():
            found = outcome(row, at_hand)
        yield found


def outcome(row: Row, hand: "Hand") -> RowOutcome:
    """What one row comes to."""
    if missing := _missing(row, hand):
        return RowOutcome(row, "not here", why=missing)
    from thgeval.selftest import answers

    try:
        answer, files = getattr(answers, row.answer), _files(row, hand)
        found = answer(files, **row.options)
        again = {} if row.values else answer(files, **row.options)
    except ThgevalError as error:
        return RowOutcome(row, "fails", why=str(error))
    if not row.values:
        sound = bool(found) and found == again and all(map(math.isfinite, found.values()))
        return RowOutcome(
            row, "runs" if sound else "fails", found, "" if sound else "not finite, or not the same twice"
        )
    met = row.values.keys() <= found.keys() and all(known.met(found[name]) for name, known in row.values.items())
    return RowOutcome(row, "as published" if met else "not as published", found)


class Hand:
    """The examples that are here: fetched, packaged, or below a folder of the user's."""

    def __init__(self, folder: Path | None) -> None:
        if folder is not None and not folder.is_dir():
            raise ProtocolError(f"{folder} is not a folder; --examples takes one that holds the example files")
        self._by_size: dict[int, list[Path]] = {}
        for path in sorted(folder.rglob("*")) if folder else ():
            if path.is_file():
                self._by_size.setdefault(path.stat().st_size, []).append(path)

    def file(self, name: str) -> Path | None:
        """The example, if it is here and is what it should be."""
        entry = weights.entry(name)
        for path in self._by_size.get(entry.bytes, ()):
            if weights.inspected(entry, path).state != "damaged":
                return path
        here = weights.located(entry)
        return here if here is not None and weights.checked(entry, here).state != "damaged" else None


def _files(row: Row, hand: Hand) -> dict[str, Path | None]:
    return {name: hand.file(name) for name in row.examples}


def _missing(row: Row, hand: Hand) -> str:
    """Commands that bring what a row lacks; empty if it lacks nothing."""
    problems = [*map(weights.problem, row.weights), *map(programs.problem, row.checkouts)]
    if problem := next(filter(None, problems), None):
        return str(problem)
    if lacking := [name for name, path in _files(row, hand).items() if path is None]:
        return f"the example is not here; thgeval fetch {' '.join(lacking)}, or --examples DIR"
    if packages := [package for package in row.packages if find_spec(package) is None]:
        return f"needs the package {packages[0]}"
    return ""
