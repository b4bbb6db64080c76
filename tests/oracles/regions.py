"""Mouth and face squares from landmarks, worked out point by point in plain Python."""

import cv2
import numpy as np

REGIONS = {"mouth": (range(48, 68), 1.5, 96), "face": (range(68), 1.25, 256)}


def cut(frames, landmarks, region):
    """The region of every frame: (frames, side, side, 3), by the landmarks (frames, 68, 2) given."""
    points, margin, side_px = REGIONS[region]
    out = []
    for frame, shape in zip(frames, landmarks, strict=True):
        height, width = frame.shape[:2]
        xs, ys = ([float(shape[point][axis]) for point in points] for axis in (0, 1))
        longer = max(max(xs) - min(xs), max(ys) - min(ys)) + 1
        side = round(min(margin * longer, width, height))
        corners = []
        for values, length in ((xs, width), (ys, height)):
            corner = round((min(values) + max(values)) / 2 - (side - 1) / 2)
            corners.append(min(max(corner, 0), length - side))
        left, top = corners
        how = cv2.INTER_AREA if side > side_px else cv2.INTER_LINEAR
        out.append(cv2.resize(frame[top : top + side, left : left + side], (side_px, side_px), interpolation=how))
    return np.stack(out)
