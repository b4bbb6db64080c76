"""Writing clips: frames and sound into a video file, the same bytes every time on one machine.

Everything that changes the result is an argument or in a table here: quality, preset, pixel format, colour matrix
(tagged, limited range), one thread, no dates or version strings in the container. Sound becomes AAC. The file appears
under its name only when it is whole.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, cast

import av
import numpy as np
from av.codec.context import Flags
from av.container import OutputContainer
from av.error import FFmpegError
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from thgeval.errors import ProtocolError

Levels = NDArray[np.uint8]


class Space(NamedTuple):
    """ffmpeg's codes for a matrix and the primaries and transfer that go with it."""

    matrix: int
    primaries: int
    transfer: int


SPACES = {"bt601": Space(6, 6, 6), "bt709": Space(1, 1, 1)}

ENCODER_OPTIONS: dict[str, dict[str, str]] = {
    "libx264": {"preset": "medium", "x264-params": "threads=1:mbtree=0"},
    "libx265": {"preset": "medium", "x265-params": "log-level=none:pools=none:frame-threads=1"},
    "libvpx-vp9": {"b": "0", "row-mt": "0"},
    "libaom-av1": {"cpu-used": "6", "row-mt": "0"},
    "libsvtav1": {"preset": "8", "svtav1-params": "lp=1"},
    "ffv1": {"level": "3"},
}
"""What each encoder is told beside its quality; others run on their defaults.

x264's macroblock tree is off: at widths such as 80 px its vector code reads memory nobody has written, and no two files
are the same (``test_the_same_call_writes_the_same_bytes``).
"""

FAST = {"preset": "veryfast"}
"""Half the time of x264's own default, and hardly larger files."""

QUALITY_BY_CRF = {"libx264", "libx265", "libvpx-vp9", "libaom-av1", "libsvtav1"}

LIMITED_RANGE = 1

BICUBIC, FULL_CHROMA_OUT, FULL_CHROMA_IN, ACCURATE_ROUNDING = 0x4, 0x2000, 0x4000, 0x40000
SCALER_FLAGS = BICUBIC | FULL_CHROMA_OUT | FULL_CHROMA_IN | ACCURATE_ROUNDING
"""ffmpeg's scaler takes short cuts that cost a level or two unless it is told not to; not all PyAV have the names."""

AAC_FRAME = 1024
AAC_RATES_HZ = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
AAC_BITS_PER_S = 128_000


def aac_rate_hz(original_hz: int) -> int:
    """The rate at which sound is best kept: its own, or the next one that AAC has."""
    return next((rate for rate in AAC_RATES_HZ if rate >= original_hz), AAC_RATES_HZ[-1])


def write_video(
    path: Path,
    frames: Iterable[Levels],
    *,
    fps: Fraction | int,
    crf: int = 18,
    audio: NDArray[np.float32] | None = None,
    rate_hz: int = 16000,
    audio_start_s: float = 0.0,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    matrix: str = "bt709",
    options: dict[str, str] | None = None,
    comment: str | None = None,
) -> None:
    """Encode (height, width, 3) uint8 RGB frames, and mono float32 sound in [-1, 1] at ``rate_hz``, into one file.

    The container follows from the suffix. ``crf`` is the encoder's constant quality, where it has one; ``options`` go
    to the video encoder on top of ``ENCODER_OPTIONS``. Sample 0 of the sound is heard ``audio_start_s`` after the first
    frame, which may be negative.

    Raises ``ProtocolError`` for frames or settings that the encoder doesn't take; then no file is left.
    """
    if matrix not in SPACES:
        raise ProtocolError(f"matrix must be one of {', '.join(SPACES)}, not {matrix!r}")
    upcoming = iter(frames)
    first = next(upcoming, None)
    if first is None:
        raise ProtocolError(f"{path}: there are no frames to write")
    settings = ENCODER_OPTIONS.get(codec, {}) | ({"crf": str(crf)} if codec in QUALITY_BY_CRF else {}) | (options or {})
    about = f"{codec} as {pixel_format} at {first.shape[1]} x {first.shape[0]} px"
    with _replacing(path) as part, _encoder_errors(path, about), _opened(part, comment) as container:
        picture = _Picture(container, first, Fraction(fps), codec, pixel_format, SPACES[matrix], settings)
        sound = None if audio is None else _Sound(container, audio, rate_hz, audio_start_s)
        for index, frame in enumerate(chain([first], upcoming)):
            picture.write(frame, index)
            if sound is not None:
                sound.write(until_s=(index + 1) / float(fps))
        picture.finish()
        if sound is not None:
            sound.write(until_s=None)


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A name beside ``path`` that takes its place when all went well."""
    part = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _encoder_errors(path: Path, about: str) -> Iterator[None]:
    try:
        yield
    except (FFmpegError, ValueError) as error:
        raise ProtocolError(f"{path}: it can't be encoded by {about} ({error}); choose other settings") from error


@contextmanager
def _opened(part: Path, comment: str | None) -> Iterator[OutputContainer]:
    options = {"fflags": "+bitexact"}
    if part.suffix.lower() in {".mp4", ".mov", ".m4v"}:
        options["movflags"] = "+faststart"
    with av.open(f"file:{part}", "w", options=options) as container:
        if comment is not None:
            container.metadata["comment"] = comment
        yield container


class _Picture:
    """The video track that is being written."""

    def __init__(
        self,
        container: OutputContainer,
        first: Levels,
        fps: Fraction,
        codec: str,
        pixel_format: str,
        space: Space,
        options: dict[str, str],
    ) -> None:
        self._container, self._shape, self._space, self._format = container, first.shape, space, pixel_format
        self._stream = cast("Any", container.add_stream(codec, rate=fps))
        self._stream.options = options
        context = self._stream.codec_context
        context.height, context.width = first.shape[:2]
        context.pix_fmt, context.time_base, context.thread_count = pixel_format, 1 / fps, 1
        context.flags |= Flags.bitexact
        if pixel_format.startswith("yuv"):
            context.colorspace, context.color_primaries, context.color_trc = space
            context.color_range = LIMITED_RANGE
        self._reformatter = VideoReformatter()

    def write(self, frame: Levels, index: int) -> None:
        if frame.shape != self._shape or frame.dtype != np.uint8 or frame.shape[2:] != (3,):
            raise ProtocolError(
                f"frame {index} is {frame.dtype} {frame.shape}, not uint8 {self._shape[:2]} with 3 channels"
            )
        picture = self._converted(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24"))
        picture.pts, picture.time_base = index, self._stream.codec_context.time_base
        self._container.mux(self._stream.encode(picture))

    def finish(self) -> None:
        self._container.mux(self._stream.encode(None))

    def _converted(self, rgb: av.VideoFrame) -> av.VideoFrame:
        if not self._format.startswith("yuv"):
            return rgb.reformat(format=self._format)
        picture = self._reformatter.reformat(
            rgb,
            format=self._format,
            dst_colorspace=self._space.matrix,
            dst_color_range=LIMITED_RANGE,
            interpolation=SCALER_FLAGS,
        )
        picture.colorspace, picture.color_range = self._space.matrix, LIMITED_RANGE
        return picture


class _Sound:
    """The audio track that is being written."""

    def __init__(self, container: OutputContainer, samples: NDArray[np.float32], rate_hz: int, start_s: float) -> None:
        self._container, self._samples, self._rate_hz = container, samples.astype(np.float32), rate_hz
        self._first = round(start_s * rate_hz)
        self._written = 0
        self._stream = cast("Any", container.add_stream("aac", rate=rate_hz, layout="mono"))
        self._stream.codec_context.bit_rate = AAC_BITS_PER_S
        self._stream.codec_context.thread_count = 1
        self._stream.codec_context.flags |= Flags.bitexact

    def write(self, *, until_s: float | None) -> None:
        """Encode what is heard up to then, in whole AAC frames; everything that is left if None."""
        while self._written < len(self._samples):
            block = self._samples[self._written : self._written + AAC_FRAME]
            if until_s is not None and (self._first + self._written + AAC_FRAME) / self._rate_hz > until_s:
                return
            frame = av.AudioFrame.from_ndarray(block[None], format="fltp", layout="mono")
            frame.sample_rate, frame.time_base = self._rate_hz, Fraction(1, self._rate_hz)
            frame.pts = self._first + self._written
            self._written += len(block)
            self._container.mux(self._stream.encode(frame))
        if until_s is None:
            self._container.mux(self._stream.encode(None))
