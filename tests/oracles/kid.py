"""Unbiased squared maximum mean discrepancy, pair by pair."""

from itertools import permutations, product

import numpy as np


def discrepancy(
    generated: np.ndarray, reference: np.ndarray, degree: int = 3, gamma: float | None = None, coef0: float = 1.0
) -> float:
    gamma = 1 / generated.shape[1] if gamma is None else gamma

    def kernel(a: np.ndarray, b: np.ndarray) -> float:
        return (gamma * float(a.astype(np.float64) @ b.astype(np.float64)) + coef0) ** degree

    within_generated = np.mean([kernel(a, b) for a, b in permutations(generated, 2)])
    within_reference = np.mean([kernel(a, b) for a, b in permutations(reference, 2)])
    between = np.mean([kernel(a, b) for a, b in product(generated, reference)])
    return within_generated + within_reference - 2 * between


def over_subsets(
    generated: np.ndarray, reference: np.ndarray, *, size: int, count: int, seed: int
) -> tuple[float, float]:
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(count):
        ours = generated[rng.choice(len(generated), size, replace=False)]
        theirs = reference[rng.choice(len(reference), size, replace=False)]
        values.append(discrepancy(ours, theirs))
    return float(np.mean(values)), float(np.std(values))
