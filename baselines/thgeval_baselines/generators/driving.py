"""What moves a portrait: the landmarks of a driving video's face, or actions and angles that speech gives.

A driving video may have another size and another frame rate: its middle is brought to the item's size, and its frames
to the item's rate by repeating and leaving out. Where the face is lost, it stays as it was seen last.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import InputError
from thgeval_baselines.generator import Inputs
from thgeval_baselines.generators.following import landmarks_of, video_frames
from thgeval_baselines.photo.given import NO_FACE
from thgeval_baselines.rig.acting import Acting, acted
from thgeval_baselines.rig.model import rig
from thgeval_baselines.speech.hearing import heard_in
from thgeval_baselines.speech.lips import mouth

OF_SPEECH = ("jaw", "mouth", "tongue", "eyeBlink", "eyeLook")
"""How their names begin."""
SWAY = 0.6
"""How much of the sway of a head in three dimensions a portrait takes part in."""
LONGEST = 15000
"""Frames of a driving video that are looked at where the item doesn't say how many: ten minutes at 25 a second."""


def driving_landmarks(inputs: Inputs) -> NDArray[np.float64]:
    """The landmarks (frames, 68, 2) px of the largest face in the item's driving video, in a picture of its size.

    ``inputs.frames`` of them: a shorter video's last frame is held. Without that number there are as many as the
    video has.

    Raises ``InputError`` for a video without a face, one that can't be read, or one of more than ``LONGEST`` frames
    where the item doesn't say how many are wanted.
    """
    path = inputs.driving_video
    if path is None:
        raise InputError(f"{inputs.item} has no driving video, whose motion is to be taken over", reason="missing")
    most = LONGEST + 1 if inputs.frames is None else inputs.frames
    marks = list(landmarks_of(video_frames(path, inputs.size, inputs.fps, count=most)))
    if inputs.frames is None and len(marks) > LONGEST:
        raise InputError(
            f"{path.name} is longer than {LONGEST} frames: cut it, or say how many frames the item has",
            reason="too long",
        )
    held = next((each for each in marks if each is not None), None)
    if held is None:
        raise InputError(
            f"no face is found in the driving video {path.name}, give one of a face that looks to the camera and is 80 "
            "px wide or more",
            reason=NO_FACE,
        )
    track = []
    for each in marks:
        held = held if each is None else each
        track.append(held)
    track += [held] * ((inputs.frames or 0) - len(track))
    return np.array(track)


def driving_speech(inputs: Inputs, *, seed: int) -> Acting:
    """Actions and angles of a head that says what is heard in the item's audio; eyes and head move by the seed.

    What isn't ``of_speech`` is left at rest. Raises ``InputError`` for an item without audio or with too
    much of it.
    """
    if inputs.audio is None:
        raise InputError(f"{inputs.item} has no audio, which is to be spoken", reason="missing")
    fps = float(inputs.fps)
    phones, frames = heard_in(inputs.audio, fps=inputs.fps, frames=inputs.frames)
    lips = mouth(phones, fps=fps, frames=frames)
    acting = acted(lips.actions, frames=frames, fps=fps, seed=seed, expressive=False)
    return replace(acting, angles=SWAY * acting.angles)


def of_speech() -> NDArray[np.bool_]:
    """Which of the 52 actions speech sets, blinks and gaze among them; a portrait keeps the others as it has them."""
    return np.array([name.startswith(OF_SPEECH) for name in rig().action_names])
