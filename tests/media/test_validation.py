"""A plain clip has no problems; every oddity is one sentence."""

from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

import thgeval
from thgeval.clip import Clip, Memory
from thgeval.errors import InputError
from thgeval.media import decode, describe, write_video


def problems(path):
    return describe(Clip("clip", path)).problems


def noise(seconds, rate_hz=16000):
    return np.random.default_rng(0).uniform(-0.5, 0.5, round(seconds * rate_hz)).astype(np.float32)


def test_a_plain_clip_has_no_problems(file):
    found = describe(Clip("clip", file(audio=noise(0.8))))
    assert found.problems == ()
    assert (found.frames, found.duration_s, found.info.frames) == (20, pytest.approx(0.8), 20)
    assert found.audio_s == pytest.approx(0.8, abs=0.064)


def test_a_silent_picture_is_no_problem(file):
    found = describe(Clip("clip", file()))
    assert (found.problems, found.audio_s) == ((), None)


@pytest.mark.parametrize("seconds", [0.6, 1.2])
def test_sound_of_another_length(seconds, file):
    (found,) = problems(file(audio=noise(seconds)))
    assert found.startswith("its picture ends after 0.800 s, its sound after ")


def test_sound_that_begins_late(file):
    found = problems(file("clip.mkv", audio=noise(0.5), audio_start_s=0.3))
    assert found == ("its sound begins 0.300 s after its picture",)


def test_sound_that_is_silence(file):
    assert problems(file(audio=np.zeros(12800, np.float32))) == ("its sound is silence",)


def test_sound_that_can_not_be_read(file):
    path = file("clip.mkv", audio=noise(0.8))
    content = path.read_bytes().replace(b"A_AAC", b"A_XXX")
    path.write_bytes(content)
    (found,) = problems(path)
    assert found.startswith("its sound can't be used: ")


def test_unstated_colours(file):
    found = problems(file("clip.avi", codec="mpeg4"))
    assert found == (
        "nothing says how its colours are coded; bt601 was assumed",
        "nothing says what range its levels have; limited was assumed",
    )


def test_odd_sizes(file):
    (found,) = problems(file("clip.mkv", codec="ffv1", width=33, pixel_format="bgr0"))
    assert found == "its size is odd (33 x 64 px), so 4:2:0 video can't hold it exactly"


def test_more_than_8_bits(file):
    assert problems(file(pixel_format="yuv420p10le")) == ("its 10 bits per sample were rounded to 8",)


def with_stream(path, frames, **settings):
    """A clip whose encoder or stream is set up by hand; ``ticks`` are times in milliseconds."""
    ticks = settings.pop("ticks", [40 * index for index in range(len(frames))])
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = Fraction(1, 1000)
        context.colorspace = context.color_primaries = context.color_range = 1
        context.color_trc = settings.pop("transfer", 1)
        if "rotation" in settings:
            stream.set_display_rotation(settings.pop("rotation"))
        if "options" in settings:
            stream.options = settings.pop("options")
        for name, value in settings.items():
            setattr(stream.codec_context, name, value)
        for frame, tick in zip(frames, ticks, strict=True):
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24").reformat(format="yuv420p", dst_colorspace=1)
            picture.pts, picture.time_base = tick, Fraction(1, 1000)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def test_a_rate_that_varies(tmp_path, moving):
    path = with_stream(tmp_path / "a.mp4", moving(6, 64, 80), ticks=[0, 40, 80, 160, 200, 300])
    assert problems(path) == ("its frame rate varies; resampling it to a constant rate shows frames as they are timed",)
    assert describe(Clip("clip", path, fps=Fraction(25))).problems == ()


@pytest.mark.parametrize("rate", [Fraction(30000, 1001), Fraction(24), Fraction(60)])
@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv"])
def test_a_clock_that_rounds_is_no_varying_rate(name, rate, file):
    assert problems(file(name, fps=rate)) == ()


def test_pixels_that_are_not_square(tmp_path, moving):
    path = with_stream(tmp_path / "a.mp4", moving(3, 64, 80), sample_aspect_ratio=Fraction(4, 3))
    assert problems(path) == ("its pixels are to be shown 1.333 times as wide as high; frames were left as stored",)


def test_a_lying_picture(tmp_path, moving):
    path = with_stream(tmp_path / "a.mp4", moving(3, 64, 80), rotation=90)
    assert problems(path) == ("it is stored lying, and was turned by 90 degrees counter-clockwise",)


def test_interlaced_pictures(tmp_path, moving):
    path = with_stream(tmp_path / "a.mp4", moving(3, 64, 80), options={"x264-params": "tff=1"})
    assert problems(path) == ("it is interlaced; both fields of a frame were taken together",)


def test_high_dynamic_range(tmp_path, moving):
    path = with_stream(tmp_path / "a.mp4", moving(3, 64, 80), transfer=16)
    assert problems(path) == ("its brightness is coded as PQ (HDR); levels were taken as they are",)
    info = describe(Clip("clip", path)).info
    assert (info.transfer, info.primaries) == ("pq", "bt709")


def test_curves_and_primaries_are_noted_in_a_run(tmp_path, moving):
    wide = with_stream(tmp_path / "wide.mp4", moving(3, 64, 80), transfer=18)
    usual = with_stream(tmp_path / "usual.mp4", moving(3, 64, 80))
    run = thgeval.score(wide, usual, metrics="psnr")
    assert list(run.clips[0].notes) == [
        "wide, generated: its brightness is coded as HLG (HDR); levels were taken as they are",
        (
            "wide: levels stand for light by the curve hlg in the generated clip and bt709 in the reference; "
            "they were compared as they are"
        ),
    ]
    assert run.clips[0].media["generated"]["transfer"] == "hlg"
    assert thgeval.score(usual, usual, metrics="psnr").clips[0].notes == ()


def test_lenient_says_what_it_brought_together(tmp_path, moving):
    for name, count, size, fps in (("a", 6, 64, 30), ("b", 5, 32, 25)):
        write_video(tmp_path / f"{name}.mp4", moving(count, size, size), fps=fps)
    run = thgeval.score(tmp_path / "a.mp4", tmp_path / "b.mp4", metrics="psnr", protocol="lenient")
    assert list(run.clips[0].notes) == [
        (
            "a has 30.000 frames per second and its reference 25.000; they were paired by index, so they show "
            "different moments"
        ),
        "a has 6 generated frames and 5 reference frames; the first 5 were compared",
        "a was resized from 64x64 px to its reference's 32x32 px",
    ]


def test_arrays_and_broken_clips(tmp_path):
    found = describe(Clip("clip", Memory(np.zeros((4, 6, 8, 3)), 1.0), fps=Fraction(2)))
    assert (found.frames, found.duration_s, found.problems) == (4, 2.0, ())
    with pytest.raises(InputError) as caught:
        describe(Clip("clip", tmp_path / "none.mp4"))
    assert caught.value.reason == "missing"


def test_the_real_clips(assets):
    assert problems(assets / "WolfgangLanger_Pexels.mp4") == ("its sound is silence",)
    assert "its header counts 98 frames, and 95 are shown" in problems(assets / "no_face.mp4")


def plain(frames):
    return Memory(frames, 1.0 if frames.dtype.kind == "f" else 255.0)


def with_alpha(path, pixels):
    Image.fromarray(pixels).save(path)
    return path


REFUSED = {
    "missing": lambda folder, frames: folder / "none.mp4",
    "no frames": lambda folder, frames: (folder / "empty.mp4").touch() or folder / "empty.mp4",
    "no video": lambda folder, frames: (
        (folder / "a.mp4").write_text("ffconcat version 1.0\nfile x\n") and folder / "a.mp4"
    ),
    "unreadable": lambda folder, frames: (folder / "a.mp4").mkdir() or folder / "a.mp4" / "..",
    "transparent": lambda folder, frames: with_alpha(folder / "0.png", np.dstack([frames[0], frames[0, ..., 0]])),
    "not finite": lambda folder, frames: plain(np.where(frames > 200, np.nan, frames / 255)),
    "out of range": lambda folder, frames: plain(frames / 200),
    "wrong shape": lambda folder, frames: plain(frames[0]),
    "wrong type": lambda folder, frames: plain(frames.astype(np.int32)),
    "masked": lambda folder, frames: plain(np.ma.masked_equal(frames, frames.max())),
    "numbering": lambda folder, frames: [with_alpha(folder / f"{n}.png", frames[0]) for n in "ab"] and folder,
    "missing frames": lambda folder, frames: [with_alpha(folder / f"{n}.png", frames[0]) for n in (1, 3)] and folder,
    "size changes": lambda folder, frames: [with_alpha(folder / f"{n}.png", frames[0, n:]) for n in (1, 2)] and folder,
    "pixel format": lambda folder, frames: (
        Image.fromarray(frames[0]).convert("CMYK").save(folder / "0.jpg") or folder / "0.jpg"
    ),
    "truncated": lambda folder, frames: cut_short(folder / "a.mkv", frames),
    "corrupt": lambda folder, frames: damaged(folder / "a.mp4", frames),
}


def cut_short(path, frames):
    write_video(path, frames, fps=25)
    path.write_bytes(path.read_bytes()[:-200])
    return path


def damaged(path, frames):
    write_video(path, frames, fps=25)
    content = bytearray(path.read_bytes())
    at = content.index(b"mdat") + 1000
    content[at : at + 300] = b"\xff" * 300
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("reason", REFUSED)
def test_whatever_scoring_refuses_is_refused_here(reason, tmp_path, moving):
    frames = moving(6, 64, 80)
    clip = Clip("clip", REFUSED[reason](tmp_path, frames))
    with pytest.raises(InputError) as scoring, decode(clip, chunk=4) as batches:
        for _ in batches:
            pass
    with pytest.raises(InputError) as described:
        describe(clip)
    assert described.value.reason == scoring.value.reason
    assert str(described.value) == str(scoring.value)
    if reason != "unreadable":
        assert scoring.value.reason == reason
