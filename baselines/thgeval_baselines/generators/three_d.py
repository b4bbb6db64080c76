"""``ref-3d``: a morphable model fitted to the portrait, moved in three dimensions, with the portrait as its texture.

The motion comes from a driving video, where there is one: the model is fitted to its first frame, then actions and pose
to every frame, and what changes is carried over. Else it comes from curves, or from the speech: the phones heard in it
move the mouth; blinks, gaze and sway are drawn from the seed.

Can't: hair and ears of its own (they are the portrait's, bent); profile views; wrinkles; teeth and tongue like the
person's.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from thgeval.clip import Clip
from thgeval.errors import InputError
from thgeval.media import decode
from thgeval_baselines.generator import Generated, Generator, Inputs, Paradigm
from thgeval_baselines.generators.curves import read_curves
from thgeval_baselines.generators.parameter import performed
from thgeval_baselines.generators.portraits import NO_FACE, fitting, landmarks_of, portrait_of
from thgeval_baselines.generators.talking import lacking
from thgeval_baselines.rig.acting import acted
from thgeval_baselines.rig.fitting import Fitted, fit, track
from thgeval_baselines.rig.model import rig
from thgeval_baselines.rig.portrayed import Portrayed
from thgeval_baselines.speech.hearing import heard_in
from thgeval_baselines.speech.lips import mouth

Curve = NDArray[np.float64]

SMOOTHED_FRAMES = 0.7
OF_SPEECH = ("jaw", "mouth", "tongue", "eyeBlink", "eyeLook")
"""Actions, by how their names begin, that speech sets; the portrait's own expression keeps the others."""
SWAY = 0.6
"""How much of the sway of a head in three dimensions a portrait takes part in."""


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
        return _by_video(person, inputs.driving_video, inputs)
    if inputs.curves is not None:
        driving = read_curves(inputs.curves, fps=inputs.fps, frames=inputs.frames)
        return np.where(driving.given, driving.actions, person.actions), driving.angles
    if inputs.audio is not None:
        return _by_speech(person, inputs.audio, inputs, seed)
    raise InputError(
        f"{inputs.item} has nothing to move the portrait by: give a driving video, curves or audio",
        reason="missing",
    )


def _by_speech(person: Fitted, audio: Path, inputs: Inputs, seed: int) -> tuple[Curve, Curve]:
    fps = float(inputs.fps)
    phones, frames = heard_in(audio, fps=inputs.fps, frames=inputs.frames)
    lips = mouth(phones, fps=fps, frames=frames)
    acting = acted(lips.actions, frames=frames, fps=fps, seed=seed, expressive=False)
    spoken = np.array([name.startswith(OF_SPEECH) for name in rig().action_names])
    return np.where(spoken, acting.actions, person.actions), SWAY * acting.angles


def _tracked(frames: Iterable[NDArray[np.uint8]], size: tuple[int, int]) -> list[Fitted]:
    """What the person does in each frame, as before where no face is found; nothing if there is none in any."""
    driver: Fitted | None = None
    tracked: list[Fitted] = []
    before = 0
    for found in landmarks_of(frames):
        if found is not None:
            driver = driver or fit(found, size)
            tracked.append(track(driver, found, tracked[-1] if tracked else driver))
        elif tracked:
            tracked.append(tracked[-1])
        else:
            before += 1
    return [driver] * before + tracked if driver else []


def _by_video(person: Fitted, path: Path, inputs: Inputs) -> tuple[Curve, Curve]:
    """What a person does in a video, from how they begin in it: actions (frames, 52) and angles (frames, 3)."""
    with decode(Clip(path.stem, path), chunk=32) as batches:
        shown = (fitting(np.asarray(frame, np.uint8), inputs.size) for batch in batches for frame in batch.new)
        held = _tracked(islice(shown, inputs.frames), inputs.size)
    if not held:
        raise InputError(f"{path}: no face is found in the driving video", reason=NO_FACE)
    held += [held[-1]] * ((inputs.frames or 0) - len(held))
    moved = person.actions + np.array([each.actions - held[0].actions for each in held])
    angles = np.array([(each.pose.yaw, each.pose.pitch, each.pose.roll) for each in held])
    smooth = (gaussian_filter1d(curve, SMOOTHED_FRAMES, axis=0, mode="nearest") for curve in (moved, angles))
    actions, turning = smooth
    return actions.clip(0, 1), turning
