"""What becomes of frames in which no face is found.

A frame counts where a face is found in it, on both sides if there are two. Every other frame stands in the result
under its reason, whatever the policy:

``skip``  it has no value
``fail``  the clip fails, with a sentence
``hold``  it takes what was found last on that side; before the first face it has no value
``zero``  its value is 0, as if nothing differed, which is what some published scripts do
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import InputError
from thgeval.parameter import Held, parameter
from thgeval.states import Part

MISSING: Mapping[str, str] = MappingProxyType(
    {"skip": "left out", "fail": "the clip fails", "hold": "as in the last frame with one", "zero": "counted as 0"}
)
BECAME: Mapping[str, str] = MappingProxyType({"hold": ", held", "zero": ", counted as 0"})

Array = NDArray[np.float64]
Why = NDArray[np.str_]
NO_FACE: Why = np.array("no face")


def policy(*among: str) -> Any:
    """The parameter that says what becomes of frames without a face: one of these of ``MISSING``, else the first."""
    meaning = ", ".join(f"``{name}`` ({MISSING[name]})" for name in among)
    return parameter(among[0], f"what becomes of frames without a face: {meaning}", of=among)


@dataclass(frozen=True)
class Missing(Held):
    """The policy of a metric; one that can't follow all of them declares those that it can (``policy``)."""

    missing: str = policy(*MISSING)

    def applied(self, clip: str, why: Why, *sides: Array) -> tuple[Array, ...]:
        """What was found, (frames, people, ...) each, as it counts: gaps filled under ``hold``.

        ``why`` says why a frame has no face, (frames,). InputError if any has none under ``fail``.
        """
        lost = np.flatnonzero(why != "")
        if self.missing == "fail" and lost.size:
            raise InputError(
                f"{clip}: {why[lost[0]]} in {lost.size} of {len(why)} frames, first in frame {lost[0]}",
                reason="no face",
            )
        return tuple(map(held, sides)) if self.missing == "hold" else sides

    def part(self, values: Array, why: Why, *, under: str = "") -> Part:
        """One clip's values, (frames,) or (frames, 2), with the frames of each reason, and what became of them."""
        values = np.array(values, np.float64)
        none = np.isnan(Part(0, values).column)
        if self.missing == "zero":
            values[none & (why != "")] = 0.0
            none &= why == ""
        why = np.where((why == "") & none, "other people on either side", why)
        labels = np.where((why != "") & ~none, np.char.add(why, BECAME.get(self.missing, "")), why)
        reasons = {str(label): tuple(np.flatnonzero(labels == label).tolist()) for label in np.unique(labels) if label}
        return Part(0, values, reasons, under)


def held(values: Array) -> Array:
    """The same values with each person's gaps filled by what was found last: (frames, people, ...)."""
    frames = np.arange(len(values))[:, None]
    last = np.maximum.accumulate(np.where(present(values), frames, -1), axis=0)
    filled = values[np.maximum(last, 0), np.arange(values.shape[1])]
    filled[last < 0] = np.nan
    return filled


def present(values: Array) -> NDArray[np.bool_]:
    """Where something was found: (frames, people, ...) -> (frames, people)."""
    return np.asarray(~np.isnan(values).any(axis=tuple(range(2, values.ndim))))


def told(generated: Why, reference: Why) -> Why:
    """Why frames don't count, from why either side has no one in them: (frames,), "" where both have someone."""
    in_generated = np.where(generated == "", "", np.char.add(generated, " in generated"))
    in_reference = np.where(reference == "", "", np.char.add(reference, " in reference"))
    both = np.where(
        generated == reference,
        np.char.add(generated, " in either"),
        np.char.add(np.char.add(in_generated, ", "), in_reference),
    )
    alone = np.char.add(in_generated, in_reference)
    return np.where((generated != "") & (reference != ""), both, alone)
