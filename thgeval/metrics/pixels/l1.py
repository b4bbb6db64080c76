"""Mean absolute error of pixels, on its two scales."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from thgeval.feature import Feature
from thgeval.features.frames.differences import PixelErrors, rgb_errors, wrapped_rgb_errors
from thgeval.metric import Better, Needs, Preset, View, of_pair
from thgeval.metrics.pixels.regions import FACE, MOUTH, Regional
from thgeval.parameter import parameter
from thgeval.states import PooledMean

CHANNELS = 3


@dataclass(frozen=True)
class L1(Regional[PooledMean]):
    """How far pixels are from the reference's, on average, where white is 1.

    Reads    RGB of both clips: (frames, height, width, 3)
    Returns  mean absolute difference over pixels, channels and all frames of all clips: in [0, 1], no unit
    Source   Siarohin et al., First Order Motion Model, NeurIPS 2019: first-order-model, reconstruction.py
    Departs  decoded frames are compared, so the error of the codec is included where clips are files
    """

    name = "l1"
    version = 1
    range = (0.0, 1.0)
    better = Better.LOWER
    on_card = True
    cites = ("siarohin2019fomm",)
    presets: ClassVar[Mapping[str, Preset]] = {**MOUTH, **FACE}

    @property
    def needs(self) -> Needs:
        """The errors of every frame."""
        return self.placed(of_pair(self.within(rgb_errors())))

    def measure(self, view: View) -> PooledMean:
        """Mean absolute error of each frame."""
        errors = view.pair[self.within(rgb_errors())]
        per_frame = errors.absolute / (errors.count * errors.peak)
        return self.with_faces(view, PooledMean.of(view.clip, per_frame, start=view.start))


@dataclass(frozen=True)
class L1In255(Regional[PooledMean]):
    """How far pixels are from the reference's, on average, where white is 255.

    Reads    RGB of both clips: (frames, height, width, 3)
    Returns  mean absolute difference over pixels, channels and all frames of all clips: in [0, 255], no unit
    Source   as ``l1``, on the scale of the one-shot free-view and later tables
    Departs  nothing
    """

    arithmetic: str = parameter(
        "exact", "``exact``, or ``uint8-wrap``: differences of uint8 arrays modulo 256", of=("exact", "uint8-wrap")
    )
    over: str = parameter(
        "levels",
        "what the error of a frame is divided by besides: nothing, for ``levels``; its ``area`` in px, as DisCo has it",
        of=("levels", "area"),
        later=True,
    )

    name = "l1-255"
    version = 1
    range = (0.0, 255.0)
    better = Better.LOWER
    on_card = True
    cites = ("siarohin2019fomm", "wang2021osfv")
    presets: ClassVar[Mapping[str, Preset]] = {
        "uint8-wrap": Preset({"arithmetic": "uint8-wrap"}, "differences of uint8 arrays, which overflow"),
        "disco": Preset({"over": "area"}, "DisCo's script: divided once more by the frame's height and width"),
        **MOUTH,
        **FACE,
    }

    @property
    def errors(self) -> Feature[PixelErrors]:
        """The errors that fit the arithmetic."""
        return self.within(wrapped_rgb_errors() if self.arithmetic == "uint8-wrap" else rgb_errors())

    @property
    def needs(self) -> Needs:
        """The errors of every frame."""
        return self.placed(of_pair(self.errors))

    def measure(self, view: View) -> PooledMean:
        """Mean absolute error of each frame."""
        errors = view.pair[self.errors]
        per_frame = 255.0 * errors.absolute / (errors.count * errors.peak)
        if self.over == "area":
            per_frame = per_frame / (errors.count // CHANNELS)
        return self.with_faces(view, PooledMean.of(view.clip, per_frame, start=view.start))
