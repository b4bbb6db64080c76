"""FSIM and FSIMc, slowly and in float64, after Zhang et al. (2011) and the authors' ``FeatureSIM.m``.

Frames are (height, width, 3), red-green-blue from 0 to 255. Everything is written out over scales and orientations and
shares no line with the package.
"""

import math

import numpy as np
from scipy.signal import convolve2d


def similarity(generated: np.ndarray, reference: np.ndarray) -> tuple[float, float]:
    planes = [yiq(frame.astype(np.float64)) for frame in (generated, reference)]
    pc = [phase_congruency(plane[0]) for plane in planes]
    grad = [gradient(plane[0]) for plane in planes]
    same = alike(pc[0], pc[1], 0.85) * alike(grad[0], grad[1], 160)
    colour = alike(planes[0][1], planes[1][1], 200) * alike(planes[0][2], planes[1][2], 200)
    weight = np.maximum(pc[0], pc[1])
    factor = np.real(colour.astype(np.complex128) ** 0.03)
    return (same * weight).sum() / weight.sum(), (same * factor * weight).sum() / weight.sum()


def alike(a: np.ndarray, b: np.ndarray, constant: float) -> np.ndarray:
    return (2 * a * b + constant) / (a**2 + b**2 + constant)


def yiq(frame: np.ndarray) -> list[np.ndarray]:
    red, green, blue = frame[..., 0], frame[..., 1], frame[..., 2]
    mixed = (
        0.299 * red + 0.587 * green + 0.114 * blue,
        0.596 * red - 0.274 * green - 0.322 * blue,
        0.211 * red - 0.523 * green + 0.312 * blue,
    )
    step = max(1, int(min(frame.shape[:2]) / 256 + 0.5))
    return [averaged(plane, step) for plane in mixed]


def averaged(plane: np.ndarray, step: int) -> np.ndarray:
    """Every step-th sample of MATLAB's conv2(plane, ones / step^2, 'same'): even kernels have a late centre."""
    full = convolve2d(plane, np.full((step, step), 1 / step**2), mode="full")
    start = math.ceil((step - 1) / 2)
    return full[start : start + plane.shape[0], start : start + plane.shape[1]][::step, ::step]


def gradient(luma: np.ndarray) -> np.ndarray:
    dx = np.array([[3, 0, -3], [10, 0, -10], [3, 0, -3]]) / 16
    return np.hypot(convolve2d(luma, dx, mode="same"), convolve2d(luma, dx.T, mode="same"))


def grid(size: int) -> np.ndarray:
    if size % 2:
        return np.arange(-(size - 1) / 2, (size - 1) / 2 + 0.5) / (size - 1)
    return np.arange(-size / 2, size / 2) / size


def filters(height: int, width: int) -> np.ndarray:
    """(orientation, scale, height, width), zero frequency first."""
    x, y = np.meshgrid(grid(width), grid(height))
    radius, theta = np.sqrt(x**2 + y**2), np.arctan2(-y, x)
    low = 1 / (1 + (radius / 0.45) ** 30)
    made = np.empty((4, 4, height, width))
    for o in range(4):
        angle = o * math.pi / 4
        ds = np.sin(theta) * math.cos(angle) - np.cos(theta) * math.sin(angle)
        dc = np.cos(theta) * math.cos(angle) + np.sin(theta) * math.sin(angle)
        spread = np.exp(-(np.arctan2(ds, dc) ** 2) / (2 * (math.pi / 4 / 1.2) ** 2))
        for s in range(4):
            centre = 1 / (6 * 2**s)
            with np.errstate(divide="ignore"):
                band = np.exp(-(np.log(radius / centre) ** 2) / (2 * math.log(0.55) ** 2))
            band[radius == 0] = 0
            made[o, s] = np.fft.ifftshift(band * low * spread)
    return made


def phase_congruency(luma: np.ndarray) -> np.ndarray:
    bank = filters(*luma.shape)
    spectrum = np.fft.fft2(luma)
    energy_all, amplitude_all = np.zeros(luma.shape), np.zeros(luma.shape)
    for o in range(4):
        response = [np.fft.ifft2(spectrum * bank[o, s]) for s in range(4)]
        total = sum(response)
        mean = total / (np.abs(total) + 1e-4)
        energy = np.zeros(luma.shape)
        for r in response:
            dot = r.real * mean.real + r.imag * mean.imag
            cross = r.real * mean.imag - r.imag * mean.real
            energy += dot - np.abs(cross)
            amplitude_all += np.abs(r)
        energy_all += np.maximum(energy - noise_threshold(bank[o], response[0]), 0)
    return energy_all / amplitude_all


def noise_threshold(bank: np.ndarray, smallest: np.ndarray) -> float:
    power = -np.median(np.abs(smallest) ** 2) / math.log(0.5) / (bank[0] ** 2).sum()
    space = [np.real(np.fft.ifft2(f)) * math.sqrt(f.size) for f in bank]
    squares = sum((f**2).sum() for f in space)
    pairs = sum((space[i] * space[j]).sum() for i in range(4) for j in range(i + 1, 4))
    tau = math.sqrt((2 * power * squares + 4 * power * pairs) / 2)
    return (tau * math.sqrt(math.pi / 2) + 2 * math.sqrt((2 - math.pi / 2) * tau**2)) / 1.7
