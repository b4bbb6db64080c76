"""Sums of differences in exact arithmetic: Python integers, and math.fsum for floats."""

import math

import numpy as np


def errors(generated, reference):
    """(absolute, squared) sums per frame, each rounded once."""
    absolute, squared = [], []
    for a, b in zip(generated, reference, strict=True):
        if a.dtype == np.uint8:
            apart = a.astype(np.int64) - b.astype(np.int64)
            absolute.append(float(np.abs(apart).sum()))
            squared.append(float((apart**2).sum()))
        else:
            apart = (a.astype(np.float64) - b.astype(np.float64)).ravel()
            absolute.append(math.fsum(np.abs(apart)))
            squared.append(math.fsum(apart**2))
    return np.array(absolute), np.array(squared)


def wrapped(generated, reference):
    """(absolute, squared) sums of what uint8 arithmetic makes of a - b and (a - b) ** 2."""
    apart = (generated.astype(np.int64) - reference.astype(np.int64)) % 256
    axes = tuple(range(1, apart.ndim))
    return apart.sum(axes).astype(np.float64), (apart**2 % 256).sum(axes).astype(np.float64)
