"""The same performance with one thing changed, rendered anew: for sets that know how they were made.

``synth-v1`` is drawn from parameters that stand in its truth, ``synth3d-v1`` from curves that do; either set says from
which seed its people are. What is drawn is the reference's own picture but for that one thing.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import InputError

Curves = NDArray[np.float64]
MOUTH_ACTIONS = ("jaw", "mouth", "tongue", "cheekPuff")
BLINK_ACTIONS = ("eyeBlink",)


@dataclass(frozen=True)
class Known:
    """What a set says of one of its items: how it was made, whose it is, what is special about it, and its truth."""

    made_by: Mapping[str, Any]
    identity: str
    meta: Mapping[str, Any]
    truth: Mapping[str, Path]
    size: tuple[int, int]
    fps: Fraction
    frames: int


@dataclass(frozen=True)
class Change:
    """What is changed: blinks kept shut out, pose straightened, the mouth scaled, or the person another one."""

    blinks: bool = True
    pose: bool = True
    mouth: float = 1.0
    other_person: bool = False


def rendered(known: Known, change: Change) -> Iterable[NDArray[np.uint8]]:
    """The frames of an item with a change; InputError, reason ``unable``, where nobody knows how it was made."""
    tool = str(known.made_by.get("tool", ""))
    for name, render in _RENDERERS.items():
        if tool.endswith(f" {name}") and "portrait_sha256" not in known.made_by:
            return render(known, change)
    raise InputError(
        "its set doesn't say how its clips are rendered, so that one thing can't be changed", reason="unable"
    )


def _other(number: int, people: int, what: str) -> int:
    if people < 2:
        raise InputError(f"{what} has one person, so that there is no other to take its place", reason="unable")
    return (number + 1) % people


def _photo(known: Known, change: Change) -> Iterable[NDArray[np.uint8]]:
    """An item of ``synth-v1``."""
    from thgeval_baselines.photo.geometry import PARAMETERS, Parameters
    from thgeval_baselines.sets.synth import head_of

    with np.load(known.truth["clip"]) as truth:
        values = {name: truth[name].astype(np.float64) for name in PARAMETERS}
    person = int(known.identity.removeprefix("s")) - 1
    if change.other_person:
        person = _other(person, int(known.made_by["people"]), "synth-v1")
    if not change.blinks:
        values["blink"] = np.zeros_like(values["blink"])
    if not change.pose:
        values |= {name: np.full_like(values[name], values[name][0]) for name in ("yaw", "pitch", "roll", "tx", "ty")}
    for name in ("aperture", "rounding"):
        values[name] = values[name] * change.mouth
    head = head_of(person, seed=int(known.made_by["seed"]), size=known.size[0])
    for index in range(known.frames):
        yield head.frame(Parameters(**{name: float(values[name][index]) for name in PARAMETERS}))


def _rig(known: Known, change: Change) -> Iterable[NDArray[np.uint8]]:
    """An item of ``synth3d-v1``."""
    from thgeval_baselines.rig.model import rig
    from thgeval_baselines.sets.seen import Filming, camera
    from thgeval_baselines.sets.synth3d import perform

    facts = known.made_by
    number = int(known.identity.removeprefix("p"))

    def performed(who: int) -> Any:
        return perform(who, seed=int(facts["seed"]), seconds=float(facts["seconds"]), fps=int(facts["fps"]))

    scene = performed(number).scene
    if change.other_person:
        scene = replace(scene, person=performed(_other(number, int(facts["people"]), "synth3d-v1")).scene.person)
    actions, angles = scene.acting.actions.copy(), scene.acting.angles.copy()
    for column, name in enumerate(rig().action_names):
        if name.startswith(BLINK_ACTIONS) and not change.blinks:
            actions[:, column] = 0
        if name.startswith(MOUTH_ACTIONS):
            actions[:, column] *= change.mouth
    if not change.pose:
        angles = np.repeat(angles[:1], len(angles), axis=0)
    acting = replace(scene.acting, actions=actions, angles=angles)
    yield from Filming(replace(scene, acting=acting), camera(str(known.meta["camera"]), known.size[0]))


_RENDERERS: Mapping[str, Callable[[Known, Change], Iterable[NDArray[np.uint8]]]] = {
    "synth-v1": _photo,
    "synth3d-v1": _rig,
}
