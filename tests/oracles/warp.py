"""Warping and visibility with scipy's interpolation, one frame at a time."""

import numpy as np
from scipy.ndimage import map_coordinates


def warped(image, flow):
    """Bilinear (height, width, channels) at pixel + flow, and where that lies inside; 0 elsewhere."""
    height, width = image.shape[:2]
    rows, columns = np.mgrid[:height, :width].astype(np.float64)
    x, y = columns + flow[..., 0].astype(np.float64), rows + flow[..., 1].astype(np.float64)
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    channels = [
        map_coordinates(image[..., channel].astype(np.float64), [y, x], order=1, mode="nearest")
        for channel in range(image.shape[2])
    ]
    return np.where(inside[..., None], np.stack(channels, axis=-1), 0.0), inside


def visible(forward, backward):
    """Ruder's two tests, and staying inside."""
    w = forward.astype(np.float64)
    back, inside = warped(backward, forward)
    length = (w**2).sum(axis=-1)
    returns = ((w + back) ** 2).sum(axis=-1) <= 0.01 * (length + (back**2).sum(axis=-1)) + 0.5
    change = np.zeros(length.shape)
    change[:, :-1] += (np.diff(w, axis=1) ** 2).sum(axis=-1)
    change[:-1] += (np.diff(w, axis=0) ** 2).sum(axis=-1)
    return inside & returns & (change <= 0.01 * length + 0.002)


def squared_error(previous, current, flow, mask):
    """Sum of squares over unmasked pixels inside, and their number."""
    moved, inside = warped(current, flow)
    used = mask & inside
    return float(((moved - previous.astype(np.float64)) ** 2)[used].sum()), int(used.sum())
