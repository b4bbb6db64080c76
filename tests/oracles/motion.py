"""Frame differences and flow pictures of a clip, written out pair by pair in numpy."""

from itertools import pairwise

import cv2
import numpy as np

DIFFUSED_HEADS = {
    "pyr_scale": 0.5,
    "levels": 7,
    "winsize": 5,
    "iterations": 15,
    "poly_n": 5,
    "poly_sigma": 1.2,
    "flags": 0,
}


def frame_mse(frames, peak):
    """Mean squared difference of consecutive frames on a scale of 255."""
    scaled = frames.astype(np.float64) * (255.0 / peak)
    return [((scaled[index] - scaled[index - 1]) ** 2).mean() for index in range(1, len(frames))]


def wrapped_frame_mse(frames, side):
    """The same of uint8 BGR frames at another size, with every step modulo 256, in integers that can't overflow."""
    small = [cv2.resize(frame[..., ::-1], (side, side)).astype(np.int64) for frame in frames]
    return [(((after - before) % 256) ** 2 % 256).mean() for before, after in pairwise(small)]


def jet_means(frames, side):
    """Mean colour of the flow's JET picture of each pair of uint8 RGB frames."""
    small = [cv2.cvtColor(cv2.resize(frame, (side, side)), cv2.COLOR_RGB2GRAY) for frame in frames]
    table = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], cv2.COLORMAP_JET)[:, 0].astype(np.float64)
    means = []
    for before, after in pairwise(small):
        flow = cv2.calcOpticalFlowFarneback(before, after, None, **DIFFUSED_HEADS)
        length = np.hypot(flow[..., 0].astype(np.float64), flow[..., 1].astype(np.float64))
        spread = np.ptp(length)
        stretched = (length - length.min()) * (255.0 / spread if spread > np.finfo(np.float64).eps else 0.0)
        means.append(table[stretched.astype(np.uint8)].mean())
    return means
