"""Loops of SSIM on one core: float32 inside, float64 sums.

A plane is cut into strips of at most ``STRIP`` columns. A strip is walked from top to bottom: each row is filtered
across once and kept in a ring of as many rows as the window is high, and every row of windows is then one pass down
the ring. Filtered are the four maps s, s², d, d² of the scaled sum s = (a + b) / peak - centre and the scaled
difference d = (a - b) / peak, from which both luminance and contrast-structure follow. In this form

* d and its variance vanish exactly for equal pixels, so equal frames score exactly 1;
* sums are centred, so float32 keeps the small variances of bright frames (tests/kernels/test_ssim.py bounds it);
* nothing is stored between filtering down and the score.

The half window is a tuple, because the length of a tuple is known while compiling: the loops over taps unroll, and
the loops over columns become vector code. Indices that are sums with a minus sign go through ``np.uintp``, which
spares them numba's handling of negative indices.
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from thgeval.jit import jit

STRIP = 192  # columns: eleven ring rows of four maps stay within the first two cache levels
_PAD = 16  # floats between ring rows, so that they don't fall on the same cache sets

Plane: TypeAlias = NDArray[np.uint8] | NDArray[np.float32]
Floats: TypeAlias = NDArray[np.float32]
Scaled: TypeAlias = NDArray[np.float32] | NDArray[np.float64]
Taps: TypeAlias = tuple[np.float32, ...]
Constants: TypeAlias = tuple[np.float32, np.float32, np.float32, np.float32]

_U = np.uintp


@jit(fastmath=True)
def _centre(generated: Plane, reference: Plane, peak: np.float32) -> np.float32:
    """About the mean of a + b in units of the peak, from every eighth row. Any value does; a near one keeps digits."""
    height, width = generated.shape
    total = np.float64(0)
    for y in range(0, height, 8):
        for x in range(width):
            total += np.float32(generated[y, x]) + np.float32(reference[y, x])
    mean = total / ((height + 7) // 8 * width * peak)
    return np.float32(np.rint(mean * 16) / 16)


@jit(fastmath=True)
def _fill(
    generated: Plane,
    reference: Plane,
    count: int,
    peak: np.float32,
    centre: np.float32,
    sums: Floats,
    differences: Floats,
) -> None:
    scale = np.float32(1) / peak
    middle = centre * peak
    for x in range(count):
        a = np.float32(generated[x])
        b = np.float32(reference[x])
        sums[x] = ((a + b) - middle) * scale
        differences[x] = (a - b) * scale


@jit(fastmath=True)
def _across(row: Floats, count: int, taps: Taps, filtered: Floats) -> None:
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
def _down(ring: Floats, top: int, x: int, taps: Taps) -> np.float32:
    """One window's sum: column ``x`` of the ring, weighted."""
    half = len(taps) - 1
    rows = 2 * half + 1
    total: np.float32 = taps[0] * ring[_U((top + half) % rows), _U(x)]
    for k in range(1, half + 1):
        above = ring[_U((top + half - k) % rows), _U(x)]
        below = ring[_U((top + half + k) % rows), _U(x)]
        total += taps[k] * (above + below)
    return total


@jit()
def _parts(
    s: np.float32, ss: np.float32, d: np.float32, dd: np.float32, centre: np.float32, constants: Constants
) -> tuple[np.float32, np.float32]:
    """Luminance and contrast-structure of one window. Not fastmath: x / x has to be 1."""
    _, c1, c2, unbias = constants
    both = s + centre  # mean of a plus mean of b
    dm = d * d
    total = unbias * (ss - s * s)
    apart = unbias * (dd - dm)
    luminance = ((both + d) * (both - d) + c1) / (both * both + dm + c1)
    return luminance, ((total - apart) + c2) / ((total + apart) + c2)


@jit(fastmath=True)
def _row(
    ring: Floats, top: int, count: int, taps: Taps, centre: np.float32, constants: Constants
) -> tuple[np.float32, np.float32]:
    """Sums of SSIM and of contrast-structure over the windows whose first row is ``top``."""
    ssim = np.float32(0)
    contrast = np.float32(0)
    for x in range(count):
        s = _down(ring, top, x, taps)
        ss = _down(ring, top, x + STRIP, taps)
        d = _down(ring, top, x + 2 * STRIP, taps)
        dd = _down(ring, top, x + 3 * STRIP, taps)
        luminance, structure = _parts(s, ss, d, dd, centre, constants)
        ssim += luminance * structure
        contrast += structure
    return ssim, contrast


@jit()
def plane_terms(
    generated: Plane, reference: Plane, taps: Taps, constants: Constants, ring: Floats, rows: Floats
) -> tuple[float, float]:
    """Mean SSIM and mean contrast-structure over every window inside two (height, width) planes.

    ``constants`` are the peak, 2 k1², 2 k2² and the factor on variances; ``ring`` and ``rows`` come from `scratch`.
    """
    height, width = generated.shape
    half = len(taps) - 1
    peak = constants[0]
    centre = _centre(generated, reference, peak)
    windows_down = height - 2 * half
    windows_across = width - 2 * half
    strips = (windows_across + STRIP - 1) // STRIP
    columns = ((windows_across + strips - 1) // strips + 15) // 16 * 16
    ssim = np.float64(0)
    contrast = np.float64(0)
    for left in range(0, windows_across, columns):
        count = min(columns, windows_across - left)
        for y in range(height):
            _fill(generated[y, left:], reference[y, left:], count + 2 * half, peak, centre, rows[0], rows[1])
            slot = ring[y % (2 * half + 1)]
            _across(rows[0], count, taps, slot)
            _across(rows[1], count, taps, slot[2 * STRIP :])
            if y >= 2 * half:
                row_ssim, row_contrast = _row(ring, y - 2 * half, count, taps, centre, constants)
                ssim += row_ssim
                contrast += row_contrast
    windows = windows_down * windows_across
    return ssim / windows, contrast / windows


def scratch(taps: Taps) -> tuple[Floats, Floats]:
    """Room for the ring and for one row of sums and differences, for `plane_terms`; one per thread."""
    row = -(-(STRIP + 2 * len(taps)) // 16) * 16
    return _aligned(2 * len(taps) - 1, 4 * STRIP + _PAD), _aligned(2, row)


def _aligned(rows: int, columns: int) -> Floats:
    """An uninitialised array that starts on a cache line: vectors that straddle two lines load at half speed."""
    raw = np.empty(rows * columns * 4 + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + rows * columns * 4].view(np.float32).reshape(rows, columns)


@jit()
def _split(pixels: NDArray[Any], planes: Plane) -> None:
    red, green, blue = planes[0], planes[1], planes[2]
    for i in range(planes.shape[1]):
        red[i] = pixels[3 * i]
        green[i] = pixels[3 * i + 1]
        blue[i] = pixels[3 * i + 2]


def plane_type(frames: NDArray[Any]) -> type[np.uint8] | type[np.float32]:
    """How the planes of these frames are held: uint8 stays, floats become float32."""
    return np.uint8 if frames.dtype == np.uint8 else np.float32


def split(frame: NDArray[Any], planes: Plane) -> None:
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
    planes = np.empty((2, channels, height, width), plane_type(generated))
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
