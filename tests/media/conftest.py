"""Clips for the tests of reading and writing media: a scene that moves, and files of it in any codec."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from thgeval.clip import Clip
from thgeval.media import decode, write_video

Frames = NDArray[np.uint8]


def scene(count: int, height: int, width: int) -> Frames:
    """Smooth colours with an edge, all moving, and every frame different: (count, height, width, 3)."""
    t = np.arange(count)[:, None, None]
    y = np.arange(height)[None, :, None]
    x = np.arange(width)[None, None, :]
    red = 128 + 90 * np.sin((x + 3 * t) / 19) * np.cos(y / 23)
    green = 128 + 80 * np.cos((y - 2 * t) / 17 + x / 31)
    blue = np.where((x - 2 * t) % 64 < 32, 60, 190) + 0 * y
    return np.stack(np.broadcast_arrays(red, green, blue), axis=-1).astype(np.uint8)


@pytest.fixture
def moving() -> Callable[[int, int, int], Frames]:
    """The scene, of any length and size."""
    return scene


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    """Write a scene to a file; the name's suffix chooses the container."""

    def write(
        name: str = "clip.mp4",
        *,
        count: int = 20,
        height: int = 64,
        width: int = 80,
        fps: Fraction | int = 25,
        frames: Frames | None = None,
        **settings: Any,
    ) -> Path:
        try:
            av.Codec(settings.get("codec", "libx264"), "w")
        except av.codec.codec.UnknownCodecError:
            pytest.skip(f"this build of ffmpeg has no {settings['codec']} encoder")
        path = tmp_path / name
        write_video(path, scene(count, height, width) if frames is None else frames, fps=fps, **settings)
        return path

    return write


def read(path: Path, **how: Any) -> Frames:
    """All new frames of a clip."""
    how = {"chunk": 8} | how
    with decode(Clip("clip", path), **how) as batches:
        return np.concatenate([batch.new for batch in batches])


@pytest.fixture
def all_frames() -> Callable[..., Frames]:
    """All frames of a file, decoded."""
    return read


@pytest.fixture(scope="session")
def assets() -> Path:
    """The folder of real clips, where it is there."""
    folder = Path(__file__).resolve().parents[2] / ".." / "shared" / "assets" / "clips"
    if not folder.is_dir():
        pytest.skip("the shared clips are not on this machine")
    return folder
