"""One grey value per pixel, under a named rule.

Frames   (frames, height, width, 3), red-green-blue, uint8 with a peak of 255, or float32 or float64 with any peak.
         Views are copied only where their memory isn't in order.
Returns  (frames, height, width), in the same range as the frames. What comes out of uint8 is the rule's own choice
         (`RULES`); floats keep their type, are computed in float64 and rounded once.
Order    red, green, blue, offset; no pixel depends on another.
Places   memory, or a graphics card: see ``thgeval.kernels.places``.
Errors   ProtocolError: unknown rule, a rule that has no meaning for floats, other shapes and types.
"""

from dataclasses import dataclass
from math import ceil, inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import ProtocolError
from thgeval.kernels.luma import cpu
from thgeval.kernels.places import empty_beside, in_order, loops, readable

__all__ = ["RULES", "LumaRule", "luma", "scaled", "uniform"]

Frames = NDArray[np.uint8] | NDArray[np.float32] | NDArray[np.float64]


@dataclass(frozen=True)
class LumaRule:
    """How red, green and blue add up.

    ``offset`` counts in 255ths of the peak. uint8 becomes uint8, in integer arithmetic of ``bits`` fractional bits with
    halves rounded up, or float64 where ``bits`` is None. ``floats`` says if the rule is defined for floats.
    """

    red: float
    green: float
    blue: float
    bits: int | None
    offset: float = 0.0
    floats: bool = True


RULES = {
    # MATLAB's rgb2gray: the first row of the inverse of the NTSC matrix; 32 bits round every uint8 triple as it does
    "bt601-rounded": LumaRule(0.298936021293775, 0.587043074451121, 0.114020904255103, bits=32),
    # Recommendation BT.601 with nothing rounded
    "bt601-float": LumaRule(0.299, 0.587, 0.114, bits=None),
    # Pillow's convert("L")
    "pil-l": LumaRule(19595 / 2**16, 38470 / 2**16, 7471 / 2**16, bits=16, floats=False),
    # OpenCV's cvtColor(..., COLOR_RGB2GRAY)
    "cv2-grey": LumaRule(9798 / 2**15, 19235 / 2**15, 3735 / 2**15, bits=15, floats=False),
    # MATLAB's rgb2ycbcr, first channel: 16 to 235, the "Y channel" of super-resolution papers
    "studio-y": LumaRule(65.481 / 255, 128.553 / 255, 24.966 / 255, bits=32, offset=16.0),
}


def luma(rgb: Frames, *, rule: str, peak: float) -> Frames:
    """Luma of (frames, height, width, 3) under one of `RULES`: (frames, height, width); ``peak`` is the value of white.

    ``bt601-rounded``, ``pil-l``, ``cv2-grey`` and ``studio-y`` turn uint8 into uint8; ``bt601-float`` turns it into
    float64, because float32 would cost PSNR its ninth digit.
    """
    rgb = readable(rgb)
    how, place = _rule(rgb, rule, peak), loops(cpu, rgb)
    values: NDArray[Any] = in_order(rgb).reshape(-1)
    shape = rgb.shape[:3]
    if rgb.dtype == np.uint8 and how.bits is not None:
        rounded: NDArray[np.uint8] = empty_beside(rgb, shape, np.uint8)
        place.fixed_point(values, *_units(how, how.bits), how.bits, rounded.reshape(-1))
        return rounded
    exact: NDArray[np.float32] | NDArray[np.float64] = empty_beside(
        rgb, shape, np.float32 if rgb.dtype == np.float32 else np.float64
    )
    place.weighted(values, how.red, how.green, how.blue, how.offset / 255 * peak, exact.reshape(-1))
    return exact


def scaled(planes: Frames, *, peak: float, to: float) -> Frames:
    """Luma whose white is ``peak`` as float64 whose white is ``to``; as it is where both are equal."""
    if peak == to:
        return planes
    planes = readable(planes)
    found: NDArray[np.float64] = loops(cpu, planes).scaled(in_order(planes), to / peak)
    return found


def uniform(planes: Frames) -> NDArray[np.bool_]:
    """Which frames of (frames, height, width) have one value throughout: (frames,)."""
    planes = readable(planes)
    found: NDArray[np.bool_] = loops(cpu, planes).uniform(in_order(planes))
    return found


def _units(rule: LumaRule, bits: int) -> tuple[int, int, int, int]:
    """Weights and offset in units of 2^-bits. Rounding up keeps halves, which go up, from falling just below."""
    return (
        ceil(rule.red * 2**bits),
        ceil(rule.green * 2**bits),
        ceil(rule.blue * 2**bits),
        ceil(rule.offset * 2**bits),
    )


def _rule(rgb: Frames, rule: str, peak: float) -> LumaRule:
    """The rule of this name, if it is defined for these frames."""
    if rule not in RULES:
        raise ProtocolError(f"unknown luma rule {rule!r}: choose one of {', '.join(RULES)}")
    if rgb.dtype not in (np.uint8, np.float32, np.float64):
        raise ProtocolError(f"luma needs uint8, float32 or float64 frames, not {rgb.dtype}")
    if rgb.ndim != 4 or rgb.shape[3] != 3:
        raise ProtocolError(f"luma needs frames as (frames, height, width, 3), not {rgb.shape}")
    if rgb.dtype == np.uint8 and peak != 255:
        raise ProtocolError(f"uint8 frames have a peak of 255, not {peak}")
    if not 0 < peak < inf:
        raise ProtocolError(f"luma needs the value of white as a positive peak, not {peak}")
    if rgb.dtype != np.uint8 and not RULES[rule].floats:
        raise ProtocolError(f"luma rule {rule!r} is defined for uint8 frames only; use bt601-float for {rgb.dtype}")
    return RULES[rule]
