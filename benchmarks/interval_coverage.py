"""How often 95 % intervals hold the truth, and how often ``compare`` finds what isn't there: simulated, no times.

``python benchmarks/interval_coverage.py`` draws 2,000 sets of clips of each design, with ``100`` behind it fewer.
``covers`` is the share of intervals that hold the truth (of metrics of sets: the mean score of sets of that size),
``width`` their mean half width over 1.96 standard deviations of the score, ``false`` the share of p below .05 where two
systems are alike. Two thousand sets tell 95 % to within one percent.

Of metrics of sets the scores are Fréchet distances. ``paired`` systems add noise and a shift of its own strength to the
reference's rows, clip by clip; ``unpaired`` ones have nothing to do with its clips. In every one of them rows of a clip
share half of their variance. Two systems are drawn alike, or ``shifted in opposite ways``: then both are equally far
from the reference, and far from each other.
"""

import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tabulate import tabulate

from thgeval.significance import by_clips, by_groups
from thgeval.statistics import (
    Group,
    Interval,
    Jackknifed,
    Resampling,
    TwoGroups,
    groups_of,
    of_groups,
    of_rows,
    rounds,
    student,
)

SETS = 2000
SIZES = (5, 10, 20, 50)
Floats = NDArray[np.float64]


def measurements(sets: int = SETS) -> list[dict[str, Any]]:
    """One row a design and number of clips."""
    rows = [_of_clips(name, count, sets) for name in CLIPS for count in SIZES]
    rows += [_of_sets(design, count, sets) for design in DESIGNS for count in design.clips]
    rows += [_false_of_clips(name, count, sets) for name in FALSE for count in (6, 10, 20, 50)]
    rows += [_false_of_sets(design, count, sets) for design in FALSE_SETS for count in design.clips]
    return rows


# Clips with parts of their own


class Drawn(NamedTuple):
    """What clips add above and below, by a generator and their number; the truth; whether events are counted."""

    rows: Callable[[np.random.Generator, int], Floats]
    truth: float
    events: bool = False


def each(values: Floats) -> Floats:
    return np.stack([values, np.ones(len(values))], axis=1)


def pooled(rng: np.random.Generator, count: int) -> Floats:
    frames = rng.integers(50, 251, size=count)
    return np.stack([frames * np.exp(0.6 * rng.normal(size=count)), frames], axis=1)


def lasting(rate: float) -> Callable[[np.random.Generator, int], Floats]:
    """Poisson counts in clips that last half to one and a half times the mean."""

    def rows(rng: np.random.Generator, count: int) -> Floats:
        seconds = rng.uniform(0.5, 1.5, size=count)
        return np.stack([rng.poisson(rate * seconds), seconds], axis=1)

    return rows


CLIPS = {
    "normal means": Drawn(lambda rng, count: each(rng.normal(size=count)), 0.0),
    "log-normal means, sigma .6": Drawn(lambda rng, count: each(np.exp(0.6 * rng.normal(size=count))), np.exp(0.18)),
    "log-normal pooled over 50 to 250 frames": Drawn(pooled, np.exp(0.18)),
    "Poisson, 2 a clip": Drawn(lambda rng, count: each(rng.poisson(2, size=count)), 2.0, True),
    "Poisson, 2 a clip, lengths vary": Drawn(lasting(2), 2.0, True),
    "Poisson, .3 a clip": Drawn(lambda rng, count: each(rng.poisson(0.3, size=count)), 0.3, True),
    "Poisson, .3 a clip, lengths vary": Drawn(lasting(0.3), 0.3, True),
    "overdispersed (gamma, shape 3), 2 a clip": Drawn(
        lambda rng, count: each(rng.poisson(2 * rng.gamma(3, 1 / 3, size=count))), 2.0, True
    ),
}


def _of_clips(name: str, count: int, sets: int) -> dict[str, Any]:
    drawn, rng = CLIPS[name], np.random.default_rng([1, *name.encode(), count])
    made = [drawn.rows(rng, count) for _ in range(sets)]
    intervals = [of_rows(rows, events=drawn.events).interval for rows in made]
    scores = [rows[:, 0].sum() / rows[:, 1].sum() for rows in made]
    return _covered(name, count, scores, intervals, drawn.truth)


def _covered(
    name: str, count: int, scores: list[float], intervals: list[Interval | None], truth: float
) -> dict[str, Any]:
    held = [found for found in intervals if found is not None]
    low, high = np.array(held).T
    return {
        "design": name,
        "clips": count,
        "covers": float(np.mean((low <= truth) & (truth <= high))) * len(held) / len(intervals),
        "width": float(np.mean(high - low) / 2 / (1.96 * np.std(scores, ddof=1))),
    }


FALSE = {
    "normal, correlation .7": lambda rng, count: [each(values) for values in _alike(rng, count)],
    "log-normal, correlation .7": lambda rng, count: [each(np.exp(0.6 * values)) for values in _alike(rng, count)],
    "log-normal pooled over 50 to 250 frames, correlation .7": lambda rng, count: _pooled_alike(rng, count),
}


def _alike(rng: np.random.Generator, count: int) -> Floats:
    shared = rng.normal(size=count)
    return np.sqrt(0.7) * shared + np.sqrt(0.3) * rng.normal(size=(2, count))


def _pooled_alike(rng: np.random.Generator, count: int) -> list[Floats]:
    frames = rng.integers(50, 251, size=count)
    return [np.stack([frames * np.exp(0.6 * values), frames], axis=1) for values in _alike(rng, count)]


def _false_of_clips(name: str, count: int, sets: int) -> dict[str, Any]:
    rng = np.random.default_rng([2, *name.encode(), count])
    found = [by_clips(*FALSE[name](rng, count), Resampling(10_000, seed)) for seed in range(sets)]
    return _false(f"difference: {name}", count, [each.p for each in found], [each.interval for each in found])


def _false(name: str, count: int, p_values: list[float], intervals: list[Interval | None]) -> dict[str, Any]:
    held = [found is None or found.low <= 0 <= found.high for found in intervals]
    return {
        "design": name,
        "clips": count,
        "covers": float(np.mean(held)),
        "false": float(np.mean(np.array(p_values) < 0.05)),
    }


# Metrics of sets


class Design(NamedTuple):
    """Rows of two sides: how many clips, rows a clip, dimensions, and how far the generated side is off."""

    name: str
    clips: tuple[int, ...]
    rows: int
    dimensions: int
    shift: float
    paired: bool
    noise: float = 0.3
    spectrum: bool = False
    lengths: bool = False
    opposite: bool = False


AUDITED = (20, 30, 60, 150)
DESIGNS = (
    Design("Fréchet, paired, alike", AUDITED, 10, 64, 0.0, True),
    Design("Fréchet, paired, shifted", AUDITED, 10, 64, 0.3, True),
    Design("Fréchet, unpaired, alike", AUDITED, 10, 64, 0.0, False),
    Design("Fréchet, unpaired, shifted", AUDITED, 10, 64, 0.3, False),
    Design("Fréchet, paired, clips of 5 to 20 rows", (20, 60), 10, 32, 0.0, True, lengths=True),
    Design("Fréchet, unpaired, clips of 5 to 20 rows", (20, 60), 10, 32, 0.0, False, lengths=True),
    Design("FID-like, spectrum 1/k, small noise", (60,), 16, 64, 0.0, True, 0.1, True),
    Design("FID-like, spectrum 1/k, shifted", (60,), 16, 64, 0.3, True, 0.1, True),
    Design("FVD-like, spectrum 1/k, a row a clip, shifted", (100,), 1, 64, 0.3, False, 0.1, True),
    Design("E-FID-like, spectrum 1/k, 50 rows a clip", (20,), 50, 32, 0.2, True, 0.1, True),
)
FALSE_SETS = (
    Design("Fréchet, paired, alike", (6, 10, 20, 60), 10, 16, 0.0, True),
    Design("Fréchet, paired, shifted", (6, 10, 20, 60), 10, 16, 0.3, True),
    Design("Fréchet, unpaired, alike", (6, 10, 20, 60), 10, 16, 0.0, False),
    Design("Fréchet, unpaired, shifted", (6, 10, 20, 60), 10, 16, 0.3, False),
    Design("FID-like, spectrum 1/k, shifted", (10, 20, 60), 16, 16, 0.3, True, 0.1, True),
    Design("Fréchet, paired, shifted in opposite ways", (6, 10, 20, 60), 10, 16, 0.3, True, opposite=True),
    Design("Fréchet, unpaired, shifted in opposite ways", (6, 10, 20, 60), 10, 16, 0.3, False, opposite=True),
)


def _of_sets(design: Design, count: int, sets: int) -> dict[str, Any]:
    rng = np.random.default_rng([3, *design.name.encode(), count])
    found = [_scored(rng, design, count, 1)[0] for _ in range(sets)]
    scores = [left.score for left in found]
    intervals = [student(left.score, of_groups(left.score, left.groups)) for left in found]
    return _covered(design.name, count, scores, intervals, float(np.mean(scores)))


def _false_of_sets(design: Design, count: int, sets: int) -> dict[str, Any]:
    rng = np.random.default_rng([4, *design.name.encode(), count])
    found = [by_groups(*_scored(rng, design, count, 2)) for _ in range(sets)]
    return _false(f"difference: {design.name}", count, [each.p for each in found], [each.interval for each in found])


def _scored(rng: np.random.Generator, design: Design, count: int, systems: int) -> list[Jackknifed]:
    """Systems of one kind against one reference: each one's score, and those without one or two groups of clips."""
    names = [f"clip{at}" for at in range(count)]
    dealt = groups_of(names)
    number = {clip: at for at, clips in enumerate(dealt) for clip in clips}
    rows = rng.integers(design.rows // 2, 2 * design.rows, size=count) if design.lengths else [design.rows] * count
    of = np.repeat(np.arange(count), rows)
    groups = np.array([number[clip] for clip in names])[of]
    scale = np.arange(1, design.dimensions + 1) ** -0.5 if design.spectrum else np.ones(design.dimensions)
    reference = _rows(rng, of, design.dimensions)
    found = []
    pairs = [pair for drawn in rounds(len(dealt)) for pair in drawn] if systems > 1 else []
    gone = [(), *((group,) for group in range(len(dealt))), *pairs]
    for system in range(systems):
        shift = -design.shift if design.opposite and system else design.shift
        generated = reference if design.paired else _rows(rng, of, design.dimensions)
        if design.paired:
            strength = 1 + 0.5 * rng.normal(size=(count, 1))[of]
            generated = generated + design.noise * rng.normal(size=generated.shape) + shift * strength
        else:
            generated = generated + shift
        score, *without = map(float, _distances(generated * scale, reference * scale, groups, gone))
        made = tuple(Group(tuple(clips), value) for clips, value in zip(dealt, without, strict=False))
        found.append(Jackknifed(score, made, tuple(map(TwoGroups, pairs, without[len(dealt) :]))))
    return found


def _rows(rng: np.random.Generator, of: NDArray[np.intp], dimensions: int) -> Floats:
    return np.sqrt(0.5) * (rng.normal(size=(of.max() + 1, dimensions))[of] + rng.normal(size=(len(of), dimensions)))


def _distances(
    generated: Floats, reference: Floats, groups: NDArray[np.intp], gone: Sequence[tuple[int, ...]]
) -> Floats:
    """Squared Fréchet distance of all rows but each choice of groups: as thgeval.kernels.frechet has it, at once."""
    (first, left), (second, right) = (_moments(side, groups, gone) for side in (generated, reference))
    factor = np.linalg.cholesky(left + 1e-10 * np.eye(left.shape[1]))
    shared = np.linalg.eigvalsh(np.swapaxes(factor, 1, 2) @ right @ factor)
    traces = np.trace(left, axis1=1, axis2=2) + np.trace(right, axis1=1, axis2=2)
    return ((first - second) ** 2).sum(axis=1) + traces - 2 * np.sqrt(np.maximum(shared, 0)).sum(axis=1)


def _moments(rows: Floats, groups: NDArray[np.intp], gone: Sequence[tuple[int, ...]]) -> tuple[Floats, Floats]:
    """Means and covariances of all rows but each choice of groups."""
    parts = [rows[groups == group] for group in range(groups.max() + 1)]
    kept = np.array([[group not in choice for group in range(len(parts))] for choice in gone], dtype=np.float64)
    counts = kept @ np.array([len(part) for part in parts], dtype=np.float64)
    means = kept @ np.stack([part.sum(axis=0) for part in parts]) / counts[:, None]
    squares = np.tensordot(kept, np.stack([part.T @ part for part in parts]), 1)
    scatter = squares - counts[:, None, None] * means[:, :, None] * means[:, None, :]
    return means, scatter / (counts - 1)[:, None, None]


def main() -> None:
    rows = measurements(int(sys.argv[1]) if len(sys.argv) > 1 else SETS)
    print(tabulate(rows, headers="keys", floatfmt=".3f"))


if __name__ == "__main__":
    main()
