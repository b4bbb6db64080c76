"""Peak signal-to-noise ratio: mean squared error on a logarithmic scale, in decibels."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import ProtocolError
from thgeval.feature import Feature
from thgeval.features.differences import PixelErrors, luma_errors, rgb_errors, wrapped_rgb_errors
from thgeval.metric import Better, Needs, Preset, View, of_pair
from thgeval.metrics.regions import FACE, MOUTH, Regional
from thgeval.states import ClipMean, mean

IDENTICAL = "identical"
COLOURS: Mapping[str, Callable[[], Feature[PixelErrors]]] = {
    "rgb": rgb_errors,
    "grey": lambda: luma_errors(rule="cv2-grey"),
    "y": lambda: luma_errors(rule="studio-y"),
}


@dataclass(frozen=True)
class PSNR(Regional[ClipMean]):
    """How far each frame is from its reference, as the power of the error against the power of white.

    Reads    RGB of both clips, or one plane of luma: (frames, height, width[, 3])
    Returns  mean over frames of 10 log10(peak^2 / MSE), then over clips: in dB, no upper bound; an exactly reproduced
             frame has no finite value, is left out and counted as identical; infinite if all frames are
    Source   engineering standard; as in scikit-image, peak_signal_noise_ratio, with data range 255
    Departs  nothing; the squared error is taken over all pixels and channels of a frame together

    ``region``      what is compared: the whole ``frame``, the ``mouth`` or the ``face`` (see thgeval.features.regions)
    ``colour``      ``rgb``, ``grey`` (OpenCV's grey) or ``y`` (BT.601 studio luma, 16..235, of MATLAB's rgb2ycbcr)
    ``pool``        ``frame``: decibels of each frame; ``clip``: one MSE over the clip, one logarithm
    ``identical``   ``left-out``, or ``cap100``: an exactly reproduced frame counts as 100 dB
    ``arithmetic``  ``exact``, or ``uint8-wrap``: differences and squares modulo 256, as uint8 arrays overflow
    """

    colour: str = "rgb"
    pool: str = "frame"
    identical: str = "left-out"
    arithmetic: str = "exact"

    name = "psnr"
    version = 1
    unit = "dB"
    range = (-math.inf, math.inf)
    better = Better.HIGHER
    cites = ("huynhthu2008psnr",)
    presets: ClassVar[Mapping[str, Preset]] = {
        "grey": Preset({"colour": "grey"}, "one grey plane, which hides errors of colour"),
        "y": Preset({"colour": "y"}, "studio luma alone, as in super-resolution papers"),
        "pooled": Preset(
            {"pool": "clip"}, "one MSE and one logarithm per clip: never higher than the mean of decibels"
        ),
        "cap100": Preset({"identical": "cap100"}, "100 dB for identical frames, as ATVGnet, DisCo and others print"),
        "uint8-wrap": Preset(
            {"arithmetic": "uint8-wrap"}, "squares of uint8 differences modulo 256, as ATVGnet and TalkLip compute them"
        ),
        **MOUTH,
        **FACE,
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check(
            colour=COLOURS,
            pool=("frame", "clip"),
            identical=("left-out", "cap100"),
            arithmetic=("exact", "uint8-wrap"),
        )
        if self.arithmetic == "uint8-wrap" and self.colour != "rgb":
            raise ProtocolError("psnr: uint8-wrap is defined on rgb frames alone")
        if self.pool == "clip" and self.identical == "cap100":
            raise ProtocolError("psnr: cap100 is a rule for frames; it means nothing pooled over a clip")

    @property
    def needs(self) -> Needs:
        """The errors that fit colour and arithmetic."""
        return self.placed(of_pair(self._errors))

    @property
    def _errors(self) -> Feature[PixelErrors]:
        errors = wrapped_rgb_errors() if self.arithmetic == "uint8-wrap" else COLOURS[self.colour]()
        return self.within(errors)

    def measure(self, view: View) -> ClipMean:
        """Decibels of each frame, or its MSE where the clip is pooled."""
        errors = view.pair[self._errors]
        return self.with_faces(view, self._state(view, errors.squared / (errors.count * errors.peak**2)))

    def _state(self, view: View, mse: NDArray[np.float64]) -> ClipMean:
        if self.pool == "clip":
            return ClipMean.of(view.clip, mse, start=view.start)
        same = mse == 0
        db = decibels(mse)
        if self.identical == "cap100":
            return ClipMean.of(view.clip, np.where(same, 100.0, db), start=view.start)
        return ClipMean.of(view.clip, db, start=view.start, left_out={IDENTICAL: same})

    def score(self, state: ClipMean) -> float:
        """Mean over clips; infinite if every frame of every clip is identical."""
        if self.pool == "clip":
            finite = decibels(state.means[state.means > 0])
            return mean(finite) if finite.size else (math.inf if state.frames else math.nan)
        if not state.frames and state.left_out[IDENTICAL]:
            return math.inf
        return state.value


def decibels(mse: NDArray[np.float64]) -> NDArray[np.float64]:
    """10 log10(1 / MSE) for a peak of 1; infinite for zero."""
    with np.errstate(divide="ignore"):
        return np.asarray(-10.0 * np.log10(mse))
