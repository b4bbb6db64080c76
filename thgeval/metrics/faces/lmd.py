"""Landmark distance: how far the points of a generated face are from the reference's, in the same frame."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from thgeval.feature import Parameter
from thgeval.metric import Better, Preset
from thgeval.metrics.faces.landmark_distance import LandmarkDistance

EAT = Preset({"who": "first", "cut": "eat"}, "evaluation_eat: dlib's first face, cut upright in 128 px")
INTEROCULAR = Preset({"scale": "interocular"}, "the size-free twin, over the distance of the reference's eye corners")
ALIGNED = Preset({"band": 5, "softness": 0.1}, "brought in step first, each frame up to 5 early or late")
FROZEN = "a mouth that does not move scores well: read it beside mouth-amplitude and mouth-correlation"
AS_PLACED: Mapping[str, Parameter] = {"centred": False, "distance": "l1", "who": "first", "missing": "fail"}


@dataclass(frozen=True)
class LMD(LandmarkDistance):
    """How far the mouth of the generated face is, point by point, from the reference's, shape alone.

    Reads    68 landmarks of the same person in both clips, in px
    Returns  mean over the 20 points of the mouth, each taken about the mouth's own mean, of the Euclidean distance,
             then over frames, then clips: from 0, in px of the frames compared, 0 if identical; detectors alone make
             about half a px at 256 px
    Source   Chen et al., LMGG, ECCV 2018, with dlib's landmarks; the presets are scripts in circulation
    Departs  from the paper's description in nothing. No script resembles another: see the presets. ViCo's
             detector adds FAN's heat maps of the picture and of its mirror image before points are read off, which no
             preset here does; fae resizes by the ratio of widths, and frames are of one size here. evaluation_eat's
             detector sees grey of which red and blue are exchanged, which moves points of the mouth by about 0.4 px;
             here they are not. The shape that ATVGnet and evaluation_eat align faces to is not described: preset eat
             has a generic one, and ATVGnet's frames must be cropped beforehand. A mouth that never moves scores better
             than one that moves at the wrong time
    """

    name = "lmd"
    version = 1
    range = (0.0, math.inf)
    better = Better.LOWER
    cites = ("chen2018lmgg", "chen2019atvgnet")
    beside = (FROZEN,)
    presets: ClassVar[Mapping[str, Preset]] = {
        "atvgnet": Preset(
            {"landmarks": "dlib-detected-x2", "reduction": "sum", "who": "last", "pool": "frame"},
            "its authors' script: faces found at twice the size, the sum over 20 points, all clips' frames at once",
        ),
        "eat": EAT,
        "fae": Preset(
            {"points": "mouth-twice", **AS_PLACED},
            "facial-animation-evaluation: head shifts count, |dx| and |dy| averaged over 24 points, no frame may lack "
            "a face",
        ),
        "talkinggaussian": Preset(
            {"landmarks": "fan", "who": "last"}, "RAD-NeRF, ER-NeRF, TalkingGaussian: FAN's landmarks of the last face"
        ),
        "vico": Preset(
            {"landmarks": "fan", "pool": "frame", **AS_PLACED},
            "the ViCo challenge, TalkingHeadMetrics: head shifts count, |dx| and |dy| averaged over all frames at once",
        ),
        "aligned": ALIGNED,
        "interocular": INTEROCULAR,
    }


@dataclass(frozen=True)
class FLMD(LandmarkDistance):
    """How far all points of the generated face are from the reference's, shape alone.

    Reads    68 landmarks of the same person in both clips, in px
    Returns  mean over 68 points, each taken about the face's own mean, of the Euclidean distance, then over frames,
             then clips: from 0, in px of the frames compared, 0 if identical
    Source   Ma et al., StyleTalk, AAAI 2023; F-LD in Ji et al., CVPR 2021. The only public code is
             yuangan/evaluation_eat, test_lmd.py, and this is what it computes
    Departs  lengths must fit, or a protocol cuts them: the script samples the longer clip evenly instead. It scores
             faces aligned and cropped to 128 px, whose px these are not (preset eat aligns them to a generic shape)
    """

    points: str = "face"

    name = "f-lmd"
    version = 1
    range = (0.0, math.inf)
    better = Better.LOWER
    cites = ("ma2023styletalk", "ji2021evp", "gan2023eat")
    presets: ClassVar[Mapping[str, Preset]] = {"eat": EAT, "aligned": ALIGNED, "interocular": INTEROCULAR}


@dataclass(frozen=True)
class MLMD(LandmarkDistance):
    """How far the mouth of the generated face is from the reference's, as StyleTalk's line of work names it.

    Reads    68 landmarks of the same person in both clips, in px
    Returns  mean over the 20 points of the mouth, each taken about the mouth's own mean, of the Euclidean distance,
             then over frames, then clips: from 0, in px of the frames compared, 0 if identical
    Source   Ma et al., StyleTalk, AAAI 2023; M-LD in Ji et al., CVPR 2021. The only public code is
             yuangan/evaluation_eat, test_lmd.py, and this is what it computes
    Departs  as f-lmd. At its defaults the number is that of lmd; tables name them apart
    """

    name = "m-lmd"
    version = 1
    range = (0.0, math.inf)
    better = Better.LOWER
    beside = (FROZEN,)
    cites = ("ma2023styletalk", "ji2021evp", "gan2023eat")
    presets: ClassVar[Mapping[str, Preset]] = {"eat": EAT, "interocular": INTEROCULAR}
