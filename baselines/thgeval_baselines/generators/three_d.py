"""``ref-3d``: a morphable model fitted to the portrait, moved in three dimensions, with the portrait as its texture.

The motion comes from a driving video, where there is one: the model is fitted to its first frame, then actions and pose
to every frame, and what changes is carried over. Else it comes from curves, or from the speech: the phones heard in it
move the mouth; blinks, gaze and sway are drawn from the seed.

Can't: hair and ears of its own (they are the portrait's, bent); profile views; wrinkles; teeth and tongue like the
person's.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from thgeval.errors import InputError
from thgeval_baselines.generator import Generated, Generator, Inputs, Paradigm
from thgeval_baselines.generators.curves import read_curves
from thgeval_baselines.generators.driving import driving_landmarks, driving_speech, of_speech
from thgeval_baselines.generators.parameter import performed
from thgeval_baselines.generators.portraits import portrait_of
from thgeval_baselines.generators.talking import lacking
from thgeval_baselines.rig.fitting import Fitted, fit, tracked
from thgeval_baselines.rig.portrayed import Portrayed

Curve = NDArray[np.float64]

SMOOTHED_FRAMES = 0.7


class ThreeD(Generator):
    """Moves the portrait by a driving video, by curves, or by speech."""

    id: ClassVar[str] = "ref-3d"
    paradigm: ClassVar[Paradigm] = Paradigm.THREE_D
    says: ClassVar[str] = "a 3D morphable model fitted to the portrait, projective texture, z-buffer"
    needs: ClassVar[frozenset[str]] = frozenset({"source_image"})
    version: ClassVar[int] = 2
    takes: ClassVar[frozenset[str]] = frozenset({"audio", "driving_video", "curves"})
    extra: ClassVar[str] = "faces"

    def problems(self) -> list[str]:
        """What isn't installed."""
        return lacking({"dlib": "faces"})

    def generate(self, inputs: Inputs, *, seed: int, fitted: Path | None) -> Generated:
        """One video; the seed moves eyes and head where only speech is given."""
        face = portrait_of(inputs)
        person = fit(face.landmarks, inputs.size)
        with ThreadPoolExecutor(1) as beside:
            portrayed = beside.submit(Portrayed.of, face.image, face.landmarks, person)
            actions, angles = _moved(person, inputs, seed)
            return performed(person, portrayed.result(), actions, angles, inputs)


def _moved(person: Fitted, inputs: Inputs, seed: int) -> tuple[Curve, Curve]:
    """Actions (frames, 52) and angles (frames, 3) by the first of driving video, curves and audio that is given."""
    if inputs.driving_video is not None:
        return _by_video(person, inputs)
    if inputs.curves is not None:
        driving = read_curves(inputs.curves, fps=inputs.fps, frames=inputs.frames)
        return np.where(driving.given, driving.actions, person.actions), driving.angles
    if inputs.audio is not None:
        return _by_speech(person, inputs, seed)
    raise InputError(
        f"{inputs.item} has nothing to move the portrait by: give a driving video, curves or audio",
        reason="missing",
    )


def _by_speech(person: Fitted, inputs: Inputs, seed: int) -> tuple[Curve, Curve]:
    acting = driving_speech(inputs, seed=seed)
    return np.where(of_speech(), acting.actions, person.actions), acting.angles


def _by_video(person: Fitted, inputs: Inputs) -> tuple[Curve, Curve]:
    """What a person does in a video, from how they begin in it: actions (frames, 52) and angles (frames, 3)."""
    marks = driving_landmarks(inputs)
    driver = fit(marks[0], inputs.size)
    held = [driver]
    for found in marks:
        held.append(tracked(driver, found, held[-1]))
    moved = person.actions + np.array([each.actions - held[1].actions for each in held[1:]])
    angles = np.array([(each.pose.yaw, each.pose.pitch, each.pose.roll) for each in held[1:]])
    smooth = (gaussian_filter1d(curve, SMOOTHED_FRAMES, axis=0, mode="nearest") for curve in (moved, angles))
    actions, turning = smooth
    return actions.clip(0, 1), turning
