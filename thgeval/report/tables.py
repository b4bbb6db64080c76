"""The tables of a report as plain text in cells: scores, coverage, clips."""

import inspect
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from thgeval.errors import Failure
from thgeval.report import text
from thgeval.report.data import ClipData, Collected, MetricData
from thgeval.results import Run, Value


@dataclass(frozen=True)
class Number:
    """A printed value, its bounds if it has an interval, and words where a symbol needs them."""

    value: str
    low: str = ""
    high: str = ""
    words: str = ""


@dataclass(frozen=True)
class ScoreRow:
    """One metric in the table of scores; ``number`` is None for one that has no value, ``unscored`` the reason.

    ``reference_clips`` is None but for distances of sets without pairs.
    """

    key: str
    says: str
    unit: str
    arrow: str
    direction: str
    number: Number | None
    reference: Number | None
    clips: int
    reference_clips: int | None
    frames: int
    left_out: tuple[str, ...]
    signature: str
    unscored: str
    note: str
    reference_share: str = ""
    interval_note: str = ""


def score_row(data: MetricData) -> ScoreRow:
    """A score with everything that must stand beside it."""
    score = data.score
    return ScoreRow(
        key=score.key,
        says="" if data.metric is None else (inspect.getdoc(type(data.metric)) or "").partition("\n")[0],
        unit=score.unit,
        arrow=score.better.arrow,
        direction=text.DIRECTIONS[score.better],
        number=None if score.value is None else printed(Value(score.value, score.interval, score.clips)),
        reference=None if score.reference is None else printed(score.reference),
        clips=score.clips,
        reference_clips=score.reference_clips,
        frames=score.frames,
        left_out=tuple(
            filter(None, (text.reasons(score.left_out, "clip"), text.reasons(score.frames_left_out, "frame")))
        ),
        signature=score.signature,
        unscored=score.unscored or "no value",
        note=score.note or "",
        reference_share=score.reference_share,
        interval_note=score.interval_note or "",
    )


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
    """All clips with their scores; ``worst`` names the worst clips of each metric."""
    places = {data.score.key: text.shared_decimals(data.clips.values()) for data in found.metrics}
    return [
        ClipRow(clip, tuple(_cell(data, clip, places[data.score.key], worst[data.score.key]) for data in found.metrics))
        for clip in found.clips
    ]


def _cell(data: MetricData, clip: ClipData, places: int, worst: Sequence[str]) -> Cell:
    value = data.clips.get(clip.id)
    if value is None:
        cause = clip.result.failed.get(data.score.key) or clip.result.failure
        return Cell("–", "", why=cause.reason if cause else "no frame has a value")
    rank = worst.index(clip.id) + 1 if clip.id in worst else 0
    return Cell(text.number(value, places), repr(value), rank, text.spoken(value) if math.isinf(value) else "")


@dataclass(frozen=True)
class Head:
    """What stands above everything else; ``expected`` counts pairs, or the clips of both sides, ``generated`` first."""

    name: str
    scored: int
    expected: int
    generated: int
    references: int
    frames: int
    protocol: str
    policies: tuple[str, ...]
    deviates: bool
    part: str | None
    made_with: tuple[tuple[str, str], ...]


def head(run: Run, clips: Sequence[ClipData]) -> Head:
    """What was scored, under which protocol, made with what."""
    label = str(run.protocol["name"])
    return Head(
        name="Run" if run.path is None else run.path.stem,
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
