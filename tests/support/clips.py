"""Small moving clips that tests make on the spot."""

from pathlib import Path

import av
import numpy as np

from thgeval.media.encode import write_video


def moving(frames: int = 10, size: int = 64, seed: int = 0, noise: float = 0.0) -> np.ndarray:
    """A textured pattern that drifts: uint8, (frames, size, size, 3)."""
    rng = np.random.default_rng(seed)
    base = rng.integers(40, 216, size=(size // 4 + 8, size // 4 + 8, 1))
    base = base.repeat(4, axis=0).repeat(4, axis=1) * [0.9, 1.0, 0.8]
    shown = np.stack([base[shift : shift + size, :size] for shift in (np.arange(frames) % 16)]).astype(float)
    return np.clip(shown + rng.normal(0, noise, shown.shape), 0, 255).astype(np.uint8)


def write_clip(path: Path, frames: np.ndarray, fps: int = 25) -> Path:
    """Write frames as H.264, nearly without loss."""
    write_video(path, frames, fps=fps, crf=10)
    return path


def written_at(path, frames, ticks, tick):
    """A lossless file whose frames are shown at given ticks of a clock."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=round(1 / tick))
        stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], "bgr0"
        stream.time_base = stream.codec_context.time_base = tick
        for frame, at in zip(frames, ticks, strict=True):
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24").reformat(format="bgr0")
            picture.pts, picture.time_base = at, tick
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path
