"""``ref-image``: the portrait moved by a driving video: keypoints, local affine motions, occlusion mask, filling in.

Landmarks are the keypoints; what they do in the driving video from its first frame on is done by the portrait's
(relative transfer), made as large as the portrait's face. So the video's first frame should look as the portrait does:
a mouth that is open in it is taken for the portrait's. How motion, mask and filling work: ``photo.transferred``.

Can't: turn the head truly (from about 15 degrees on it looks like paper); show what the portrait hides; keep a driver's
asymmetries and proportions out of what moves; follow gaze.
"""

from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from thgeval_baselines.generator import Generated, Generator, Inputs, Paradigm
from thgeval_baselines.generators.driving import driving_landmarks
from thgeval_baselines.generators.ordered import in_order
from thgeval_baselines.generators.portraits import portrait_of
from thgeval_baselines.generators.talking import lacking
from thgeval_baselines.generators.tracks import LandmarkTrack, followed
from thgeval_baselines.photo.given import framed
from thgeval_baselines.photo.transferred import Transferred, TransferredFrame, explained_frame


class Image(Generator):
    """Takes a driving video's motion over to the portrait."""

    id: ClassVar[str] = "ref-image"
    paradigm: ClassVar[Paradigm] = Paradigm.IMAGE
    says: ClassVar[str] = "keypoints and local affine motions of a driving video, occlusion mask from folds, filling in"
    needs: ClassVar[frozenset[str]] = frozenset({"source_image", "driving_video"})
    takes: ClassVar[frozenset[str]] = frozenset({"audio"})
    extra: ClassVar[str] = "faces"

    def problems(self) -> list[str]:
        """What isn't installed."""
        return lacking({"dlib": "faces"})

    def generate(self, inputs: Inputs, *, seed: int, fitted: Path | None) -> Generated:
        """One video; nothing is random."""
        portrait = framed(portrait_of(inputs), inputs.size)
        track = followed(portrait, driving_landmarks(inputs))
        moved = Transferred.of(portrait)
        height, width = inputs.size

        def shot(number: int) -> TransferredFrame:
            left, right = track.blinks[number]
            return moved.shot(track.landmarks[number], (float(left), float(right)))

        def frame(number: int) -> NDArray[np.uint8]:
            return np.ascontiguousarray(shot(number).image[:height, :width])

        widest = _widest(track)
        evidence = {"motion.jpg": explained_frame(moved, shot(widest), track.landmarks[widest])}
        return Generated(in_order(frame, len(track)), fps=inputs.fps, evidence=evidence)


def _widest(track: LandmarkTrack) -> int:
    """The frame in which landmarks are furthest from where they began."""
    return int(np.argmax(np.linalg.norm(track.landmarks - track.landmarks[0], axis=-1).sum(axis=-1)))
