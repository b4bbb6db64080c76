"""``ref-2d``: the portrait in two layers, face and wall, the face bent to landmarks that move in the picture's plane.

Landmarks move by a driving video, where there is one, else by curves of actions and angles, else by the speech that is
heard. A mesh of triangles carries the picture with them (``photo.bent``); lids are pulled over the eyes, and teeth and
a dark cavity stand behind the lips. The wall stays where it is.

Can't: turn the head truly (landmarks are moved as if it had turned; from about 15 degrees on it looks like paper); look
elsewhere; show what the portrait hides, such as teeth and the far cheek; wrinkles.
"""

from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import InputError
from thgeval_baselines.generator import Generated, Generator, Inputs, Paradigm
from thgeval_baselines.generators.curves import read_curves
from thgeval_baselines.generators.driving import driving_landmarks, driving_speech, of_speech
from thgeval_baselines.generators.ordered import in_order
from thgeval_baselines.generators.portraits import portrait_of
from thgeval_baselines.generators.talking import lacking
from thgeval_baselines.generators.tracks import LandmarkTrack, acting, followed
from thgeval_baselines.photo.bent import Bent, layers, mesh
from thgeval_baselines.photo.given import framed
from thgeval_baselines.photo.portrait import Portrait


class TwoD(Generator):
    """Bends the portrait by a driving video, by curves, or by speech."""

    id: ClassVar[str] = "ref-2d"
    paradigm: ClassVar[Paradigm] = Paradigm.TWO_D
    says: ClassVar[str] = "a piecewise warp driven by landmarks, face and wall in two layers, mouth filled in"
    needs: ClassVar[frozenset[str]] = frozenset({"source_image"})
    takes: ClassVar[frozenset[str]] = frozenset({"audio", "driving_video", "curves"})
    extra: ClassVar[str] = "faces"

    def problems(self) -> list[str]:
        """What isn't installed."""
        return lacking({"dlib": "faces"})

    def generate(self, inputs: Inputs, *, seed: int, fitted: Path | None) -> Generated:
        """One video; the seed moves eyes and head where only speech is given."""
        portrait = framed(portrait_of(inputs), inputs.size)
        track = _track(portrait, inputs, seed)
        bent = Bent.of(portrait)
        height, width = inputs.size

        def frame(number: int) -> NDArray[np.uint8]:
            left, right = track.blinks[number]
            shown = bent.frame(track.landmarks[number], (float(left), float(right)))
            return np.ascontiguousarray(shown[:height, :width])

        return Generated(
            in_order(frame, len(track)), fps=inputs.fps, evidence={"mesh.jpg": mesh(bent), "layers.jpg": layers(bent)}
        )


def _track(portrait: Portrait, inputs: Inputs, seed: int) -> LandmarkTrack:
    if inputs.driving_video is not None:
        return followed(portrait, driving_landmarks(inputs))
    if inputs.curves is not None:
        driving = read_curves(inputs.curves, fps=inputs.fps, frames=inputs.frames)
        return acting(portrait, driving.actions, driving.given, driving.angles)
    if inputs.audio is not None:
        spoken = driving_speech(inputs, seed=seed)
        return acting(portrait, spoken.actions, of_speech(), spoken.angles)
    raise InputError(
        f"{inputs.item} has nothing to move the portrait by: give a driving video, curves or audio", reason="missing"
    )
