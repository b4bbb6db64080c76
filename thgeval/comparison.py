"""Do systems really differ? Paired tests on the clips they share.

The first result is the baseline. A metric is compared only where the protocol parts of the signatures are equal, on
the clips that both results scored; Holm's correction runs over everything compared in one call. Metrics without
per-clip values (Fréchet distances and the like) are not compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from thgeval.errors import ProtocolError
from thgeval.metric import Better
from thgeval.results import Run
from thgeval.statistics import (
    Difference,
    Floats,
    Interval,
    Resampling,
    holm,
    paired_difference,
    quotients,
    significance_groups,
)

ALPHA = 0.05


@dataclass(frozen=True)
class Compared:
    """One system against the baseline under one metric, on ``clips`` shared clips.

    p-values are two-sided; ``corrected_p`` is the randomisation test's after Holm. ``better`` is +1 if the system is
    better, -1 if worse, 0 if the metric has no direction of that kind; ``group`` is 1 for the best system and those
    that do not differ from it significantly.
    """

    metric: str
    system: str
    baseline_score: float
    score: float
    difference: float
    interval: Interval
    bootstrap_p: float
    randomisation_p: float
    corrected_p: float
    better: int
    clips: int

    @property
    def significant(self) -> bool:
        """Whether the difference stands after correction."""
        return self.corrected_p < ALPHA


@dataclass(frozen=True)
class Comparison:
    """Every system against the baseline, significance groups by metric, and what could not be compared."""

    baseline: str
    rows: tuple[Compared, ...]
    groups: dict[str, dict[str, int]]
    skipped: dict[str, str]


def compared(results: Sequence[Path], resampling: Resampling) -> Comparison:
    """Compare two or more result files; ProtocolError if nothing in them can be compared."""
    if len(results) < 2:
        raise ProtocolError("comparing needs two result files or more")
    runs = [Run.read(path) for path in results]
    names = _names(results)
    skipped: dict[str, str] = {}
    found: list[tuple[str, str, Any, Difference, float, float, int]] = []
    groups: dict[str, dict[str, int]] = {}
    for key in dict.fromkeys(key for run in runs for key in run.scores):
        try:
            rows = _rows(key, runs)
        except ProtocolError as error:
            skipped[key] = str(error)
            continue
        better = runs[0].scores[key].better
        scores = [float(quotients(item)) for item in rows]
        for name, system, score in zip(names[1:], rows[1:], scores[1:], strict=True):
            found.append(
                (key, name, better, paired_difference(rows[0], system, resampling), scores[0], score, len(system))
            )
        groups[key] = _groups(names, rows, scores, better, resampling)
    if not found:
        raise ProtocolError("nothing can be compared: " + "; ".join(f"{key}: {why}" for key, why in skipped.items()))
    corrected = holm([item[3].randomisation_p for item in found])
    made = tuple(
        Compared(
            metric=key,
            system=name,
            baseline_score=base,
            score=score,
            difference=difference.difference,
            interval=difference.interval,
            bootstrap_p=difference.bootstrap_p,
            randomisation_p=difference.randomisation_p,
            corrected_p=p,
            better=_sign(difference.difference, better),
            clips=clips,
        )
        for (key, name, better, difference, base, score, clips), p in zip(found, corrected, strict=True)
    )
    return Comparison(names[0], made, groups, skipped)


def _names(results: Sequence[Path]) -> list[str]:
    stems = [path.stem for path in results]
    return stems if len(set(stems)) == len(stems) else [str(path) for path in results]


def _rows(key: str, runs: Sequence[Run]) -> list[Floats]:
    """Contributions (clips, 2) of the clips that all runs scored, per run."""
    if lacking := [str(run.path) for run in runs if key not in run.scores]:
        raise ProtocolError(f"not in {', '.join(lacking)}")
    if len({run.scores[key].signature.partition("||")[0] for run in runs}) > 1:
        raise ProtocolError("made differently: the protocol parts of the signatures are not equal")
    held = [
        {clip["id"]: row for clip in run.clips if (row := clip["contributions"].get(key)) is not None and row[1] > 0}
        for run in runs
    ]
    shared = sorted(set.intersection(*(set(item) for item in held)))
    if len(shared) < 2:
        raise ProtocolError(f"{len(shared)} shared clips with a value; a test needs two or more")
    return [np.array([item[clip] for clip in shared], dtype=np.float64) for item in held]


def _groups(
    names: Sequence[str], rows: Sequence[Floats], scores: Sequence[float], better: Better, resampling: Resampling
) -> dict[str, int]:
    """Significance group of each system, by all pairwise tests with Holm's correction."""
    if better not in (Better.HIGHER, Better.LOWER):
        return {}
    pairs = [(i, j) for i in range(len(rows)) for j in range(i + 1, len(rows))]
    corrected = holm([paired_difference(rows[i], rows[j], resampling).randomisation_p for i, j in pairs])
    differs = np.zeros((len(rows), len(rows)), dtype=bool)
    for (i, j), p in zip(pairs, corrected, strict=True):
        differs[i, j] = differs[j, i] = p < ALPHA
    found = significance_groups(scores, differs.tolist(), descending=better is Better.HIGHER)
    return dict(zip(names, found, strict=True))


def _sign(difference: float, better: Better) -> int:
    if better is Better.HIGHER:
        return int(np.sign(difference))
    return -int(np.sign(difference)) if better is Better.LOWER else 0
