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
POOLS: Mapping[str, type[ClipMean | PooledMean]] = {"frame": ClipMean, "all-frames": PooledMean, "clip": ClipError}
SCRIPTS: Mapping[str, Parameter] = {"arithmetic": "uint8-wrap", "identical": "cap100", "pool": "all-frames"}


@dataclass(frozen=True)
class PSNR(Regional[ClipMean | PooledMean]):
    """How far each frame is from its reference, as the power of the error against the power of white.

    Reads    RGB of both clips, or one plane of luma: (frames, height, width[, 3])
    Returns  mean over frames of 10 log10(peak^2 / MSE), then over clips: in dB, from 0; an exactly reproduced frame
             (a clip, where those are pooled) has no finite value, is left out and counted as identical; infinite if
             all are
    Source   engineering standard; as in scikit-image, peak_signal_noise_ratio, with data range 255
    Departs  nothing; the squared error is taken over all pixels and channels of a frame together. Preset uint8-wrap is
             the arithmetic of two scripts alone; atvgnet and talklip are what those scripts print, of frames that are
             cut and brought to size beforehand as they do
    """

    colour: str = parameter(
        "rgb",
        ("``rgb``, ``grey`` (OpenCV's grey) or ``y`` (BT.601 studio luma, 16..235, of MATLAB's rgb2ycbcr)"),
        of=COLOURS,
    )
    pool: str = parameter(
        "frame",
        "decibels of each ``frame``, averaged in clips and then over them, or of ``all-frames`` of "
        "all clips at once; ``clip``: one MSE over the clip, one logarithm",
        of=POOLS,
    )
    identical: str = parameter(
        "left-out",
        "``left-out``, or ``cap100``: an exactly reproduced frame counts as 100 dB",
        of=("left-out", "cap100"),
    )
    arithmetic: str = parameter(
        "exact",
        "``exact``, or ``uint8-wrap``: differences and squares modulo 256, as uint8 arrays overflow",
        of=("exact", "uint8-wrap"),
    )

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
        **MOUTH,
        **FACE,
    }

    def check_together(self) -> None:
        """Refuse what doesn't go together."""
        if self.arithmetic == "uint8-wrap" and self.colour not in WRAPPED:
            raise ProtocolError(f"arithmetic=uint8-wrap is defined on colour={' and colour='.join(WRAPPED)} alone")
        if self.pool == "clip" and self.identical == "cap100":
            raise ProtocolError("identical=cap100 is a rule for frames; it means nothing where pool=clip")

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
        pooled = POOLS[self.pool]
        if self.pool == "clip":
            return pooled.of(view.clip, mse, start=view.start)
        same = mse == 0
        db = decibels(mse)
        if self.identical == "cap100":
            return pooled.of(view.clip, np.where(same, 100.0, db), start=view.start)
        return pooled.of(view.clip, db, start=view.start, left_out={IDENTICAL: same})

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
