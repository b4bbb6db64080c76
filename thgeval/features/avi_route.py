"""The files that syncnet_python writes on its way, each of which costs quality: for comparing with published figures.

    video.avi   MPEG-4 part 2 at the finest fixed quantiser but one (``-qscale:v 2``), 25 frames per second, and MP3 at
                the rate of the sound; MP3's delay of 1105 samples is not taken back, so that the sound comes late
    %06d.jpg    every frame as JPEG at the same quantiser: what faces are found in and crops are cut from
    00000.avi   the crops of each track as XVID, at the bitrate OpenCV chooses
    %06d.jpg    every crop as JPEG, at the 200 kbit/s that ffmpeg holds where none is asked for

The encoders are those of ffmpeg and OpenCV, as they are installed. Departs from the programs in that frames are
converted by way of RGB, sound is mixed to mono before it becomes MP3, no first frame is shown twice (as some builds of
ffmpeg do), and cuts are looked for in the JPEGs.

Source: ``run_pipeline.py`` and ``SyncNetInstance.py`` of joonson/syncnet_python (6efbb1c).
"""

import shutil
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from thgeval.clip import Clip
from thgeval.errors import InputError
from thgeval.feature import Grain, feature
from thgeval.features import networks
from thgeval.features.companions import clip, sound
from thgeval.features.speech import placed
from thgeval.media import audio, decode

RATE = 25
QUANTISER = {"flags": "+qscale", "global_quality": str(2 * 118)}
"""ffmpeg counts quantisers in steps of 1/118."""
MP3_RATES_HZ = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)

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


@feature(clip, sound, version=1, grain=Grain.CLIP)
def avi_copy(video: Clip, source: Clip | Path) -> Avi:
    """``video.avi``. Raises InputError ("audio format") where MP3 doesn't know the rate of the sound."""
    made = Avi(video.id)
    rate_hz = audio.speech(source).original_rate_hz
    if rate_hz not in MP3_RATES_HZ:
        raise InputError(f"{video.name}: MP3 has no sound at {rate_hz} Hz; resample it", reason="audio format")
    heard = audio.speech(source, rate_hz=rate_hz)
    write_avi(made.path, video, placed(heard.samples, round(heard.start_s * rate_hz)), rate_hz)
    return made


@feature(avi_copy(), version=1, grain=Grain.CLIP)
def avi_pcm(made: Avi) -> NDArray[np.int16]:
    """The sound of ``video.avi`` as the 16-bit samples of ``audio.wav``, 16 kHz."""
    heard = audio.speech(made.path)
    samples = placed(heard.samples, round(heard.start_s * heard.rate_hz))
    return np.asarray(np.clip(np.rint(samples * np.float32(32768)), -32768, 32767), np.int16)


def write_avi(path: Path, video: Clip, samples: NDArray[np.float32], rate_hz: int) -> None:
    """Encode a clip at 25 frames per second and mono sound."""
    # MP3 begins before time 0; shifting everything to 0 for it would show the first frame twice.
    unshifted = {"avoid_negative_ts": "disabled"}
    with (
        av.open(path, "w", format="avi", options=unshifted) as container,
        decode(video, chunk=8, fps=Fraction(RATE)) as batches,
    ):
        shape = batches.info
        pictures = container.add_stream("mpeg4", rate=RATE, options=QUANTISER)
        pictures.width, pictures.height, pictures.pix_fmt = shape.width, shape.height, "yuv420p"
        mp3 = container.add_stream("libmp3lame", rate=rate_hz, layout="mono")
        for batch in batches:
            for index, frame in enumerate(networks.as_bytes(batch.new, batch.peak), batch.start):
                picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), "rgb24")
                picture.pts, picture.time_base = index, Fraction(1, RATE)
                container.mux(pictures.encode(picture))
        container.mux(pictures.encode(None))
        for start in range(0, len(samples), rate_hz):
            block = av.AudioFrame.from_ndarray(samples[None, start : start + rate_hz], "fltp", "mono")
            block.sample_rate, block.pts = rate_hz, start
            container.mux(mp3.encode(block))
        container.mux(mp3.encode(None))


def jpegs(frames: Iterable[Image], *, finest: bool) -> Iterator[Image]:
    """BGR frames after a trip through JPEG: at the fixed quantiser, or at ffmpeg's default bitrate."""
    encoder: av.VideoCodecContext | None = None
    for index, frame in enumerate(frames):
        if encoder is None:
            encoder = av.VideoCodecContext.create("mjpeg", "w")
            encoder.height, encoder.width = frame.shape[:2]
            encoder.pix_fmt, encoder.time_base = "yuvj420p", Fraction(1, RATE)
            encoder.options = dict(QUANTISER) if finest else {"b": "200k"}
        picture = av.VideoFrame.from_ndarray(frame, "bgr24").reformat(format="yuvj420p", dst_color_range="JPEG")
        picture.pts = index
        for packet in encoder.encode(picture):
            yield np.asarray(cv2.imdecode(np.frombuffer(bytes(packet), np.uint8), cv2.IMREAD_COLOR), np.uint8)


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
        yield from jpegs(self._decoded(), finest=False)

    def _decoded(self) -> Iterator[Image]:
        with decode(Clip("crops", self._path), chunk=8) as batches:
            for batch in batches:
                for frame in batch.new:
                    yield np.asarray(cv2.cvtColor(np.asarray(frame, np.uint8), cv2.COLOR_RGB2BGR), np.uint8)
