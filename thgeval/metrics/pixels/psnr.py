"""Peak signal-to-noise ratio: mean squared error on a logarithmic scale, in decibels."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import ProtocolError
from thgeval.feature import Feature, Parameter
from thgeval.features.frames.differences import (
    PixelErrors,
    luma_errors,
    rgb_errors,
    wrapped_luma_errors,
    wrapped_rgb_errors,
)
from thgeval.metric import Better, Needs, Preset, View, of_pair
from thgeval.metrics.averages import AVERAGES, averaging
from thgeval.metrics.pixels.regions import FACE, MOUTH, Regional
from thgeval.parameter import parameter
from thgeval.states import IDENTICAL, ClipError, ClipMean, PooledMean, mean

COLOURS: Mapping[str, Callable[[], Feature[PixelErrors]]] = {
    "rgb": rgb_errors,
    "grey": lambda: luma_errors(rule="cv2-grey"),
    "y": lambda: luma_errors(rule="studio-y"),
}
WRAPPED: Mapping[str, Callable[[], Feature[PixelErrors]]] = {
    "rgb": wrapped_rgb_errors,
    "grey": lambda: wrapped_luma_errors(rule="cv2-grey"),
}
POOLS = ("frame", "clip")
SAME: Mapping[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "left-out": lambda mse: decibels(mse),
    "cap100": lambda mse: np.where(mse == 0, 100.0, decibels(mse)),
    "plus-1e-8": lambda mse: decibels(mse + 1e-8),
}
"""Decibels of the errors of frames, by what becomes of copies."""
SCRIPTS: Mapping[str, Parameter] = {"arithmetic": "uint8-wrap", "identical": "cap100", "average": "frames"}


@dataclass(frozen=True)
class PSNR(Regional[ClipMean | PooledMean]):
    """How far each frame is from its reference, as the power of the error against the power of white.

    Reads    RGB of both clips, or one plane of luma: (frames, height, width[, 3])
    Returns  mean over frames of 10 log10(peak^2 / MSE), then over clips: in dB, from 0; an exactly reproduced frame
             (a clip, where those are pooled) has no finite value, is left out and counted as identical; infinite if
             all are
    Source   engineering standard; as in scikit-image, peak_signal_noise_ratio, with data range 255
    Departs  nothing; the squared error is taken over all pixels and channels of a frame together. Preset uint8-wrap is
             the arithmetic of two scripts alone; atvgnet, talklip and eat are what those scripts print, of frames that
             are cut and brought to size beforehand as they do; the mean of EAT's is infinite where a frame is a copy
    """

    colour: str = parameter(
        "rgb",
        ("``rgb``, ``grey`` (OpenCV's grey) or ``y`` (BT.601 studio luma, 16..235, of MATLAB's rgb2ycbcr)"),
        of=COLOURS,
    )
    pool: str = parameter(
        "frame",
        "what one logarithm is taken of: the error of each ``frame``, or one MSE over each ``clip``; over what "
        "decibels are then averaged is ``average``",
        of=POOLS,
    )
    identical: str = parameter(
        "left-out",
        "``left-out``, or ``cap100``: an exactly reproduced frame counts as 100 dB; ``plus-1e-8``: so much is added to "
        "every MSE, where white is 1, and such a frame counts as 80 dB",
        of=SAME,
    )
    arithmetic: str = parameter(
        "exact",
        "``exact``, or ``uint8-wrap``: differences and squares modulo 256, as uint8 arrays overflow",
        of=("exact", "uint8-wrap"),
    )
    average: str = averaging()

    name = "psnr"
    version = 1
    unit = "dB"
    range = (0.0, math.inf)
    better = Better.HIGHER
    on_card = True
    cites = ("huynhthu2008psnr",)
    presets: ClassVar[Mapping[str, Preset]] = {
        "grey": Preset({"colour": "grey"}, "one grey plane, which hides errors of colour"),
        "y": Preset({"colour": "y"}, "studio luma alone, as in super-resolution papers"),
        "pooled": Preset(
            {"pool": "clip"}, "one MSE and one logarithm per clip: never higher than the mean of decibels"
        ),
        "cap100": Preset({"identical": "cap100"}, "100 dB for identical frames, as ATVGnet, DisCo and others print"),
        "uint8-wrap": Preset(
            {"arithmetic": "uint8-wrap"},
            "squares of uint8 differences modulo 256: the arithmetic of ATVGnet and TalkLip, not their averages",
        ),
        "atvgnet": Preset(
            {"colour": "grey", **SCRIPTS},
            "ATVGnet's script: grey, modulo 256, 100 dB for copies, all frames at once; it resizes to 256 px first",
        ),
        "talklip": Preset(
            SCRIPTS,
            "TalkLip's script: modulo 256, 100 dB for copies, all frames at once; it cuts faces to 96 px first",
        ),
        "vico": Preset(
            {"identical": "plus-1e-8", "average": "frames"},
            "the ViCo challenge's script, TalkingHeadMetrics: piq's, 80 dB for copies, all frames at once",
        ),
        "disco": Preset(
            {"identical": "cap100", "average": "frames"}, "DisCo's script: 100 dB for copies, all frames at once"
        ),
        "eat": Preset({"average": "frames"}, "evaluation_eat's script: scikit-image's, all frames at once"),
        **MOUTH,
        **FACE,
    }

    def check_together(self) -> None:
        """Refuse what doesn't go together."""
        if self.arithmetic == "uint8-wrap" and self.colour not in WRAPPED:
            raise ProtocolError(f"arithmetic=uint8-wrap is defined on colour={' and colour='.join(WRAPPED)} alone")
        if self.pool == "clip":
            of_frames = {"identical": self.identical, "average": self.average}
            for name, value in of_frames.items():
                if value != self.parameters()[name]:
                    raise ProtocolError(f"{name}={value} is a rule for frames; it means nothing where pool=clip")

    @property
    def needs(self) -> Needs:
        """The errors that fit colour and arithmetic."""
        return self.placed(of_pair(self._errors))

    @property
    def _errors(self) -> Feature[PixelErrors]:
        return self.within((WRAPPED if self.arithmetic == "uint8-wrap" else COLOURS)[self.colour]())

    def measure(self, view: View) -> ClipMean | PooledMean:
        """Decibels of each frame, or its MSE where the clip is pooled."""
        errors = view.pair[self._errors]
        return self.with_faces(view, self._state(view, errors.squared / (errors.count * errors.peak**2)))

    def _state(self, view: View, mse: NDArray[np.float64]) -> ClipMean | PooledMean:
        if self.pool == "clip":
            return ClipError.of(view.clip, mse, start=view.start)
        db = SAME[self.identical](mse)
        return AVERAGES[self.average].of(view.clip, db, start=view.start, left_out={IDENTICAL: np.isinf(db)})

    def score(self, state: ClipMean | PooledMean) -> float:
        """Mean over clips, or over all frames; infinite if every frame of every clip is identical."""
        if not state.frames and state.left_out[IDENTICAL]:
            return math.inf
        return mean(decibels(state.means)) if isinstance(state, ClipError) else state.value

    def per_frame(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Decibels, of which a state keeps the MSE where the clip is pooled."""
        return decibels(values) if self.pool == "clip" else values

    def remark(self, state: ClipMean | PooledMean) -> str | None:
        """How much was reproduced exactly, which no mean of decibels shows."""
        same = state.left_out[IDENTICAL]
        return f"{same} frames are exact copies, which have no decibels, and are left out" if same else None


def decibels(mse: NDArray[np.float64]) -> NDArray[np.float64]:
    """10 log10(1 / MSE) for a peak of 1; infinite for zero."""
    with np.errstate(divide="ignore"):
        return np.asarray(-10.0 * np.log10(mse))
