"""Other faces beside the one that is measured: counted for every metric that chooses one, and said in its note.

Most metrics of faces look at one person, whom a policy chooses in every frame anew (``thgeval.features.faces.people``).
Where another face is as large, that choice hangs on a few px of the detector, and may go back and forth between two
people while both stay where they are. The number is then neither's, and nothing in it shows.
"""

from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from typing import Any, NamedTuple

from thgeval.errors import InputError
from thgeval.feature import Feature
from thgeval.features.faces.detection import Faces
from thgeval.features.faces.people import Company, chosen, company
from thgeval.metric import Metric
from thgeval.states import State
from thgeval.view import Side

WHO = {"squares": "largest", "mouths": "largest", "aligned-faces": "first"}
"""Features that choose a face by a policy of their own; ``people`` says its policy among its parameters."""
FACES = "faces"
FRAMES, CHANGES = "frames with another face as large", "changes of owner"


class FaceChoice(NamedTuple):
    """Where a metric finds faces, and which of them it takes."""

    found: Feature[Faces]
    who: str
    min_px: int


@cache
def choices(needs: tuple[Feature[Any], ...]) -> tuple[FaceChoice, ...]:
    """The choices of one face that features of one side rest on, each once."""
    return tuple(dict.fromkeys(choice for need in needs for choice in _below(need)))


def _below(feature: Feature[Any]) -> Iterator[FaceChoice]:
    """Choices that a feature rests on, down to what belongs to the other side."""
    if feature.of_reference:
        return
    for source in feature.inputs:
        yield from _below(source)
    told = dict(feature.parameters)
    who = str(told["who"]) if feature.name == "people" else WHO.get(feature.name)
    found = next((source for source in feature.closure() if source.name == FACES and source.compute), None)
    if found is not None and who is not None and who != "all":
        yield FaceChoice(found, who, int(told.get("min_px", 0)))


def company_counts(needs: tuple[Feature[Any], ...], values: Side) -> dict[str, int]:
    """What one side of a whole clip shows beside the chosen face; empty where there is never another one."""
    seen = [_company(choice, values) for choice in choices(needs)]
    most = Company(*(max(column) for column in zip(*seen, strict=True))) if seen else Company(0, 0)
    return {name: count for name, count in ((FRAMES, most.frames), (CHANGES, most.changes)) if count}


def _company(choice: FaceChoice, values: Side) -> Company:
    with suppress(InputError):
        found = values[choice.found]
        slots = chosen(found, who=choice.who, min_px=choice.min_px)
        return company(found, slots[:, 0], min_px=choice.min_px)
    return Company(0, 0)


def said(metric: Metric[Any], state: State) -> str | None:
    """The sentence that belongs beside the number, or None where nobody else is as large and the choice never moves."""
    large, moved = (_sides(state, what) for what in (FRAMES, CHANGES))
    if not large and not moved:
        return None
    needs = metric.needs
    follows = all(choice.who == "track" for choice in choices(needs.generated + needs.reference + needs.pair))
    advice = "" if follows or "who" not in metric.settings() else "; who=track follows one person"
    sentences = (("another face is as large in", large), ("the choice changed owner in", moved))
    told = [f"{sentence} {where}" for sentence, where in sentences if where]
    return " and ".join(told) + advice


def _sides(state: State, what: str) -> str:
    """In how many frames of how many clips something was counted, side by side; empty if it never was."""
    found = []
    for side in ("generated", "reference"):
        counts = [count for clip in state.clips if (count := state.counted(clip).get(f"{side} {what}", 0))]
        if counts:
            found.append(f"{sum(counts)} frames of {len(counts)} {side} clip{'s' * (len(counts) > 1)}")
    return " and ".join(found)
