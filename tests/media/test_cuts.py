"""What cutters and muxers commonly make is a good file: its frames are those of the original, at its rate."""

import shutil
import subprocess
from fractions import Fraction

import av
import numpy as np
import pytest
from media.conftest import read, scene
from media.cuts import copied, encode, indices, key_packets, strict_errors

from thgeval.clip import Clip
from thgeval.errors import InputError
from thgeval.media import decode, describe

OPEN = {"g": "12", "bf": "3", "x264-params": "open-gop=1:ref=4:threads=1:scenecut=0"}


def grainy(count, height=64, width=80):
    """The scene with noise, which makes an encoder refer to many pictures."""
    noise = np.random.default_rng(1).integers(-20, 20, (count, height, width, 3))
    return np.clip(scene(count, height, width).astype(int) + noise, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """An H.264 file whose key frames are not IDR pictures, and its frames."""
    path = encode(tmp_path_factory.mktemp("open") / "whole.mkv", grainy(50), **OPEN)
    return path, read(path)


def told(path):
    """The frames of a file, its rate, and what is said about it."""
    with decode(Clip("clip", path), chunk=8) as batches:
        frames = np.concatenate([batch.new for batch in batches])
        return frames, batches.info.fps, batches.remarks


@pytest.mark.parametrize("name", ["cut.mkv", "cut.mp4", "cut.mov", "cut.flv"])
@pytest.mark.parametrize("key", range(1, 5))
def test_an_open_cut_is_whole(key, name, opened, tmp_path):
    path, whole = opened
    cut = copied(path, tmp_path / name, key_packets(path)[key])
    if name == "cut.mkv":
        assert strict_errors(cut), "nothing refers to what was cut away, so that this shows nothing"
    frames, fps, remarks = told(cut)
    first = 12 * key
    assert indices(frames, whole) == list(range(first, 50))
    assert fps == 25
    leading = 12 * key - key_packets(path)[key]
    hidden = "it holds {} more frames that its own edit list hides"
    undecodable = "more frames at its beginning can't be decoded, as what they refer to was cut away"
    assert remarks == (((hidden if name[-3:] in {"mp4", "mov"} else undecodable).format(leading),) if leading else ())


def test_damage_at_an_open_cut_is_noticed_as_ever(opened, tmp_path):
    """Whatever the strict decoder finds beside the marks that refer to what was cut away ends the clip."""
    path, whole = opened
    cut = copied(path, tmp_path / "cut.mkv", key_packets(path)[1])
    content, marks = cut.read_bytes(), strict_errors(cut)

    with av.open(str(cut)) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(container.streams.video[0]) if packet.size]
    noticed = 0
    for seed in range(60):
        generator = np.random.default_rng(seed)
        at, size = packets[int(generator.integers(0, 10))]
        at += int(generator.integers(8, max(size - 4, 9)))
        harmed = bytearray(content)
        harmed[at : at + 4] = generator.integers(0, 256, 4, dtype=np.uint8).tobytes()
        cut.write_bytes(harmed)
        if strict_errors(cut) > marks:
            try:
                unharmed = np.array_equal(read(cut), whole[12:])
            except InputError as error:
                assert error.reason in {"corrupt", "truncated"}
                noticed += 1
            else:
                assert unharmed, "a picture was damaged that is shown"
    assert noticed > 10


def test_packets_before_the_first_key_frame_are_passed_over(opened, tmp_path):
    """As where a recording is joined in the middle."""
    path, whole = opened
    key = key_packets(path)[2]
    frames, _, remarks = told(copied(path, tmp_path / "joined.mkv", key - 4))
    assert indices(frames, whole) == list(range(24, 50))
    assert len(remarks) == 1
    assert remarks[0] == ("more frames at its beginning can't be decoded, as what they refer to was cut away")


def test_a_clip_without_any_key_frame_is_refused(opened, tmp_path):
    path, _ = opened
    first, second = key_packets(path)[1:3]
    with pytest.raises(InputError) as caught:
        read(copied(path, tmp_path / "none.mkv", first + 1, second))
    assert caught.value.reason in {"no frames", "corrupt"}


def ffmpeg(*arguments):
    """Run the program, or skip where it is not installed or lacks an encoder."""
    program = shutil.which("ffmpeg")
    if program is None:
        pytest.skip("the program ffmpeg is not installed")
    ran = subprocess.run(
        [program, "-nostdin", "-loglevel", "error", "-y", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    if "Unknown encoder" in ran.stderr:
        pytest.skip("this build of ffmpeg lacks the encoder")
    assert ran.returncode == 0, ran.stderr


CODECS = {
    "h264-open": ["libx264", "-g", "12", "-bf", "3", "-x264-params", "open-gop=1:ref=4"],
    "h264-pyramid": ["libx264", "-g", "12", "-bf", "5", "-x264-params", "open-gop=1:b-pyramid=normal:ref=5"],
    "h264": ["libx264", "-g", "12", "-bf", "3"],
    "hevc-open": ["libx265", "-g", "12", "-bf", "4", "-x265-params", "open-gop=1:log-level=none:pools=none"],
    "mpeg2-open": ["mpeg2video", "-g", "12", "-bf", "2", "-q:v", "3"],
    "mpeg4": ["mpeg4", "-g", "12", "-bf", "2", "-q:v", "3"],
    "vp9": ["libvpx-vp9", "-g", "12", "-auto-alt-ref", "1", "-lag-in-frames", "12", "-cpu-used", "8"],
    "mjpeg": ["mjpeg", "-q:v", "3"],
}
MADE = [
    *(
        (codec, suffix)
        for codec in ("h264-open", "h264-pyramid", "h264")
        for suffix in ("mp4", "mov", "mkv", "ts", "flv")
    ),
    *((codec, suffix) for codec in ("hevc-open", "mpeg2-open") for suffix in ("mp4", "mkv", "ts")),
    *((codec, "avi") for codec in ("mpeg2-open", "mpeg4", "mjpeg")),
    ("vp9", "webm"),
    ("vp9", "mp4"),
    ("mpeg4", "mp4"),
    ("mpeg2-open", "mpg"),
]


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """Each codec's clip with sound in a container of its own, made when it is asked for."""
    folder, made = tmp_path_factory.mktemp("originals"), {}

    def original(codec, suffix):
        if (codec, suffix) not in made:
            path = folder / f"{codec}.{suffix}"
            sound = {"webm": "libopus", "mpg": "mp2", "flv": "aac"}.get(
                suffix, "aac" if suffix != "avi" else "pcm_s16le"
            )
            source = encode(folder / "source.mkv", grainy(50), codec="ffv1")
            tone = ["-f", "lavfi", "-i", "sine=f=440:r=48000:d=2"]
            ffmpeg("-i", source, *tone, "-c:v", *CODECS[codec], "-pix_fmt", "yuv420p", "-c:a", sound, "-shortest", path)
            made[codec, suffix] = path, read(path)
        return made[codec, suffix]

    return original


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize(("codec", "suffix"), MADE)
def test_a_cut_that_ffmpeg_makes(codec, suffix, place, originals, tmp_path):
    """The last frames of the original, bit by bit, as many as ffmpeg itself decodes of the cut."""
    path, whole = originals(codec, suffix)
    cut = tmp_path / f"cut.{suffix}"
    seek = ["-ss", "0.7", "-i", path] if place == "before" else ["-i", path, "-ss", "0.7"]
    ffmpeg(*seek, "-c", "copy", cut)
    frames, fps, _ = told(cut)
    found = indices(frames, whole)
    assert found == list(range(found[0], 50))
    assert 12 <= found[0] <= 36
    assert fps == 25
    described = describe(Clip("clip", cut))
    assert not any("rate varies" in problem for problem in described.problems)


MUXED = {
    "faststart.mp4": ["-movflags", "+faststart"],
    "fragmented.mp4": ["-movflags", "+frag_keyframe+empty_moov"],
    "cmaf.mp4": ["-movflags", "+cmaf+frag_keyframe+default_base_moof"],
    "no-edits.mp4": ["-use_editlist", "0"],
    "negative-offsets.mp4": ["-movflags", "+negative_cts_offsets"],
    "timecode.mov": ["-timecode", "10:00:00:00"],
    "pcm.mov": ["-c:a", "pcm_s16le"],
    "live.mkv": ["-live", "1"],
    "negative-times.mkv": ["-avoid_negative_ts", "disabled"],
    "blu-ray.m2ts": ["-mpegts_m2ts_mode", "1"],
    "slots.avi": ["-bsf:v", "h264_mp4toannexb", "-c:a", "pcm_s16le"],
    "raw.h264": ["-bsf:v", "h264_mp4toannexb", "-an"],
}


@pytest.mark.parametrize("name", MUXED)
def test_a_container_that_ffmpeg_writes(name, originals, tmp_path):
    """Pictures decoded in another order than they are shown, copied into every kind of container."""
    path, whole = originals("h264", "mp4")
    ffmpeg("-i", path, "-c", "copy", *MUXED[name], tmp_path / name)
    frames, fps, remarks = told(tmp_path / name)
    assert indices(frames, whole) == list(range(50))
    assert (fps, remarks) == (Fraction(25), ())


def test_frames_that_an_edit_list_hides_are_told(originals, tmp_path):
    path, whole = originals("h264", "mp4")
    ffmpeg("-ss", "0.7", "-i", path, "-c", "copy", tmp_path / "cut.mp4")
    frames, _, remarks = told(tmp_path / "cut.mp4")
    first = indices(frames, whole)[0]
    assert first > 12
    assert remarks == (f"it holds {first - 12} more frames that its own edit list hides",)


def test_a_second_video_track_is_told(originals, tmp_path):
    path, _ = originals("h264", "mp4")
    ffmpeg("-i", path, "-i", path, "-map", "0:v", "-map", "1:v", "-c", "copy", tmp_path / "two.mkv")
    assert told(tmp_path / "two.mkv")[2] == ("it holds 2 video tracks, of which the first was read",)


def test_empty_packets_repeat_a_frame(originals, tmp_path):
    """Theora has packets without content where the frame before is shown on."""
    path, _ = originals("h264", "mp4")
    ffmpeg(
        "-itsoffset", "0.2", "-i", path, "-vsync", "cfr", "-c:v", "libtheora", "-q:v", "8", "-an", tmp_path / "a.ogv"
    )
    frames, _, _ = told(tmp_path / "a.ogv")
    assert len(frames) >= 50


TRANSPARENT = "format=yuva420p,geq=lum='lum(X,Y)':cb='cb(X,Y)':cr='cr(X,Y)':a='if(lt(X,{}),255,0)'"


@pytest.mark.parametrize(("codec", "name"), [("libvpx", "vp8"), ("libvpx-vp9", "vp9")])
def test_transparency_beside_the_picture(codec, name, originals, tmp_path):
    path, _ = originals("h264", "mp4")
    for opaque, left in (("half", 40), ("all", 80)):
        made = tmp_path / f"{opaque}.webm"
        layer = ["-vf", TRANSPARENT.format(left), "-pix_fmt", "yuva420p", "-auto-alt-ref", "0", "-an", "-frames:v", "5"]
        ffmpeg("-i", path, *layer, "-c:v", codec, "-deadline", "realtime", made)
    with pytest.raises(InputError) as caught:
        describe(Clip("clip", tmp_path / "half.webm"))
    assert caught.value.reason == "transparent"
    assert describe(Clip("clip", tmp_path / "all.webm")).frames == 5


RAW = {
    "a.mjpeg": ["mjpeg", "-f", "mjpeg"],
    "a.m2v": ["mpeg2video"],
    "a.m4v": ["mpeg4"],
    "a.hevc": ["libx265", "-x265-params", "log-level=none:pools=none"],
    "a.ivf": ["libvpx-vp9", "-cpu-used", "8", "-deadline", "realtime"],
    "a.y4m": ["wrapped_avframe"],
    "a.ogv": ["libtheora"],
    "a.wmv": ["wmv2"],
    "a.mxf": ["mpeg2video"],
    "a.3gp": ["mpeg4"],
    "a.gif": ["gif"],
    "a.nut": ["ffv1"],
    "a.apng": ["apng", "-f", "apng"],
}


@pytest.mark.parametrize("name", RAW)
def test_every_format_is_read_at_its_rate(name, originals, tmp_path):
    path, _ = originals("h264", "mp4")
    ffmpeg("-i", path, "-c:v", *RAW[name], "-an", "-frames:v", "10", tmp_path / name)
    frames, fps, remarks = told(tmp_path / name)
    assert len(frames) == 10
    assert fps == pytest.approx(25)
    assert remarks == ()
