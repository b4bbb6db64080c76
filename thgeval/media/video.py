"""Frames of video files.

Decoding uses one thread unless told otherwise (clips are what runs side by side) and never hides damage: an error in
the stream, a frame the decoder marks as damaged, or fewer frames than the container promises end the clip with an
``InputError``. Frames that the container itself says are not to be shown don't count.
"""

from collections.abc import Generator, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from thgeval.errors import InputError
from thgeval.limits import limit
from thgeval.media.clock import Clock
from thgeval.media.container import input_errors, media_info, open_file, promised_end, video_stream, video_tracks
from thgeval.media.frames import MediaInfo, Pixels
from thgeval.media.opening import OpeningDecoder
from thgeval.media.picture import RgbWriter
from thgeval.media.source import Picture

HDR = {"pq", "hlg"}
"""Transfer functions that 8-bit RGB displays don't have."""

LAYERED = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""Codecs whose usual decoder leaves the layer of transparency out, and the decoder that reads it."""

FRAME_PER_PACKET = {"h264", "hevc", "av1", "vp9", "mjpeg", "prores", "ffv1"}
"""Codecs whose packets, in MP4 and Matroska, are one frame each, unless they are marked as not to be shown."""


class VideoFile:
    """A video file opened for reading; it has decoded its first frame."""

    peak = 255.0
    dtype: np.dtype[Any] = np.dtype(np.uint8)

    def __init__(self, path: Path, *, fps: Fraction | None, threads: int, until_s: Fraction | None = None) -> None:
        self._name, self._fps, self._until_s = str(path), fps, until_s
        self._writer = RgbWriter(self._name)
        self._read = 0
        self._end: Fraction | None = None
        self._last_decoded = Fraction(-1)
        self._container = open_file(path)
        try:
            self._stream = video_stream(self._container, self._name)
            self._tracks = len(video_tracks(self._container))
            self._context = decoder_of(self._stream, self._name)
            self._pixel_aspect = self._stream.sample_aspect_ratio or Fraction(1)
            self._clock = Clock(self._stream, self._container.format.name)
            _prepare(self._context, threads)
            self._decoder = OpeningDecoder(self._context)
            self._ledger = _Ledger(self._container.format.name, self._stream.codec_context.codec.canonical_name)
            self._frames = self._decoded()
            first = next(self._frames, None)
            if first is None:
                raise InputError(f"{self._name}: its video track holds no frames", reason="no frames")
            self._first = first
            self._clock.add(first)
            with input_errors(self._name):
                self._info = media_info(self._container, self._stream, first, self._name)
        except BaseException:
            self._container.close()
            raise

    @property
    def info(self) -> MediaInfo:
        """What the container says, and after the last frame what the frames' own times say about the rate."""
        return self._info if self._fps is None else replace(self._info, fps=self._fps, variable_rate=False)

    @property
    def first(self) -> av.VideoFrame:
        """The first frame as it came from the decoder."""
        return self._first

    @property
    def pixel_aspect(self) -> Fraction:
        """How much wider than high a pixel is to be shown; 1 where the file doesn't say."""
        return self._pixel_aspect

    @property
    def start(self) -> Fraction:
        """When the first frame is shown, on the container's clock."""
        return self._clock.start

    @property
    def lead(self) -> Fraction:
        """By how much the first frame is shown after the container begins, which sound may do before."""
        return self._clock.start - Fraction(self._container.start_time or 0, av.time_base)

    @property
    def nominal(self) -> Fraction:
        """The rate that ffmpeg takes the track for, in frames per second."""
        return self._stream.guessed_rate or self._stream.average_rate or Fraction(25)

    @property
    def times(self) -> list[Fraction]:
        """The container's times of the frames read so far; ``Clip.fps`` doesn't change them."""
        return self._clock.times[: self._read]

    @property
    def end(self) -> Fraction | None:
        """When the last frame stops being shown."""
        return self._end

    @property
    def remarks(self) -> list[str]:
        """What was cut away or is hidden, and tracks that are not read."""
        return list(self._remarks())

    def _remarks(self) -> Iterator[str]:
        if self._tracks > 1:
            yield f"it holds {self._tracks} video tracks, of which the first was read"
        if self._ledger.hidden:
            yield f"it holds {self._ledger.hidden} more frames that its own edit list hides"
        if self._decoder.passed_over or self._ledger.led:
            yield "more frames at its beginning can't be decoded, as what they refer to was cut away"
        if self._info.transfer in HDR:
            yield f"its brightness is coded as {self._info.transfer.upper()} (HDR); levels were taken as they are"

    def close(self) -> None:
        """Close the file."""
        self._frames.close()
        self._container.close()

    def pictures(self) -> Iterator[Picture]:
        """All frames, at the container's times, or evenly spaced where ``Clip.fps`` overrides them.

        Of a clip that is cut, those before ``until_s``; what comes after them is not looked at.
        """
        turns = self._info.rotation // 90
        frame: av.VideoFrame | None = self._first
        while frame is not None:
            time = self._clock.times[-1] if self._fps is None else self._read / self._fps
            if self._until_s is not None and time >= self._until_s:
                self._end = self._until_s
                return
            self._read += 1
            shape = (frame.width, frame.height) if turns % 2 else (frame.height, frame.width)
            yield Picture(time, shape, partial(self._write, frame, turns), None if turns else frame)
            frame = next(self._frames, None)
            if frame is not None:
                self._clock.add(frame)
        self._conclude()

    def _conclude(self) -> None:
        times, interval = self._clock.times, self._clock.interval
        self._info = replace(self._info, variable_rate=self._clock.varies)
        self._end = times[-1] + interval if self._fps is None else self._read / self._fps
        if self._until_s is not None:
            self._end = min(self._end, self._until_s)
        promised = promised_end(self._container, self._stream)
        reached = max(self._clock.start + times[-1], self._last_decoded)
        # Headers round, and a last frame may have no duration: more than a frame has to be missing.
        if promised is not None and reached + 2 * interval < promised:
            raise InputError(
                f"{self._name}: it ends after {self._read} frames, before the {float(promised):.2f} s that its "
                "header promises; get the whole file",
                reason="truncated",
            )

    def _write(self, frame: av.VideoFrame, turns: int, out: Pixels) -> None:
        with input_errors(self._name):
            if turns == 0:
                self._writer.write(frame, cast("NDArray[np.uint8]", out))
                return
            lying = np.empty((frame.height, frame.width, 3), np.uint8)
            self._writer.write(frame, lying)
            out[...] = np.rot90(lying, turns)

    def _decoded(self) -> Generator[av.VideoFrame, None, None]:
        count = 0
        ledger = self._ledger
        with input_errors(self._name, lambda: f"decoded beyond its first {count} frames"):
            for packet in self._container.demux(self._stream):
                if packet.is_corrupt:
                    raise self._damaged(count)
                if not packet.size and packet.pts is not None:  # repeats the frame before it
                    continue
                ledger.expect(packet)
                self._note_time(packet)
                for frame in self._decoder.decode(packet):
                    if frame.is_corrupt:
                        raise self._damaged(count)
                    ledger.tick_off(frame)
                    count += 1
                    yield frame
        if ledger.lost:
            raise InputError(
                f"{self._name}: {ledger.lost} of its frames can't be decoded, {count} can; get an undamaged copy",
                reason="corrupt",
            )
        if "mp4" in self._container.format.name and ledger.packets < self._stream.frames:
            raise InputError(
                f"{self._name}: {count} of {self._stream.frames} frames are there; get the whole file",
                reason="truncated",
            )

    def _note_time(self, packet: "av.Packet[Any]") -> None:
        """AVI counts slots in the order of decoding, from its beginning, and its first frames may not be decodable."""
        if self._container.format.name == "avi" and packet.dts is not None and packet.time_base:
            self._last_decoded = packet.dts * packet.time_base

    def _damaged(self, count: int) -> InputError:
        return InputError(f"{self._name}: it is damaged after {count} frames; get an undamaged copy", reason="corrupt")


class _Ledger:
    """Which packets still owe a frame, for codecs and containers where every packet to be shown is one frame."""

    def __init__(self, container: str, codec: str) -> None:
        self.packets = 0
        self.hidden = 0
        self._shown = 0
        self._owed: set[int] = set()
        self._first: int | None = None
        self._kept = codec in FRAME_PER_PACKET and ("mp4" in container or "matroska" in container)

    @property
    def led(self) -> int:
        """How many frames before the first never came, where a cut left them undecodable."""
        return self.packets - self.hidden - self._shown - self.lost if self._kept else 0

    @property
    def lost(self) -> int:
        """How many frames never came from the first key frame on; before it, a cut leaves some undecodable."""
        if not self._kept or self._first is None:
            return 0
        return sum(pts >= self._first for pts in self._owed)

    def expect(self, packet: "av.Packet[Any]") -> None:
        self.packets += packet.size > 0
        self.hidden += packet.is_discard
        if self._kept and packet.size > 0 and packet.pts is not None and not packet.is_discard:
            self._owed.add(packet.pts)
            if packet.is_keyframe and self._first is None:
                self._first = packet.pts

    def tick_off(self, frame: av.VideoFrame) -> None:
        self._shown += 1
        self._kept = self._kept and not frame.interlaced_frame  # its two fields may be packets of their own
        if frame.pts is not None:
            self._owed.discard(frame.pts)
            self._first = frame.pts if self._first is None else min(self._first, frame.pts)


def decoder_of(stream: VideoStream, name: str) -> Any:
    """The decoder of a track, not yet open: that of VP8 and VP9 with transparency is another than the usual one."""
    usual = stream.codec_context
    if stream.metadata.get("alpha_mode") != "1" or usual.codec.canonical_name not in LAYERED:
        return usual
    try:
        layered = av.CodecContext.create(LAYERED[usual.codec.canonical_name], "r")
    except av.codec.codec.UnknownCodecError as error:
        raise InputError(
            f"{name}: it holds transparency, which no decoder here reads; render it onto a background first",
            reason="transparent",
        ) from error
    layered.extradata = usual.extradata
    return layered


def _prepare(context: Any, threads: int) -> None:
    """Set up a decoder, before its first packet."""
    context.thread_count = threads
    context.thread_type = "AUTO" if threads > 1 else "SLICE"
    # Damage is to be an error, not a smear.
    context.options = {"err_detect": "explode", "max_pixels": str(limit("frame_pixels"))}
