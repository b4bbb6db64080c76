"""What stub checkouts share: a talking head drawn from what a script was given, and the failures of real ones.

Runs inside the stubs, as the real scripts do, from a checkout and under the adapter's own interpreter. ``PRETEND`` in
the environment names a failure.
"""

import os
import sys
import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

FAILURE = os.environ.get("PRETEND", "")


def seconds_of(path):
    """How long a wav of 16-bit mono is; what the real scripts refuse is refused."""
    with wave.open(path, "rb") as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        levels = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        rate = file.getframerate()
    return len(levels) / rate, rate, levels


def frames_of(path):
    """Frames of a video or a picture."""
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def nodding(picture, count):
    """A picture that sways: count frames."""
    return [np.roll(picture, round(2 * np.sin(number / 3)), axis=1) for number in range(count)]


def write(path, frames, fps, sound=None, panels=1, made_at=None):
    """Write a result as the real script does; a failure takes its place if one is asked for."""
    if FAILURE == "crash":
        raise RuntimeError("CUDA out of memory")
    if FAILURE == "nothing":
        print("everything went fine")
        return
    if FAILURE == "complains":
        print("Error occurred during processing: something", flush=True)
        print("Can't get the coeffs of the input", flush=True)
        return
    if FAILURE == "panels":
        panels = 3
    if FAILURE == "watermark":
        frames = [stamped(frame) for frame in frames]
    if FAILURE == "rate":
        fps = 2 * fps
    if panels > 1:
        frames = [np.concatenate([np.zeros_like(frame), frame, np.zeros_like(frame)], axis=1) for frame in frames]
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        picture = container.add_stream("libx264", rate=Fraction(fps), options={"crf": "16", "preset": "veryfast"})
        picture.height, picture.width, picture.pix_fmt = *frames[0].shape[:2], "yuv420p"
        if sound is not None:
            _, rate, levels = seconds_of(sound)
            track = container.add_stream("aac", rate=rate, layout="mono")
        for frame in frames:
            container.mux(picture.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")))
        container.mux(picture.encode(None))
        for start in range(0, len(levels) if sound is not None else 0, 1024):
            block = (levels[None, start : start + 1024] / 32768).astype(np.float32)
            part = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
            part.sample_rate, part.time_base, part.pts = rate, Fraction(1, rate), start
            container.mux(track.encode(part))
        if sound is not None:
            container.mux(track.encode(None))


def stamped(frame):
    """A frame with a sign in its corner."""
    frame = frame.copy()
    height, width = frame.shape[:2]
    frame[-height // 8 :, -width // 3 :] = 255
    frame[-height // 12 : -height // 16, -width // 4 : -width // 16] = 0
    return frame


def exists(*paths):
    """The files that a script opens."""
    for path in paths:
        if not Path(path).exists():
            print(f"FileNotFoundError: {path}", file=sys.stderr)
            sys.exit(1)
