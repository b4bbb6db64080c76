"""Reading video files: every codec, any batch size, upright, in constant memory, and let go of when asked."""

import gc
import os
import sys
import threading
import tracemalloc
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from thgeval.clip import Clip
from thgeval.errors import InputError, ProtocolError
from thgeval.media import decode, probe

CODECS = {
    "h264": ("libx264", "clip.mp4", "yuv420p"),
    "h264-444": ("libx264", "clip.mkv", "yuv444p"),
    "h264-10": ("libx264", "clip.mp4", "yuv420p10le"),
    "hevc": ("libx265", "clip.mov", "yuv420p"),
    "vp8": ("libvpx", "clip.webm", "yuv420p"),
    "vp9": ("libvpx-vp9", "clip.webm", "yuv420p"),
    "av1-svt": ("libsvtav1", "clip.mp4", "yuv420p"),
    "av1-aom": ("libaom-av1", "clip.mkv", "yuv420p"),
    "mpeg4": ("mpeg4", "clip.avi", "yuv420p"),
    "mpeg2": ("mpeg2video", "clip.mpg", "yuv420p"),
    "mpeg1": ("mpeg1video", "clip.ts", "yuv420p"),
    "mjpeg": ("mjpeg", "clip.avi", "yuvj444p"),
    "prores": ("prores_ks", "clip.mov", "yuv422p10le"),
    "ffv1": ("ffv1", "clip.mkv", "yuv420p"),
    "gif": ("gif", "clip.gif", "rgb8"),
}
FAITHFUL_DB = {"gif": 12.0, "vp8": 22.0, "mpeg1": 22.0, "mpeg2": 22.0, "mpeg4": 22.0}


def psnr_db(first, second):
    return 10 * np.log10(255.0**2 / np.mean((first.astype(float) - second) ** 2))


@pytest.mark.parametrize("key", CODECS)
def test_every_codec_is_read_to_its_last_frame(key, file, moving, all_frames):
    codec, name, pixel_format = CODECS[key]
    path = file(name, codec=codec, pixel_format=pixel_format, count=11, height=96, width=128)
    frames = all_frames(path, chunk=4)
    assert frames.shape == (11, 96, 128, 3)
    assert psnr_db(frames, moving(11, 96, 128)) > FAITHFUL_DB.get(key, 26.0)
    assert all(np.any(frames[i] != frames[i + 1]) for i in range(10))


@pytest.mark.parametrize(
    ("codec", "name", "pixel_format"),
    [("libx264rgb", "clip.mkv", "rgb24"), ("ffv1", "clip.mkv", "bgr0"), ("png", "clip.mov", "rgb24")],
)
def test_lossless_rgb_comes_back_bit_for_bit(codec, name, pixel_format, file, moving, all_frames):
    options = {"crf": "0"} if codec == "libx264rgb" else {}
    path = file(name, codec=codec, pixel_format=pixel_format, options=options, height=33, width=47)
    assert (all_frames(path) == moving(20, 33, 47)).all()
    assert probe(Clip("clip", path)).matrix == "rgb"


@pytest.mark.parametrize("matrix", ["bt601", "bt709"])
def test_the_matrix_written_is_the_matrix_read(matrix, file, moving, all_frames):
    path = file(matrix=matrix, pixel_format="yuv444p", crf=0)
    info = probe(Clip("clip", path))
    assert (info.matrix, info.colour_range) == (matrix, "limited")
    # Limited range has fewer codes than levels: two roundings cost up to two levels.
    assert np.abs(all_frames(path).astype(int) - moving(20, 64, 80)).max() <= 2


@pytest.mark.parametrize(("height", "width"), [(133, 255), (1, 1), (1, 4097), (4097, 2), (2, 3)])
def test_odd_and_extreme_sizes(height, width, file, moving, all_frames):
    path = file("clip.mkv", codec="ffv1", count=3, height=height, width=width, pixel_format="yuv444p")
    frames = all_frames(path)
    assert frames.shape == (3, height, width, 3)
    assert np.abs(frames.astype(int) - moving(3, height, width)).max() <= 2


@pytest.mark.parametrize(("height", "width"), [(133, 255), (1, 1), (64, 33)])
def test_odd_sizes_of_halved_chroma_match_ffmpeg(height, width, file, all_frames):
    path = file("clip.mkv", codec="ffv1", count=2, height=height, width=width, pixel_format="yuv420p")
    with av.open(str(path)) as container:
        theirs = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    # At odd edges swscale leaves its fast path and interpolates chroma, so only the typical pixel is compared.
    assert np.median(np.abs(all_frames(path).astype(int) - theirs)) <= 3


@pytest.mark.parametrize("chunk", [1, 3, 8, 20, 1000])
def test_batches_hold_the_same_frames_however_they_are_cut(chunk, file, all_frames):
    path = file()
    with decode(Clip("clip", path), chunk=chunk) as batches:
        held = list(batches)
    assert [batch.start for batch in held] == list(range(0, 20, chunk))
    assert [len(batch) for batch in held[:-1]] == [chunk] * (len(held) - 1)
    assert all(batch.peak == 255.0 and batch.pixels.dtype == np.uint8 for batch in held)
    assert (np.concatenate([batch.new for batch in held]) == all_frames(path, chunk=7)).all()


@pytest.mark.parametrize(("chunk", "lead"), [(4, 1), (1, 3), (3, 5), (6, 6), (1000, 2)])
def test_leads_repeat_the_frames_before(chunk, lead, file, all_frames):
    path = file()
    whole = all_frames(path)
    with decode(Clip("clip", path), chunk=chunk, lead=lead) as batches:
        for batch in batches:
            assert batch.lead == min(lead, batch.start)
            assert (batch.pixels == whole[batch.start - batch.lead : batch.start + len(batch)]).all()
            assert batch.pixels.flags.c_contiguous


def test_counts_and_times_follow_the_reading(file):
    path = file(fps=Fraction(30000, 1001))
    with decode(Clip("clip", path), chunk=8) as decoder:
        first = next(iter(decoder))
        assert decoder.frames == len(decoder.times_s) == len(first) == 8
        for _ in decoder:
            pass
    assert decoder.frames == 20
    assert decoder.times_s == pytest.approx([index * 1001 / 30000 for index in range(20)], abs=1e-4)
    assert decoder.info.fps == Fraction(30000, 1001)
    assert not decoder.info.variable_rate


def test_a_header_says(file):
    info = probe(Clip("clip", file(audio=np.zeros(12800, np.float32))))
    assert (info.codec, info.pixel_format, info.bits) == ("h264", "yuv420p", 8)
    assert (info.width, info.height, info.frames, info.fps) == (80, 64, 20, 25)
    assert info.duration_s == pytest.approx(0.8)
    assert (info.start_s, info.rotation, info.variable_rate) == (0.0, 0, False)
    assert info.audio is not None
    assert (info.audio.codec, info.audio.rate_hz, info.audio.channels) == ("aac", 16000, 1)


def test_the_rate_a_clip_states_overrides_the_files(file):
    clip = Clip("clip", file(), fps=Fraction(50))
    assert probe(clip).fps == 50
    with decode(clip, chunk=8, fps=Fraction(25)) as batches:
        assert sum(len(batch) for batch in batches) == 10


@pytest.mark.parametrize("threads", [2, 4])
def test_threads_of_the_decoder_change_nothing(threads, file, all_frames):
    path = file(count=30)
    assert (all_frames(path, threads=threads) == all_frames(path)).all()


def test_a_decoder_moves_between_threads(file, all_frames):
    path = file()
    taken = []
    with decode(Clip("clip", path), chunk=3) as decoder:
        batches = iter(decoder)
        while len(taken) < 7:
            thread = threading.Thread(target=lambda: taken.append(next(batches).new))
            thread.start()
            thread.join()
    assert (np.concatenate(taken) == all_frames(path)).all()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="open files are listed in /proc on Linux only")
@pytest.mark.parametrize("batches", [0, 1])
def test_closing_early_lets_go_of_the_file(batches, file):
    path = file()

    def is_open():
        return any(os.path.realpath(link) == str(path.resolve()) for link in Path("/proc/self/fd").iterdir())

    with decode(Clip("clip", path), chunk=2) as decoder:
        for _ in range(batches):
            next(iter(decoder))
        assert is_open()
    assert not is_open()
    assert list(decoder) == []
    for _ in decode(Clip("clip", path), chunk=2):
        pass
    assert not is_open()


def peak_of_reading(path):
    gc.collect()
    tracemalloc.start()
    try:
        with decode(Clip("clip", path), chunk=8, lead=1) as batches:
            for _ in batches:
                pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_length(file, moving):
    frames = moving(50, 64, 64)
    short = file("short.mp4", frames=frames)
    long = file("long.mp4", frames=np.concatenate([frames] * 20))
    peak_of_reading(short)
    # 950 more frames of 12 kB would be 11 MB; only their times are kept.
    assert peak_of_reading(long) - peak_of_reading(short) < 600_000


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_clips_are_turned_upright(degrees, tmp_path, moving, all_frames):
    path = tmp_path / "clip.mp4"
    upright = moving(4, 48, 64)
    lying = np.rot90(upright, -degrees // 90, axes=(1, 2))
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.height, stream.width = lying.shape[1:3]
        stream.pix_fmt, stream.options = "yuv444p", {"crf": "1"}
        stream.set_display_rotation(degrees)
        for frame in lying:
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
            container.mux(stream.encode(picture.reformat(format="yuv444p")))
        container.mux(stream.encode(None))
    frames = all_frames(path)
    assert frames.shape == upright.shape
    assert psnr_db(frames, upright) > 35
    info = probe(Clip("clip", path))
    assert (info.rotation, info.width, info.height) == (degrees, 64, 48)


def with_display_matrix(path, values):
    """Overwrite the 3 x 3 matrix in the header of the one track of an MP4."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    data[at : at + 36] = b"".join(value.to_bytes(4, "big", signed=True) for value in values)
    path.write_bytes(data)


@pytest.mark.parametrize("mirrored", [(-1, 0, 0, 1), (0, 1, 1, 0)])
def test_mirrored_clips_are_refused(mirrored, file):
    path = file()
    a, b, c, d = (value << 16 for value in mirrored)
    with_display_matrix(path, (a, b, 0, c, d, 0, 0, 0, 1 << 30))
    with pytest.raises(InputError, match="mirrored or tilted; bake that into its frames") as caught:
        probe(Clip("clip", path))
    assert caught.value.reason == "rotation"


def test_the_real_clips_are_read_whole(assets):
    frames = {"May_5s.mp4": 125, "face_noface.mov": 169, "iplap_129.mp4": 270, "brbk7n.mpg": 75}
    for name, count in frames.items():
        with decode(Clip(name, assets / name), chunk=16) as decoder:
            assert sum(len(batch) for batch in decoder) == count


def test_frames_an_edit_list_hides_are_not_missed(assets):
    with decode(Clip("no_face", assets / "no_face.mp4"), chunk=16) as decoder:
        assert sum(len(batch) for batch in decoder) == 95
    assert decoder.info.frames == 98


@pytest.mark.parametrize(
    "how", [{"chunk": 0}, {"chunk": 1, "lead": -1}, {"chunk": 1, "threads": 0}, {"chunk": 1, "crop": "top"},
            {"chunk": 1, "size": 0}, {"chunk": 1, "fps": Fraction(0)}]
)  # fmt: skip
def test_senseless_requests_are_refused(how, file):
    with pytest.raises(ProtocolError, match="must be"):
        decode(Clip("clip", file()), **how)
