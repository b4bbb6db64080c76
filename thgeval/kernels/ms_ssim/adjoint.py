"""What MS-SSIM's loops hand back: how the gradients of a plane's scales come together."""

import numpy as np

from thgeval.jit import jit
from thgeval.kernels.ssim.cpu import Singles


@jit()
def add_doubled(half: Singles, plane: Singles) -> None:
    """Add to a plane's gradient what each of its pixels has in the means of 2 x 2 that `halved` makes of it."""
    height, width = plane.shape
    quarter = np.float32(0.25)
    for y in range(height):
        row = half[(y + height % 2) // 2]
        for x in range(width):
            plane[y, x] += quarter * row[(x + width % 2) // 2]
