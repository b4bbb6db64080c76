"""``ref-parameter``: curves of actions and pose in, video out, on the morphable model fitted to the portrait.

The curves say what the face does: they are absolute, and actions that the file doesn't name stay as the portrait has
them. The head's angles are relative to the first frame, as nobody knows how the camera stood.

Can't: wrinkles; what the model's 52 actions don't span; more than about 40 degrees from the portrait's pose.
"""

from pathlib import Path
from typing import ClassVar

import numpy as np

from thgeval.errors import InputError
from thgeval_baselines.generator import Generated, Generator, Inputs, Paradigm
from thgeval_baselines.generators.curves import read_curves
from thgeval_baselines.generators.ordered import in_order
from thgeval_baselines.generators.portraits import portrait_of
from thgeval_baselines.generators.talking import lacking
from thgeval_baselines.rig.fitting import Fitted, fit, turned
from thgeval_baselines.rig.portrayed import Portrayed, wireframe


class Parameter(Generator):
    """Drives the portrait by a file of curves."""

    id: ClassVar[str] = "ref-parameter"
    paradigm: ClassVar[Paradigm] = Paradigm.PARAMETER
    says: ClassVar[str] = "curves of 52 actions (or action units) and pose, on a morphable model fitted to the portrait"
    needs: ClassVar[frozenset[str]] = frozenset({"source_image", "curves"})
    takes: ClassVar[frozenset[str]] = frozenset({"audio"})
    extra: ClassVar[str] = "faces"

    def problems(self) -> list[str]:
        """What isn't installed."""
        return lacking({"dlib": "faces"})

    def generate(self, inputs: Inputs, *, seed: int, fitted: Path | None) -> Generated:
        """One video as the curves say; nothing is random."""
        if inputs.curves is None:
            raise InputError(f"{inputs.item} has no curves, which are to drive the face", reason="missing")
        face = portrait_of(inputs)
        person = fit(face.landmarks, inputs.size)
        driving = read_curves(inputs.curves, fps=inputs.fps, frames=inputs.frames)
        actions = np.where(driving.given, driving.actions, person.actions)
        return performed(person, Portrayed.of(face.image, face.landmarks, person), actions, driving.angles, inputs)


def performed(
    person: Fitted, portrayed: Portrayed, actions: np.ndarray, angles: np.ndarray, inputs: Inputs
) -> Generated:
    """The video of actions (frames, 52), and of angles (frames, 3) degrees by which the head turns after frame 0."""
    poses = [turned(person.pose, step) for step in angles - angles[0]]
    frames = in_order(lambda number: portrayed.frame(actions[number], poses[number]), len(actions))
    return Generated(frames, fps=inputs.fps, evidence={"wireframe.jpg": wireframe(portrayed)})
