"""What a report shows beside its tables: curves of the worst clips, lists of the worst frames, the worst moments."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from thgeval.report import text
from thgeval.report.curves import Panel, panels, thinned
from thgeval.report.data import ClipData, Collected, MetricData
from thgeval.report.moments import Moment, frames_around, moments
from thgeval.report.pictures import Film, FilmAsked, Gallery, gallery
from thgeval.report.places import clip_at
from thgeval.report.ranking import WorstFrame, has_worst_frames, worst_clips, worst_frames
from thgeval.results.score import to_json

WORST_CLIPS = 3
WORST_FRAMES = 6
"""How many of its worst frames a metric lists."""
TIMELINES = 24
"""How many clips of a metric with a timeline are drawn at most, the worst first."""
NAMED_METRICS = 6
"""How many metrics a moment's card names before it counts the others."""


@dataclass(frozen=True)
class Chosen:
    """The worst clips and frames by metric, and the worst moments of the run, which are numbered from 1."""

    clips: Mapping[str, Sequence[str]]
    frames: Mapping[str, Sequence[WorstFrame]]
    moments: Sequence[Moment]

    def card(self, frame: WorstFrame) -> int | None:
        """The number of the moment that a frame belongs to; None if it isn't shown."""
        return next((at for at, moment in enumerate(self.moments, 1) if frame in moment.places), None)


@dataclass(frozen=True)
class Card:
    """A moment with its pictures or the reason why there are none; ``places`` are ranks with printed values."""

    number: int
    clip: ClipData
    frame: int
    time: str
    places: tuple[tuple[WorstFrame, str], ...]
    more: int
    pictures: Film | str = ""

    def shown(self, number: int, pictures: Film | str) -> "Card":
        """The card with its place on the page and its pictures."""
        return replace(self, number=number, pictures=pictures)


@dataclass(frozen=True)
class Worst:
    """The worst frames of one metric, each with its printed value and the number of its card, or why there are none."""

    frames: tuple[tuple[WorstFrame, int | None, str], ...]
    problem: str


@dataclass(frozen=True)
class Curves:
    """One metric's panels, or why there are none."""

    key: str
    panels: tuple[Panel, ...]
    problem: str


def choice_of(found: Collected, count: int) -> Chosen:
    """The clips to point out (of few, none), the worst frames of every metric, and the ``count`` worst moments."""
    clips = {
        item.score.key: worst_clips(
            item.clips, min(WORST_CLIPS, len(item.clips) // 2), better=item.score.better, own=item.own
        )
        for item in found.metrics
    }
    frames = {
        item.score.key: worst_frames(item, WORST_FRAMES) if has_worst_frames(item) else [] for item in found.metrics
    }
    return Chosen(clips, frames, moments((frame for listed in frames.values() for frame in listed), count))


def pictures(found: Collected, selection: Chosen, folders: Sequence[Path]) -> Gallery | None:
    """The pictures of all moments, decoded under the run's protocol; None if there is no moment."""
    protocol = next((data.protocol for data in found.metrics if data.protocol is not None), None)
    if not selection.moments or protocol is None:
        return None
    return gallery([film_asked(found, moment) for moment in selection.moments], protocol, finder(found, folders))


def film_asked(found: Collected, moment: Moment) -> FilmAsked:
    """The frames that show a moment."""
    clip = found.clip(moment.clip)
    return FilmAsked(clip, frames_around(moment.frame, clip.result.frames))


def finder(found: Collected, folders: Sequence[Path]) -> Any:
    """Leads from what a run calls a clip to its file, below the result file's folder or below one of ``folders``."""
    beside = [] if found.run.path is None else [found.run.path.parent]
    begin = Path() if found.run.places else next(iter(beside), Path())
    return lambda written: clip_at(begin / written, (*beside, *folders))


def curves(found: Collected, data: MetricData, selection: Chosen) -> Curves:
    """Panels of the worst clips, of the only one there is, or of all clips where the metric has a timeline."""
    worst = selection.clips[data.score.key]
    drawn = [clip for clip in worst if clip in data.curves] or (list(data.curves) if len(data.curves) == 1 else [])
    if data.metric is not None and data.metric.timeline:
        drawn = [*drawn, *sorted(data.curves.keys() - set(drawn))][:TIMELINES]
    if not drawn:
        return Curves(data.score.key, (), data.problem or "No clip stands out as worst.")
    ranks = {clip: worst.index(clip) + 1 if clip in worst else 0 for clip in drawn}
    cards = {(item.clip, item.frame): selection.card(item) for item in selection.frames[data.score.key]}
    rates = {clip.id: clip.fps for clip in found.clips}
    return Curves(data.score.key, tuple(panels(data, ranks, cards, rates)), "")


def worst(data: MetricData, selection: Chosen) -> Worst:
    """The list of a metric's worst frames."""
    frames = selection.frames[data.score.key]
    if not frames:
        return Worst((), data.problem or _without_frames(data))
    values = _printed(data, frames)
    return Worst(tuple((frame, selection.card(frame), value) for frame, value in zip(frames, values, strict=True)), "")


def _printed(data: MetricData, frames: Sequence[WorstFrame]) -> list[str]:
    places = text.shared_decimals([frame.value for frame in frames])
    unit = f" {data.score.unit}" if data.score.unit else ""
    return [text.number(frame.value, places) + unit for frame in frames]


def _without_frames(data: MetricData) -> str:
    if not has_worst_frames(data):
        return "It does not compare single frames with the reference’s, so it can’t call one bad."
    return "It has no frames to show."


def unplotted(data: MetricData) -> str:
    """What stands where a metric has no distribution over clips."""
    return "Infinite for every clip: there is nothing to draw." if data.clips else "It has no scores per clip."


def cards(found: Collected, selection: Chosen, shown: Gallery | None) -> list[Card]:
    """The moments with their pictures."""
    films = [""] * len(selection.moments) if shown is None else shown.films
    return [card.shown(card.number, each) for card, each in zip(moment_cards(found, selection), films, strict=True)]


def moment_cards(found: Collected, selection: Chosen) -> Iterator[Card]:
    """One card a moment, with its place among the worst frames of the metrics that name it."""
    values = {
        (data.score.key, frame.clip, frame.frame): value
        for data in found.metrics
        for frame, value in zip(
            selection.frames[data.score.key], _printed(data, selection.frames[data.score.key]), strict=True
        )
    }
    for at, moment in enumerate(selection.moments):
        clip = found.clip(moment.clip)
        best: dict[str, WorstFrame] = {}
        for place in moment.places:
            best.setdefault(place.metric, place)
        named = [(place, values[place.metric, place.clip, place.frame]) for place in best.values()]
        yield Card(
            number=at + 1,
            clip=clip,
            frame=moment.frame,
            time="" if clip.fps is None else f"{moment.frame / clip.fps:.2f} s",
            places=tuple(named[:NAMED_METRICS]),
            more=max(0, len(named) - NAMED_METRICS),
        )


def plain(found: Collected, drawn: Iterable[Curves], selection: Chosen) -> dict[str, Any]:
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
