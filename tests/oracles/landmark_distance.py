"""Landmark distances as loops over frames and points, one function per published script; nothing of ours is used."""

import math

import numpy as np

# face_recognition 1.3: the upper lip from corner to corner and back along its inner edge, the lower lip likewise
FACE_RECOGNITION_LIPS = [48, 49, 50, 51, 52, 53, 54, 64, 63, 62, 61, 60, 54, 55, 56, 57, 58, 59, 48, 60, 67, 66, 65, 64]


def mean_removed(points):
    x = sum(point[0] for point in points) / len(points)
    y = sum(point[1] for point in points) / len(points)
    return [(point[0] - x, point[1] - y) for point in points]


def euclidean(a, b):
    return math.hypot(a[0] - b[0], a[1] - b[1])


def per_coordinate(a, b):
    return (math.sqrt((a[0] - b[0]) ** 2) + math.sqrt((a[1] - b[1]) ** 2)) / 2


def framewise(generated, reference, indices, *, centre, between):
    """The summed distance of the points of each frame: a list."""
    sums = []
    for first, second in zip(generated, reference, strict=True):
        a, b = [first[index] for index in indices], [second[index] for index in indices]
        if centre:
            a, b = mean_removed(a), mean_removed(b)
        sums.append(sum(between(p, q) for p, q in zip(a, b, strict=True)))
    return sums


def atvgnet(generated, reference):
    return np.mean(framewise(generated, reference, range(48, 68), centre=True, between=euclidean))


def eat_mouth(generated, reference):
    return np.mean(framewise(generated, reference, range(48, 68), centre=True, between=euclidean)) / 20


def eat_face(generated, reference):
    return np.mean(framewise(generated, reference, range(68), centre=True, between=euclidean)) / 68


def vico(generated, reference):
    return np.mean(framewise(generated, reference, range(48, 68), centre=False, between=per_coordinate)) / 20


def fae(generated, reference):
    return np.mean(framewise(generated, reference, FACE_RECOGNITION_LIPS, centre=False, between=per_coordinate)) / 24


def pose_evaluation(generated, reference):
    return np.mean(framewise(generated, reference, range(68), centre=False, between=per_coordinate)) / 68


def uncentred(generated, reference, indices=range(48, 68)):
    return np.mean(framewise(generated, reference, indices, centre=False, between=euclidean)) / len(indices)


def interocular(generated, reference):
    sums = framewise(generated, reference, range(48, 68), centre=True, between=euclidean)
    return np.mean([total / 20 / euclidean(face[36], face[45]) for total, face in zip(sums, reference, strict=True)])


def velocity(generated, reference, indices=range(48, 68)):
    """Mean over steps and points of the distance between displacements."""
    total, steps = 0.0, len(generated) - 1
    for frame in range(steps):
        for index in indices:
            moved = [side[frame + 1][index] - side[frame][index] for side in (generated, reference)]
            total += euclidean(*moved)
    return total / (steps * len(indices))


def eat_velocity(generated, reference):
    """As velocity, over frames instead of steps."""
    return velocity(generated, reference) * (len(generated) - 1) / len(generated)
