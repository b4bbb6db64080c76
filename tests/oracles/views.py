"""Chamfer distance and forward warping of two views, point by point in plain Python and float64."""

import math

import numpy as np


def one_way(points, cloud):
    nearest = [min(sum((a - b) ** 2 for a, b in zip(point, other, strict=True)) for other in cloud) for point in points]
    return sorted(nearest)[(len(nearest) - 1) // 2]


def chamfer(first, second, first_weights, second_weights, opaque):
    clouds = [side.reshape(-1, 3).tolist() for side in (first, second)]
    solid = [
        [point for point, weight in zip(cloud, weights.ravel(), strict=True) if weight > opaque]
        for cloud, weights in zip(clouds, (first_weights, second_weights), strict=True)
    ]
    return one_way(solid[0], clouds[1]) + one_way(solid[1], clouds[0])


def carried(depth, row, column, size, side, front):
    """Column and row, as floats, at which the front camera sees one pixel of the side view; None behind it."""
    intrinsics, pose = side
    u, v = (column + 0.5) / size, (row + 0.5) / size
    (fx, skew, cx), (_, fy, cy), _ = intrinsics
    y = (v - cy) / fy
    x = (u - cx - skew * y) / fx
    ray = pose[:3, 0] * x + pose[:3, 1] * y + pose[:3, 2]
    point = pose[:3, 3] + ray / math.sqrt(float(ray @ ray)) * depth
    intrinsics, pose = front
    x, y, z = np.linalg.solve(pose[:3, :3], point - pose[:3, 3])
    if z <= 0:
        return None
    (fx, skew, cx), (_, fy, cy), _ = intrinsics
    return (fx * x / z + skew * y / z + cx) * size, (fy * y / z + cy) * size


def warping_error(front_image, side_image, depth, side, front, border):
    """Mean absolute difference of (size, size, 3) images over the pixels that are reached."""
    size = len(depth)
    warped, gone = {}, set()
    for row in range(size):
        for column in range(size):
            place = carried(depth[row, column], row, column, size, side, front)
            if place is None:
                gone.add((row, column))
                continue
            if not all(0 <= value <= size for value in place):
                gone.add((row, column))
                if not border:
                    continue
            across, down = (min(max(int(value), 0), size - 1) for value in place)
            warped[down, across] = side_image[row, column].astype(float)
    used = [where for where in warped if not (border and where in gone)]
    if not used:
        return math.nan
    return float(np.mean([np.abs(warped[where] - front_image[where].astype(float)) for where in used]))
