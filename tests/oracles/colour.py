"""YUV to RGB by the standards' own definition: build the matrix from RGB to YCbCr, invert it, work in float64.

Slow, and independent of the package: no fixed point, no shortcuts, chroma repeated with numpy.
"""

import numpy as np
from numpy.typing import NDArray

LUMA_WEIGHTS = {
    "bt601": (0.299, 0.587, 0.114),
    "bt709": (0.2126, 0.7152, 0.0722),
    "bt2020": (0.2627, 0.6780, 0.0593),
}


def rgb(
    y: NDArray[np.integer],
    u: NDArray[np.integer],
    v: NDArray[np.integer],
    *,
    matrix: str,
    full_range: bool,
    bits: int,
    halvings: tuple[int, int] = (0, 0),
) -> NDArray[np.float64]:
    """Levels of red, green and blue before rounding and clipping: (height, width, 3), white at 255.

    ``halvings`` says how often chroma is halved along x and along y.
    """
    red, green, blue = LUMA_WEIGHTS[matrix]
    forward = np.array(
        [
            [red, green, blue],
            [-red / (2 * (1 - blue)), -green / (2 * (1 - blue)), 0.5],
            [0.5, -green / (2 * (1 - red)), -blue / (2 * (1 - red))],
        ]
    )
    height, width = y.shape
    u, v = (
        plane.astype(np.float64).repeat(2 ** halvings[1], axis=0).repeat(2 ** halvings[0], axis=1)[:height, :width]
        for plane in (u, v)
    )
    scale = 2.0 ** (bits - 8)
    peak = 2.0**bits - 1
    if full_range:
        signal = [y / peak, (u - 128 * scale) / peak, (v - 128 * scale) / peak]
    else:
        signal = [
            (y - 16 * scale) / (219 * scale),
            (u - 128 * scale) / (224 * scale),
            (v - 128 * scale) / (224 * scale),
        ]
    return 255.0 * np.stack(signal, axis=-1) @ np.linalg.inv(forward).T
