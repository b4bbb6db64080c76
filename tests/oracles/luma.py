"""Luma rules in exact integer arithmetic on uint8, and in float64 on floats: each as its source states it."""

import numpy as np

MATLAB = (298936021293775, 587043074451121, 114020904255103)  # times 1e-15
STUDIO = (65481, 128553, 24966)  # times 1e-3 / 255


def _sum(rgb, weights):
    return sum(rgb[..., c].astype(np.int64) * w for c, w in enumerate(weights))


def bt601_rounded(rgb):
    return ((_sum(rgb, MATLAB) + 5 * 10**14) // 10**15).astype(np.uint8)


def bt601_float(rgb):
    return _sum(rgb, (299, 587, 114)) / 1000


def pil_l(rgb):
    return ((_sum(rgb, (19595, 38470, 7471)) + 0x8000) >> 16).astype(np.uint8)


def cv2_grey(rgb):
    return ((_sum(rgb, (9798, 19235, 3735)) + (1 << 14)) >> 15).astype(np.uint8)


def studio_y(rgb):
    return (16 + (_sum(rgb, STUDIO) + 127500) // 255000).astype(np.uint8)


BYTES = {
    "bt601-rounded": bt601_rounded,
    "bt601-float": bt601_float,
    "pil-l": pil_l,
    "cv2-grey": cv2_grey,
    "studio-y": studio_y,
}

FLOATS = {
    "bt601-rounded": lambda rgb, peak: rgb.astype(np.float64) @ (np.array(MATLAB) / 1e15),
    "bt601-float": lambda rgb, peak: rgb.astype(np.float64) @ [0.299, 0.587, 0.114],
    "studio-y": lambda rgb, peak: rgb.astype(np.float64) @ (np.array(STUDIO) / 255e3) + 16 / 255 * peak,
}
