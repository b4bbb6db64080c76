"""What a score is worth beside degraded copies of the references: ``csim between crf 30 and crf 42``.

A copy does better or worse than a system as the metric's direction has it. Copies of one kind in several strengths are
a ladder; a score is placed on the first ladder that it lies on, or else between the two copies nearest to it.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from thgeval.controls import CONTROLS, NO_PERFORMANCE
from thgeval.results.score import Score, Value


def beaten_by(score: Score) -> tuple[str, ...]:
    """The copies that don't speak and yet score better: their labels; empty where none does, or none was scored."""
    own, copies = _badness(score)
    return tuple(CONTROLS[name].label for name in NO_PERFORMANCE if name in copies and copies[name] < own)


def warning(score: Score) -> str:
    """The sentence that belongs beside a score which copies that don't speak would beat; empty elsewhere."""
    labels = beaten_by(score)
    scores = "score" if len(labels) > 1 else "scores"
    return f"{' and '.join(labels)} of the references {scores} better" if labels else ""


def equivalent(score: Score) -> str:
    """What a score is worth, in words; empty where no copies were scored, or the metric has no direction."""
    own, copies = _badness(score)
    if not copies:
        return ""
    beaten = beaten_by(score)
    said = [f"worse than {' and '.join(beaten)}"] if beaten else []
    graded = {name: bad for name, bad in copies.items() if CONTROLS[name].ladder}
    return "; ".join([*said, *([_place(own, graded)] if graded else [])])


def _badness(score: Score) -> tuple[float, dict[str, float]]:
    """How bad the score is, and the copies that can be told by name; no copies where that can't be told."""
    reference = None if score.reference is None else score.reference.value
    own = None if score.value is None else score.better.badness(score.value, reference)
    known: Mapping[str, Value] = {} if own is None else score.controls
    copies = {name: score.better.badness(item.value, reference) for name, item in known.items() if name in CONTROLS}
    return own or 0.0, {name: bad for name, bad in copies.items() if bad is not None}


def _place(own: float, copies: Mapping[str, float]) -> str:
    """Between which two copies something lies, by how bad all are."""
    ranked = sorted(copies, key=lambda name: copies[name])
    best, worst = ranked[0], ranked[-1]
    if own <= copies[best]:
        return f"{'better than' if own < copies[best] else 'as good as'} {CONTROLS[best].label}"
    if own >= copies[worst]:
        return f"{'worse than' if own > copies[worst] else 'as bad as'} {CONTROLS[worst].label}"
    for rungs in _ladders(copies):
        for milder, stronger in pairwise(rungs):
            if copies[milder] <= own < copies[stronger]:
                return f"between {CONTROLS[milder].label} and {CONTROLS[stronger].label}"
    below = next(name for name in reversed(ranked) if copies[name] <= own)
    above = next(name for name in ranked if copies[name] > own)
    return f"between {CONTROLS[below].label} and {CONTROLS[above].label}"


def _ladders(copies: Mapping[str, float]) -> Iterator[Sequence[str]]:
    """The copies of each kind, the mildest first, of kinds in which stronger ones are never better."""
    rungs: dict[str, list[str]] = {}
    for name, control in CONTROLS.items():
        if name in copies:
            rungs.setdefault(control.ladder, []).append(name)
    for names in rungs.values():
        if all(copies[a] <= copies[b] for a, b in pairwise(names)):
            yield names
