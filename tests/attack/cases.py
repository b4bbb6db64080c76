"""What a hostile input is, and the good clips that it stands among."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import av
import numpy as np
from support.clips import moving

from thgeval.media.encode import write_video

Rng = np.random.Generator
SIZE, FRAMES = 64, 6


@dataclass(frozen=True)
class Sides:
    """The folders of a run: generated and reference clips."""

    pred: Path
    gt: Path

    def partner(self, name: str) -> None:
        """A good reference for a generated clip of that name."""
        shutil.copyfile(video(".mp4", 1), self.gt / f"{name}.mp4")

    def pair(self, name: str) -> None:
        """A good pair of that name, for what lies beside it to be hostile."""
        self.partner(name)
        shutil.copyfile(video(".mp4", 2), self.pred / f"{name}.mp4")


@dataclass(frozen=True)
class Case:
    """One hostile input: ``make`` puts it into the folders under an id of its own."""

    label: str
    make: Callable[[Sides, str], None]
    id: str = ""
    """The id that it will have, where its name is what is hostile."""


@dataclass(frozen=True)
class Kind:
    """Hostile inputs of one kind: made ``count`` at a time, and scored by these metrics."""

    says: str
    make: Callable[[Rng, int], list[Case]]
    count: int
    metrics: tuple[str, ...] = ("l1", "psnr")
    beside: tuple[tuple[str, bytes], ...] = ()
    """What good clips, and the references of hostile ones, have beside them: suffixes and contents."""
    batch: int = 20


ENCODERS = {
    ".mp4": ("libx264", {}),
    ".mov": ("libx264", {}),
    ".mkv": ("libx264", {}),
    ".ts": ("libx264", {}),
    ".webm": ("libvpx", {"deadline": "realtime", "cpu-used": "8"}),
    ".avi": ("mpeg4", {}),
    ".mpg": ("mpeg1video", {}),
    ".gif": ("gif", {}),
}


@cache
def _store() -> Path:
    return Path(mkdtemp(prefix="attack-"))


@cache
def video(suffix: str, seed: int = 0) -> Path:
    """A good clip in a container."""
    path = _store() / f"{seed}{suffix}"
    frames = moving(FRAMES, SIZE, seed, noise=4)
    if suffix == ".mp4":
        sound = np.random.default_rng(seed).normal(0, 0.1, FRAMES * 16000 // 25).astype(np.float32)
        write_video(path, frames, fps=25, crf=18, audio=sound)
        return path
    codec, options = ENCODERS[suffix]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.height = stream.width = SIZE
        stream.pix_fmt = "rgb8" if suffix == ".gif" else "yuv420p"
        for frame in frames:
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24").reformat(format=stream.pix_fmt)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def forget() -> None:
    """Remove the good clips that were made."""
    if _store.cache_info().currsize:
        shutil.rmtree(_store(), ignore_errors=True)
    _store.cache_clear()
    video.cache_clear()
