"""Who learnt from what: where a generator, a metric's network and a task set share data, scores say so.

A generator that was trained on what trained a metric's network wins that metric by construction; one that was trained
on the very set that it is judged on wins all of them. ``data.toml`` lists data sets, what they are part of, and which
networks learnt from them; generators name theirs in ``trained_on``, task sets in ``data``. A network that isn't listed
is one whose data isn't known here, not one that is clean.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from thgeval_baselines.tasks.items import TaskSet, nothing
from thgeval_models.manifest import manifest


@dataclass(frozen=True)
class Data:
    """What is known: titles of data sets, what each is part of, and what networks learnt from, by weights' name."""

    titles: Mapping[str, str]
    part_of: Mapping[str, tuple[str, ...]]
    networks: Mapping[str, tuple[str, ...]]
    sources: Mapping[str, str] = field(default_factory=nothing)

    def within(self, id: str) -> frozenset[str]:
        """A data set and everything that it is part of."""
        found, left = set(), [id]
        while left:
            name = left.pop()
            if name not in found:
                found.add(name)
                left += self.part_of.get(name, ())
        return frozenset(found)

    def shared(self, one: Iterable[str], other: Iterable[str]) -> frozenset[str]:
        """What two lists have in common: the same data set, or one that is part of the other."""
        ours, theirs = set(one), set(other)
        return frozenset(
            a if b in self.within(a) else b for a in ours for b in theirs if b in self.within(a) or a in self.within(b)
        )


@cache
def known() -> Data:
    """The table of this package."""
    text = files("thgeval_baselines.contamination").joinpath("data.toml").read_text(encoding="utf-8")
    table: dict[str, Any] = tomllib.loads(text)
    data, networks = table["data"], table["networks"]
    return Data(
        titles={id: each["title"] for id, each in data.items()},
        part_of={id: tuple(each.get("part_of", ())) for id, each in data.items()},
        networks={name: tuple(each["data"]) for name, each in networks.items()},
        sources={name: each["source"] for name, each in networks.items()},
    )


def contaminated(trained_on: Iterable[str], tasks: TaskSet | None, id: str, table: Data | None = None) -> list[str]:
    """Sentences on where lists meet: generator and task set, generator and metrics, task set and metrics."""
    table = table or known()
    learnt = tuple(trained_on)
    said = []
    if tasks is not None and (met := table.shared(learnt, tasks.data_ids)):
        said.append(
            f"{id} was trained on {_named(met, table)}, which {tasks.id} is made from: its scores here are not held out"
        )
    for met, metrics in _by_metric(learnt, table):
        said.append(
            f"{id} was trained on {_named(met, table)}, which also trained what {', '.join(metrics)} measure with: it "
            "wins these by construction"
        )
    if tasks is not None:
        for met, metrics in _by_metric(tasks.data_ids, table):
            said.append(f"{tasks.id} holds {_named(met, table)}, which trained what {', '.join(metrics)} measure with")
    return said


def _by_metric(ids: Iterable[str], table: Data) -> list[tuple[frozenset[str], list[str]]]:
    """Data that networks of metrics learnt from, too, with those metrics."""
    ours = tuple(ids)
    users: dict[frozenset[str], set[str]] = {}
    for name, data in table.networks.items():
        if met := table.shared(ours, data):
            users.setdefault(met, set()).update(manifest()[name].used_by)
    return [
        (met, sorted(metrics)) for met, metrics in sorted(users.items(), key=lambda pair: sorted(pair[0])) if metrics
    ]


def _named(ids: Iterable[str], table: Data) -> str:
    return " and ".join(sorted(table.titles.get(id, id) for id in ids))
