"""Fréchet distance of Gaussians, slowly: every matrix of rows in full, one singular value decomposition."""

import numpy as np


def distance(generated: np.ndarray, reference: np.ndarray, ddof: int = 1) -> float:
    x, y = (centred(rows, ddof) for rows in (generated, reference))
    gap = generated.mean(axis=0, dtype=np.float64) - reference.mean(axis=0, dtype=np.float64)
    shared = np.linalg.svd(x @ y.T, compute_uv=False).sum()
    return (gap**2).sum() + (x**2).sum() + (y**2).sum() - 2 * shared


def spread(generated: np.ndarray, reference: np.ndarray, ddof: int = 1) -> float:
    """Sum of both traces, which is the scale of rounding errors."""
    return sum((centred(rows, ddof) ** 2).sum() for rows in (generated, reference))


def centred(rows: np.ndarray, ddof: int) -> np.ndarray:
    rows = rows.astype(np.float64)
    return (rows - rows.mean(axis=0)) / np.sqrt(len(rows) - ddof)


def infinity(generated: np.ndarray, reference: np.ndarray, *, seed: int, points: int, smallest: int) -> float:
    rng = np.random.default_rng(seed)
    sizes = [int(size) for size in np.linspace(smallest, len(generated), points)]
    values = [distance(generated[rng.permutation(len(generated))[:size]], reference) for size in sizes]
    design = np.stack([np.ones(points), 1 / np.array(sizes)], axis=1)
    return np.linalg.lstsq(design, np.array(values), rcond=None)[0][0]
