"""From the states of all pairs to a run's scores: the one place where numbers are made, for runs and for merges."""

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from thgeval.engine import company
from thgeval.metric import Metric
from thgeval.protocol import Protocol
from thgeval.registry import Named
from thgeval.requirements import Pins
from thgeval.results import ClipResult, Run, Score, Value
from thgeval.signature import signature
from thgeval.states import Rows, State, TwoSets
from thgeval.states.checkpoint import Kept, digest
from thgeval.statistics import Bounds, Resampling, bounds
from thgeval.statistics import contributions as contributions_of

UNMET = "unmet need"
"""Why a metric has no value where a clip doesn't offer what it needs."""


@dataclass(frozen=True)
class Contribution:
    """What one pair adds to a run: its entry in the result file, and its states by metric key.

    A reference clip that stands alone has ``reference_states`` only.
    """

    clip: ClipResult
    states: Mapping[str, State] = field(default_factory=dict)
    reference_states: Mapping[str, State] = field(default_factory=dict)
    kept: Mapping[str, Kept] = field(default_factory=dict)

    @classmethod
    def of_kept(cls, clip: ClipResult, kept: Mapping[str, Kept]) -> Self:
        """What is kept of a pair, or of a clip that stands alone on one side."""
        states = {key: item.state for key, item in kept.items()}
        if clip.side == "reference":
            return cls(clip, {}, states, kept)
        own = {key: item.reference for key, item in kept.items() if item.reference is not None}
        return cls(clip, states, own, kept)

    def sealed(self, keys: Collection[str]) -> Self:
        """The same, its clip naming by their hash the states that these metrics' scores are made of."""
        states = digest({key: item for key, item in self.kept.items() if key in keys})
        return replace(self, clip=replace(self.clip, states=states))

    def reduced(self, metrics: Sequence[Named]) -> ClipResult:
        """The clip with what these metrics say of it alone."""
        return replace(
            self.clip,
            scores={key: _alone(metric, self.states.get(key)) for key, metric in metrics},
            contributions=_parts(metrics, self.states),
            reference_contributions=_parts(metrics, self.reference_states),
            details=_details(self.states),
        )


@dataclass(frozen=True)
class Setting:
    """What all scores of a run share; ``devices`` has the metrics, by key, whose networks didn't run on the CPU."""

    protocol: Protocol
    resampling: Resampling
    expected: int
    run: Mapping[str, str]
    pins: Pins
    flags: tuple[str, ...] = ()
    devices: Mapping[str, str] = field(default_factory=dict)


def settled(contributions: Sequence[Contribution], keys: Collection[str]) -> tuple[list[Contribution], dict[str, str]]:
    """What clips add, of which nothing was known before they came; and why metrics that none serves are unscored.

    Such metrics are then no failure of any clip, as where all clips are known beforehand.
    """
    ordered = sorted(contributions, key=lambda item: item.clip.id)
    unscored = {}
    for key in keys:
        told = [item.clip.failed[key] for item in ordered if key in item.clip.failed]
        if told and all(failed.reason == UNMET for failed in told) and not any(key in item.states for item in ordered):
            unscored[key] = told[0].message

    def cleared(item: Contribution) -> Contribution:
        failed = {key: failure for key, failure in item.clip.failed.items() if key not in unscored}
        return replace(item, clip=replace(item.clip, failed=failed))

    return [cleared(item) for item in contributions], unscored


def scored_run(
    metrics: Sequence[Named],
    unscored: Mapping[str, str],
    contributions: Sequence[Contribution],
    setting: Setting,
    environment: Mapping[str, str],
    options: Mapping[str, Any],
) -> Run:
    """Reduce every metric over all pairs; ``unscored`` says why some have no value."""
    ordered = sorted(contributions, key=lambda item: item.clip.id)
    return Run(
        scores={named.key: _score(named, ordered, setting, unscored.get(named.key)) for named in metrics},
        clips=tuple(contribution.reduced(metrics) for contribution in ordered),
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
        if key in states and states[key].per_clip and states[key].scored
    }


def _details(states: Mapping[str, State]) -> dict[str, str]:
    """What the metrics show of one clip, by metric key."""
    shown = {
        key: "\n".join(part.detail for parts in state.parts.values() for part in parts if part.detail)
        for key, state in states.items()
    }
    return {key: text for key, text in shown.items() if text}


def _alone(metric: Metric[Any], state: State | None) -> float | None:
    """What one clip scores alone; None where it has no value, and for metrics of sets, which say nothing of one."""
    value = metric.score(state) if state is not None and state.per_clip else math.nan
    return None if math.isnan(value) else value


def _score(named: Named, contributions: Sequence[Contribution], setting: Setting, unscored: str | None) -> Score:
    key, metric = named
    ours, lone = _by_side(contributions)
    total = _total(named, contributions, setting.protocol)
    value = metric.score(total) if total is not None else math.nan
    conditions = () if total is None else total.under
    if len(conditions) > 1:
        value, unscored = math.nan, f"the clips were taken under different conditions: {', '.join(conditions)}"
    clips = _scored(metric, total, value)
    left_out = _left_out(key, ours, clips)
    reference = _reference(named, contributions, clips, setting)
    reference_clips = None if reference is None else reference.clips
    if metric.sets and setting.protocol.unpaired:
        scored = total.scored_references if isinstance(total, TwoSets) else ()
        reference_clips = len(scored)
        left_out |= {f"{reason} in reference": count for reason, count in _left_out(key, lone, scored).items()}
    remark = None if total is None else metric.remark(total)
    found = Bounds() if total is None or math.isnan(value) else bounds(metric, total, setting.resampling)
    run = {"n": f"{len(clips)}/{setting.expected}"}
    if lone and reference_clips is not None:
        run["references"] = f"{reference_clips}/{len(lone)}"
    run |= {**setting.run, "device": setting.devices.get(key, "cpu")}
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
        signature=signature(metric, setting.protocol, setting.pins, run, *setting.flags),
        reference=reference,
        reference_clips=reference_clips if metric.sets else None,
        unscored=(unscored or remark or _why(left_out)) if math.isnan(value) else None,
        note=None if math.isnan(value) or total is None else _note(metric, total, remark),
        interval_note=found.note,
        groups=found.groups,
        pairs=found.pairs,
    )


def _note(metric: Metric[Any], total: State, remark: str | None) -> str | None:
    """What a metric says of its number, and which other faces it could have measured."""
    return "; ".join(filter(None, (remark, company.said(metric, total)))) or None


def _by_side(contributions: Sequence[Contribution]) -> tuple[list[Contribution], list[Contribution]]:
    """Everything but reference clips that stand alone, and those, with what was measured on them as their states."""
    ours: list[Contribution] = []
    lone: list[Contribution] = []
    for item in contributions:
        if item.clip.side == "reference":
            lone.append(Contribution(item.clip, item.reference_states))
        else:
            ours.append(item)
    return ours, lone


def _total(named: Named, contributions: Sequence[Contribution], protocol: Protocol) -> State | None:
    """All records of a metric's score, of both sides where a set of clips stands on either; None if there are none."""
    states = [item.states[named.key] for item in contributions if named.key in item.states]
    if named.metric.sets and protocol.unpaired:
        references = [item.reference_states[named.key] for item in contributions if named.key in item.reference_states]
        generated, reference = ([rows for rows in side if isinstance(rows, Rows)] for side in (states, references))
        return TwoSets.of_sides(generated, reference) if states or references else None
    return type(states[0]).total(states) if states else None


def _scored(metric: Metric[Any], total: State | None, value: float) -> tuple[str, ...]:
    """The clips that a value rests on; where it is infinite, those that have one of their own, such as copies."""
    if total is None or not math.isinf(value):
        return () if total is None else total.scored
    return tuple(clip for clip in total.clips if _alone(metric, total.only([clip])) is not None)


def _reference(
    named: Named, contributions: Sequence[Contribution], scored: Sequence[str], setting: Setting
) -> Value | None:
    """The reference's own value: of the clips that are in the score, or of all where clips stand alone."""
    looked_at = frozenset(scored)
    states = [
        item.reference_states[named.key]
        for item in contributions
        if named.key in item.reference_states and (setting.protocol.unpaired or item.clip.id in looked_at)
    ]
    if not states or named.metric.sets:
        return None
    total = type(states[0]).total(states)
    value = named.metric.score(total)
    if math.isnan(value):
        return None
    clips = len(_scored(named.metric, total, value))
    return Value(value, bounds(named.metric, total, setting.resampling).interval, clips)


def _left_out(key: str, contributions: Sequence[Contribution], scored: Sequence[str]) -> dict[str, int]:
    """Clips that are not in a score, by reason."""
    counted: Counter[str] = Counter()
    in_it = frozenset(scored)
    for item in contributions:
        if item.clip.id in in_it:
            continue
        if failed := item.clip.failed.get(key):
            counted[failed.reason] += 1
        elif key in item.states:
            reasons = item.states[key].left_out
            counted[reasons.most_common(1)[0][0] if reasons else "nothing to measure"] += 1
        elif item.clip.failure:
            counted[item.clip.failure.reason] += 1
    return dict(counted)


def _why(left_out: Mapping[str, int]) -> str:
    if not left_out:
        return "there was no clip to score"
    reasons = ", ".join(f"{reason} ({count})" for reason, count in left_out.items())
    return f"no clip could be scored: {reasons}"
