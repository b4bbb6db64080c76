"""The files that syncnet_python and its kin write on their way, each of which costs quality: for published figures.

    video.avi   MPEG-4 part 2 at the finest fixed quantiser but one (``-qscale:v 2``), 25 frames per second, and MP3 at
                the rate of the sound, whose delay of 1105 samples is not taken back: the sound comes late. MP3 so
                begins before time 0, which AVI can't express; the muxer moves picture and sound on, the picture by
                whole frames. It comes one frame late, or two where the sound has 24 kHz or less
    %06d.jpg    every frame as JPEG at the same quantiser: what faces are found in and crops are cut from. Where
                video.avi has no frame for a tick, another is shown again, so that there are more than the file has
    00000.avi   the crops of each track as XVID, at the bitrate OpenCV chooses
    %06d.jpg    every crop as JPEG, at the 200 kbit/s that ffmpeg holds where none is asked for

Cuts are looked for in video.avi, whose frames are fewer than the JPEGs: the last scene ends as many frames too early,
and nothing is tracked beyond, as in the programs. Frames stay in YUV from the file to the JPEGs.

``video.avi`` is ffmpeg's up to 5 in ``avi_copy``, where frames keep their own times: a source below 25 per second
leaves ticks without a frame. ``avi_pictures``, for MoChaBench, is ffmpeg's of 7 and 8, which repeats frames instead.

The encoders are those of ffmpeg and OpenCV, as they are installed. Departs from the programs in that sound is mixed to
mono before it becomes MP3, which here keeps the rates it knows, and that speech named apart is taken to start with the
picture.

Source: ``run_pipeline.py`` and ``SyncNetInstance.py`` of joonson/syncnet_python (6efbb1c);
``SyncNetInstance_calc_scores.py`` of Rudrabha/Wav2Lip; ``syncnet_pipeline.py`` of congwei1230/MoChaBench (043908d);
``SyncNetInstance.py`` of yuangan/evaluation_eat.
"""

import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.video.frame import PictureType
from numpy.typing import NDArray

from thgeval import networks
from thgeval.clip import Clip
from thgeval.errors import InputError
from thgeval.feature import Grain, feature
from thgeval.features.frames.offered import clip, sound
from thgeval.features.sync.pacing import Timed, at_constant_rate, at_variable_rate
from thgeval.features.sync.speech import placed
from thgeval.media import Audio, audio, probe
from thgeval.media.decoder import open_source
from thgeval.media.resample import sized
from thgeval.media.source import Picture, Source
from thgeval.media.video import VideoFile

RATE = 25
QUANTISER = {"flags": "+qscale", "global_quality": str(2 * 118)}
"""ffmpeg counts quantisers in steps of 1/118."""
MP3_RATES_HZ = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
SCALER = "BICUBIC"
"""ffmpeg's, where it has to convert."""

Image = NDArray[np.uint8]


class Folder:
    """A temporary folder that goes when nothing refers to it any more."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="thgeval-"))
        self._gone = weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


class Avi:
    """``video.avi`` of a clip, for as long as this is referred to."""

    def __init__(self, name: str) -> None:
        self._folder = Folder()
        self.path = self._folder.path / "video.avi"
        self.clip = Clip(name, self.path)

    def jpegs(self, see: Callable[[Image], None] | None = None) -> Iterator[Image]:
        """A BGR frame for every tick, as JPEG leaves it; ``see`` is shown the file's own frames on the way."""

        def look(picture: Picture) -> None:
            if see is not None:
                pixels = np.empty((*picture.shape, 3), np.uint8)
                picture.write(pixels)
                see(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), np.uint8))

        with closing(open_source(self.clip)) as source:
            yield from jpegs(at_constant_rate(_timed(source, self.clip, Fraction(RATE), see=look)), finest=True)


@feature(clip, sound, version=2, grain=Grain.CLIP)
def avi_copy(video: Clip, source: Clip | Path) -> Avi:
    """``video.avi``. Raises InputError ("audio format") where MP3 doesn't know the rate of the sound."""
    made = Avi(video.id)
    write_avi(made.path, video, _for_mp3(video, source), own=isinstance(source, Clip))
    return made


@feature(clip, version=1, grain=Grain.CLIP)
def avi_pictures(video: Clip) -> Avi:
    """``video.avi`` of a clip with its own sound, if it has any, at a constant rate."""
    made = Avi(video.id)
    sounds = isinstance(video.source, Path) and probe(video).audio is not None
    write_avi(made.path, video, _for_mp3(video, video) if sounds else None, own=True, constant=True)
    return made


@feature(avi_copy(), version=2, grain=Grain.CLIP)
def avi_pcm(made: Avi) -> NDArray[np.int16]:
    """The sound of ``video.avi`` as the 16-bit samples of ``audio.wav``, 16 kHz."""
    samples = audio.decoded_speech(made.path).samples
    return np.asarray(np.clip(np.rint(samples * np.float32(32768)), -32768, 32767), np.int16)


def _for_mp3(video: Clip, source: Clip | Path) -> Audio:
    rate_hz = audio.decoded_speech(source).original_rate_hz
    if rate_hz not in MP3_RATES_HZ:
        raise InputError(f"{video.name}: MP3 has no sound at {rate_hz} Hz; resample it", reason="audio format")
    return audio.decoded_speech(source, rate_hz=rate_hz)


def write_avi(path: Path, video: Clip, heard: Audio | None, *, own: bool, constant: bool = False) -> None:
    """Encode a clip at 25 frames per second, with its ``own`` sound, another, or none.

    Frames keep their own times, to the nearest tick, or the rate is ``constant``, with a frame for every tick, and
    sound that begins late isn't padded.
    """
    with closing(open_source(video)) as source:
        late = _late(source, video, own=own)
        if heard is not None:
            late = max(late, -Fraction(heard.start_s))
        timed = _timed(source, video, Fraction(RATE), late=late, whole=not constant)
        frames = enumerate(at_constant_rate(timed)) if constant else at_variable_rate(timed)
        first = next(frames)
        with av.open(path, "w", format="avi") as container:
            pictures = container.add_stream("mpeg4", rate=RATE, options=QUANTISER)
            pictures.width, pictures.height, pictures.pix_fmt = first[1].width, first[1].height, "yuv420p"
            # As many threads as cores, which ffmpeg takes, would be as many outcomes.
            pictures.codec_context.thread_count = 1
            mp3 = None if heard is None else _Mp3(container, heard, late, padded=not constant)
            for tick, frame in chain([first], frames):
                container.mux(pictures.encode(_converted(frame, pictures.width, pictures.height, "yuv420p", tick)))
                if mp3 is not None:
                    mp3.write(until_s=(tick + 1) / RATE)
            container.mux(pictures.encode(None))
            if mp3 is not None:
                mp3.write(until_s=None)


class _Mp3:
    """The sound of an AVI file, as the mono MP3 that is being written beside the pictures.

    Where it begins late, silence stands before it, unless it is not ``padded``, as from ffmpeg 6 on.
    """

    def __init__(self, container: Any, heard: Audio, late_s: Fraction, *, padded: bool) -> None:
        self._container, self._rate_hz = container, heard.rate_hz
        start = round((heard.start_s + late_s) * heard.rate_hz)
        self._first = 0 if padded else max(start, 0)
        self._samples = placed(heard.samples, start - self._first)
        self._stream = container.add_stream("libmp3lame", rate=heard.rate_hz, layout="mono")
        self._written = 0

    def write(self, *, until_s: float | None) -> None:
        """Encode what is heard up to then; all that is left if None."""
        end = len(self._samples) if until_s is None else round(until_s * self._rate_hz) - self._first
        block = self._samples[None, self._written : max(end, 0)]
        if block.shape[1]:
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), "fltp", "mono")
            frame.sample_rate, frame.pts = self._rate_hz, self._first + self._written
            self._container.mux(self._stream.encode(frame))
            self._written += block.shape[1]
        if until_s is None:
            self._container.mux(self._stream.encode(None))


def frame_jpegs(video: Clip, fps: Fraction | None, *, own: bool, side_px: int | None = None) -> Iterator[Image]:
    """BGR frames of a clip at a rate, or at its own, as JPEGs at 200 kbit/s leave them; first scaled to a square side.

    Where the sound is the clip's ``own`` and begins before the picture, the first frame is shown from there on.
    """
    with closing(open_source(video)) as source:
        timed = _timed(source, video, fps, late=_late(source, video, own=own), whole=True)
        yield from jpegs(at_constant_rate(timed), finest=False, side_px=side_px)


def jpegs(frames: Iterable[av.VideoFrame], *, finest: bool, side_px: int | None = None) -> Iterator[Image]:
    """BGR frames after a trip through JPEG: at the fixed quantiser, or at ffmpeg's default bitrate."""
    encoder: av.VideoCodecContext | None = None
    for index, frame in enumerate(frames):
        width, height = (side_px, side_px) if side_px else (frame.width, frame.height)
        if encoder is None:
            encoder = av.VideoCodecContext.create("mjpeg", "w")
            encoder.height, encoder.width = height, width
            encoder.pix_fmt, encoder.time_base, encoder.thread_count = "yuvj420p", Fraction(1, RATE), 1
            encoder.options = dict(QUANTISER) if finest else {"b": "200k"}
        for packet in encoder.encode(_converted(frame, width, height, "yuvj420p", index)):
            yield np.asarray(cv2.imdecode(np.frombuffer(bytes(packet), np.uint8), cv2.IMREAD_COLOR), np.uint8)


def _late(source: Source, video: Clip, *, own: bool) -> Fraction:
    """How long after the beginning of its file a clip's first frame is shown, where what else is in there counts."""
    return source.lead if own and isinstance(source, VideoFile) and video.fps is None else Fraction(0)


def _timed(
    source: Source,
    video: Clip,
    fps: Fraction | None,
    *,
    late: Fraction = Fraction(0),
    whole: bool = False,
    see: Callable[[Picture], None] | None = None,
) -> Iterator[Timed]:
    """Frames in ticks of a rate, or of the clip's own, the first ``late`` seconds after 0.

    How long a frame lasts is to be ``whole`` ticks for ffmpeg up to 5. ``see`` is shown each picture first.
    """
    nominal = source.nominal if isinstance(source, VideoFile) and video.fps is None else source.info.fps
    rate = fps or nominal or Fraction(RATE)
    usual = float(rate / (nominal or rate))
    for index, picture in enumerate(sized(source.pictures(), video.name)):
        if see is not None:
            see(picture)
        time = index / rate if picture.time is None and fps is None else picture.time
        if time is None:
            raise InputError(
                f"{video.name}: it has no frame rate to be resampled from; state its fps, or use a protocol without "
                "one",
                reason="no frame rate",
            )
        lasts = 0.0 if video.fps else _duration(picture, rate)
        lasts = (round(lasts) or min(usual, 1.0)) if whole else (lasts or usual)
        yield Timed(float((late + time) * rate), lasts, _frame(picture, source))


def _duration(picture: Picture, rate: Fraction) -> float:
    """How long its file says a picture is shown, in ticks; 0 where it doesn't."""
    frame = picture.coded
    return (
        0.0
        if frame is None or not frame.duration or not frame.time_base
        else float(frame.duration * frame.time_base * rate)
    )


def _frame(picture: Picture, source: Source) -> av.VideoFrame:
    """A picture as its decoder left it; by way of RGB where it is turned, may be transparent, or was never coded."""
    coded = picture.coded
    if coded is not None and not any(component.is_alpha for component in coded.format.components):
        return coded
    pixels = np.empty((*picture.shape, 3), source.dtype)
    picture.write(pixels)
    return av.VideoFrame.from_ndarray(networks.as_bytes(pixels, source.peak), "rgb24")


def _converted(frame: av.VideoFrame, width: int, height: int, pixel_format: str, tick: int) -> av.VideoFrame:
    """A frame for an encoder, as ffmpeg converts it, to be shown at a tick."""
    same = (frame.width, frame.height, frame.format.name) == (width, height, pixel_format)
    colours = "JPEG" if pixel_format == "yuvj420p" else "MPEG"
    ready = (
        frame if same else frame.reformat(width, height, pixel_format, interpolation=SCALER, dst_color_range=colours)
    )
    ready.pts, ready.time_base, ready.pict_type = tick, Fraction(1, RATE), PictureType.NONE
    return ready


class CropFile:
    """The crops of one track in an XVID file; they come back after the last."""

    def __init__(self, side_px: int) -> None:
        self._folder = Folder()
        self._path = self._folder.path / "00000.avi"
        fourcc = cv2.VideoWriter.fourcc(*"XVID")
        self._writer = cv2.VideoWriter(str(self._path), fourcc, RATE, (side_px, side_px))

    def add(self, crop: Image) -> None:
        """Write one BGR crop."""
        self._writer.write(crop)

    def frames(self) -> Iterator[Image]:
        """All crops, as JPEG left them."""
        self._writer.release()
        crops = Clip("crops", self._path)
        with closing(open_source(crops)) as source:
            yield from jpegs((timed.frame for timed in _timed(source, crops, None)), finest=False)
