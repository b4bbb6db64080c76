"""Average keypoint distance: how far the landmarks of two faces are apart, where they stand in the picture."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from thgeval.metric import Better, Preset
from thgeval.metrics.faces.landmark_distance import LandmarkDistance
from thgeval.metrics.faces.whom import Landmarked

DLIB = {"landmarks": "dlib"}


@dataclass(frozen=True)
class AKD(LandmarkDistance):
    """How far the landmarks of the generated face are from the reference's, pose and place in the picture included.

    Reads    68 landmarks of the same person in both clips, in px
    Returns  mean over 68 points of the absolute differences in x and in y, over all frames of all clips at once: from
             0, in px of the frames compared, 0 if identical; published values are of 256-px frames
    Source   Siarohin et al., Monkey-Net, CVPR 2019, and FOMM, NeurIPS 2019; AliaksandrSiarohin/pose-evaluation,
             cmp_kp.py at 1bc4cae, with the landmarks of Bulat, Tzimiropoulos, ICCV 2017, of the first face
    Departs  the papers call it an average distance, and the script averages over coordinates: Euclid (preset l2) gives
             1.57 times as much for errors alike in all directions. The script stops where the reference has no face
    """

    whom: Landmarked = Landmarked(who="first", landmarks="fan")
    pool: str = "frame"
    points: str = "face"
    centred: bool = False
    distance: str = "l1"

    name = "akd"
    version = 1
    range = (0.0, math.inf)
    better = Better.LOWER
    cites = ("siarohin2019monkeynet", "siarohin2019fomm", "bulat2017fan")
    embedded = "dlib"
    presets: ClassVar[Mapping[str, Preset]] = {
        "l2": Preset({"distance": "l2"}, "the distance that the papers describe"),
        "gagavatar": Preset(
            {"landmarks": "npz", "who": "largest", "missing": "zero"},
            "GAGAvatar's code (its issue 43), LAM: 0 for a frame without a face; on the 68 landmarks of insightface, "
            "which a file brings along",
        ),
        "dlib": Preset(DLIB, "on dlib's landmarks: nothing to fetch"),
        "dlib-l2": Preset(DLIB | {"distance": "l2"}, "on dlib's landmarks, the distance that the papers describe"),
    }
