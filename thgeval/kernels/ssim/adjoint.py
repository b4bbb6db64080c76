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
from thgeval.kernels.ssim.cpu import PAD, Constants, Singles, Taps, parts

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


@jit(fastmath=True)
def _down(ring: Singles, top: int, taps: Taps, out: Singles) -> None:
    """Filter down the columns of (rows, columns), over the window that begins in row ``top``: (columns,)."""
    half = len(taps) - 1
    rows = 2 * half + 1
    for column in range(out.size):
        x = _U(column)
        total = taps[0] * ring[_U((top + half) % rows), x]
        for k in range(1, half + 1):
            total += taps[k] * (ring[_U((top + half - k) % rows), x] + ring[_U((top + half + k) % rows), x])
        out[x] = total


@jit(fastmath=True)
def _derivatives(
    moments: Singles, centre: np.float32, constants: Constants, weights: Taps, maps: Singles, lead: int
) -> tuple[np.float32, np.float32]:
    """The three adjoint maps of one row of windows, and the row's sums of SSIM and of contrast-structure.

    ``moments`` are F s, F s², F d and F d². Each map stands behind the ``lead`` zeros that a spread needs.
    """
    _, c1, c2, unbias = constants
    of_ssim, of_contrast = weights[0], weights[1]
    two, one = np.float32(2), np.float32(1)
    ssim = contrasts = np.float32(0)
    for x in range(moments.shape[1]):
        mean, d = moments[0, x], moments[2, x]
        variance = moments[1, x] - mean * mean
        score, contrast = parts(mean, variance, d, moments[3, x], centre, constants)
        ssim += score
        contrasts += contrast
        together = unbias * variance
        apart = unbias * (moments[3, x] - d * d)
        both = mean + centre
        squared = both * both + c1
        below = one / (squared + d * d)
        luminance = (squared - d * d) * below
        beneath = one / (together + apart + c2)
        of_structure = two * unbias * (of_ssim * luminance + of_contrast) * beneath * beneath
        squares = of_structure * apart
        differences = -of_structure * (together + c2)
        bright = two * two * of_ssim * contrast * below * below * d
        maps[0, _U(x + lead)] = bright * (both * d - squared) - two * (mean * squares + d * differences)
        maps[1, _U(x + lead)] = two * squares
        maps[2, _U(x + lead)] = two * differences
    return ssim, contrasts


@jit(fastmath=True)
def _spread(row: Singles, taps: Taps, spread: Singles) -> None:
    """Each window's share along the row: (2 lead + windows,), zeros at both ends, to (width,)."""
    half = len(taps) - 1
    for x in range(row.size - 2 * half):
        total = taps[0] * row[x + half]
        for k in range(1, half + 1):
            total += taps[k] * (row[_U(x + (half - k))] + row[_U(x + (half + k))])
        spread[x] = total


@jit(fastmath=True)
def _gathered(shares: Singles, sums: Singles, differences: Singles, scale: np.float32, out: Singles) -> None:
    """One row of the gradient."""
    for x in range(out.size):
        out[x] = (shares[0, x] + sums[x] * shares[1, x] + differences[x] * shares[2, x]) * scale


@jit()
def window_sums_and_gradient(
    generated: Singles,
    reference: Singles,
    first: int,
    last: int,
    centre: np.float32,
    taps: Taps,
    constants: Constants,
    weights: Taps,
    gradient: Singles,
) -> tuple[float, float]:
    """What `cpu.window_sums` gives, and the rows ``first`` to ``last`` of two (height, width) planes' gradient.

    What is differentiated, by the generated plane, is weights[0] · (mean SSIM) + weights[1] · (mean contrast-structure)
    of the whole plane; ``gradient`` is of its shape.
    """
    height, width = generated.shape
    lead = 2 * (len(taps) - 1)
    windows, across = height - lead, width - lead
    rows = lead + 1
    scale = np.float32(1) / constants[0]
    share = np.float32(1) / np.float32(windows * across)
    shares = (weights[0] * share, weights[1] * share)
    filtered, moments = np.empty((4, rows, across + PAD), np.float32), np.empty((4, across), np.float32)
    spread, gathered = np.zeros((3, rows, width + PAD), np.float32), np.empty((3, width), np.float32)
    maps = np.zeros((3, width + lead), np.float32)
    sums, differences = np.empty(width, np.float32), np.empty(width, np.float32)
    ssim = contrast = np.float64(0)
    begin = max(0, first - lead)  # the first row of windows that reaches the first row of pixels
    y = begin
    for top in range(begin, last):
        slot = (top + lead) % rows
        if top < windows:
            while y < top + rows:
                _scaled(generated[y], reference[y], scale, centre, sums, differences)
                _across(sums, taps, filtered[0, y % rows], filtered[1, y % rows])
                _across(differences, taps, filtered[2, y % rows], filtered[3, y % rows])
                y += 1
            for channel in range(4):
                _down(filtered[channel], top, taps, moments[channel])
            found = _derivatives(moments, centre, constants, shares, maps, lead)
            if top >= first:
                ssim += found[0]
                contrast += found[1]
            for channel in range(3):
                _spread(maps[channel], taps, spread[channel, slot])
        else:
            spread[:, slot] = 0
        if top >= first:
            _scaled(generated[top], reference[top], scale, centre, sums, differences)
            for channel in range(3):
                _down(spread[channel], top, taps, gathered[channel])
            _gathered(gathered, sums, differences, scale, gradient[top])
    return ssim, contrast
