"""``ref-2d``: lips where the driving signal puts them, a wall that stays, the same frames twice."""

from fractions import Fraction

import numpy as np
import pytest
from support.driven import FRAMES, JAW, put_all

from thgeval.clip import Clip
from thgeval.errors import InputError
from thgeval.media import decode
from thgeval.media.encode import write_video
from thgeval_baselines.generator import Inputs
from thgeval_baselines.generators.two_d import TwoD
from thgeval_baselines.photo.bent import Bent
from thgeval_baselines.photo.geometry import Parameters
from thgeval_baselines.photo.given import landmarks_in
from thgeval_baselines.photo.head import Head
from thgeval_baselines.photo.portrait import portrait
from thgeval_baselines.photo.transferred import Transferred

pytest.importorskip("dlib")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("driven")
    put_all(place)
    return place


def inputs(folder, **given):
    rest = {name: given.pop(name) for name in ("frames", "size", "fps") if name in given}
    return Inputs("item", **({"frames": FRAMES} | rest), **{name: folder / file for name, file in given.items()})


def frames_of(given, seed=1):
    return np.stack(list(TwoD().generate(given, seed=seed, fitted=None).frames))


def marks_in(path):
    with decode(Clip(path.stem, path), chunk=32) as batches:
        return np.array([landmarks_in(frame) for batch in batches for frame in batch.new])


@pytest.mark.parametrize("source", ["photo.png", "rigged.png"])
def test_lips_in_the_encoded_video_follow_the_jaw(folder, tmp_path, source):
    made = TwoD().generate(inputs(folder, source_image=source, curves="jaw.npz"), seed=8, fitted=None)
    write_video(tmp_path / "made.mp4", made.frames, fps=made.fps, crf=18)
    marks = marks_in(tmp_path / "made.mp4")
    assert np.corrcoef(marks[:, 66, 1] - marks[:, 62, 1], JAW)[0, 1] >= 0.9
    assert set(made.evidence) == {"mesh.jpg", "layers.jpg"}


def test_a_driving_video_is_taken_over_with_its_blinks_and_its_turns(folder, tmp_path):
    head, blinks = Head.of(portrait(seed=5)), np.where(np.isin(np.arange(FRAMES), (5, 6, 7)), 1.0, 0.0)
    yaws = np.linspace(0, 12, FRAMES)
    shots = [
        head.frame(Parameters(aperture=jaw / 0.6, blink=blink, yaw=yaw))
        for jaw, blink, yaw in zip(JAW.tolist(), blinks.tolist(), yaws.tolist(), strict=True)
    ]
    write_video(tmp_path / "driving.mp4", shots, fps=Fraction(25), crf=12)
    given = Inputs("item", frames=FRAMES, source_image=folder / "photo.png", driving_video=tmp_path / "driving.mp4")
    made = frames_of(given)
    marks = np.array([landmarks_in(frame) for frame in made])
    assert np.corrcoef(marks[:, 66, 1] - marks[:, 62, 1], JAW)[0, 1] >= 0.9
    openness = marks[:, [41, 40, 47, 46], 1].sum(axis=1) - marks[:, [37, 38, 43, 44], 1].sum(axis=1)
    assert openness[6] < 0.7 * np.median(openness)
    nose = marks[:, 30, 0] - marks[:, [36, 45], 0].mean(axis=1)
    assert nose[-1] - nose[0] > 3


def test_speech_moves_the_mouth_and_the_same_seed_moves_it_the_same(folder):
    pytest.importorskip("pocketsphinx")
    given = inputs(folder, source_image="photo.png", audio="speech.wav", frames=12)
    first, again, other = (frames_of(given, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert np.abs(np.diff(first.astype(int), axis=0)).max() > 30


def test_a_head_that_moves_leaves_the_wall_where_it_is():
    face = portrait(seed=3)
    bent = Bent.of(face)
    still, moved = bent.frame(face.landmarks), bent.frame(face.landmarks + np.array([9.0, 4.0]))
    wall = np.zeros((256, 256), bool)
    wall[:180, :15] = wall[:180, -15:] = True
    assert np.array_equal(still[wall], face.image[wall])
    assert np.array_equal(moved[wall], face.image[wall])
    shift = np.abs(moved[60:150, 80:180].astype(int) - still[56:146, 71:171]).mean()
    assert shift < 3


@pytest.mark.parametrize("degrees", [-60, 40, 70])
def test_a_head_that_lies_on_its_side_keeps_its_lips_in_order(degrees):
    face, rng = portrait(seed=3, size=128), np.random.default_rng(5)
    turn = np.array([[np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))]])
    turn = np.concatenate([turn, [[-turn[0, 1], turn[0, 0]]]])
    bent, moved = Bent.of(face), Transferred.of(face)
    for _ in range(4):
        marks = (face.landmarks - face.landmarks[30]) @ turn + face.landmarks[30] + rng.normal(0, 1.5, (68, 2))
        assert bent.frame(marks).shape == moved.shot(marks).image.shape == (128, 128, 3)


def test_at_rest_the_portrait_is_shown_as_it_is():
    face = portrait(seed=4)
    frame = Bent.of(face).frame(face.landmarks)
    assert 10 * np.log10(255**2 / np.mean((frame.astype(float) - face.image) ** 2)) > 28


def test_another_shape_of_picture_is_filled(folder):
    given = inputs(folder, source_image="photo.png", curves="jaw.npz", size=(160, 200), frames=2, fps=Fraction(30))
    assert frames_of(given).shape == (2, 160, 200, 3)


def test_nothing_to_do_and_nobody_to_bend_are_refused(folder):
    with pytest.raises(InputError, match="item has nothing to move the portrait by: give a driving video"):
        TwoD().generate(inputs(folder, source_image="photo.png"), seed=0, fitted=None)
    with pytest.raises(InputError, match="item has no source image, which is to be animated"):
        TwoD().generate(inputs(folder, curves="jaw.npz"), seed=0, fitted=None)
