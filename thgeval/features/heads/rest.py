"""What is measured from a person's rest, on both sides of a pair: over the frames that show the person on both.

Poses, expressions and action units read off landmarks rest on all frames of a clip together: the person's own face is
fitted to them (``frontal``), and units are distances from a quantile over them. Where one side lacks a face in frames
that the other shows, each side by itself would have another rest, and equal frames would differ.
"""

from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from thgeval.feature import Feature, Grain, Parameter
from thgeval.features.faces.people import shapes

Points = NDArray[np.float64]
Rest = NDArray[np.bool_]
T = TypeVar("T")


class Both(NamedTuple, Generic[T]):
    """One feature of both sides."""

    generated: T
    reference: T


def over_one_rest(source: Feature[T], measured: Callable[[Points, Rest], T], **chosen: Parameter) -> Feature[Both[T]]:
    """The feature ``source`` of both sides of a whole clip, from one rest.

    ``measured`` computes it from the landmarks of ``people.shapes`` for the ``chosen`` people, (frames, people, 68, 2),
    and from the frames that are a person's rest, (frames, people).
    """

    def both(own: T, points: Points, other: T, others: Points) -> Both[T]:
        if points.shape != others.shape:
            return Both(own, other)
        here, there = people_there(points), people_there(others)
        if np.array_equal(here, there):
            return Both(own, other)
        shared = here & there
        return Both(*(measured(side, _or_own(shared, people_there(side))) for side in (points, others)))

    inputs: tuple[Feature[Any], ...] = (source, shapes(**chosen))
    return Feature(f"both-{source.name}", 1, inputs=inputs, grain=Grain.PAIR, compute=both)


def people_there(points: Points) -> Rest:
    """Which people are there: (frames, people, ...) -> (frames, people)."""
    return np.asarray(~np.isnan(points).any(axis=tuple(range(2, points.ndim))))


def _or_own(shared: Rest, own: Rest) -> Rest:
    """The shared frames of each person; a person without any keeps its own, as nothing is compared then."""
    return np.where(shared.any(axis=0), shared, own)
