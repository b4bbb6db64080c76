"""``video.avi`` and its JPEGs against those of the ffmpeg program: which frame stands at which tick, and the sound.

Every frame carries its number in black and white squares, so that what is shown can be read off any copy. What ffmpeg
shows was recorded from ffmpeg 4.2.2 and 5.1.9, which are alike, and from 7.0.2 and 8.0, which are; it is asked for
again where the program is installed.
"""

import re
import shutil
import subprocess
from fractions import Fraction
from functools import cache
from itertools import pairwise

import cv2
import numpy as np
import pytest

from thgeval.clip import Clip
from thgeval.features.sync import avi_route
from thgeval.media import audio, write_video

SQUARE, SQUARES = 16, 8
FFMPEG = shutil.which("ffmpeg")

CASES = {
    "16 kHz": {"rate_hz": 16000},
    "22.05 kHz": {"rate_hz": 22050},
    "24 kHz": {"rate_hz": 24000},
    "32 kHz": {"rate_hz": 32000},
    "44.1 kHz": {},
    "48 kHz": {"rate_hz": 48000},
    "no B frames": {"options": {"bf": "0"}},
    "10 fps": {"fps": 10},
    "22.131 fps": {"fps": Fraction("22.131")},
    "23.976 fps": {"fps": Fraction(24000, 1001)},
    "24 fps": {"fps": 24},
    "30 fps": {"fps": 30},
    "50 fps": {"fps": 50},
    "sound late": {"audio_start_s": 0.3},
    "sound early": {"audio_start_s": -0.3},
    "variable rate": {"left_out": (3, 4, 5, 9, 16, 17, 23, 30)},
    "variable rate of 60": {"fps": 60, "left_out": (2, 5, *range(10, 17), 40, 41)},
}
RECORDED = {
    "16 kHz": (
        ("1010111111111111111111111111111111111111111111111111", 50, 33984),
        ("1010111111111111111111111111111111111111111111111111", 50, 33984),
    ),
    "22.05 kHz": (
        ("1010111111111111111111111111111111111111111111111111", 50, 33854),
        ("1010111111111111111111111111111111111111111111111111", 50, 33854),
    ),
    "24 kHz": (
        ("1010111111111111111111111111111111111111111111111111", 50, 33024),
        ("1010111111111111111111111111111111111111111111111111", 50, 33024),
    ),
    "32 kHz": (
        ("110111111111111111111111111111111111111111111111111", 50, 32832),
        ("110111111111111111111111111111111111111111111111111", 50, 32832),
    ),
    "44.1 kHz": (
        ("110111111111111111111111111111111111111111111111111", 50, 33019),
        ("110111111111111111111111111111111111111111111111111", 50, 33019),
    ),
    "48 kHz": (
        ("110111111111111111111111111111111111111111111111111", 50, 32640),
        ("110111111111111111111111111111111111111111111111111", 50, 32640),
    ),
    "no B frames": (
        ("110111111111111111111111111111111111111111111111111", 50, 33019),
        ("110111111111111111111111111111111111111111111111111", 50, 33019),
    ),
    "10 fps": (
        ("100101001010010100101001010010100101001010010100100", 20, 33019),
        ("100100101001010010100101001010010100101001010010100", 50, 33019),
    ),
    "22.131 fps": (
        ("110111011111111011111111011111110111111110111111110", 44, 33019),
        ("110110111111110111111110111111101111111101111111101", 50, 33019),
    ),
    "23.976 fps": (
        ("11011111111111011111111111111111111111101111111111", 47, 33019),
        ("11011111111110111111111111111111111111011111111111", 49, 33019),
    ),
    "24 fps": (
        ("110111111111110111111111111111111111111011111111111", 48, 33019),
        ("110111111111101111111111111111111111110111111111111", 50, 33019),
    ),
    "30 fps": (
        ("1101111111121111211112111121111211112111121111211112", 51, 33019),
        ("11011111111112111121111211112111121111211112111121111", 52, 33019),
    ),
    "50 fps": (
        ("1101222222222222222222222222222222222222222222222222", 51, 33019),
        ("11011222222222222222222222222222222222222222222222222", 52, 33019),
    ),
    "sound late": (
        ("110111111111111111111111111111111111111111111111111", 50, 37616),
        ("11111111111111111111111111111111111111111111111111", 50, 33437),
    ),
    "sound early": (
        ("110111111111111111111111111111111111111111111111111", 50, 28003),
        ("110111111111111111111111111111111111111111111111111", 50, 28003),
    ),
    "variable rate": (
        ("1010100401120111110301111201111120111111111111111111", 42, 33437),
        ("1001100401120111110301111201111120111111111111111111", 51, 33437),
    ),
    "variable rate of 60": (
        ("10103230801322323225122232322323223232232322323223232", 49, 33437),
        ("11021212811122322323313232232322323223232232322323223", 52, 33437),
    ),
}
"""Of ffmpeg 4 and 5, and of 7 and 8: steps from tick to tick, frames that OpenCV reads, samples at 16 kHz."""


def numbered(index: int) -> np.ndarray:
    """A frame that shows its number: (64, 128, 3)."""
    bits = [255 * (index >> bit & 1) for bit in range(SQUARES)]
    squares = np.array(bits, np.uint8).reshape(2, SQUARES // 2)
    return np.repeat(squares.repeat(SQUARE, axis=0).repeat(SQUARE, axis=1)[..., None], 3, axis=2)


def number(frame: np.ndarray) -> int:
    """What a frame shows."""
    squares = frame[SQUARE // 2 :: SQUARE, SQUARE // 2 :: SQUARE, 0].ravel()
    return sum(1 << bit for bit, level in enumerate(squares) if level > 127)


def made(folder, *, fps=25, suffix="mp4", rate_hz=44100, left_out=(), **settings):
    """A clip of two seconds, with a chirp."""
    t = np.arange(2 * rate_hz) / rate_hz
    chirp = (0.4 * np.sin(2 * np.pi * (200 + 400 * t) * t)).astype(np.float32)
    path = folder / f"clip.{suffix}"
    frames = (numbered(i) for i in range(int(2 * fps)))
    write_video(path, frames, fps=fps, audio=chirp, rate_hz=rate_hz, **settings)
    return without(path, left_out) if left_out else path


def without(path, left_out):
    """The same file as Matroska of intra frames, without some of them."""
    import av

    thinned = path.with_suffix(".thin.mkv")
    with av.open(str(path)) as source, av.open(str(thinned), "w") as container:
        sound = container.add_stream_from_template(source.streams.audio[0])
        rate = source.streams.video[0].average_rate
        pictures = container.add_stream("mjpeg", rate=rate, options={"qmin": "2", "qmax": "2"})
        pictures.width, pictures.height, pictures.pix_fmt = 4 * SQUARE, 2 * SQUARE, "yuvj420p"
        pictures.codec_context.time_base = 1 / rate
        for packet in source.demux():
            if packet.stream.type == "audio" and packet.dts is not None:
                packet.stream = sound
                container.mux(packet)
            for frame in packet.decode() if packet.stream.type == "video" else ():
                if (index := round(frame.time * rate)) not in left_out:
                    picture = frame.reformat(format="yuvj420p", dst_color_range="JPEG")
                    picture.pts, picture.time_base = index, 1 / rate
                    container.mux(pictures.encode(picture))
        container.mux(pictures.encode(None))
    return thinned


def steps(shown):
    """By how much the number goes on from tick to tick, a digit each; the first from -1."""
    return "".join(str(after - before) for before, after in pairwise([-1, *shown]))


def ours(path, *, constant):
    clip, seen = Clip("a", path), []
    made = (avi_route.avi_pictures().compute(clip)) if constant else avi_route.avi_copy().compute(clip, clip)
    shown = [number(frame) for frame in made.jpegs(lambda frame: seen.append(number(frame)))]
    return steps(shown), len(seen), audio.decoded_speech(made.path).samples


def theirs(program, path, folder):
    """Numbers shown by the JPEGs, how many frames OpenCV reads, and the sound, of the ffmpeg program."""
    avi, wav = folder / "video.avi", folder / "audio.wav"
    for arguments in (
        ("-i", path, "-qscale:v", "2", "-async", "1", "-r", "25", avi),
        ("-i", avi, "-qscale:v", "2", "-threads", "1", "-f", "image2", folder / "%06d.jpg"),
        ("-i", avi, "-ac", "1", "-vn", "-acodec", "pcm_s16le", "-ar", "16000", wav),
    ):
        subprocess.run([program, "-v", "error", "-y", *map(str, arguments)], check=True, capture_output=True)
    reader, read = cv2.VideoCapture(str(avi)), 0
    while reader.read()[0]:
        read += 1
    shown = [number(cv2.imread(str(file))) for file in sorted(folder.glob("*.jpg"))]
    return steps(shown), read, audio.decoded_speech(wav).samples


@cache
def major_version() -> int:
    said = subprocess.run([FFMPEG, "-version"], check=True, capture_output=True, text=True).stdout
    found = re.search(r"version n?(\d+)\.", said)
    return int(found[1]) if found else 99


@pytest.mark.parametrize("constant", [False, True], ids=["ffmpeg 4 and 5", "ffmpeg 7 and 8"])
@pytest.mark.parametrize("case", CASES)
def test_frames_and_sound_lie_where_ffmpeg_put_them(tmp_path, case, constant):
    shown, read, samples = ours(made(tmp_path, **CASES[case]), constant=constant)
    assert (shown, read, len(samples)) == RECORDED[case][constant]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.skipif(FFMPEG is None, reason="needs the ffmpeg program; what it does is recorded beside")
def test_frames_and_sound_lie_where_the_installed_ffmpeg_puts_them(tmp_path, case):
    path = made(tmp_path, **CASES[case])
    if major_version() not in (4, 5, 7, 8):
        pytest.skip("this ffmpeg is none of those that were measured")
    constant = major_version() >= 7
    shown, read, samples = theirs(FFMPEG, path, tmp_path)
    our_shown, our_read, our_samples = ours(path, constant=constant)
    assert (our_shown, our_read) == (shown, read)
    assert len(samples) == len(our_samples)
    assert np.corrcoef(samples, our_samples)[0, 1] > 0.999
