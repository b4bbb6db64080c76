"""The sound of a clip or of an audio file: mono, at one rate, placed on the clock of the picture.

Samples are float32, nominally in [-1, 1] (lossy codecs may overshoot a little, and are not clipped). Channels are
resampled by ffmpeg's resampler with its default filter and then mixed by weights that sum to one: stereo is the mean
of left and right, more channels follow ITU-R BS.775 (front sides 0.707, centre 1, surround 0.5, no LFE) over their
sum, as ffmpeg mixes 16-bit sound.

Sample 0 is heard ``start_s`` after the first video frame is shown, by the container's own clock, encoder delay taken
into account where the container states it. Where the clock leaps ahead by more than ``LEAP_S``, silence fills the
gap.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from math import sqrt
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.audio.resampler import AudioResampler
from av.container import InputContainer
from av.error import InvalidDataError
from av.stream import Disposition
from numpy.typing import NDArray

from thgeval.clip import Clip, Memory
from thgeval.errors import InputError, ProtocolError
from thgeval.limits import beyond, limit
from thgeval.media.arrays import ARRAY_SUFFIXES
from thgeval.media.container import input_errors, open_file
from thgeval.media.video import VideoFile

LEAP_S = 0.02
LEAP_BACK_S = 0.1
LONGEST_LEAP_S = 600.0
"""How far the clock may run ahead of the samples, or behind them, before it counts; and how far ahead at most."""

LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 4000, 768_000

CHANNEL_WEIGHTS = {"FC": 1.0, "LFE": 0.0, "LFE2": 0.0} | dict.fromkeys(("FL", "FR", "FLC", "FRC"), sqrt(0.5))
SURROUND_WEIGHT = 0.5

USUAL_CHANNELS = {
    1: "FC",
    2: "FL FR",
    3: "FL FR LFE",
    4: "FL FR FC BC",
    5: "FL FR FC BL BR",
    6: "FL FR FC LFE BL BR",
    7: "FL FR FC LFE BC SL SR",
    8: "FL FR FC LFE BL BR SL SR",
}
"""What channels are taken for, by their number, where the file doesn't say; ffmpeg assumes the same."""


@dataclass(frozen=True, eq=False)
class Audio:
    """Mono sound: ``samples`` (count,) float32 in [-1, 1]; ``start_s`` is relative to the first video frame.

    ``channels`` and ``original_rate_hz`` are what the file has, ``filled_s`` is how much silence stands in for gaps.
    """

    samples: NDArray[np.float32] = field(repr=False)
    rate_hz: int
    start_s: float
    channels: int
    original_rate_hz: int
    filled_s: float = 0.0

    @property
    def duration_s(self) -> float:
        """How long it sounds."""
        return len(self.samples) / self.rate_hz


def decoded_speech(source: Clip | Path, *, rate_hz: int = 16000, seconds: float | None = None) -> Audio:
    """Decode the first audio track of a clip, or of any media file, to mono at ``rate_hz``.

    Only the first ``seconds`` are decoded, so that a long track costs no more than a short one; None decodes all.

    Raises ``InputError``: "no audio" if there is none, "corrupt" if it can't be decoded to its end. Undecodable packets
    before the first good one, which cutting a stream leaves behind, are passed over. Of an excerpt, what is heard
    before its end is kept.
    """
    if rate_hz < 1:
        raise ProtocolError(f"rate_hz must be positive, not {rate_hz}")
    path = _sounding(source)
    container = open_file(path)
    try:
        with input_errors(str(path)):
            track = _Track(container, str(path))
            pieces = _first(_mono(track.frames(), rate_hz), None if seconds is None else round(seconds * rate_hz))
            samples = np.concatenate([np.zeros(0, np.float32), *pieces])
        origin = _first_shown(container, path)
    finally:
        container.close()
    start = Fraction(0) if origin is None else track.start - origin
    if isinstance(source, Clip) and source.excerpt is not None and source.excerpt.first_s is not None:
        samples = samples[: max(0, round((source.excerpt.first_s - start) * rate_hz))]
    if not len(samples):
        raise InputError(f"{path}: its audio track holds no samples", reason="no audio")
    return Audio(samples, rate_hz, float(start), track.channels, track.rate_hz, track.filled / track.rate_hz)


def _sounding(source: Clip | Path) -> Path:
    """The file that may hold sound."""
    place = source.source if isinstance(source, Clip) else source
    if not isinstance(place, Memory):
        with input_errors(str(place)):
            if not Path(place).is_dir() and Path(place).suffix.lower() not in ARRAY_SUFFIXES:
                return Path(place)
    name = source.name if isinstance(source, Clip) else str(source)
    raise InputError(f"{name}: frames alone have no sound; name its audio file", reason="no audio")


def _first_shown(container: InputContainer, path: Path) -> Fraction | None:
    """When the first video frame is shown, on the container's clock; None where there is only sound."""
    if all(track.disposition & Disposition.attached_pic for track in container.streams.video):
        return None
    video = VideoFile(path, fps=None, threads=1)
    video.close()
    return video.start


class _Track:
    """The first audio track of an open container; its facts are there once its frames are being read."""

    def __init__(self, container: InputContainer, name: str) -> None:
        if not container.streams.audio:
            raise InputError(f"{name}: it has no audio track; name the file of its speech", reason="no audio")
        self._container, self._stream, self._name = container, container.streams.audio[0], name
        if cast("object | None", self._stream.codec_context) is None:
            raise InputError(f"{name}: no decoder for its audio is installed; re-encode it as AAC", reason="codec")
        self.start = Fraction(0)
        self.channels = self._stream.codec_context.layout.nb_channels
        self.rate_hz = self._stream.codec_context.rate
        self.filled = 0

    def frames(self) -> Iterator[av.AudioFrame]:
        """All frames, with silence where the clock leaps ahead."""
        read = 0
        for frame in self._decoded():
            time = self._time(frame)
            if not read:
                self.start = time or Fraction(0)
                self.channels, self.rate_hz = frame.layout.nb_channels, frame.sample_rate
                self._check_format()
            missing = Fraction(0) if time is None else time - self.start - Fraction(read, self.rate_hz)
            if missing < -LEAP_BACK_S or missing > LONGEST_LEAP_S:
                raise InputError(
                    f"{self._name}: the clock of its sound leaps by {float(missing):.2f} s; re-encode its audio",
                    reason="corrupt",
                )
            lacking = round(missing * self.rate_hz) if missing > LEAP_S else 0
            if read + lacking + frame.samples > limit("sound_s") * self.rate_hz:
                said = f"{self._name}: its sound goes on after {read / self.rate_hz:.0f} s"
                raise beyond("sound_s", said, reason="too long")
            if lacking:
                self.filled += lacking
                read += lacking
                for done in range(0, lacking, self.rate_hz):
                    yield _silence(frame, min(lacking - done, self.rate_hz))
            read += frame.samples
            yield frame

    def _check_format(self) -> None:
        """Refuse what only a broken header has; PyAV itself falls over some of it."""
        if self.channels not in USUAL_CHANNELS or not LOWEST_RATE_HZ <= self.rate_hz <= HIGHEST_RATE_HZ:
            raise InputError(
                f"{self._name}: its sound has {self.channels} channels at {self.rate_hz} Hz; give it 1 to 8 channels, "
                f"and {LOWEST_RATE_HZ} to {HIGHEST_RATE_HZ} Hz",
                reason="audio format",
            )

    def _time(self, frame: av.AudioFrame) -> Fraction | None:
        base = frame.time_base or self._stream.time_base
        return None if frame.pts is None or base is None else frame.pts * base

    def _decoded(self) -> Iterator[av.AudioFrame]:
        begun = False
        for packet in self._container.demux(self._stream):
            try:
                frames = packet.decode()
            except InvalidDataError:
                if begun:
                    raise
                continue
            begun = begun or bool(frames)
            yield from frames


def _silence(like: av.AudioFrame, samples: int) -> av.AudioFrame:
    frame = av.AudioFrame(like.format.name, like.layout.name, samples)
    frame.sample_rate = like.sample_rate
    for plane in frame.planes[: like.layout.nb_channels]:
        plane.update(bytes([128 if like.format.name.startswith("u8") else 0]) * plane.buffer_size)
    return frame


def _mono(frames: Iterator[av.AudioFrame], rate_hz: int) -> Iterator[NDArray[np.float32]]:
    resampler: AudioResampler | None = None
    weights = np.ones(1)
    for frame in frames:
        if resampler is None:
            resampler = AudioResampler(format="flt", layout=frame.layout.name, rate=rate_hz)
            weights = _weights([channel.name for channel in frame.layout.channels])
        frame.pts = None  # the samples follow each other; the clock has been seen to
        yield from (_mixed(resampled, weights) for resampled in resampler.resample(frame))
    if resampler is not None:
        yield from (_mixed(resampled, weights) for resampled in resampler.resample(None))


def _first(pieces: Iterator[NDArray[np.float32]], most: int | None) -> Iterator[NDArray[np.float32]]:
    """The pieces up to so many samples."""
    left = most
    for piece in pieces:
        yield piece[:left]
        if left is not None:
            left -= min(left, len(piece))
            if not left:
                return


def _weights(channels: list[str]) -> NDArray[np.float64]:
    if set(channels) == {"NONE"}:
        channels = USUAL_CHANNELS[len(channels)].split()
    weights = np.array([CHANNEL_WEIGHTS.get(channel, SURROUND_WEIGHT) for channel in channels])
    return weights / weights.sum() if weights.any() else np.full(len(weights), 1 / len(weights))


def _mixed(frame: av.AudioFrame, weights: NDArray[np.float64]) -> NDArray[np.float32]:
    # Interleaved, because PyAV lists one plane too many for 8 channels apart, and falls over it.
    channels = cast("NDArray[np.float32]", frame.to_ndarray()).reshape(-1, len(weights))
    return (channels @ weights).astype(np.float32)
