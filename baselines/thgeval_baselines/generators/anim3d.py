"""``ref-anim3d``: a rigged head of nobody speaks; the face is computer graphics, not a likeness of the source image.

Phones (of the text, which is spoken, or heard in the audio) become curves of the rig's actions by dominance functions;
blinks, gaze, brows and sway are drawn from the seed. A file of curves drives the rig as it says instead. Beside the
video come the head as glTF with morph targets and the whole animation, and the curves as a table.

Can't: look like the person in the source image; hair; wrinkles, cloth, tears.
"""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import InputError
from thgeval.media.audio import speech
from thgeval_baselines.generator import Generated, Generator, Inputs, Paradigm
from thgeval_baselines.generators.curves import read_curves
from thgeval_baselines.generators.ordered import in_order
from thgeval_baselines.generators.text import listed
from thgeval_baselines.rig.acting import Acting, acted
from thgeval_baselines.rig.camera import Camera
from thgeval_baselines.rig.gltf import glb
from thgeval_baselines.rig.light import Light
from thgeval_baselines.rig.model import rig
from thgeval_baselines.rig.people import Person
from thgeval_baselines.speech.hearing import heard
from thgeval_baselines.speech.lips import mouth
from thgeval_baselines.speech.tts import Said, spoken_text
from thgeval_baselines.speech.visemes import Phone

RATE_HZ = 16000
REST_S = 0.3
PEOPLE = 10_000


class Anim3D(Generator):
    """Animates a head from the rig, which person by the seed."""

    id: ClassVar[str] = "ref-anim3d"
    paradigm: ClassVar[Paradigm] = Paradigm.ANIM3D
    says: ClassVar[str] = "a rigged head of nobody, viseme curves, blinks and gaze; writes glTF with morph targets"
    takes: ClassVar[frozenset[str]] = frozenset({"audio", "text", "curves"})
    extra: ClassVar[str] = "speech"
    weights: ClassVar[tuple[str, ...]] = ("rig/head_rig.npz",)

    def generate(self, inputs: Inputs, *, seed: int, fitted: Path | None) -> Generated:
        """One video; curves go before audio, audio before text."""
        person, light = Person.of(seed % PEOPLE), Light.of(seed % PEOPLE)
        said: Said | None = None
        if inputs.curves is not None:
            driving = read_curves(inputs.curves, fps=inputs.fps, frames=inputs.frames)
            acting = Acting(driving.actions, driving.angles, np.zeros((0, 2)))
        elif inputs.audio is not None:
            samples = speech(inputs.audio, rate_hz=RATE_HZ).samples
            acting = _speaking(heard(samples), len(samples) / RATE_HZ, inputs, seed)
        elif inputs.text is not None:
            said = spoken_text(inputs.text, language=inputs.language)
            acting = _speaking(said.phones, said.seconds + REST_S, inputs, seed)
        else:
            raise InputError(f"{inputs.item} has nothing to be said: give audio, text or curves", reason="missing")
        camera = Camera(size=inputs.size)
        frames = in_order(
            lambda number: person.shot(acting.face(person.neutral, number), camera, light=light).image, len(acting)
        )
        return Generated(
            frames,
            fps=inputs.fps,
            sound=None if said is None else _lasting(said.samples, len(acting) / float(inputs.fps)),
            evidence={
                "head.glb": glb(person, acting, fps=float(inputs.fps)),
                "curves.csv": curves_csv(acting, fps=float(inputs.fps)),
            }
            | ({} if said is None else {"phones.csv": listed(said.phones)}),
        )


def curves_csv(acting: Acting, *, fps: float) -> bytes:
    """A table of every frame: its number, its time in seconds, 52 actions under their ARKit names, and the angles."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["frame", "time_s", *rig().action_names, "yaw", "pitch", "roll"])
    for number, (actions, angles) in enumerate(zip(acting.actions, acting.angles, strict=True)):
        values = [f"{value:.5g}" for value in (*actions, *angles)]
        table.writerow([number, f"{number / fps:.5f}", *values])
    return text.getvalue().encode()


def _speaking(phones: Sequence[Phone], seconds: float, inputs: Inputs, seed: int) -> Acting:
    fps = float(inputs.fps)
    frames = inputs.frames or max(1, round(seconds * fps))
    return acted(mouth(phones, fps=fps, frames=frames).actions, frames=frames, fps=fps, seed=seed)


def _lasting(samples: NDArray[np.float32], seconds: float) -> NDArray[np.float32]:
    whole = np.zeros(round(seconds * RATE_HZ), np.float32)
    whole[: len(samples)] = samples[: len(whole)]
    return whole
