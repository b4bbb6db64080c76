"""Fréchet video distance: how different two sets of clips look and move, to a network that knows actions."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from thgeval.feature import Feature
from thgeval.features.frames.i3d import I3D_BLACKS, I3D_PORTS, SMALLEST_FRAMES, i3d
from thgeval.features.frames.windows import SQUARES, WHICH
from thgeval.metric import Better, Preset
from thgeval.metrics.sets.sets import Frechet, SetMetric
from thgeval.parameter import parameter


@dataclass(frozen=True)
class FVD(SetMetric):
    """How different the clips of two sets look and move, to a network trained to tell actions apart.

    Reads    RGB of both clips, brought to 224 x 224, bilinear, aspect not kept; the first 16 frames of each clip
             through I3D: 400 action scores before the softmax. A clip that is shorter fails, as too short
    Returns  squared Fréchet distance of two Gaussians fitted to the scores of all windows: from 0, no unit, 0 for equal
             means and covariances. It depends on the length of windows (8-fold between 10 and 30 frames) and on their
             number; below 256 clips it is a rank at best, and the result says so
    Source   Unterthiner et al., arXiv 1812.01717, as in Skorokhodov, Tulyakov, Elhoseiny (StyleGAN-V), CVPR 2022
    Departs  from StyleGAN-V, whose real windows begin at a random frame and whose sides are 2048 clips each: here both
             begin at the same frame, and every clip counts once. latentsync leaves out the script's face crop, so give
             it cropped clips. DisCo's fid-vid, by a 3D ResNet-50, is another quantity, and a metric of its own
    """

    length: int = parameter(16, "frames in a window, 9 or more", least=SMALLEST_FRAMES)
    stride: int = parameter(1, "every how many frames of the clip one is taken", least=1)
    start: int = parameter(0, "the frame that the first window begins with", least=0)
    windows: str = parameter("first", "``first``, ``all`` that don't overlap, or the ``whole`` clip as one", of=WHICH)
    square: str = parameter(
        "stretch", "how frames become square: ``stretch``, ``centre-crop``, ``area`` or ``bicubic-pil``", of=SQUARES
    )
    black: str = parameter(
        "minus-one",
        ("what black enters as: ``minus-one``, ``zero``, or ``minus-half`` (white as 0.5 then, else as 1)"),
        of=I3D_BLACKS,
    )
    port: str = parameter("stylegan-v", "of the network: ``stylegan-v``, ``videogpt`` or ``disco``", of=I3D_PORTS)
    ddof: int = parameter(0, "covariances are divided by windows - ``ddof``: 0 or 1", of=(0, 1))

    name = "fvd"
    version = 1
    range = (0.0, math.inf)
    better = Better.LOWER
    cites = ("unterthiner2018fvd", "skorokhodov2022styleganv")
    row = "windows"
    enough = 256
    presets: ClassVar[Mapping[str, Preset]] = {
        "videogpt": Preset(
            {"square": "centre-crop", "port": "videogpt", "ddof": 1},
            "VideoGPT's script since 9 June 2021, also method videogpt of common_metrics_on_video_quality: own port, "
            "the shorter side to 224 and the centre, covariances over clips - 1",
        ),
        "latentsync": Preset(
            {"start": 20, "square": "area", "black": "zero", "ddof": 1},
            "LatentSync's script without its face crop: frames 20 to 35, [0, 1] instead of [-1, 1]",
        ),
        "common-metrics": Preset(
            {"windows": "whole", "square": "centre-crop", "ddof": 1},
            "common_metrics_on_video_quality's script, method styleganv: all frames of a clip as one window, of clips "
            "of one length; covariances over clips - 1",
        ),
        "disco": Preset(
            {"windows": "whole", "square": "bicubic-pil", "port": "disco", "ddof": 1},
            "DisCo's script, also Hallo2's and StableAvatar's: all frames of a file as one window, Pillow's bicubic, "
            "videogpt's file in a module of its own",
        ),
        "all-windows": Preset({"windows": "all"}, "every window of a clip that doesn't overlap another"),
    }

    @property
    def rows(self) -> Feature[NDArray[np.float32]]:
        """400 action scores per window."""
        return i3d(
            port=self.port,
            length=self.length,
            stride=self.stride,
            start=self.start,
            which=self.windows,
            square=self.square,
            black=self.black,
        )

    @property
    def comparison(self) -> Frechet:
        """Fréchet distance of the windows."""
        return Frechet(self.ddof)
