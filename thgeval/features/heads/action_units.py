"""Facial action units: which muscles of the face move, and how strongly.

``presence`` is 1 or 0 and ``intensity`` 0 to 5 (0 nothing, 1 a trace, 5 as far as it goes), as in the Facial Action
Coding System; NaN where there is no face. Detectors of units disagree, and numbers of one are not those of another.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from thgeval.feature import Feature, Parameter, chosen_from
from thgeval.features.faces.facs import OPENFACE, ActionUnits
from thgeval.features.faces.supplied import units_given
from thgeval.features.heads.geometric_units import UNITS, action_units_geometric, geometric_of_both
from thgeval.features.heads.openface import units_openface, units_openface_binary
from thgeval.features.heads.rest import Both


class UnitSource(NamedTuple):
    """Where units come from: ``feature`` takes the parameters of ``shapes`` and tells ``units`` in that order."""

    feature: Callable[..., Feature[ActionUnits]]
    units: tuple[str, ...]


UNIT_SOURCES: Mapping[str, UnitSource] = MappingProxyType(
    {
        "geometric": UnitSource(action_units_geometric, tuple(UNITS)),
        "openface": UnitSource(units_openface, OPENFACE),
        "openface-binary": UnitSource(units_openface_binary, OPENFACE),
        "npz": UnitSource(units_given, OPENFACE),
    }
)


def action_units(*, source: str = "geometric", **chosen: Parameter) -> Feature[ActionUnits]:
    """Action units of the chosen people from one of ``SOURCES``; their names are ``units_of(source)``."""
    return chosen_from(UNIT_SOURCES, source=source).feature(**chosen)


def units_of_both(*, source: str = "geometric", **chosen: Parameter) -> Feature[Both[ActionUnits]] | None:
    """Action units of both sides where they are measured from a person's rest; None if each frame stands for itself."""
    return geometric_of_both(**chosen) if source == "geometric" else None


def units_of(source: str) -> tuple[str, ...]:
    """The action units that a source tells, in order: ``("AU01", ...)``."""
    return chosen_from(UNIT_SOURCES, source=source).units
