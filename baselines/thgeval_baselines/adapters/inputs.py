"""Inputs in the form that a script takes: sound at a rate, a picture of a size, a face that fills its frame.

What is changed is said, a sentence each. A picture is cut to its face only where the face is small or the picture
isn't square, as these repositories ask for; a result is then framed otherwise than the reference.
"""

import wave
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from thgeval.clip import Clip
from thgeval.errors import InputError
from thgeval.media import decode, decoded_speech, write_video
from thgeval.media.image import SUFFIXES
from thgeval_baselines.adapters.manifest import Taken

FACE_PART = 0.3
"""A face whose box is less than this part of a square picture's side wide is small."""
MARGIN = 0.75
"""What is left around a face when a picture is cut, in widths of its box on each side."""
CRF = 10


def converted(taken: Taken, source: Path, folder: Path, *, fps: Fraction, seed: int) -> tuple[Path, list[str]]:
    """The file that the script gets, in ``folder`` or the source itself, and what was done to it."""
    kind = taken.to
    if kind == "png" and source.suffix.lower() not in SUFFIXES:
        kind = "mp4"  # a script that takes pictures and videos alike
    if kind in ("wav", "mp3"):
        return _sound(taken, source, folder / f"{taken.name}.{kind}", seed)
    if kind in ("png", "jpg"):
        return _picture(taken, source, folder / f"{taken.name}.{kind}")
    if kind == "mp4":
        return _video(taken, source, folder / f"{taken.name}.mp4", fps)
    return source, []


def _sound(taken: Taken, source: Path, target: Path, seed: int) -> tuple[Path, list[str]]:
    heard = decoded_speech(source, rate_hz=taken.rate_hz)
    done = [f"{taken.name}: {target.suffix[1:]} at {taken.rate_hz} Hz"]
    samples = heard.samples
    if taken.dither:
        rng = np.random.default_rng(seed)
        samples = samples + rng.uniform(-taken.dither, taken.dither, len(samples)).astype(np.float32)
        done.append(f"{taken.name}: noise of {taken.dither:g} added, as the script refuses digital silence")
    levels = np.rint(np.clip(samples, -1, 1) * 32767).astype("<i2")
    if target.suffix == ".wav":
        with wave.open(str(target), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(taken.rate_hz)
            file.writeframes(levels.tobytes())
        return target, done
    with av.open(str(target), "w") as container:
        stream = container.add_stream("libmp3lame", rate=taken.rate_hz, layout="mono")
        frame = av.AudioFrame.from_ndarray(levels[None], format="s16", layout="mono")
        frame.sample_rate = taken.rate_hz
        resampler = av.AudioResampler(format="s16p", layout="mono", rate=taken.rate_hz, frame_size=1152)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return target, done


def _picture(taken: Taken, source: Path, target: Path) -> tuple[Path, list[str]]:
    frame = _first(source)
    box, done = _box(taken, frame)
    shown = _fitted(frame, box, taken.size)
    done += [f"{taken.name}: {target.suffix[1:]} of {shown.shape[1]} x {shown.shape[0]} px"]
    if not cv2.imwrite(str(target), cv2.cvtColor(shown, cv2.COLOR_RGB2BGR)):
        raise InputError(f"{target.name} can't be written", reason="unreadable")
    return target, done


def _video(taken: Taken, source: Path, target: Path, fps: Fraction) -> tuple[Path, list[str]]:
    box, done = _box(taken, _first(source))
    try:
        heard = decoded_speech(source)
    except InputError:
        heard = None

    def frames() -> Iterator[NDArray[np.uint8]]:
        with decode(Clip(source.stem, source), chunk=8, fps=fps) as batches:
            for batch in batches:
                for frame in np.asarray(batch.new, np.uint8):
                    yield _fitted(frame, box, taken.size)

    write_video(
        target,
        frames(),
        fps=fps,
        crf=CRF,
        audio=None if heard is None else heard.samples,
        audio_start_s=0.0 if heard is None else heard.start_s,
    )
    return target, [*done, f"{taken.name}: mp4 at {float(fps):g} frames per second"]


def _first(source: Path) -> NDArray[np.uint8]:
    with decode(Clip(source.stem, source), chunk=1) as batches:
        return np.asarray(next(iter(batches)).new[0], np.uint8)


def _box(taken: Taken, frame: NDArray[np.uint8]) -> tuple[tuple[int, int, int, int] | None, list[str]]:
    """Which part of a frame is taken (left, top, right, bottom), if not all of it, and a sentence on it."""
    if not taken.crop:
        return None, []
    from thgeval.features.faces.dlib_models import detected_enlarged

    height, width = frame.shape[:2]
    found = detected_enlarged(frame).boxes
    if not len(found):
        raise InputError(f"no face is found in the {taken.name}, which the script takes cut to it", reason="no face")
    left, top, right, bottom = (float(value) for value in found[0])
    if height == width and right - left >= FACE_PART * width:
        return None, []
    half = min((0.5 + MARGIN) * (right - left), width / 2, height / 2)
    x = float(np.clip((left + right) / 2, half, width - half))
    y = float(np.clip((top + bottom) / 2, half, height - half))
    box = (round(x - half), round(y - half), round(x + half), round(y + half))
    return box, [f"{taken.name}: cut to its face, {box[2] - box[0]} px at {box[0]}, {box[1]} of {width} x {height} px"]


def _fitted(frame: NDArray[np.uint8], box: tuple[int, int, int, int] | None, size: int | None) -> NDArray[np.uint8]:
    if box is not None:
        left, top, right, bottom = box
        frame = frame[top:bottom, left:right]
    if size is not None and frame.shape[:2] != (size, size):
        way = cv2.INTER_AREA if frame.shape[0] > size else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(frame, (size, size), interpolation=way), np.uint8)
    return np.ascontiguousarray(frame[: frame.shape[0] // 2 * 2, : frame.shape[1] // 2 * 2])
