"""Precision, recall, density and coverage after Naeem et al. (2020), one row at a time."""

import numpy as np


def scores(generated: np.ndarray, reference: np.ndarray, nearest: int) -> tuple[float, float, float, float]:
    generated, reference = generated.astype(np.float64), reference.astype(np.float64)
    radii_generated = [radius(generated, row, nearest) for row in range(len(generated))]
    radii_reference = [radius(reference, row, nearest) for row in range(len(reference))]
    inside_reference = np.zeros((len(reference), len(generated)), bool)
    inside_generated = np.zeros((len(reference), len(generated)), bool)
    for i, row in enumerate(reference):
        distances = squared(generated, row)
        inside_reference[i] = distances < radii_reference[i]
        inside_generated[i] = distances < radii_generated
    return (
        inside_reference.any(axis=0).mean(),
        inside_generated.any(axis=1).mean(),
        inside_reference.sum(axis=0).mean() / nearest,
        inside_reference.any(axis=1).mean(),
    )


def radius(rows: np.ndarray, row: int, nearest: int) -> float:
    return np.sort(np.delete(squared(rows, rows[row]), row))[nearest - 1]


def squared(rows: np.ndarray, row: np.ndarray) -> np.ndarray:
    return ((rows - row) ** 2).sum(axis=1)
