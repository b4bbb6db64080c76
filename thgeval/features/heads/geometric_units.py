"""Action units read off landmarks: how far a few distances are from what they are at rest.

Distances are measured on faces turned to the front (``frontal``), in eye distances. Rest is the person's own: a
quantile of the distance over the clip, the median for what moves both ways; of a pair of clips, over the frames that
show the person on both sides. So a clip in which a face never moves has
no units at all, and a unit held throughout can't be seen. AU25 alone is absolute, as closed lips have no gap.

Units that landmarks don't show (AU06, AU07, AU09, AU10, AU14, AU17, AU20, AU23, AU28: folds, bulges, tension) are not
guessed. Others made from the same distance exclude each other: AU01 and AU04, AU12 and AU15, AU05 and AU45.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thgeval.feature import Feature, Parameter, derived_from
from thgeval.features.faces.facs import ActionUnits
from thgeval.features.heads.frontal import Turned, frontal, turned
from thgeval.features.heads.rest import Both, Rest, over_one_rest, people_there

Array = NDArray[np.float64]


INNER_UPPER, INNER_LOWER = [61, 62, 63], [65, 66, 67]


def _height(points: Array, upper: list[int], lower: list[int]) -> Array:
    """How far the upper points are above the lower ones: (frames, people)."""
    return np.asarray(points[..., lower, 1].mean(axis=-1) - points[..., upper, 1].mean(axis=-1))


DISTANCES: Mapping[str, Callable[[Array], Array]] = MappingProxyType(
    {
        "inner brows": lambda points: _height(points, [20, 21, 22, 23], [39, 42]),
        "outer brows": lambda points: _height(points, [17, 18, 25, 26], [36, 45]),
        "lids": lambda points: _height(points, [37, 38, 43, 44], [40, 41, 46, 47]),
        "lip corners": lambda points: _height(points, [48, 54], [33]) + 0.2 * _height(points, INNER_UPPER, INNER_LOWER),
        "mouth width": lambda points: np.asarray(points[..., 54, 0] - points[..., 48, 0]),
        "lip gap": lambda points: _height(points, INNER_UPPER, INNER_LOWER),
        "chin": lambda points: _height(points, [33], [7, 8, 9]),
    }
)
"""Distances in eye distances from (frames, people, 68, 2) points of faces turned to the front.

The corners of the lips go down by a fifth of the gap when the mouth opens, which is no expression and is added back.
"""


class Unit(NamedTuple):
    """A unit is a distance above (or below) rest: present from ``present`` on, of intensity 5 at ``full``.

    ``rest`` is a quantile over the clip, None for 0.
    """

    distance: str
    sign: int
    rest: float | None
    present: float
    full: float


UNITS: Mapping[str, Unit] = MappingProxyType(
    {
        "AU01": Unit("inner brows", 1, 0.5, 0.03, 0.12),
        "AU02": Unit("outer brows", 1, 0.5, 0.03, 0.12),
        "AU04": Unit("inner brows", -1, 0.5, 0.03, 0.12),
        "AU05": Unit("lids", 1, 0.5, 0.025, 0.06),
        "AU12": Unit("lip corners", 1, 0.5, 0.03, 0.12),
        "AU15": Unit("lip corners", -1, 0.5, 0.03, 0.12),
        "AU18": Unit("mouth width", -1, 0.5, 0.05, 0.2),
        "AU25": Unit("lip gap", 1, None, 0.05, 0.25),
        "AU26": Unit("chin", 1, 0.05, 0.05, 0.25),
        "AU45": Unit("lids", -1, 0.5, 0.04, 0.08),
    }
)
"""What is seen from where on. dlib's points are uncertain by 0.015 eye distances each, and turning a head by 10 degrees
changes distances by up to 0.03 where a face is not as deep as the generic one; so traces are not seen.
"""


@derived_from(frontal, version=1)
def action_units_geometric(turned: Turned) -> ActionUnits:
    """The action units of ``UNITS`` for the people that the parameters of ``people.shapes`` choose."""
    return units(turned.points, people_there(turned.points))


def geometric_of_both(**chosen: Parameter) -> Feature[Both[ActionUnits]]:
    """The units of both sides, from one rest."""

    def measured(points: Array, rest: Rest) -> ActionUnits:
        return units(turned(points, rest).points, rest)

    return over_one_rest(action_units_geometric(**chosen), measured, **chosen)


def units(points: Array, rest: Rest) -> ActionUnits:
    """The units of ``UNITS`` from (frames, people, 68, 2) points turned to the front, and the frames that are rest."""
    beyond = np.stack([_beyond(points, rest, unit) for unit in UNITS.values()], axis=-1)
    present, full = (np.array([getattr(unit, name) for unit in UNITS.values()]) for name in ("present", "full"))
    presence = np.where(np.isnan(beyond), np.nan, beyond >= present)
    return ActionUnits(presence, 5 * np.clip(beyond / full, 0, 1))


def _beyond(points: Array, rest: Rest, unit: Unit) -> Array:
    """How far a unit's distance is beyond rest, in its direction: (frames, people)."""
    distance = DISTANCES[unit.distance](points)
    if unit.rest is None:
        return unit.sign * distance
    usual = np.full(distance.shape[1], np.nan)
    for person, (values, still) in enumerate(zip(distance.T, rest.T, strict=True)):
        if still.any():
            usual[person] = np.quantile(values[still], unit.rest)
    return np.asarray(unit.sign * (distance - usual))
