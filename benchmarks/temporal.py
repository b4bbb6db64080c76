"""What the temporal metrics cost: milliseconds per pair of consecutive 512 x 512 frames, on one core.

Medians over chunks as runs use them, decoding excluded.
"""

from statistics import median
from time import perf_counter
from typing import Any

import cv2
import numpy as np

from thgeval.features.frames.frames import rgb
from thgeval.media.frames import FrameBatch
from thgeval.registry import metric
from thgeval.view import View

KEYS = ("f-mse", "f-mse/diffused-heads", "ofm", "ofm/diffused-heads", "temporal-warp-error")
FRAMES = 8
RUNS = 5


def clip(side: int) -> FrameBatch:
    """A picture that moves by (2, 1) px per frame under a little noise."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (side + 32, side + 32, 3)).astype(np.uint8)
    picture = cv2.GaussianBlur(noise, (0, 0), 3) * 1.0
    frames = [picture[index : index + side, 2 * index : 2 * index + side] for index in range(FRAMES + 1)]
    noisy = np.stack(frames) + rng.normal(0, 1, (FRAMES + 1, side, side, 3))
    return FrameBatch(noisy.clip(0, 255).astype(np.uint8), 255.0, 1, lead=1)


def milliseconds(key: str, batch: FrameBatch) -> float:
    """Median milliseconds per pair of frames, after one run to warm up."""
    scored = metric(key).metric
    seconds = []
    for _ in range(RUNS + 1):
        began = perf_counter()
        scored.measure(View.of("clip", batch.start, {rgb: batch}, {rgb: batch}).seen_by(scored.needs, scored.name))
        seconds.append(perf_counter() - began)
    return 1000 * median(seconds[1:]) / len(batch)


def measurements(side: int = 512) -> list[dict[str, Any]]:
    """One row a metric; there is no peer to compare with."""
    batch = clip(side)
    return [{"what": key, "side_px": side, "ours_ms_per_pair": milliseconds(key, batch)} for key in KEYS]
