"""Frames at another rate are ffmpeg's choice of frames; at another size they keep their mean, range and type."""

import subprocess
from fractions import Fraction

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.clips import written_at
from support.programs import program

from thgeval.clip import Clip, Memory
from thgeval.errors import InputError
from thgeval.media import decode, resize
from thgeval.media.picture import RgbWriter
from thgeval.media.resample import retimed
from thgeval.media.source import Picture


def chosen(times, fps, end):
    """The indices of the frames that a clip with these times shows at a constant rate."""
    pictures = [Picture(Fraction(time), (1, 1), lambda out: None) for time in times]
    shown = retimed(iter(pictures), fps=Fraction(fps), end=lambda: Fraction(end), name="clip")
    return [pictures.index(picture) for picture in shown]


def numbered(count):
    """Frames that say which they are: (count, 16, 16, 3), all levels equal to the index."""
    return np.broadcast_to(np.arange(count, dtype=np.uint8)[:, None, None, None], (count, 16, 16, 3)).copy()


def test_the_same_rate_keeps_every_frame():
    assert chosen([Fraction(i, 25) for i in range(9)], 25, Fraction(9, 25)) == list(range(9))


def test_twice_the_rate_shows_every_frame_twice():
    assert chosen([Fraction(i, 25) for i in range(4)], 50, Fraction(4, 25)) == [0, 0, 1, 1, 2, 2, 3, 3]


def test_half_the_rate_shows_every_other_frame():
    # 1/50 s lies halfway between two frames of 25 per second, and halves go up: frame 1 is due where frame 2 is.
    assert chosen([Fraction(i, 50) for i in range(8)], 25, Fraction(8, 50)) == [0, 2, 4, 6]


def test_a_frame_that_lasts_is_repeated():
    assert chosen([0, Fraction(1, 25), Fraction(4, 25)], 25, Fraction(5, 25)) == [0, 1, 1, 1, 2]


def test_a_moment_is_at_least_one_frame():
    assert chosen([0], 1, Fraction(1, 100)) == [0]


def test_times_that_go_back_are_refused():
    with pytest.raises(
        InputError, match=r"clip: the times of its frames go back after 0\.080 s; re-encode it"
    ) as caught:
        chosen([0, Fraction(2, 25), Fraction(1, 25)], 25, 1)
    assert caught.value.reason == "frame times"


@given(
    steps=st.lists(st.integers(1, 400), min_size=1, max_size=30),
    fps=st.sampled_from([Fraction(24000, 1001), Fraction(25), Fraction(30), Fraction(50), Fraction(7)]),
)
def test_any_clip_keeps_its_length_and_order(steps, fps):
    times = [Fraction(sum(steps[:index]), 1000) for index in range(len(steps))]
    end = Fraction(sum(steps), 1000)
    shown = chosen(times, fps, end)
    assert abs(Fraction(len(shown)) / fps - end) <= 1 / fps
    assert shown == sorted(shown)
    for index, which in enumerate(shown[:-1]):
        assert abs(times[which] - index / fps) <= max(steps) / Fraction(1000) + 1 / fps
        # No later frame would have been due already.
        assert all((time * fps + Fraction(1, 2)) // 1 > index for time in times[which + 1 :])


@pytest.mark.parametrize("rate", ["25", "30000/1001", "50", "12", "60"])
@pytest.mark.parametrize("rhythm", ["24 fps", "30 fps", "varying"])
def test_ffmpegs_fps_filter_chooses_the_same_frames(rate, rhythm, tmp_path):
    generator = np.random.default_rng(5)
    steps = {"24 fps": [125] * 40, "30 fps": [100] * 40, "varying": generator.integers(20, 260, 40).tolist()}[rhythm]
    ticks = np.concatenate([[0], np.cumsum(steps[:-1])]).tolist()
    path = written_at(tmp_path / "clip.nut", numbered(40), ticks, Fraction(1, 3000))
    command = [
        program("ffmpeg"),
        "-v",
        "error",
        "-i",
        path,
        "-vf",
        f"fps={rate}",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "gray",
        "-",
    ]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    theirs = np.frombuffer(raw, np.uint8).reshape(-1, 256)[:, 0]
    with decode(Clip("clip", path), chunk=7, fps=Fraction(rate)) as batches:
        ours = np.concatenate([batch.new[:, 0, 0, 0] for batch in batches])
    # ffmpeg knows the last frame's duration only by guessing, so the end may differ by how long it is shown.
    shared = min(len(ours), len(theirs))
    assert (ours[:shared] == theirs[:shared]).all()
    assert set(ours[shared:]) | set(theirs[shared:]) <= {39}


def test_rates_of_files_cross_batches(file, all_frames):
    path = file(fps=30, count=31)
    whole = all_frames(path, fps=Fraction(25), chunk=1000)
    assert len(whole) == 26
    assert (all_frames(path, fps=Fraction(25), chunk=3, lead=2) == whole).all()


def test_batches_say_when_their_frames_are_shown(tmp_path):
    ticks = [0, 40, 120, 160, 280, 320, 360]
    frames = np.random.default_rng(0).integers(0, 256, (7, 16, 16, 3), dtype=np.uint8)
    path = written_at(tmp_path / "clip.mkv", frames, ticks, Fraction(1, 1000))
    with decode(Clip("clip", path), chunk=3, lead=1) as batches:
        times = [batch.times for batch in batches]
    assert [len(part) for part in times] == [3, 3, 1]
    assert np.concatenate(times) * 1000 == pytest.approx(ticks)
    with decode(Clip("clip", path), chunk=3, fps=Fraction(25)) as batches:
        assert all(batch.times is None and batch.fps == 25 for batch in batches)
    with decode(Clip("clip", Memory(frames, 255.0)), chunk=3) as batches:
        assert all(batch.times is None for batch in batches)


def test_a_frame_that_is_repeated_is_decoded_once(file, monkeypatch):
    written = []
    write = RgbWriter.write
    monkeypatch.setattr(RgbWriter, "write", lambda self, *given: (written.append(1), write(self, *given)))
    with decode(Clip("clip", file(count=6)), chunk=40, fps=Fraction(100), size=32, crop="centre-square") as batches:
        (batch,) = batches
    assert (len(batch), len(written)) == (24, 6)
    assert (batch.pixels[0] == batch.pixels[3]).all()


@pytest.mark.parametrize("fps", [None, Fraction(30)])
def test_arrays_are_resampled_only_from_a_known_rate(fps):
    clip = Clip("clip", Memory(numbered(30), 255.0), fps=fps)
    with decode(clip, chunk=8, fps=Fraction(15)) as batches:
        if fps is None:
            with pytest.raises(InputError, match="no frame rate to be resampled from; state its fps") as caught:
                next(iter(batches))
            assert caught.value.reason == "no frame rate"
        else:
            assert sum(len(batch) for batch in batches) == 15


def test_shrinking_averages_areas():
    pixels = np.random.default_rng(0).integers(0, 256, (3, 12, 20, 3)).astype(np.float64)
    small = resize(pixels, width=10, height=6)
    expected = pixels.reshape(3, 6, 2, 10, 2, 3).mean(axis=(2, 4))
    assert small == pytest.approx(expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize(("width", "height"), [(7, 5), (64, 64), (9, 40), (40, 9), (33, 17), (1, 1)])
def test_any_size_keeps_type_and_range(dtype, width, height):
    pixels = np.random.default_rng(1).integers(0, 256, (2, 17, 33, 3)).astype(dtype)
    out = resize(pixels, width=width, height=height)
    assert out.shape == (2, height, width, 3)
    assert out.dtype == dtype
    assert out.min() >= pixels.min()
    assert out.max() <= pixels.max()


def test_growing_is_linear():
    pixels = np.array([[[0.0] * 3, [1.0] * 3]])[None]
    grown = resize(pixels, width=4, height=1)[0, 0, :, 0]
    assert grown == pytest.approx([0.0, 0.25, 0.75, 1.0])


def test_one_axis_may_shrink_while_the_other_grows():
    pixels = np.random.default_rng(2).uniform(0, 1, (1, 40, 10, 3))
    shrunk = pixels.reshape(1, 10, 4, 10, 3).mean(axis=2)
    expected = cv2.resize(shrunk[0], (30, 10), interpolation=cv2.INTER_LINEAR)
    assert resize(pixels, width=30, height=10)[0] == pytest.approx(expected)


def test_the_same_size_is_the_same_array():
    pixels = numbered(2)
    assert resize(pixels, width=16, height=16) is pixels


def test_sizes_are_square(file):
    clip = Clip("clip", file())
    with pytest.raises(InputError, match=r"80 x 64 px.*would distort it; crop it first") as caught:
        next(iter(decode(clip, chunk=2, size=32)))
    assert caught.value.reason == "not square"


@pytest.mark.parametrize(("height", "width"), [(64, 80), (81, 64), (65, 64), (64, 64)])
def test_the_centre_is_cropped(height, width, file, all_frames):
    path = file("clip.mkv", codec="ffv1", height=height, width=width)
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    whole = all_frames(path)
    centre = whole[:, top : top + side, left : left + side]
    assert (all_frames(path, crop="centre-square") == centre).all()
    assert (
        all_frames(path, crop="centre-square", size=32) == resize(np.ascontiguousarray(centre), width=32, height=32)
    ).all()
    assert (
        all_frames(path, crop="centre-square", size=96) == resize(np.ascontiguousarray(centre), width=96, height=96)
    ).all()
