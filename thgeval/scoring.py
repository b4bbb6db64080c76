"""From the states of all pairs to a run's scores: the one place where numbers are made, for runs and for merges."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from thgeval.metric import Metric
from thgeval.protocol import Protocol
from thgeval.registry import Named
from thgeval.results import Run, Score, Value, to_json
from thgeval.signature import signature
from thgeval.states import State
from thgeval.statistics import Bounds, Resampling, bounds, contributes
from thgeval.statistics import contributions as contributions_of


@dataclass
class Contribution:
    """What one pair adds to a run: its record in the result file, and its states by metric key."""

    record: dict[str, Any]
    states: Mapping[str, State] = field(default_factory=dict)
    reference_states: Mapping[str, State] = field(default_factory=dict)


@dataclass(frozen=True)
class Setting:
    """What all scores of a run share; ``devices`` has the metrics, by key, whose networks didn't run on the CPU."""

    protocol: Protocol
    resampling: Resampling
    expected: int
    run: Mapping[str, str]
    flags: tuple[str, ...] = ()
    devices: Mapping[str, str] = field(default_factory=dict)


def run_of(
    metrics: Sequence[Named],
    unscored: Mapping[str, str],
    contributions: Sequence[Contribution],
    setting: Setting,
    environment: Mapping[str, str],
    options: Mapping[str, Any],
) -> Run:
    """Reduce every metric over all pairs; ``unscored`` says why some have no value."""
    ordered = sorted(contributions, key=lambda item: str(item.record["id"]))
    scores: dict[str, Score] = {}
    for named in metrics:
        scores[named.key] = _score(named, ordered, setting, unscored.get(named.key))
    for contribution in ordered:
        contribution.record["scores"] = {
            key: to_json(_alone(metric, contribution.states.get(key))) for key, metric in metrics
        }
        contribution.record["contributions"] = _parts(metrics, contribution.states)
        contribution.record["reference_contributions"] = _parts(metrics, contribution.reference_states)
        contribution.record["details"] = _details(contribution.states)
    return Run(
        scores=scores,
        clips=tuple(contribution.record for contribution in ordered),
        protocol={"name": setting.protocol.label, "fields": list(setting.protocol.tokens())},
        environment=environment,
        options=options,
        expected=setting.expected,
    )


def _parts(metrics: Sequence[Named], states: Mapping[str, State]) -> dict[str, list[float]]:
    """What one clip, or its reference, adds above and below the fraction that is the score, by metric key."""
    return {
        key: contributions_of(metric, states[key])[0].tolist()
        for key, metric in metrics
        if key in states and contributes(states[key])
    }


def _details(states: Mapping[str, State]) -> dict[str, str]:
    """What the metrics show of one clip, by metric key."""
    shown = {
        key: "\n".join(part.detail for parts in state.parts.values() for part in parts if part.detail)
        for key, state in states.items()
    }
    return {key: text for key, text in shown.items() if text}


def _alone(metric: Metric[Any], state: State | None) -> float:
    """What one clip scores alone; NaN for metrics of sets, which say nothing of one clip."""
    return math.nan if state is None or state.spread == "jackknife" else metric.score(state)


def _score(named: Named, contributions: Sequence[Contribution], setting: Setting, unscored: str | None) -> Score:
    key, metric = named
    states = [item.states[key] for item in contributions if key in item.states]
    total = type(states[0]).total(states) if states else None
    value = metric.score(total) if total is not None else math.nan
    conditions = () if total is None else total.under
    if len(conditions) > 1:
        value, unscored = math.nan, f"the clips were taken under different conditions: {', '.join(conditions)}"
    clips = _scored(metric, total, value)
    left_out = _left_out(key, contributions, clips)
    remark = None if total is None else metric.remark(total)
    found = Bounds() if total is None or math.isnan(value) else bounds(metric, total, setting.resampling)
    run = {"n": f"{len(clips)}/{setting.expected}", **setting.run, "device": setting.devices.get(key, "cpu")}
    if found.how:
        run["ci"] = found.how
    if conditions:
        run["under"] = conditions[0]
    return Score(
        key=key,
        value=None if math.isnan(value) else value,
        interval=found.interval,
        unit=metric.unit,
        better=metric.better,
        range=metric.range,
        clips=len(clips),
        frames=0 if total is None else total.frames,
        left_out=left_out,
        frames_left_out={} if total is None else dict(total.left_out),
        signature=signature(metric, setting.protocol, run, *setting.flags),
        reference=_reference(named, contributions, clips, setting.resampling),
        unscored=(unscored or remark or _why(left_out)) if math.isnan(value) else None,
        note=None if math.isnan(value) else remark,
        interval_note=found.note,
        groups=found.groups,
    )


def _scored(metric: Metric[Any], total: State | None, value: float) -> tuple[str, ...]:
    """The clips that a value rests on; where it is infinite, those that have one of their own, such as copies."""
    if total is None or not math.isinf(value):
        return () if total is None else total.scored
    return tuple(clip for clip in total.clips if not math.isnan(_alone(metric, total.only([clip]))))


def _reference(
    named: Named, contributions: Sequence[Contribution], scored: Sequence[str], resampling: Resampling
) -> Value | None:
    """The reference's own value, of the clips that are in the score."""
    states = [
        item.reference_states[named.key]
        for item in contributions
        if named.key in item.reference_states and item.record["id"] in scored
    ]
    if not states:
        return None
    total = type(states[0]).total(states)
    value = named.metric.score(total)
    if math.isnan(value):
        return None
    clips = len(_scored(named.metric, total, value))
    return Value(value, bounds(named.metric, total, resampling).interval, clips)


def _left_out(key: str, contributions: Sequence[Contribution], scored: Sequence[str]) -> dict[str, int]:
    """Clips that are not in a score, by reason."""
    counted: Counter[str] = Counter()
    for item in contributions:
        record = item.record
        if record["id"] in scored:
            continue
        if failed := record["failed"].get(key):
            counted[failed["reason"]] += 1
        elif key in item.states:
            reasons = item.states[key].left_out
            counted[reasons.most_common(1)[0][0] if reasons else "nothing to measure"] += 1
        elif record["failure"]:
            counted[record["failure"]["reason"]] += 1
    return dict(counted)


def _why(left_out: Mapping[str, int]) -> str:
    if not left_out:
        return "there was no clip to score"
    reasons = ", ".join(f"{reason} ({count})" for reason, count in left_out.items())
    return f"no clip could be scored: {reasons}"
