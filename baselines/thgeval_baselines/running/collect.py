"""From the video that came out to the one that is scored, and a line for every change on the way.

A video that already has the wanted rate and sound is taken as it is, byte for byte. Otherwise: a panel is cut out; the
rate becomes constant by showing the frame that is nearest in time; the item's sound is put under it without touching
the picture's packets where the picture needs nothing. Nothing is ever made longer or shorter to fit.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from thgeval.clip import Clip
from thgeval.errors import InputError, ProtocolError
from thgeval.media import decode, decoded_speech, probe, write_video
from thgeval.media.encode import aac_rate_hz

CRF = 10
"""Of what is encoded again; hard to tell from what came in."""
SLACK = Fraction(1, 1000)
"""How far a rate may be from the wanted one and still be the same, as a part of it: containers round."""


@dataclass(frozen=True)
class Panel:
    """The part of each frame that holds the generated face, in px; a width or height of 0 takes the rest."""

    x: int = 0
    y: int = 0
    width: int = 0
    height: int = 0

    def cut(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """That part of a frame, (height, width, 3)."""
        below = None if not self.height else self.y + self.height
        right = None if not self.width else self.x + self.width
        return frame[self.y : below, self.x : right]


@dataclass(frozen=True)
class Wanted:
    """What a video should be like: its rate, the sound to put under it where it brings none, the panel to cut out."""

    fps: Fraction
    sound: Path | None = None
    panel: Panel | None = None


def normalised(raw: Path, out: Path, wanted: Wanted) -> list[str]:
    """Write ``out`` from ``raw`` and say what was done to it, a sentence each; nothing if it was taken as it is.

    Raises InputError for a video that doesn't decode.
    """
    info = probe(Clip(raw.stem, raw))
    done: list[str] = []
    if wanted.panel is not None:
        panel = wanted.panel
        if panel.x + max(panel.width, 16) > info.width or panel.y + max(panel.height, 16) > info.height:
            raise InputError(f"{raw.name} has {info.width} x {info.height} px and no panel at {panel}", reason="panels")
        done.append(
            f"cut the panel {panel.width}x{panel.height}+{panel.x}+{panel.y} out of {info.width}x{info.height} px"
        )
    retimed = info.fps is None or abs(info.fps - wanted.fps) > wanted.fps * SLACK or info.variable_rate
    if retimed:
        done.append(f"brought {_rate(info.fps)} to {_rate(wanted.fps)} frames per second by the nearest frame in time")
    silent = info.audio is None and wanted.sound is not None
    if silent:
        done.append("put the item's sound under a silent picture")
    if not done:
        linked(raw, out)
    elif retimed or wanted.panel is not None:
        _encoded(raw, out, wanted, fps=wanted.fps if retimed else info.fps or wanted.fps, own_sound=not silent)
    else:
        _muxed(raw, out, wanted.sound)
    return done


def linked(source: Path, target: Path) -> None:
    """A second name for a file of ours, or a copy where the file system knows none."""
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _encoded(raw: Path, out: Path, wanted: Wanted, *, fps: Fraction, own_sound: bool) -> None:
    sound, rate_hz, start_s = None, 16000, 0.0
    source = raw if own_sound else wanted.sound
    if source is not None:
        with suppress(InputError):  # a silent video whose item has no sound either
            sound, rate_hz, start_s = _heard(source)
    start_s = start_s if own_sound else 0.0
    try:
        write_video(
            out,
            _frames(raw, fps, wanted.panel),
            fps=fps,
            crf=CRF,
            audio=sound,
            rate_hz=rate_hz,
            audio_start_s=start_s,
        )
    except ProtocolError as error:
        raise InputError(str(error), reason="unreadable") from error


def _frames(raw: Path, fps: Fraction, panel: Panel | None) -> Iterator[NDArray[np.uint8]]:
    with decode(Clip(raw.stem, raw), chunk=8, fps=fps) as batches:
        for batch in batches:
            for frame in np.asarray(batch.new, np.uint8):
                cut = frame if panel is None else panel.cut(frame)
                yield cut[: cut.shape[0] // 2 * 2, : cut.shape[1] // 2 * 2]


def _heard(path: Path) -> tuple[NDArray[np.float32], int, float]:
    found = decoded_speech(path)
    rate_hz = aac_rate_hz(found.original_rate_hz)
    if rate_hz != found.rate_hz:
        found = decoded_speech(path, rate_hz=rate_hz)
    return found.samples, found.rate_hz, found.start_s


def _muxed(raw: Path, out: Path, sound: Path | None) -> None:
    """The picture's packets as they are, with sound beside them."""
    assert sound is not None  # noqa: S101 - the one reason to be here
    samples, rate_hz, _ = _heard(sound)
    part = out.with_name(f".{out.stem}.part{out.suffix}")
    try:
        with (
            av.open(f"file:{raw}") as source,
            av.open(f"file:{part}", "w", options={"movflags": "+faststart"}) as target,
        ):
            source_video = source.streams.video[0]
            picture: Any = target.add_stream_from_template(source_video)
            track: Any = target.add_stream("aac", rate=rate_hz, layout="mono")
            for packet in source.demux(source_video):
                if packet.dts is not None:
                    packet.stream = picture
                    target.mux(packet)
            for start in range(0, len(samples), 1024):
                frame = av.AudioFrame.from_ndarray(samples[None, start : start + 1024], format="fltp", layout="mono")
                frame.sample_rate, frame.time_base, frame.pts = rate_hz, Fraction(1, rate_hz), start
                target.mux(track.encode(frame))
            target.mux(track.encode(None))
        part.replace(out)
    except (FFmpegError, ValueError, OSError) as error:
        raise InputError(f"{raw.name} can't be muxed with sound: {error}", reason="unreadable") from error
    finally:
        part.unlink(missing_ok=True)


def _rate(fps: Fraction | None) -> str:
    return "an unknown rate" if fps is None else f"{float(fps):g}"
