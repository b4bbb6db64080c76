"""Takes of a synthetic head, and their files: H.264 + AAC video, and the truth beside it as NPZ.

Every video carries ``LABEL`` in its metadata, and ``NOTICE`` goes beside the files: they are synthetic test material,
made from a photograph of a real person whose face was changed on purpose, and a machine's voice speaks.

Truth (``np.load``): ``aperture`` ... ``ty`` (frames,), see ``geometry.Parameters``; ``landmarks`` (frames, 68, 2) in
pixels; ``blinks_s`` (blinks, 2), begin and end in seconds; ``fps``; ``eye_distance_px``; ``audio_offset_s``, always 0;
``label``. They describe the frames before encoding.
"""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval.media.encode import FAST, write_video
from thgeval_baselines.photo.geometry import PARAMETERS
from thgeval_baselines.photo.head import Head, render
from thgeval_baselines.photo.portrait import Points, portrait
from thgeval_baselines.sets.track import Track, track
from thgeval_baselines.speech.spoken import RATE_HZ

LABEL = "synthetic test material (thgeval): a rendered face with a machine's voice, not a recording of anybody"

NOTICE = """Synthetic test material
=======================

The videos in this folder were rendered by thgeval to test metrics for talking heads. They are not recordings: the
face is a public-domain photograph (NASA's portrait of Eileen Collins, as shipped with scikit-image) whose proportions
and colours were changed on purpose, moved by parameters drawn from a seed. The voice is espeak-ng's, and
the sentences are made up. Nobody says, does or endorses anything in them. Please keep this notice with the files.
"""


@dataclass(frozen=True, eq=False)
class Take:
    """One performance before encoding: ``head`` moves as ``track`` says.

    ``frames`` (frames, size, size, 3) RGB and ``landmarks`` (frames, 68, 2) px show it; ``sound`` is (samples,) at 16
    kHz.
    """

    head: Head
    track: Track
    frames: NDArray[np.uint8]
    landmarks: Points
    sound: NDArray[np.float32]

    @classmethod
    def of(cls, head: Head, track: Track) -> "Take":
        """The head rendered as the track says, with the track's own speech."""
        frames, landmarks = render(head, track.frames())
        return cls(head, track, frames, landmarks, track.speech.samples)


def take(head: Head, *, seed: int, seconds: float = 4.0, fps: int = 25, first: int | None = None) -> Take:
    """A take of ``head`` with motion drawn from a seed, and speech that begins with sentence ``first``, or any."""
    return Take.of(head, track(seed=seed, seconds=seconds, fps=fps, first=first))


def head(*, seed: int, size: int = 256) -> Head:
    """The head of the pseudo-identity with this seed."""
    return Head.of(portrait(seed=seed, size=size))


def write_take(path: Path, take: Take, *, crf: int) -> None:
    """Encode a take as H.264 + AAC with ``LABEL`` as its comment.

    ``crf`` is x264's quality: 12 is hard to tell from the frames, 42 is ruined.
    """
    write_video(
        path,
        take.frames,
        fps=Fraction(take.track.fps),
        crf=crf,
        audio=take.sound,
        rate_hz=RATE_HZ,
        options=FAST,
        comment=LABEL,
    )


def write_truth(path: Path, take: Take) -> None:
    """Write everything that is known about a take; the module's docstring lists it."""
    known: dict[str, Any] = {name: take.track[name] for name in PARAMETERS} | {
        "landmarks": take.landmarks,
        "blinks_s": take.track.blinks_s,
        "fps": np.array(take.track.fps),
        "eye_distance_px": np.array(take.head.portrait.eye_distance_px),
        "audio_offset_s": np.array(0.0),
        "label": np.array(LABEL),
    }
    np.savez_compressed(path, **known)


def write_notice(folder: Path) -> None:
    """Put ``README.txt`` beside the files, saying what they are."""
    (folder / "README.txt").write_text(NOTICE, encoding="utf-8")
