"""Precision, recall, density and coverage after Naeem et al. (2020), one row at a time.

``published`` counts as the paper's program does; ``scores`` leaves out balls of radius 0 and what lies at their centre.
"""

import numpy as np


def scores(generated: np.ndarray, reference: np.ndarray, nearest: int) -> tuple[float, float, float, float]:
    generated, reference = generated.astype(np.float64), reference.astype(np.float64)
    apart = np.array([squared(generated, row) for row in reference])
    own = np.array([radius(reference, row, nearest) for row in range(len(reference))])
    theirs = np.array([radius(generated, row, nearest) for row in range(len(generated))])
    balls = [row for row in range(len(reference)) if own[row] > 0]
    around = []
    for column in range(len(generated)):
        held_by = sum(apart[row, column] < own[row] for row in balls)
        if balls and (held_by or not any(apart[row, column] == own[row] == 0 for row in range(len(reference)))):
            around.append(held_by)
    recalled = []
    for row in range(len(reference)):
        inside = any(apart[row] < theirs)
        if (own.any() or theirs.any()) and (inside or not any((apart[row] == 0) & (theirs == 0))):
            recalled.append(inside)
    covered = [any(apart[row] < own[row]) for row in balls]
    shares = [np.array(around) > 0, recalled, np.array(around) / nearest, covered]
    return tuple(np.mean(share) if len(share) else np.nan for share in shares)


def published(generated: np.ndarray, reference: np.ndarray, nearest: int) -> tuple[float, float, float, float]:
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
