"""Loops of SSIM on one core: float32 inside, float64 sums.

Planes of bytes become float32 first: one kind of plane is half as much to compile.

A plane is cut into strips of at most ``STRIP`` columns. A strip is walked from top to bottom, two rows at a time: each
row is filtered across once and kept in a ring, and two rows of windows, which share all pixel rows but two, are then
two passes down the ring. Filtered are the four maps s, s², d, d² of the scaled sum s = (a + b) / peak - centre and of
the scaled difference d = (a - b) / peak, from which luminance and contrast-structure follow. In this form

* d and its variance vanish exactly for equal pixels, so equal frames score exactly 1;
* sums are centred, so float32 keeps the small variances of bright frames (tests/kernels/test_ssim.py bounds it);
* the two passes, s first and d with the score after it, each keep within a processor's registers.

The half window is a tuple, because the length of a tuple is known while compiling: the loops over taps unroll, and
the loops over columns become vector code. Indices that are sums with a minus sign go through ``np.uintp``, which
spares them numba's handling of negative indices.
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from thgeval.jit import jit

STRIP = 512  # columns, a multiple of 16: long loops, and twelve ring rows of four maps still fit the second cache
PAD = 16  # floats between ring rows, so that they don't fall on the same cache sets

Singles: TypeAlias = NDArray[np.float32]
Scaled: TypeAlias = NDArray[np.float32] | NDArray[np.float64]
Taps: TypeAlias = tuple[np.float32, ...]
Constants: TypeAlias = tuple[np.float32, np.float32, np.float32, np.float32]

_U = np.uintp


@jit(fastmath=True)
def centre_of(generated: Singles, reference: Singles, peak: np.float32) -> np.float32:
    """About the mean of a + b in units of the peak, from every eighth row. Any value does; a near one keeps digits."""
    height, width = generated.shape
    total = np.float64(0)
    for y in range(0, height, 8):
        for x in range(width):
            total += generated[y, x] + reference[y, x]
    mean = total / ((height + 7) // 8 * width * peak)
    return np.float32(np.rint(mean * 16) / 16)


@jit(fastmath=True)
def _fill(
    generated: Singles,
    reference: Singles,
    count: int,
    peak: np.float32,
    centre: np.float32,
    sums: Singles,
    differences: Singles,
) -> None:
    scale = np.float32(1) / peak
    middle = centre * peak
    for x in range(count):
        a, b = generated[x], reference[x]
        sums[x] = ((a + b) - middle) * scale
        differences[x] = (a - b) * scale


@jit(fastmath=True)
def _across(row: Singles, count: int, taps: Taps, filtered: Singles) -> None:
    """Filter a row and its squares along the row, into ``filtered[:count]`` and ``filtered[STRIP:]``."""
    half = len(taps) - 1
    for x in range(count):
        value = row[x + half]
        mean = taps[0] * value
        square = taps[0] * (value * value)
        for k in range(1, half + 1):
            left = row[_U(x + (half - k))]
            right = row[_U(x + (half + k))]
            mean += taps[k] * (left + right)
            square += taps[k] * (left * left + right * right)
        filtered[x] = mean
        filtered[x + STRIP] = square


@jit(inline=True)
def _down(ring: Singles, top: int, column: int, taps: Taps) -> tuple[np.float32, np.float32]:
    """Weighted sums of one column over the window that begins in row ``top`` and over the one below it."""
    half = len(taps) - 1
    rows = 2 * len(taps)
    x = _U(column)
    upper = taps[0] * ring[_U((top + half) % rows), x]
    lower = taps[0] * ring[_U((top + 1 + half) % rows), x]
    for k in range(1, half + 1):
        upper += taps[k] * (ring[_U((top + half - k) % rows), x] + ring[_U((top + half + k) % rows), x])
        lower += taps[k] * (ring[_U((top + 1 + half - k) % rows), x] + ring[_U((top + 1 + half + k) % rows), x])
    return upper, lower


@jit(fastmath=True)
def _moments(ring: Singles, top: int, count: int, taps: Taps, moments: Singles) -> None:
    """Mean and variance of s over two rows of windows: upper mean, upper variance, lower mean, lower variance."""
    for x in range(count):
        upper, lower = _down(ring, top, x, taps)
        upper_square, lower_square = _down(ring, top, x + STRIP, taps)
        moments[x] = upper
        moments[x + STRIP] = upper_square - upper * upper
        moments[x + 2 * STRIP] = lower
        moments[x + 3 * STRIP] = lower_square - lower * lower


@jit()
def parts(
    mean: np.float32, variance: np.float32, d: np.float32, dd: np.float32, centre: np.float32, constants: Constants
) -> tuple[np.float32, np.float32]:
    """SSIM and contrast-structure of one window, from the moments of s and of d. No fastmath: x / x has to be 1."""
    _, c1, c2, unbias = constants
    both = mean + centre  # mean of a plus mean of b
    dm = d * d
    together = unbias * variance
    apart = unbias * (dd - dm)
    luminance = ((both + d) * (both - d) + c1) / (both * both + dm + c1)
    contrast = ((together - apart) + c2) / ((together + apart) + c2)
    return luminance * contrast, contrast


@jit(fastmath=True)
def _rows(
    ring: Singles, top: int, count: int, taps: Taps, moments: Singles, centre: np.float32, constants: Constants
) -> tuple[np.float32, np.float32, np.float32, np.float32]:
    """Sums over two rows of windows: SSIM and contrast-structure of the upper, then of the lower."""
    upper_ssim = upper_contrast = lower_ssim = lower_contrast = np.float32(0)
    for x in range(count):
        upper, lower = _down(ring, top, x + 2 * STRIP, taps)
        upper_square, lower_square = _down(ring, top, x + 3 * STRIP, taps)
        ssim, contrast = parts(moments[x], moments[x + STRIP], upper, upper_square, centre, constants)
        upper_ssim += ssim
        upper_contrast += contrast
        ssim, contrast = parts(moments[x + 2 * STRIP], moments[x + 3 * STRIP], lower, lower_square, centre, constants)
        lower_ssim += ssim
        lower_contrast += contrast
    return upper_ssim, upper_contrast, lower_ssim, lower_contrast


@jit()
def window_sums(
    generated: Singles,
    reference: Singles,
    first: int,
    last: int,
    centre: np.float32,
    taps: Taps,
    constants: Constants,
    ring: Singles,
    rows: Singles,
) -> tuple[float, float]:
    """Sums of SSIM and of contrast-structure over the rows ``first`` to ``last`` of windows of (height, width) planes.

    ``centre`` is `centre_of` the planes, ``constants`` are the peak, 2 k1², 2 k2² and the factor on variances; ``ring``
    and ``rows`` come from `scratch`.
    """
    height, width = generated.shape
    halo = 2 * (len(taps) - 1)
    slots = 2 * len(taps)
    peak = constants[0]
    ssim = contrast = np.float64(0)
    columns = _strip(width - halo)
    for left in range(0, width - halo, columns):
        count = min(columns, width - halo - left)
        y = first
        for top in range(first, last, 2):
            while y < min(height, top + slots):
                _fill(generated[y, left:], reference[y, left:], count + halo, peak, centre, rows[0], rows[1])
                _across(rows[0], count, taps, ring[y % slots])
                _across(rows[1], count, taps, ring[y % slots, 2 * STRIP :])
                y += 1
            _moments(ring, top, count, taps, ring[slots])
            sums = _rows(ring, top, count, taps, ring[slots], centre, constants)
            ssim += sums[0]
            contrast += sums[1]
            if top + 1 < last:
                ssim += sums[2]
                contrast += sums[3]
    return ssim, contrast


@jit()
def plane_terms(
    generated: Singles, reference: Singles, taps: Taps, constants: Constants, ring: Singles, rows: Singles
) -> tuple[float, float]:
    """Mean SSIM and mean contrast-structure over every window inside two planes: see `window_sums`."""
    height, width = generated.shape
    halo = 2 * (len(taps) - 1)
    down, across = height - halo, width - halo
    centre = centre_of(generated, reference, constants[0])
    ssim, contrast = window_sums(generated, reference, 0, down, centre, taps, constants, ring, rows)
    return ssim / (down * across), contrast / (down * across)


@jit()
def _strip(windows: int) -> int:
    """Columns of windows per strip: strips as even as whole vectors allow."""
    strips = (windows + STRIP - 1) // STRIP
    return ((windows + strips - 1) // strips + 15) // 16 * 16


def scratch(taps: Taps) -> tuple[Singles, Singles]:
    """Room for `window_sums`, one per thread: the ring and a row of moments; a row of sums and one of differences."""
    row = -(-(STRIP + 2 * len(taps)) // 16) * 16
    return _aligned(2 * len(taps) + 1, 4 * STRIP + PAD), _aligned(2, row)


def _aligned(rows: int, columns: int) -> Singles:
    """An uninitialised array that starts on a cache line: vectors that straddle two lines load at half speed."""
    raw = np.empty(rows * columns * 4 + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + rows * columns * 4].view(np.float32).reshape(rows, columns)


@jit()
def _split(pixels: NDArray[Any], planes: Singles) -> None:
    red, green, blue = planes[0], planes[1], planes[2]
    for i in range(planes.shape[1]):
        red[i] = pixels[3 * i]
        green[i] = pixels[3 * i + 1]
        blue[i] = pixels[3 * i + 2]


def split(frame: NDArray[Any], planes: Singles) -> None:
    """Write a contiguous (height, width) or (height, width, 3) frame into (channels, height, width) planes."""
    if frame.ndim == 2:
        planes[0] = frame
    else:
        _split(frame.reshape(-1), planes.reshape(3, -1))


def terms(
    generated: NDArray[Any], reference: NDArray[Any], taps: Taps, constants: Constants
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean SSIM and contrast-structure per frame and channel: two (frames, channels) arrays."""
    frames, height, width = generated.shape[:3]
    channels = 1 if generated.ndim == 3 else 3
    planes = np.empty((2, channels, height, width), np.float32)
    ring, rows = scratch(taps)
    ssim, contrast = np.empty((2, frames, channels))
    for frame in range(frames):
        split(generated[frame], planes[0])
        split(reference[frame], planes[1])
        for channel in range(channels):
            ssim[frame, channel], contrast[frame, channel] = plane_terms(
                planes[0, channel], planes[1, channel], taps, constants, ring, rows
            )
    return ssim, contrast


def channel_means(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means of (frames, channels) over channels: (frames,)."""
    return np.asarray(values.mean(axis=1), np.float64)


@jit()
def _box(plane: NDArray[Any], square: tuple[int, ...], line: Scaled, out: Scaled) -> None:
    """``square`` holds one entry per row of the box: its length is the factor, known while compiling."""
    factor = len(square)
    height, width = plane.shape
    before = (factor - 1) // 2
    for i in range(out.shape[0]):
        line[:] = 0
        for k in range(factor):
            y = i * factor - before + k
            y = -1 - y if y < 0 else y
            row = plane[2 * height - 1 - y if y >= height else y]
            for x in range(width):
                line[x + factor] += row[x]
        for k in range(factor):
            line[factor - 1 - k] = line[factor + k]
            line[factor + width + k] = line[factor + width - 1 - k]
        boxes = line[factor - before :]
        for j in range(out.shape[1]):
            total = boxes[j * factor]
            for k in range(1, factor):
                total += boxes[j * factor + k]
            out[i, j] = total / (factor * factor)


def downsample(planes: NDArray[Any], factor: int) -> Scaled:
    """Box-filtered planes, every ``factor``-th row and column of them."""
    frames, height, width = planes.shape
    dtype: type[np.floating] = np.float64 if planes.dtype == np.float64 else np.float32
    scaled: NDArray[Any] = np.empty((frames, -(-height // factor), -(-width // factor)), dtype)
    line: NDArray[Any] = np.zeros(width + 2 * factor, dtype)
    for frame in range(frames):
        _box(planes[frame], tuple(range(factor)), line, scaled[frame])
    return scaled
