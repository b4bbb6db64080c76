"""YUV to RGB: fixed-point conversion of decoded planes to 8-bit RGB, right to half a level.

Input is what video decoders hand out: one luma plane and two chroma planes of 8 to 16 bits, chroma at full, half or
quarter size along each axis. Chroma is replicated, never interpolated, as ffmpeg's default conversion of 8-bit 4:2:0
does. Output is the real-valued conversion of the standard, rounded to nearest and clipped to [0, 255]; the weights
have 20 fractional bits, which moves a result by less than 0.001 level at 8 bits, 0.006 at 12, 0.1 at 16.

Source: ITU-R BT.601-7, BT.709-6, BT.2020-2 (non-constant luminance), SMPTE 240M, FCC 73.682. Limited range has luma in
[16, 235] and chroma in [16, 240], times 2^(bits - 8); full range uses every code.
"""

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from thgeval.jit import jit

Plane: TypeAlias = NDArray[np.uint8] | NDArray[np.uint16]
Row: TypeAlias = NDArray[np.uint8]
Term: TypeAlias = NDArray[np.int32]

MATRICES: dict[str, tuple[float, float]] = {
    "bt601": (0.299, 0.114),
    "bt709": (0.2126, 0.0722),
    "bt2020": (0.2627, 0.0593),
    "fcc": (0.30, 0.11),
    "smpte240m": (0.212, 0.087),
}
"""The luma weights of red and blue; green has the rest."""

FRACTION_BITS = 20


class Weights(NamedTuple):
    """Levels per code value, and offsets that hold black, grey chroma and the half for rounding: all times 2^20."""

    luma: np.int32
    red_v: np.int32
    green_u: np.int32
    green_v: np.int32
    blue_u: np.int32
    red_offset: np.int32
    green_offset: np.int32
    blue_offset: np.int32


def weights(matrix: str, *, full_range: bool, bits: int, padding_bits: int = 0) -> Weights:
    """The weights for codes of ``bits`` bits, stored shifted up by ``padding_bits`` zero bits."""
    kr, kb = MATRICES[matrix]
    kg = 1.0 - kr - kb
    unit = float(1 << (bits - 8))
    black = 0.0 if full_range else 16.0 * unit
    luma = 255.0 / ((1 << bits) - 1.0 if full_range else 219.0 * unit)
    chroma = 255.0 / ((1 << bits) - 1.0 if full_range else 224.0 * unit)
    red_v = 2.0 * chroma * (1.0 - kr)
    blue_u = 2.0 * chroma * (1.0 - kb)
    green_u, green_v = -blue_u * kb / kg, -red_v * kr / kg
    factors = np.array([luma, red_v, green_u, green_v, blue_u])
    offsets = 0.5 - luma * black - 128.0 * unit * np.array([red_v, green_u + green_v, blue_u])
    scale = float(1 << FRACTION_BITS)
    # Partial sums may wrap; the whole is below 2^30 at any depth, and two's complement brings it back.
    fixed = np.concatenate([np.rint(factors * scale / (1 << padding_bits)), np.rint(offsets * scale)])
    return Weights(*(np.int32(value) for value in fixed))


@jit()
def _write_term(
    u: Plane, v: Plane, halvings: int, of_u: np.int32, of_v: np.int32, offset: np.int32, term: Term
) -> None:
    """What chroma adds to one colour along one row, replicated to the width of luma."""
    # Each branch is the last one with a constant in it, without which the compiler doesn't vectorise.
    if halvings == 1:
        for c in range(term.shape[0] // 2):
            value = np.int32(of_u * np.int32(u[c]) + of_v * np.int32(v[c]) + offset)
            term[2 * c] = value
            term[2 * c + 1] = value
    elif halvings == 0:
        for c in range(term.shape[0]):
            term[c] = np.int32(of_u * np.int32(u[c]) + of_v * np.int32(v[c]) + offset)
    else:
        for c in range(term.shape[0]):
            term[c] = np.int32(of_u * np.int32(u[c >> halvings]) + of_v * np.int32(v[c >> halvings]) + offset)


@jit()
def _write_levels(luma: Plane, of_luma: np.int32, term: Term, levels: Row) -> None:
    """One colour along one row, rounded and clipped."""
    for c in range(luma.shape[0]):
        value = np.int32(np.int32(np.int32(luma[c]) * of_luma + term[c]) >> np.int32(FRACTION_BITS))
        levels[c] = np.uint8(min(max(value, np.int32(0)), np.int32(255)))


@jit()
def _write_triples(red: Row, green: Row, blue: Row, triples: Row) -> None:
    """Three rows of one colour into one row of RGB triples: (width,) each into (3 * width,)."""
    for c in range(red.shape[0]):
        triples[3 * c] = red[c]
        triples[3 * c + 1] = green[c]
        triples[3 * c + 2] = blue[c]


@jit()
def write_rgb(
    y: Plane,
    u: Plane,
    v: Plane,
    strides: tuple[int, int, int],
    halvings: tuple[int, int],
    weight: Weights,
    out: NDArray[np.uint8],
) -> None:
    """Convert one frame.

    ``y``, ``u``, ``v`` are whole planes as flat arrays whose rows begin every ``strides`` samples; ``halvings`` says
    how often chroma is halved along x and along y; ``out`` is (height, width, 3), C-contiguous.
    """
    height, width = out.shape[0], out.shape[1]
    x_halvings, y_halvings = halvings
    none = np.int32(0)
    terms = np.empty((3, width + (width & x_halvings & 1)), np.int32)
    levels = np.empty((3, width), np.uint8)
    # Many short loops over a row in cache: each vectorises, which one loop that does everything doesn't.
    for r in range(height):
        if r % (1 << y_halvings) == 0:
            row_u = u[(r >> y_halvings) * strides[1] :]
            row_v = v[(r >> y_halvings) * strides[2] :]
            _write_term(row_u, row_v, x_halvings, none, weight.red_v, weight.red_offset, terms[0])
            _write_term(row_u, row_v, x_halvings, weight.green_u, weight.green_v, weight.green_offset, terms[1])
            _write_term(row_u, row_v, x_halvings, weight.blue_u, none, weight.blue_offset, terms[2])
        luma = y[r * strides[0] : r * strides[0] + width]
        for colour in range(3):
            _write_levels(luma, weight.luma, terms[colour], levels[colour])
        _write_triples(levels[0], levels[1], levels[2], out[r].reshape(3 * width))
