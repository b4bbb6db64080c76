"""CPBD, slowly and in float64, after the authors' MATLAB program; and the package ``cpbd`` made importable again.

A frame is (height, width), luma from 0 to 255. Shares no line with the package under test: convolutions are scipy's,
and widths, probabilities and buckets are spelled out as the program has them, stops and histogram included.
"""

import math
from types import ModuleType

import numpy as np
import scipy.ndimage
from scipy.ndimage import convolve, correlate1d, label

SOBEL = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 8


def matlab(frame: np.ndarray, *, cut: int = 63) -> float:
    return pooled(frame, matlab_canny(frame), widths(frame, matlab_sobel(frame)), cut=cut)


def atvgnet(frame: np.ndarray, canny: np.ndarray) -> float:
    """ATVGnet's reading, given scikit-image's Canny edges."""
    strong = convolve(frame.astype(np.float64), SOBEL[:, ::-1], mode="nearest") ** 2 > 4
    return pooled(frame, canny, widths(frame, strong, plateaus=True), cut=62)


def matlab_sobel(frame: np.ndarray) -> np.ndarray:
    """edge(frame, 'Sobel', 2, 'vertical')."""
    padded = np.pad(frame.astype(np.float64), 1, mode="edge")
    gx = convolve(padded, SOBEL[:, ::-1])[1:-1, 1:-1]
    gy = convolve(padded, SOBEL[:, ::-1].T)[1:-1, 1:-1]
    b = np.pad(gx**2, 1, constant_values=-1)
    here, left, right, up, down = b[1:-1, 1:-1], b[1:-1, :-2], b[1:-1, 2:], b[:-2, 1:-1], b[2:, 1:-1]
    row_peak = (np.abs(gx) >= np.abs(gy)) & (left <= here) & (here > right)
    column_peak = (up <= here) & (here > down)
    return (here > 4) & (row_peak | column_peak)


def matlab_gradients(frame: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    at = np.arange(-6, 7)
    smooth = np.exp(-(at**2) / 4) / np.sqrt(4 * np.pi)
    smooth /= smooth.sum()
    slope = np.gradient(smooth)
    slope[slope > 0] /= slope[slope > 0].sum()
    slope[slope < 0] /= -slope[slope < 0].sum()
    image = frame.astype(np.float64)
    gx = correlate1d(correlate1d(image, smooth, axis=0, mode="nearest"), -slope, axis=1, mode="nearest")
    gy = correlate1d(correlate1d(image, smooth, axis=1, mode="nearest"), -slope, axis=0, mode="nearest")
    return gx, gy, np.hypot(gx, gy)


def matlab_canny(frame: np.ndarray) -> np.ndarray:
    """edge(frame, 'canny')."""
    gx, gy, size = matlab_gradients(frame)
    if size.max() == 0:
        return np.zeros(frame.shape, bool)
    size /= size.max()
    counts = np.bincount(np.floor(size.ravel() * 63 + 0.5).astype(int), minlength=64)
    high = (np.flatnonzero(np.cumsum(counts) > 0.7 * size.size)[0] + 1) / 64
    weak = local_maxima(gx, gy, size) & (size > 0.4 * high)
    parts, _ = label(weak, np.ones((3, 3)))
    return weak & np.isin(parts, np.unique(parts[weak & (size > high)]))


def local_maxima(gx: np.ndarray, gy: np.ndarray, size: np.ndarray) -> np.ndarray:
    """MATLAB's four sectors of direction, each with its own pair of interpolated neighbours."""
    found = np.zeros(size.shape, bool)
    for row in range(1, size.shape[0] - 1):
        for column in range(1, size.shape[1] - 1):
            x, y = gx[row, column], gy[row, column]
            if x == 0 and y == 0:
                continue
            if (y <= 0 and x > -y) or (y >= 0 and x < -y):
                step, corner = (0, 1), (-1, 1)
            elif (x > 0 and -y >= x) or (x < 0 and -y <= x):
                step, corner = (-1, 0), (-1, 1)
            elif (x <= 0 and x > y) or (x >= 0 and x < y):
                step, corner = (-1, 0), (-1, -1)
            else:
                step, corner = (0, -1), (-1, -1)
            share = min(abs(x), abs(y)) / max(abs(x), abs(y))
            sides = [
                size[row + s * step[0], column + s * step[1]] * (1 - share)
                + size[row + s * corner[0], column + s * corner[1]] * share
                for s in (1, -1)
            ]
            found[row, column] = size[row, column] >= max(sides)
    return found


def widths(frame: np.ndarray, edges: np.ndarray, *, plateaus: bool = False) -> np.ndarray:
    """Marziliano's widths; 0 where there is no edge to measure."""
    image = frame.astype(np.float64)
    gy, gx = np.gradient(image)
    measured = np.zeros(frame.shape, int)
    height, width = frame.shape
    for row in range(1, height - 1):
        for column in range(1, width - 1):
            if not edges[row, column]:
                continue
            x, y = gx[row, column], gy[row, column]
            angle = math.degrees(math.atan2(y, x)) if x != 0 else 0.0
            quantised = 45 * round(angle / 45)
            if abs(quantised) in (0, 180):
                line = image[row] if quantised == 0 else -image[row]
                lenient = plateaus and quantised != 0
                measured[row, column] = walk(line, column, -1, False) + walk(line, column, 1, lenient)
    return measured


def walk(line: np.ndarray, column: int, direction: int, lenient: bool) -> int:
    """Steps along which a rising line keeps rising (towards the right), at most 101."""
    for k in range(101):
        inner, outer = column + direction * (1 + k), column + direction * (2 + k)
        if outer < 0 or outer >= line.size:
            break
        gain = (line[outer] - line[inner]) * direction
        if gain < 0 or (gain == 0 and not lenient):
            break
    return k + 1


def pooled(frame: np.ndarray, canny: np.ndarray, measured: np.ndarray, *, cut: int) -> float:
    counts = np.zeros(101)
    for top in range(0, frame.shape[0] - 63, 64):
        for left in range(0, frame.shape[1] - 63, 64):
            block = np.s_[top : top + 64, left : left + 64]
            if canny[block].sum() <= 0.002 * 4096:
                continue
            contrast = int(frame[block].max()) - int(frame[block].min())
            just_noticeable = 5 if contrast <= 50 else 3
            for width in measured[block][measured[block] > 0]:
                probability = 1 - math.exp(-((width / just_noticeable) ** 3.6))
                counts[round(100 * probability)] += 1
    return counts[: cut + 1].sum() / counts.sum() if counts.sum() else 0.0


def published_package() -> ModuleType:
    """The package ``cpbd``, which imports a function that SciPy dropped in 1.2 and only its own script uses."""
    scipy.ndimage.imread = None
    try:
        import cpbd
    finally:
        del scipy.ndimage.imread
    return cpbd
