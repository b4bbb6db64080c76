"""What SSIM's loops hand back: how the mean over the windows of a plane changes with each of its pixels.

For s = (a + b) / peak - centre and d = (a - b) / peak, SSIM is a function of four filtered maps (see `cpu`): F s, F s²,
F d and F d². With g its derivatives by each of them, and Fᵀ the filter that spreads a window over its pixels,

    peak · ∂/∂a = Fᵀ(g_s + g_d) + 2 s Fᵀ(g_ss) + 2 d Fᵀ(g_dd)

so three maps are filtered back. A plane is walked once, from top to bottom: one ring of rows holds the four maps
filtered along rows, a second one the three adjoint maps filtered back along rows, and each row of the gradient is a
pass down the second. SSIM is symmetric: the reference's gradient is that of the sides exchanged.
"""

import numpy as np

from thgeval.jit import jit
from thgeval.kernels.ssim.cpu import Constants, Singles, Taps, centre_of

_U = np.uintp


@jit(fastmath=True)
def _scaled(
    generated: Singles, reference: Singles, scale: np.float32, centre: np.float32, sums: Singles, differences: Singles
) -> None:
    for x in range(generated.size):
        sums[x] = (generated[x] + reference[x]) * scale - centre
        differences[x] = (generated[x] - reference[x]) * scale


@jit(fastmath=True)
def _across(row: Singles, taps: Taps, mean: Singles, square: Singles) -> None:
    """Filter a row and its squares along the row: (width,) to (width - window + 1,) each."""
    half = len(taps) - 1
    for x in range(row.size - 2 * half):
        value = row[x + half]
        first = taps[0] * value
        second = taps[0] * (value * value)
        for k in range(1, half + 1):
            left = row[_U(x + (half - k))]
            right = row[_U(x + (half + k))]
            first += taps[k] * (left + right)
            second += taps[k] * (left * left + right * right)
        mean[x] = first
        square[x] = second


@jit(inline=True)
def _down(ring: Singles, top: int, channel: int, column: int, taps: Taps) -> np.float32:
    """The weighted sum of one column over the window that begins in row ``top``."""
    half = len(taps) - 1
    rows = 2 * half + 1
    x = _U(column)
    total: np.float32 = taps[0] * ring[_U((top + half) % rows), channel, x]
    for k in range(1, half + 1):
        total += taps[k] * (
            ring[_U((top + half - k) % rows), channel, x] + ring[_U((top + half + k) % rows), channel, x]
        )
    return total


@jit(fastmath=True)
def _derivatives(
    ring: Singles, top: int, taps: Taps, centre: np.float32, constants: Constants, weights: Taps, maps: Singles
) -> None:
    """The three adjoint maps of one row of windows, each after ``len(taps) * 2 - 2`` zeros, which a spread needs."""
    _, c1, c2, unbias = constants
    of_ssim, of_contrast = weights[0], weights[1]
    two, one = np.float32(2), np.float32(1)
    lead = 2 * (len(taps) - 1)
    for x in range(maps.shape[1] - 2 * lead):
        mean = _down(ring, top, 0, x, taps)
        together = unbias * (_down(ring, top, 1, x, taps) - mean * mean)
        d = _down(ring, top, 2, x, taps)
        apart = unbias * (_down(ring, top, 3, x, taps) - d * d)
        both = mean + centre
        squared = both * both + c1
        below = one / (squared + d * d)
        luminance = (squared - d * d) * below
        beneath = one / (together + apart + c2)
        contrast = (together - apart + c2) * beneath
        of_structure = two * unbias * (of_ssim * luminance + of_contrast) * beneath * beneath
        squares = of_structure * apart
        differences = -of_structure * (together + c2)
        bright = two * two * of_ssim * contrast * below * below * d
        maps[0, x + lead] = bright * (both * d - squared) - two * (mean * squares + d * differences)
        maps[1, x + lead] = two * squares
        maps[2, x + lead] = two * differences


@jit(fastmath=True)
def _spread(row: Singles, taps: Taps, spread: Singles) -> None:
    """Each window's share along the row: (2 lead + windows,), zeros at both ends, to (width,)."""
    half = len(taps) - 1
    for x in range(spread.size):
        total = taps[0] * row[x + half]
        for k in range(1, half + 1):
            total += taps[k] * (row[_U(x + (half - k))] + row[_U(x + (half + k))])
        spread[x] = total


@jit(fastmath=True)
def _gathered(
    ring: Singles,
    top: int,
    taps: Taps,
    sums: Singles,
    differences: Singles,
    scale: np.float32,
    sign: np.float32,
    out: Singles,
) -> None:
    """One row of the gradient, added to what is there; ``sign`` is the weight of the absolute difference's own."""
    for x in range(out.size):
        d = differences[x]
        value = _down(ring, top, 0, x, taps) + sums[x] * _down(ring, top, 1, x, taps) + d * _down(ring, top, 2, x, taps)
        out[x] += value * scale + sign * (np.float32(d > 0) - np.float32(d < 0))


@jit()
def add_gradient(
    generated: Singles,
    reference: Singles,
    taps: Taps,
    constants: Constants,
    weights: Taps,
    gradient: Singles,
) -> None:
    """Add the gradient of two (height, width) planes to ``gradient``, which is of their shape.

    What is differentiated, by the generated plane, is weights[0] · (mean SSIM) + weights[1] · (mean contrast-structure)
    + weights[2] · (mean absolute difference over the peak).
    """
    height, width = generated.shape
    lead = 2 * (len(taps) - 1)
    windows, across = height - lead, width - lead
    rows = lead + 1
    scale = np.float32(1) / constants[0]
    centre = centre_of(generated, reference, constants[0])
    share = np.float32(1) / np.float32(windows * across)
    shares = (weights[0] * share, weights[1] * share)
    sign = weights[2] * scale / np.float32(height * width)
    filtered = np.empty((rows, 4, across), np.float32)
    spread = np.zeros((rows, 3, width), np.float32)
    maps = np.zeros((3, width + lead), np.float32)
    sums, differences = np.empty(width, np.float32), np.empty(width, np.float32)
    y = 0
    for top in range(height):
        slot = (top + lead) % rows
        if top < windows:
            while y < top + rows:
                _scaled(generated[y], reference[y], scale, centre, sums, differences)
                _across(sums, taps, filtered[y % rows, 0], filtered[y % rows, 1])
                _across(differences, taps, filtered[y % rows, 2], filtered[y % rows, 3])
                y += 1
            _derivatives(filtered, top, taps, centre, constants, shares, maps)
            for channel in range(3):
                _spread(maps[channel], taps, spread[slot, channel])
        else:
            spread[slot] = 0
        _scaled(generated[top], reference[top], scale, centre, sums, differences)
        _gathered(spread, top, taps, sums, differences, scale, sign, gradient[top])
