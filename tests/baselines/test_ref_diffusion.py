"""``ref-diffusion``: a denoising model of a person's mouth, told by speech."""

import io
import json
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from thgeval.errors import InputError, install_line
from thgeval.media.encode import write_video
from thgeval_baselines.catalogue import builtin
from thgeval_baselines.generator import Inputs
from thgeval_baselines.generators import talking
from thgeval_baselines.generators.diffusion import PX, SEEDS, SHOWN_SEEDS, Diffusion
from thgeval_baselines.generators.guessing import Guess
from thgeval_baselines.generators.spectra import AROUND, BANDS, COLUMNS, Ear, heard_around, told_across
from thgeval_baselines.photo.geometry import Parameters
from thgeval_baselines.photo.head import Head
from thgeval_baselines.photo.portrait import portrait
from thgeval_baselines.sets.said import write_sound

pytest.importorskip("dlib")
FPS, FRAMES, RATE_HZ = 25, 60, 16000


class Short(Diffusion):
    steps = 12


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    """A head that opens its mouth as a tone swells."""
    folder = tmp_path_factory.mktemp("person")
    head = Head.of(portrait(seed=3))
    opening = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAMES) / 12)
    frames = [head.frame(Parameters(smile=0.4, aperture=float(each))) for each in opening]
    times_s = np.arange(FRAMES * RATE_HZ // FPS) / RATE_HZ
    sound = np.interp(times_s, np.arange(FRAMES) / FPS, opening) * np.sin(2 * np.pi * 300 * times_s)
    sound = (0.3 * sound).astype(np.float32)
    write_video(folder / "fit.mp4", frames, fps=Fraction(FPS), crf=12, audio=sound, rate_hz=RATE_HZ)
    write_sound(folder / "speech.wav", sound)
    Image.fromarray(frames[0]).save(folder / "face.png")
    return folder, frames


def inputs(folder, **other):
    given = {"audio": folder / "speech.wav", "fit_video": folder / "fit.mp4", "source_image": folder / "face.png"}
    return Inputs("item", **{"frames": 4, **given, **other})


def made(given, folder, *, seed=0):
    generated = Short().generate(given, seed=seed, fitted=folder)
    return np.stack(list(generated.frames)), generated


@pytest.fixture(scope="module")
def fitted(material, tmp_path_factory):
    pytest.importorskip("diffusers")
    folder = tmp_path_factory.mktemp("fit")
    Short().fit(inputs(material[0]), folder, seed=5)
    return folder


def test_it_is_listed():
    assert "ref-diffusion" in {each.id for each in builtin()}


def test_a_fit_and_a_video_repeat_on_any_number_of_threads_and_seeds_differ(material, fitted, tmp_path):
    torch = pytest.importorskip("torch")
    threads = torch.get_num_threads()
    first, _ = made(inputs(material[0]), fitted)
    try:
        torch.set_num_threads(1 if threads > 1 else 2)
        Short().fit(inputs(material[0]), tmp_path, seed=5)
        again, _ = made(inputs(material[0]), tmp_path)
    finally:
        torch.set_num_threads(threads)
    np.testing.assert_array_equal(first, again)
    other, _ = made(inputs(material[0]), fitted, seed=1)
    assert (first != other).any()


def test_only_the_mouth_changes_and_it_is_nearer_to_a_mouth_than_noise(material, fitted):
    folder, frames = material
    shown, _ = made(inputs(folder), fitted)
    assert shown.shape == (4, 256, 256, 3)
    changed = (shown != frames[0]).any(axis=(0, -1))
    assert not changed[:128].any()
    assert changed[150:240, 90:170].any()


def test_the_record_shows_noise_becoming_a_mouth_and_how_far_seeds_are_apart(material, fitted):
    _, generated = made(inputs(material[0]), fitted)
    strip = Image.open(io.BytesIO(generated.evidence["denoising.png"]))
    assert strip.height == 2 * PX * SHOWN_SEEDS
    told = json.loads(generated.evidence["spread.json"])
    assert told["seeds"] == SEEDS
    assert told["spread"] > 0


def test_a_target_video_keeps_its_frames_around_the_mouth_and_its_last_one_is_held(material, fitted):
    folder, frames = material
    write_video(folder / "target.mp4", frames[:3], fps=Fraction(FPS), crf=1)
    shown, _ = made(inputs(folder, target_video=folder / "target.mp4", source_image=None, frames=5), fitted)
    assert len(shown) == 5
    assert np.abs(shown[2, :128].astype(float) - frames[2][:128]).mean() < 2
    np.testing.assert_array_equal(shown[4, :128], shown[2, :128])


def test_frames_follow_from_the_sound_where_nobody_says_how_many(material, fitted, tmp_path):
    write_sound(tmp_path / "short.wav", np.zeros(RATE_HZ // 5, np.float32))
    shown, _ = made(inputs(material[0], audio=tmp_path / "short.wav", frames=None), fitted)
    assert len(shown) == 5


@pytest.mark.parametrize(
    ("missing", "says"),
    [
        ({"audio": None}, "has no audio"),
        ({"source_image": None}, "has no source image"),
    ],
)
def test_what_it_cannot_do_without_is_named(material, fitted, missing, says):
    with pytest.raises(InputError, match=says):
        made(inputs(material[0], **missing), fitted)


def test_a_fit_video_without_a_face_is_named(tmp_path):
    pytest.importorskip("diffusers")
    blank = [np.full((256, 256, 3), 90, np.uint8)] * 5
    write_video(tmp_path / "fit.mp4", blank, fps=Fraction(FPS), crf=20, audio=np.zeros(3200, np.float32))
    with pytest.raises(InputError, match="found in 0 frames of the fit video, 50 are needed") as told:
        Short().fit(Inputs("item", fit_video=tmp_path / "fit.mp4"), tmp_path, seed=0)
    assert told.value.reason == "no face"


def test_a_missing_package_gives_its_install_line(monkeypatch):
    monkeypatch.setattr(talking, "find_spec", lambda name: None if name == "diffusers" else object())
    assert Diffusion().problems() == [f"it needs diffusers: {install_line('diffusion')}"]


def test_what_is_heard_lies_around_its_frame():
    sound = np.zeros(RATE_HZ, np.float32)
    sound[RATE_HZ // 2 :] = 0.3 * np.sin(2 * np.pi * 500 * np.arange(RATE_HZ // 2) / RATE_HZ)
    heard = heard_around(sound, frames=FPS, fps=Fraction(FPS))
    assert heard.shape == (FPS, COLUMNS, BANDS)
    loud = heard.mean(axis=-1)
    begins = np.argmax(loud > loud.min() + 0.5 * np.ptp(loud), axis=1)
    for frame in (10, 12, 14):
        assert begins[frame] == pytest.approx(AROUND + (12.5 - frame) * 2, abs=1)


def test_another_loudness_is_heard_alike_and_silence_is_finite():
    noise = np.random.default_rng(0).normal(0, 0.1, RATE_HZ).astype(np.float32)
    one, other = (heard_around(gain * noise, frames=FPS, fps=Fraction(FPS)) for gain in (1.0, 0.3))
    inner = slice(6, -6)
    np.testing.assert_allclose(one[inner], other[inner], atol=1e-3)
    assert np.isfinite(heard_around(np.zeros(800, np.float32), frames=3, fps=Fraction(FPS))).all()


def test_an_ear_tells_of_speech_it_never_heard_and_of_nothing_in_noise():
    rng = np.random.default_rng(0)
    times_s = np.arange(12 * RATE_HZ) / RATE_HZ
    opening = np.interp(times_s, np.arange(0, 13, 0.2), rng.uniform(0, 1, 65))
    sound = (0.3 * opening * np.sin(2 * np.pi * (300 + 500 * opening) * times_s)).astype(np.float32)
    heard = heard_around(sound, frames=300, fps=Fraction(FPS))
    truth = opening[:: RATE_HZ // FPS][:300, None] - 0.5
    told = Ear.of(heard[:200], truth[:200]).told(heard[210:])
    assert told.shape == (90, 1)
    assert np.corrcoef(told[:, 0], truth[210:, 0])[0, 1] > 0.7
    guessed = Ear.of(heard[:200], rng.permutation(truth[:200])).told(heard[210:])
    assert abs(np.corrcoef(guessed[:, 0], truth[210:, 0])[0, 1]) < 0.6


def test_what_is_told_across_says_how_far_an_ear_can_be_trusted():
    rng = np.random.default_rng(0)
    heard = rng.normal(size=(120, COLUMNS, BANDS)).astype(np.float32)
    nothing = rng.normal(size=(120, 1))
    known = Ear.of(heard, nothing).told(heard)
    assert np.corrcoef(known[:, 0], nothing[:, 0])[0, 1] > 0.9
    assert abs(np.corrcoef(told_across(heard, nothing, fps=Fraction(FPS))[:, 0], nothing[:, 0])[0, 1]) < 0.3


def test_a_mouth_is_expected_by_sound_and_turn_and_nothing_runs_away():
    rng = np.random.default_rng(0)
    told, turned = (rng.normal(size=(200, n)).astype(np.float32) for n in (1, 2))
    level = 100 + 10 * told[:, 0] + 10 * turned[:, 0] * turned[:, 1]
    pictures = np.broadcast_to(level[:, None, None, None], (200, 2, 2, 3)).clip(0, 255).astype(np.uint8)
    guess = Guess.of(told, turned, pictures)
    found = guess.pictures(told, turned)
    assert found.shape == pictures.shape
    assert np.abs(found - pictures).mean() < 2
    assert np.abs(guess.pictures(1e6 * told[:1], 1e6 * turned[:1]) - 100).max() < 200
