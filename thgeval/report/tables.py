"""The tables of a report as plain text in cells: scores, coverage, clips."""

import inspect
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from thgeval.about.families import FAMILIES
from thgeval.errors import Failure
from thgeval.metrics import OTHERS, family_of
from thgeval.report import text
from thgeval.report.data import ClipData, Collected, MetricData
from thgeval.report.headline import Headline, headline
from thgeval.results import Value
from thgeval.results.equivalents import equivalent, warning


@dataclass(frozen=True)
class Number:
    """A printed value, its bounds if it has an interval, and words where a symbol needs them."""

    value: str
    low: str = ""
    high: str = ""
    words: str = ""


@dataclass(frozen=True)
class ScoreRow:
    """One metric that has a value in the table of scores.

    ``reference_clips`` is None but for distances of sets without pairs. ``worth`` is what the score is worth beside
    copies of the references, ``warning`` which of those that don't speak would beat it.
    """

    key: str
    family: str
    says: str
    unit: str
    arrow: str
    direction: str
    number: Number
    reference: Number | None
    clips: int
    reference_clips: int | None
    frames: int
    left_out: tuple[str, ...]
    signature: str
    note: str
    worth: str
    warning: str
    reference_share: str = ""
    interval_note: str = ""


def score_row(data: MetricData) -> ScoreRow:
    """A score that has a value with everything that must stand beside it."""
    score = data.score
    value = math.nan if score.value is None else score.value
    return ScoreRow(
        key=score.key,
        family=family_of(score.metric),
        says=says_of(data),
        unit=score.unit,
        arrow=score.better.arrow,
        direction=text.DIRECTIONS[score.better],
        number=printed(Value(value, score.interval, score.clips)),
        reference=None if score.reference is None else printed(score.reference),
        clips=score.clips,
        reference_clips=score.reference_clips,
        frames=score.frames,
        left_out=tuple(
            filter(None, (text.reasons(score.left_out, "clip"), text.reasons(score.frames_left_out, "frame")))
        ),
        signature=score.signature,
        note=score.note or "",
        worth=equivalent(score),
        warning=warning(score),
        reference_share=score.reference_share,
        interval_note=score.interval_note or "",
    )


def says_of(data: MetricData) -> str:
    """What a metric is, in a line; empty if its signature isn't understood."""
    return "" if data.metric is None else (inspect.getdoc(type(data.metric)) or "").partition("\n")[0]


class OfFamily(Protocol):
    """A row of a metric that belongs to a family."""

    @property
    def family(self) -> str:
        """The package its metric is in."""


Row = TypeVar("Row", bound=OfFamily)


def by_family(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    """Rows by the title of their family, in the order of families."""
    titles = {name: family.title for name, family in FAMILIES.items()} | {OTHERS: "Others"}
    grouped = [(title, [row for row in rows if row.family == name]) for name, title in titles.items()]
    return [(title, own) for title, own in grouped if own]


def unscored(found: Collected) -> list[tuple[list[str], str]]:
    """Metrics without a value, by the reason they share."""
    shared: dict[str, list[str]] = {}
    for data in found.metrics:
        if data.score.value is None:
            shared.setdefault(data.score.unscored or "no value", []).append(data.score.key)
    return [(keys, reason) for reason, keys in shared.items()]


def printed(value: Value) -> Number:
    """A value and its interval, or the reason why it has none."""
    if value.interval is not None:
        return Number(*text.interval(value.value, value.interval))
    words = text.spoken(value.value) or ("one clip has no interval" if value.clips == 1 else "no interval")
    return Number(text.number(value.value), words=words)


@dataclass(frozen=True)
class Problem:
    """Something that went wrong with a clip; ``metrics`` are those it concerns, empty if it is the clip as a whole."""

    clip: ClipData
    reason: str
    sentence: str
    metrics: tuple[str, ...] = ()


def failures(clips: Sequence[ClipData]) -> list[Problem]:
    """Clips that failed as a whole."""
    return [
        Problem(clip, failure.reason, clip.named(failure.message))
        for clip in clips
        if (failure := clip.result.failure) is not None
    ]


def partial_failures(clips: Sequence[ClipData]) -> list[Problem]:
    """Clips that failed for some metrics alone, metrics with one reason together."""
    found: list[Problem] = []
    for clip in clips:
        by_cause: dict[Failure, list[str]] = {}
        for key, failed in clip.result.failed.items():
            if failed != clip.result.failure:
                by_cause.setdefault(failed, []).append(key)
        found += [
            Problem(clip, cause.reason, clip.named(cause.message), tuple(keys)) for cause, keys in by_cause.items()
        ]
    return found


@dataclass(frozen=True)
class Cell:
    """A clip's score: printed, as a number to sort by, its rank among the worst (0 for none), or why it is missing."""

    shown: str
    sort: str
    rank: int = 0
    why: str = ""


@dataclass(frozen=True)
class ClipRow:
    """One clip in the table of clips."""

    clip: ClipData
    cells: tuple[Cell, ...]


def clip_rows(found: Collected, worst: Mapping[str, Sequence[str]]) -> list[ClipRow]:
    """All clips with their scores under the metrics that have any; ``worst`` names the worst clips of each metric."""
    shown = with_clips(found)
    places = {data.score.key: text.shared_decimals(data.clips.values()) for data in shown}
    return [
        ClipRow(clip, tuple(_cell(data, clip, places[data.score.key], worst[data.score.key]) for data in shown))
        for clip in found.clips
    ]


def with_clips(found: Collected) -> list[MetricData]:
    """The metrics that say something of single clips."""
    return [data for data in found.metrics if data.clips]


def _cell(data: MetricData, clip: ClipData, places: int, worst: Sequence[str]) -> Cell:
    value = data.clips.get(clip.id)
    if value is None:
        cause = clip.result.failed.get(data.score.key) or clip.result.failure
        return Cell("–", "", why=cause.reason if cause else "no frame has a value")
    rank = worst.index(clip.id) + 1 if clip.id in worst else 0
    return Cell(text.number(value, places), repr(value), rank, text.spoken(value) if math.isinf(value) else "")


@dataclass(frozen=True)
class Head:
    """What stands above everything else: ``headline`` says what is missing, ``expected`` counts pairs, or all clips."""

    name: str
    headline: Headline
    scored: int
    expected: int
    metrics: int
    generated: int
    references: int
    frames: int
    protocol: str
    policies: tuple[str, ...]
    deviates: bool
    part: str | None
    made_with: tuple[tuple[str, str], ...]


def head(found: Collected) -> Head:
    """What was scored, under which protocol, made with what."""
    run, clips = found.run, found.clips
    label = str(run.protocol["name"])
    return Head(
        name="Run" if run.path is None else run.path.stem,
        headline=headline(found),
        metrics=sum(data.score.value is not None for data in found.metrics),
        scored=sum(clip.result.failure is None for clip in clips),
        expected=run.expected + run.expected_references,
        generated=run.expected,
        references=run.expected_references,
        frames=sum(clip.result.frames for clip in clips),
        protocol=label.removesuffix("!"),
        policies=tuple(text.policy(str(token)) for token in run.protocol["fields"]),
        deviates=label.endswith("!"),
        part=run.part,
        made_with=tuple((str(name), str(version)) for name, version in run.environment.items()),
    )
