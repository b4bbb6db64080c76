"""Known answers: does this installation compute what it should, on this machine?

Each check scores frames whose result is known from arithmetic, through the same path as any run; the last ones write
clips and decode them again. The tests run the same table.
"""

import math
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from thgeval.clip import Clip
from thgeval.engine.run import score
from thgeval.media import decode
from thgeval.media.encode import write_video

Frames = NDArray[np.uint8]
SIZE = 192
BLACK_WHITE_SSIM = 0.01**2 / (1 + 0.01**2)


@dataclass(frozen=True)
class KnownAnswer:
    """One known answer: a metric on two clips, or a decoded colour."""

    name: str
    compute: Callable[[], float]
    expected: float
    tolerance: float


@dataclass(frozen=True)
class Outcome:
    """What a check found."""

    check: KnownAnswer
    found: float

    @property
    def passed(self) -> bool:
        """Whether the answer is the known one; NaN where nothing is to be measured."""
        if math.isnan(self.check.expected):
            return math.isnan(self.found)
        return abs(self.found - self.check.expected) <= self.check.tolerance


def flat(*levels: int) -> Frames:
    """One uniform grey frame for each level."""
    return np.stack([np.full((SIZE, SIZE, 3), level, dtype=np.uint8) for level in levels])


def texture() -> Frames:
    """Two frames of the same smooth random texture, the second moved right by 3 and down by 4 px."""
    coarse = np.random.default_rng(1).random((SIZE // 8 + 2, SIZE // 8 + 2))
    grid = np.linspace(0, SIZE // 8 + 1, SIZE + 8)
    low = np.floor(grid).clip(0, SIZE // 8).astype(int)
    part = grid - low
    rows = coarse[low] * (1 - part)[:, None] + coarse[low + 1] * part[:, None]
    smooth = rows[:, low] * (1 - part) + rows[:, low + 1] * part
    plane = np.rint(smooth * 255).astype(np.uint8)
    moved = [plane[4:, 4:][:SIZE, :SIZE], plane[:, 1:][:SIZE, :SIZE]]
    return np.stack([np.repeat(item[..., None], 3, axis=2) for item in moved])


def scored(metric: str, generated: Frames, reference: Frames | None = None) -> Callable[[], float]:
    """The score of one metric, to be computed when the check runs."""

    def compute() -> float:
        value = score(generated, reference, metrics=[metric])[metric].value
        return float("nan") if value is None else value

    return compute


def decoded(matrix: str) -> Callable[[], float]:
    """Largest deviation, in levels, of red, green, blue and grey frames written as H.264 and decoded again."""
    colours = np.array([[200, 30, 30], [30, 180, 40], [40, 50, 210], [128, 128, 128]], dtype=np.uint8)
    frames = np.broadcast_to(colours[:, None, None], (4, 64, 64, 3))

    def compute() -> float:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "colours.mp4"
            write_video(path, frames, fps=25, crf=1, matrix=matrix)
            with decode(Clip("colours", path), chunk=3) as batches:
                shown = np.concatenate([batch.new for batch in batches])
        return float(np.abs(shown.astype(int) - frames).max()) if shown.shape == frames.shape else float("nan")

    return compute


CHECKS = (
    KnownAnswer("psnr of black against white is 0 dB", scored("psnr", flat(0), flat(255)), 0.0, 0.0),
    KnownAnswer("psnr does not wrap around", scored("psnr", flat(0), flat(16)), 20 * np.log10(255 / 16), 1e-9),
    KnownAnswer("psnr/uint8-wrap does", scored("psnr/uint8-wrap", flat(1), flat(0)), 20 * np.log10(255), 1e-9),
    KnownAnswer("l1 of black against white is 1", scored("l1", flat(0), flat(255)), 1.0, 0.0),
    KnownAnswer("l1-255 of two levels is their distance", scored("l1-255", flat(10), flat(73)), 63.0, 0.0),
    KnownAnswer("ssim of black against white", scored("ssim", flat(0), flat(255)), BLACK_WHITE_SSIM, 1e-9),
    KnownAnswer("ssim of a copy is 1", scored("ssim", texture(), texture()), 1.0, 0.0),
    KnownAnswer(
        "ms-ssim of black against white", scored("ms-ssim", flat(0), flat(255)), BLACK_WHITE_SSIM**0.1333, 5e-5
    ),
    KnownAnswer("ms-ssim of a copy is 1", scored("ms-ssim", texture(), texture()), 1.0, 0.0),
    KnownAnswer("fsim of a copy is 1", scored("fsim", texture(), texture()), 1.0, 1e-12),
    KnownAnswer("fsimc of a copy is 1", scored("fsimc", texture(), texture()), 1.0, 1e-12),
    KnownAnswer("cpbd of a uniform frame is none", scored("cpbd", flat(128)), math.nan, 0.0),
    KnownAnswer(
        "f-mse of alternating levels is their squared distance", scored("f-mse", flat(0, 12, 0, 12)), 144.0, 1e-9
    ),
    KnownAnswer("ofm of a texture moved by 3 and 4 px is near 5 px", scored("ofm", texture()), 5.0 * 256 / SIZE, 1.0),
    KnownAnswer(
        "temporal-warp-error of a still clip is 0",
        scored("temporal-warp-error", flat(9, 9, 9), flat(9, 9, 9)),
        0.0,
        0.0,
    ),
    KnownAnswer("colours survive H.264 with BT.601", decoded("bt601"), 0.0, 4.0),
    KnownAnswer("colours survive H.264 with BT.709", decoded("bt709"), 0.0, 4.0),
)


def outcomes() -> Iterator[Outcome]:
    """Run every check, in order."""
    for check in CHECKS:
        yield Outcome(check, check.compute())
