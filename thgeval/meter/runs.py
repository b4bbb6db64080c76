"""From tallies to a run like any other: scores with signatures, and, where clips have names, intervals and clips."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from thgeval.engine.execution import run_tokens
from thgeval.engine.provenance import environment
from thgeval.engine.scoring import Contribution, Setting, scored_run
from thgeval.meter.tally import Tally
from thgeval.metric import Metric
from thgeval.protocol import Protocol
from thgeval.requirements import Pins, Program, Weights
from thgeval.results import ClipResult, Run, Score
from thgeval.signature import pins_of, required, signature
from thgeval.states import State
from thgeval.statistics import Resampling

WITHOUT_NAMES = "clips had no names, so that nothing tells them apart; name them to have an interval"

NOWHERE_ELSE: Mapping[str, str] = MappingProxyType({})
NO_VALUE = "no frame with a value"
NO_CLIP, NO_CLIP_WITH_A_VALUE = "there was no clip to score", "there was no clip in which anything could be scored"


def result(
    tallies: Sequence[Tally],
    *,
    features: Mapping[str, str],
    devices: Mapping[str, str] = NOWHERE_ELSE,
    clips: Sequence[ClipResult] = (),
) -> Run:
    """Every metric's score of what it has seen, as a result file holds it.

    ``devices`` are those of metrics, by key, that were computed on another than the CPU, as signatures have them.

    ``clips`` are entries of clips that ought to be there, by whatever name: of those that couldn't be measured, why.
    ``features`` are, by metric key, the names of what computed features that were handed over: they stand in
    signatures in place of the weights of the metric's own network. Metrics whose clips have names share them.
    """
    named = [tally.named for tally in tallies]
    entries = {clip.id: clip for clip in clips}
    names = {name for tally in tallies if tally.has_names for name in tally.records.frames} | entries.keys()
    setting = Setting(
        protocol=Protocol(),
        resampling=Resampling(),
        expected=max([len(names), *(_clips(tally) for tally in tallies if not tally.has_names)]),
        run={**run_tokens(Protocol()), "dec": "none"},
        pins={},
        devices=devices,
    )
    scores: dict[str, Score] = {}
    for tally in tallies:
        key, metric = tally.named
        own = replace(setting, pins=pins(metric, features.get(key, "")))
        if tally.has_names or (entries and not tally.nameless):
            seen = _together([tally], entries)
            scores[key] = scored_run([tally.named], {}, seen, own, environment(), _options(tallies))[key]
        else:
            scores[key] = _of_sums(tally, own)
    contributions = _together([tally for tally in tallies if tally.has_names], entries)
    run = scored_run(
        named, {}, contributions, replace(setting, pins=_all_pins(named)), environment(), _options(tallies)
    )
    return replace(run, scores=scores)


def pins(metric: Metric[Any], features: str) -> Pins:
    """What a metric's requirements are; of weights that others stood in for, the name of those."""
    if not features:
        return pins_of(metric)
    return {item: f"given-{features}" if isinstance(item, Weights | Program) else "" for item in required(metric)}


def _all_pins(named: Sequence[Any]) -> Pins:
    return {item: "" for _, metric in named for item in required(metric)}


def _options(tallies: Sequence[Tally]) -> dict[str, Any]:
    drawn = Resampling()
    return {
        "metrics": [tally.named.key for tally in tallies],
        "limit": None,
        "bootstrap": {"draws": drawn.draws, "seed": drawn.seed},
    }


def _clips(tally: Tally) -> int:
    return len(tally.records.frames) or tally.sums.clips + tally.sums.lost


def _lost(tally: Tally) -> int:
    """How many clips have no score, as where no face was found."""
    total = tally.records.total()
    if total is None:
        return int(tally.sums.lost)
    if not total.per_clip:
        return 0
    others = set(total.clips) - set(total.scored)
    return sum(math.isnan(tally.metric.score(total.only([clip]))) for clip in others)


def _together(tallies: Sequence[Tally], entries: Mapping[str, ClipResult]) -> list[Contribution]:
    """What every clip with a name adds, to any of the metrics, and clips that add nothing."""
    frames = dict.fromkeys(entries, 0)
    states: dict[str, dict[str, State]] = {}
    references: dict[str, dict[str, State]] = {}
    for tally in tallies:
        for name, count in tally.records.frames.items():
            frames[name] = max(frames.get(name, 0), count)
        for found, held in ((states, tally.records.states), (references, tally.records.references)):
            if held:
                total = type(held[0]).total(held)
                for clip in total.clips:
                    found.setdefault(clip, {})[tally.named.key] = total.only([clip])
    return [
        Contribution(
            replace(entries.get(name, ClipResult(name)), frames=count), states.get(name, {}), references.get(name, {})
        )
        for name, count in frames.items()
    ]


def _of_sums(tally: Tally, setting: Setting) -> Score:
    """The score of clips without names: a value and how it was made, and no interval."""
    key, metric = tally.named
    if metric.sets:
        setting = replace(setting, protocol=setting.protocol.but(pairs="none"))
    value = tally.value()
    there = not math.isnan(value)
    frames = tally.sums.frames
    if (total := tally.records.total()) is not None:
        frames = total.frames
    lost = _lost(tally)
    clips = _clips(tally) - lost if there else 0
    run = {
        "n": f"{clips}/{_clips(tally)}",
        **setting.run,
        "protocol": setting.protocol.label,
        "device": setting.devices.get(key, "cpu"),
    }
    return Score(
        key=key,
        value=value if there else None,
        interval=None,
        unit=metric.unit,
        better=metric.better,
        range=metric.range,
        clips=clips,
        frames=int(frames),
        left_out={NO_VALUE: lost} if lost else {},
        frames_left_out={},
        signature=signature(metric, setting.protocol, setting.pins, run),
        unscored=None if there else NO_CLIP if not lost else NO_CLIP_WITH_A_VALUE,
        note=None if total is None or not there else metric.remark(total),
        interval_note=WITHOUT_NAMES if there else None,
    )
