"""Frame-to-frame mean squared error: how much a video changes from one frame to the next."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import InputError
from thgeval.features.frames.frames import Neighbours, neighbours
from thgeval.kernels import difference
from thgeval.kernels.places import in_memory
from thgeval.metric import Better, Metric, Needs, Preset, View, of_generated
from thgeval.parameter import parameter
from thgeval.states import ClipMean


@dataclass(frozen=True)
class FMSE(Metric[ClipMean]):
    """How much consecutive frames of the generated clip differ, pixel by pixel: motion, flicker and noise together.

    Reads    RGB of the generated clip: (frames, height, width, 3), at its native size; the reference is only measured
             in the same way, to compare with
    Returns  mean over pixels and channels of the squared difference of consecutive frames where white is 255, then over
             pairs of frames, then clips: in [0, 65025], no unit; a still video has 0, and the noise of a codec adds
             about 1; better the closer to the reference's own value
    Source   Stypułkowski et al., Diffused Heads, WACV 2024
    Departs  from the authors' script, smoothness_eval.py, in size and arithmetic (preset diffused-heads is the script)
    """

    side_px: int = parameter(
        0, "side of the square that frames are resized to first, bilinear; 0 for the native size", least=0, most=8192
    )
    arithmetic: str = parameter(
        "exact",
        "``exact``, or ``uint8-wrap``: differences and squares modulo 256, as uint8 arrays overflow",
        of=("exact", "uint8-wrap"),
    )

    name = "f-mse"
    version = 1
    better = Better.CLOSER_TO_REFERENCE
    on_card = True
    cites = ("stypulkowski2024diffusedheads",)
    presets: ClassVar[Mapping[str, Preset]] = {
        "diffused-heads": Preset(
            {"side_px": 128, "arithmetic": "uint8-wrap"},
            "the authors' script: 128 x 128 px, differences and squares modulo 256; it reads BGR, which a mean over "
            "channels does not see",
        )
    }

    @property
    def range(self) -> tuple[float, float]:
        """Up to white against black, or what a byte holds."""
        return 0.0, 255.0**2 if self.arithmetic == "exact" else 255.0

    @property
    def needs(self) -> Needs:
        """Each frame of the generated clip beside the one before it."""
        return of_generated(neighbours(side_px=self.side_px))

    def measure(self, view: View) -> ClipMean:
        """One mean squared difference per pair of consecutive frames."""
        beside = view.generated[neighbours(side_px=self.side_px)]
        squared = exact(beside) if self.arithmetic == "exact" else wrapped(beside, view.clip)
        return ClipMean.of(view.clip, squared / np.prod(beside.current.shape[1:]), start=view.start)


def exact(beside: Neighbours) -> NDArray[np.float64]:
    """Sum of squared differences of each pair of frames, where white is 255."""
    change = difference.frame_change(previous=beside.previous, current=beside.current)
    return in_memory(change.squared) * (255.0 / beside.peak) ** 2


def wrapped(beside: Neighbours, clip: str) -> NDArray[np.float64]:
    """Sum of the squares of uint8 differences, each modulo 256."""
    if beside.current.dtype != np.uint8:
        raise InputError(
            f"{clip} holds {beside.current.dtype} frames, which don't overflow: give uint8, or leave uint8-wrap out",
            reason="not uint8",
        )
    previous, current = cast("NDArray[np.uint8]", beside.previous), cast("NDArray[np.uint8]", beside.current)
    return in_memory(difference.wrapped_squared(generated=current, reference=previous))
