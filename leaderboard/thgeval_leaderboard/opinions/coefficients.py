"""Coefficients of correlation with opinions, of a sample and of many draws from it.

SRCC  Spearman's rank correlation, ties sharing their mean rank
PLCC  Pearson's correlation between opinions and what the logistic curve of VQEG makes of the values, four parameters:
      ``b2 + (b1 - b2) / (1 + exp(-(x - b3) / |b4|))`` (VQEG, final report on full-reference television, phase II,
      2003; ITU-T Tutorial, Objective perceptual assessment of video quality, 2004), fitted by least squares; as the
      curve may fall as well as rise, it is never negative
KRCC  Kendall's tau-b

For given b3 and b4 the curve is linear in the other two, so that the best correlation over b3 and b4 is that of the
least-squares fit. It is looked for on a grid, over places within and beyond the values and widths from nearly a step to
all but a straight line, and refined from its best point for the sample itself; draws take the best point of the grid,
which is lower by 0.002 in the mean for 40 noisy clips, where an interval is 0.4 wide, and by less for more.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import kendalltau, rankdata, spearmanr

COEFFICIENTS = ("SRCC", "PLCC", "KRCC")

LEAST_FITTED = 10
"""Points that a curve of four parameters needs before its fit says anything."""

WIDTHS = tuple(float(width) for width in np.geomspace(0.1, 20.0, 14))
"""Widths of the curve in standard deviations of the values: from nearly a step to nearly a straight line."""

INSIDE = 41
BEYOND = (8.0, 4.0, 2.0, 1.0)
"""Places of the curve's middle: quantiles of the values, and so many widths below the least and above the largest."""

MOST_PAIRED = 2000
"""Clips of which all pairs are held at once."""

AT_ONCE = 4_000_000
"""Numbers held at once while draws are computed."""

Floats = NDArray[np.float64]


def coefficients(values: Floats, opinions: Floats) -> Floats:
    """SRCC, PLCC (NaN for fewer than ``LEAST_FITTED``) and KRCC of values and opinions that are not constant."""
    ranks = float(spearmanr(values, opinions).statistic)
    return np.array([ranks, fitted_correlation(values, opinions), _kendall(values, opinions)])


def fitted_correlation(values: Floats, opinions: Floats) -> float:
    """PLCC after the logistic fit, 0 to 1; NaN for fewer than ``LEAST_FITTED`` clips."""
    if len(values) < LEAST_FITTED:
        return math.nan
    scaled = _scaled(values)
    places, widths = _grid(scaled)
    curves = _curves(scaled, places, widths)
    best = int(np.argmax(_correlations(curves, opinions, np.ones((1, len(values))))[0]))
    reach = BEYOND[0] * WIDTHS[-1]

    def lost(at: Floats) -> float:
        curve = expit((scaled - at[0]) / math.exp(at[1]))[None]
        return -float(_correlations(curve, opinions, np.ones((1, len(values))))[0, 0])

    start = np.array([places[best], math.log(widths[best])])
    bounds = [(scaled.min() - reach, scaled.max() + reach), (math.log(WIDTHS[0]), math.log(WIDTHS[-1]))]
    found = minimize(lost, start, method="Nelder-Mead", bounds=bounds, options={"xatol": 1e-6, "fatol": 1e-10})
    return float(min(1.0, -min(found.fun, lost(start))))


def over_draws(values: Floats, opinions: Floats, drawn: NDArray[np.intp]) -> Floats:
    """Coefficients of every draw, (3, draws), from numbers of clips (draws, clips); NaN where a draw is constant."""
    count = len(values)
    curves = _curves(_scaled(values), *_grid(_scaled(values))) if count >= LEAST_FITTED else None
    found = np.full((3, len(drawn)), math.nan)
    step = max(1, AT_ONCE // count)
    for start in range(0, len(drawn), step):
        some = drawn[start : start + step]
        theirs, said = values[some], opinions[some]
        apart = (np.ptp(theirs, axis=1) > 0) & (np.ptp(said, axis=1) > 0)
        ranks = [rankdata(each, axis=1) for each in (theirs[apart], said[apart])]
        at = start + np.flatnonzero(apart)
        found[0, at] = _rowwise(*ranks)
        times = np.array([np.bincount(row, minlength=count) for row in some[apart]], np.float64).reshape(-1, count)
        if curves is not None:
            found[1, at] = _correlations(curves, opinions, times).max(axis=1)
        if count > MOST_PAIRED:
            found[2, at] = [_kendall(x, y) for x, y in zip(*ranks, strict=True)]
        else:
            found[2, at] = _kendalls(values, opinions, times)
    return found


def _scaled(values: Floats) -> Floats:
    return np.asarray((values - values.mean()) / values.std())


def _grid(scaled: Floats) -> tuple[Floats, Floats]:
    """Places and widths of every curve of the grid, both (curves,)."""
    widths = np.array(WIDTHS)[:, None]
    inside = np.broadcast_to(np.quantile(scaled, np.linspace(0, 1, INSIDE)), (len(WIDTHS), INSIDE))
    beyond = np.array(BEYOND) * widths
    places = np.concatenate([scaled.min() - beyond, inside, scaled.max() + beyond], axis=1)
    return places.ravel(), np.broadcast_to(widths, places.shape).ravel()


def _curves(scaled: Floats, places: Floats, widths: Floats) -> Floats:
    return np.asarray(expit((scaled[None] - places[:, None]) / widths[:, None]), np.float64)


def _correlations(curves: Floats, opinions: Floats, times: Floats) -> Floats:
    """(samples, curves): size of the correlation of curves (curves, clips) with opinions, clips counted ``times``."""
    total = times.sum(axis=1, keepdims=True)
    centred = curves - curves.mean(axis=1, keepdims=True)
    said = opinions - opinions.mean()
    mean, mean_said = times @ centred.T / total, times @ said[:, None] / total
    both = (times * said) @ centred.T / total - mean * mean_said
    spread = times @ (centred**2).T / total - mean**2
    spread_said = times @ (said**2)[:, None] / total - mean_said**2
    enough = spread > 1e-12
    sizes = np.abs(both) / np.sqrt(np.where(enough, spread, 1.0) * spread_said)
    return np.asarray(np.where(enough, np.minimum(sizes, 1.0), 0.0))


def _kendall(first: Floats, second: Floats) -> float:
    return float(kendalltau(first, second, method="asymptotic").statistic)  # the method is that of a p nobody reads


def _kendalls(values: Floats, opinions: Floats, times: Floats) -> Floats:
    """Tau-b of every draw, (draws,), from the signs of all pairs: far quicker than one by one while those fit."""
    signs = [np.sign(each[:, None] - each[None]) for each in (values, opinions)]
    both, first, second = (
        ((times @ product) * times).sum(axis=1)
        for product in (signs[0] * signs[1], signs[0] * signs[0], signs[1] * signs[1])
    )
    return np.asarray(both / np.sqrt(first * second))


def _rowwise(first: Floats, second: Floats) -> Floats:
    """Pearson's correlation of every row."""
    x, y = (each - each.mean(axis=1, keepdims=True) for each in (first, second))
    return np.asarray((x * y).sum(axis=1) / np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1)))
