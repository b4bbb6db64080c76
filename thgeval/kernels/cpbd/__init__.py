"""Cumulative probability of blur detection (CPBD): the share of edges too sharp to look blurred.

Contract of every device's ``sharpness``
    luma       (frames, height, width), 8-bit luma from 0 to 255 as uint8, or float32/float64 on the same scale
    returns    (frames,) float64 in [0, 1], higher is sharper; counts are exact integers divided once per frame, so a
               frame's value depends on nothing but the frame
    places     memory, or a graphics card: see ``thgeval.kernels.places``
    a frame without a single edge in a block that counts scores 0, as in the authors' program

The measure works in whole 64 x 64 blocks and drops what is left over at the right and bottom. A frame that holds no
whole block would score 0 for its size alone, indistinguishable from hopeless blur, so it is refused.

    1. Canny edges of the frame; a block counts if more than 0.2 % of its 4096 pixels are edges.
    2. Vertical edges by Sobel's operator; their width is how far the luma keeps rising or falling along the row on
       both sides (Marziliano), measured where the gradient points left or right, rounded to 45 degrees.
    3. A width w is detected as blur with probability 1 - exp(-(w / w_jnb)^3.6), where the just noticeable width w_jnb
       is 5 px in blocks whose contrast is at most 50 and 3 px in the others.
    4. Probabilities go to buckets of one percent, rounded; the score is the share of edges in buckets 0 to ``cut``.

An edge exactly as wide as w_jnb has the probability 0.632 and lands in bucket 63, which is why ``cut`` matters so much.

Three programs are in circulation, and ``RULES`` names them.

``matlab`` follows CPBDM_Release_v1.0 by the authors, and MATLAB's ``edge`` as that program calls it: ``canny`` without
arguments, and ``Sobel`` with the threshold 2, ``vertical``. Established from the program's text: steps 1 to 4, their
constants and the buckets. Established from the text of ``edge`` (2011 and later): Gaussian and derivative of sqrt(2) px
over 13 taps with replicated borders, the derivative scaled to weights of +1 and -1; magnitude over its maximum; high
threshold at 70 % of the pixels in a 64-bin histogram whose bins are centred on k/63, low threshold 0.4 times that,
both exclusive; interpolated non-maximum suppression; eight-connected hysteresis, no thinning after it; Sobel weights
over 8, and the thinning that keeps a pixel that is the maximum of its row (where the row gradient is at least the
column gradient) or of its column, ties going to the right or lower one. Not established: the ``edge`` of 2009, which
was current when the authors published their figures, smoothed twice with one px and thinned its result; and whether
MATLAB's own order of summation would move a pixel that sits on a threshold.

``python-cpbd`` equals the package ``cpbd`` 1.0.7 on scikit-image 0.26. It differs by Octave's Sobel threshold (the
square of the gradient against twice the root mean square of the gradient, so the scale of the luma matters), strict
thinning, and scikit-image's Canny with its thresholds of 0.1 and 0.2, meant for [0, 1], on data up to 255. It measures
no widths at all if every gradient of the frame points exactly right or vanishes. Its repository also holds a version
that decides by Sobel's edges which blocks count; the released package does not, and neither does this.

``atvgnet`` is the copy in ATVGnet's ``evaluation_matrix.py``: Sobel's threshold of 2 without thinning, scikit-image's
Canny, falling edges that go on over plateaus to their right, and buckets 0 to 62, so that edges of exactly w_jnb count
as blurred. Canny runs in float64 here and in float32 there.

Sources: Narvekar and Karam, "A No-Reference Image Blur Metric Based on the Cumulative Probability of Blur Detection
(CPBD)", IEEE TIP 20(9), 2011; Marziliano, Dufaux, Winkler and Ebrahimi, "A no-reference perceptual blur metric",
ICIP 2002.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import InputError, ProtocolError
from thgeval.kernels.cpbd import cpu
from thgeval.kernels.cpbd.canny import BLOCK_PX
from thgeval.kernels.places import in_order, loops, readable
from thgeval.parameter import check, parameter


@dataclass(frozen=True)
class Rules:
    """How one program in circulation reads the measure; the defaults are the authors'."""

    edges: str = parameter(
        "thinned", "how Sobel edges are thresholded and thinned: ``thinned``, ``octave`` or ``unthinned``", of=cpu.EDGES
    )
    canny: str = parameter("matlab", "which Canny detector chooses the blocks: ``matlab`` or ``skimage``", of=cpu.CANNY)
    widths: str = parameter(
        "marziliano",
        "whose walk along an edge measures its width: ``marziliano``, ``python-cpbd`` or ``atvgnet``",
        of=cpu.WIDTHS,
    )
    cut: int = parameter(63, "the last percent bucket that counts as sharp", least=0, most=99)

    def __post_init__(self) -> None:
        check(self, "cpbd")


RULES = {
    "matlab": Rules(),
    "python-cpbd": Rules(edges="octave", canny="skimage", widths="python-cpbd"),
    "atvgnet": Rules(edges="unthinned", canny="skimage", widths="atvgnet", cut=62),
}


def cpbd(luma: NDArray[Any], **rules: Any) -> NDArray[np.float64]:
    """Sharpness of each frame, in [0, 1].

    ``luma`` is (frames, height, width), 0 to 255, uint8 or float; the keywords are the fields of ``Rules``. Raises
    ``InputError`` for frames without a whole 64 x 64 block and ``ProtocolError`` for unknown rules and other arrays.
    """
    chosen = Rules(**rules)
    luma = readable(luma)
    _check_luma(luma)
    scores: NDArray[np.float64] = loops(cpu, luma).sharpness(in_order(luma), **asdict(chosen))
    return scores


def _check_luma(luma: NDArray[Any]) -> None:
    if luma.ndim != 3 or luma.dtype not in (np.uint8, np.float32, np.float64):
        raise ProtocolError(
            f"cpbd reads luma as (frames, height, width) in uint8, float32 or float64 from 0 to 255, "
            f"not {luma.dtype} of shape {luma.shape}."
        )
    height, width = luma.shape[1:]
    if min(height, width) < BLOCK_PX:
        raise InputError(
            f"Frames of {width}x{height} px hold no whole block of {BLOCK_PX}x{BLOCK_PX} px, which is what CPBD "
            f"measures in: score the clip at a larger size, or leave cpbd out.",
            reason="too small",
        )
