"""The sections below the tables: which clips and frames are pointed out, with what, and why some are not."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thgeval.report import text
from thgeval.report.curves import Panel, panels, thinned
from thgeval.report.data import ClipData, Collected, MetricData
from thgeval.report.pictures import Gallery, Trio, gallery
from thgeval.report.places import clip_at
from thgeval.report.ranking import WorstFrame, has_worst_frames, worst_clips, worst_frames
from thgeval.results.score import to_json

WORST_CLIPS = 3
TIMELINES = 24
"""How many clips of a metric with a timeline are drawn at most, the worst first."""


@dataclass(frozen=True)
class Chosen:
    """The worst clips and frames by metric; ``numbers`` are those of the frames' cards, by clip and frame."""

    clips: Mapping[str, Sequence[str]]
    frames: Mapping[str, Sequence[WorstFrame]]
    numbers: Mapping[tuple[str, int], int]


@dataclass(frozen=True)
class Card:
    """One frame that is among the worst of some metrics, with its pictures or the reason why there are none."""

    number: int
    clip: ClipData
    frame: int
    time: str
    places: tuple[tuple[WorstFrame, str], ...]
    pictures: Trio | str


@dataclass(frozen=True)
class Worst:
    """The worst frames of one metric with the numbers of their cards and printed values, or why there are none."""

    key: str
    frames: tuple[tuple[WorstFrame, int, str], ...]
    problem: str


@dataclass(frozen=True)
class Curves:
    """One metric's panels, or why there are none."""

    key: str
    panels: tuple[Panel, ...]
    problem: str


def chosen(found: Collected, count: int) -> Chosen:
    """The clips to point out (of few, none) and the ``count`` worst frames of every metric.

    Cards begin with every metric's worst frame, then come the second worst, and so on; each frame has one card.
    """
    clips = {
        item.score.key: worst_clips(
            item.clips, min(WORST_CLIPS, len(item.clips) // 2), better=item.score.better, own=item.own
        )
        for item in found.metrics
    }
    frames = {item.score.key: worst_frames(item, count) if has_worst_frames(item) else [] for item in found.metrics}
    numbers: dict[tuple[str, int], int] = {}
    for frame in sorted((frame for listed in frames.values() for frame in listed), key=lambda frame: frame.rank):
        numbers.setdefault((frame.clip, frame.frame), len(numbers) + 1)
    return Chosen(clips, frames, numbers)


def pictures(found: Collected, selection: Chosen, clips: Sequence[Path]) -> Gallery | None:
    """The pictures of all cards, decoded under the run's protocol; None if there is no card.

    Clips are looked for below the folder of the result file, and below the folders ``clips``.
    """
    protocol = next((data.protocol for data in found.metrics if data.protocol is not None), None)
    if not selection.numbers or protocol is None:
        return None
    wanted: dict[ClipData, list[int]] = {}
    for clip, frame in selection.numbers:
        wanted.setdefault(found.clip(clip), []).append(frame)
    beside = [] if found.run.path is None else [found.run.path.parent]
    begin = Path() if found.run.places else next(iter(beside), Path())
    return gallery(wanted, protocol, lambda written: clip_at(begin / written, (*beside, *clips)))


def curves(found: Collected, data: MetricData, selection: Chosen) -> Curves:
    """Panels of the worst clips, of the only one there is, or of all clips where the metric has a timeline."""
    worst = selection.clips[data.score.key]
    drawn = [clip for clip in worst if clip in data.curves] or (list(data.curves) if len(data.curves) == 1 else [])
    if data.metric is not None and data.metric.timeline:
        drawn = [*drawn, *sorted(data.curves.keys() - set(drawn))][:TIMELINES]
    if not drawn:
        return Curves(data.score.key, (), unscored(data) or data.problem or "No clip stands out as worst.")
    ranks = {clip: worst.index(clip) + 1 if clip in worst else 0 for clip in drawn}
    cards = {
        (item.clip, item.frame): selection.numbers[item.clip, item.frame] for item in selection.frames[data.score.key]
    }
    rates = {clip.id: clip.fps for clip in found.clips}
    return Curves(data.score.key, tuple(panels(data, ranks, cards, rates)), "")


def worst(data: MetricData, selection: Chosen) -> Worst:
    """The list of a metric's worst frames."""
    frames = selection.frames[data.score.key]
    if not frames:
        return Worst(data.score.key, (), unscored(data) or data.problem or _without_frames(data))
    places = text.shared_decimals([frame.value for frame in frames])
    unit = f" {data.score.unit}" if data.score.unit else ""
    listed = tuple(
        (frame, selection.numbers[frame.clip, frame.frame], text.number(frame.value, places) + unit) for frame in frames
    )
    return Worst(data.score.key, listed, "")


def _without_frames(data: MetricData) -> str:
    if not has_worst_frames(data):
        return "It does not compare single frames with the reference’s, so it can’t call one bad."
    return "It has no frames to show."


def unscored(data: MetricData) -> str:
    """Why a metric has no value; empty if it has one."""
    return f"Not scored: {data.score.unscored}." if data.score.value is None else ""


def unplotted(data: MetricData) -> str:
    """What stands where a metric has no distribution over clips."""
    other = "Infinite for every clip: there is nothing to draw." if data.clips else "It has no scores per clip."
    return unscored(data) or other


def problems(items: Iterable[Curves | Worst]) -> list[tuple[list[str], str]]:
    """Metrics that share a problem, with its sentence."""
    shared: dict[str, list[str]] = {}
    for item in items:
        if item.problem:
            shared.setdefault(item.problem, []).append(item.key)
    return [(keys, sentence) for sentence, keys in shared.items()]


def cards(found: Collected, listed: Sequence[Worst], selection: Chosen, shown: Gallery | None) -> list[Card]:
    """One card per frame, with its place among the worst of every metric that lists it."""
    places: dict[tuple[str, int], list[tuple[WorstFrame, str]]] = {at: [] for at in selection.numbers}
    for item in listed:
        for frame, _, value in item.frames:
            places[frame.clip, frame.frame].append((frame, value))
    made = []
    for (id, frame_number), number in selection.numbers.items():
        clip = found.clip(id)
        time = "" if clip.fps is None else f"{frame_number / clip.fps:.2f} s"
        picture = "" if shown is None else shown.shown[id, frame_number]
        made.append(Card(number, clip, frame_number, time, tuple(places[id, frame_number]), picture))
    return made


def plain(found: Collected, drawn: Sequence[Curves], selection: Chosen) -> dict[str, Any]:
    """What is plotted, as plain data for scripts: the page's own, and the reader's."""
    return {
        "format": "thgeval.report/1",
        "metrics": {
            data.score.key: {
                "unit": data.score.unit,
                "direction": data.score.better.value,
                "clips": {clip: _rounded(value) for clip, value in data.clips.items()},
                "curves": [_plain_curve(data, panel.clip) for panel in item.panels],
                "worst_frames": [
                    {"clip": frame.clip, "frame": frame.frame, "value": _rounded(frame.value)}
                    for frame in selection.frames[data.score.key]
                ],
            }
            for data, item in zip(found.metrics, drawn, strict=True)
        },
    }


def _plain_curve(data: MetricData, clip: str) -> dict[str, Any]:
    curve = data.curves[clip]
    numbers, values = thinned(curve.frames, curve.values)
    return {
        "clip": clip,
        "frames": numbers.tolist(),
        "values": [_rounded(value) for value in values.tolist()],
        "left_out": {why: list(which) for why, which in curve.left_out.items()},
    }


def _rounded(value: float) -> float | str | None:
    return to_json(float(f"{value:.6g}") if math.isfinite(value) else value)
