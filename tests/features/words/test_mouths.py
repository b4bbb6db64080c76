"""Mouths cut out of frames, and what LipNet and the LRW reader make of them with random weights."""

import json
from fractions import Fraction

import cv2
import numpy as np
import pytest
from support.tolerances import agree

from thgeval.errors import InputError, WeightsError
from thgeval.features.faces.detection import SLOTS, Found, slotted
from thgeval.features.words import mouths as module
from thgeval.features.words.lip_reading import lipnet_reading, lrw_reading, vocabulary
from thgeval.features.words.mouths import LRW_FACE, Mouths, complete, mouths, similarity
from thgeval.media.frames import FrameBatch
from thgeval.requirements import weights

FACE = np.random.default_rng(5).uniform(60, 190, size=(68, 2))


def turned(points, angle=0.3, scale=1.7, shift=(12, -5)):
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return points @ turn.T + shift


@pytest.mark.parametrize("least_squares", [True, False])
def test_a_similarity_is_found_again(least_squares):
    found = similarity(turned(FACE), FACE, least_squares=least_squares)
    assert turned(FACE) @ found[:, :2].T + found[:, 2] == pytest.approx(FACE, abs=1e-8)


def test_least_squares_are_scikit_images():
    transform = pytest.importorskip("skimage.transform")
    noisy = turned(FACE) + np.random.default_rng(6).normal(size=FACE.shape) * 4
    theirs = transform.SimilarityTransform.from_estimate(noisy, FACE).params[:2]
    agree(similarity(noisy, FACE, least_squares=True), theirs, "similarity")


def test_a_mirrored_face_is_not_turned_inside_out():
    found = similarity(FACE * [-1, 1], FACE, least_squares=True)
    assert np.linalg.det(found[:, :2]) > 0


def test_lipnets_mouth_is_where_its_mean_face_has_it():
    from thgeval_models.lipnet import FACE as MEAN

    points = np.zeros((68, 2))
    points[17:] = MEAN * 256 + [20, 10]
    frame = np.zeros((288, 300, 3), np.uint8)
    centre = points[48:].mean(axis=0)
    cv2.circle(frame, tuple(round(c) for c in centre), 6, (255, 0, 0), -1)
    cut = module.CROPS["lipnet"].cut(frame, points)
    assert cut.shape == (64, 128, 3)
    y, x = np.argwhere(cut[..., 0] > 128).mean(axis=0)
    assert abs(y - 32) < 2
    assert abs(x - 64) < 2


def clip(frames=30, lost=(), fps=Fraction(25), times=None):
    """Frames with one face, and what detector and landmarks say of them."""
    rng = np.random.default_rng(7)
    pixels = rng.integers(0, 256, size=(frames, 240, 240, 3)).astype(np.uint8)
    box = np.array([[60, 60, 190, 190]])
    found = slotted(
        [Found(box[:0] if i in lost else box, np.ones(int(i not in lost))) for i in range(frames)], (240, 240)
    )
    points = np.full((frames, SLOTS, 68, 2), np.nan, np.float32)
    points[:, 0] = FACE
    points[list(lost)] = np.nan
    return FrameBatch(pixels, 255.0, 0, 0, fps, times), found, points


def seen(crop, **how):
    return mouths(crop=crop).compute(*clip(**how), crop=crop)


def test_frames_without_a_face_and_other_rates_are_refused():
    with pytest.raises(InputError, match="2 of 30 frames have none") as caught:
        complete(seen("lipnet", lost=(3, 4)), "LipNet")
    assert caught.value.reason == "face lost"
    for fps in (Fraction(30), None):
        with pytest.raises(InputError, match="reads 25 frames per second") as caught:
            complete(seen("lipnet", fps=fps), "LipNet")
        assert caught.value.reason == "frame rate"
    uneven = seen("lipnet", times=np.r_[np.arange(20), np.arange(21, 31)] / 25)
    with pytest.raises(InputError, match="this clip has a variable rate: choose --fps 25"):
        complete(uneven, "LipNet")
    assert len(complete(seen("lipnet", times=np.arange(30) / 25 + 0.001), "LipNet")) == 30
    with pytest.raises(InputError, match="0 of 0"):
        complete(Mouths(np.zeros((0, 64, 128, 3), np.uint8), np.zeros(0, bool), np.zeros(0)), "LipNet")


@pytest.fixture
def home(monkeypatch):
    pytest.importorskip("torch")
    from support import random_weights

    for name, keys in {"lipnet-unseen": ("lipnet", 2.0), "lrw-mstcn": ("lrw_mstcn", 1.0)}.items():
        monkeypatch.setitem(random_weights.KEYS, name, keys)
    with random_weights.installed(["lipnet-unseen", "lrw-mstcn"]) as folder:
        checkpoint = {"model_state_dict": random_weights.tensors("lrw-mstcn"), "epoch_idx": 3}
        random_weights.save(checkpoint, weights.folder() / weights.entry("lrw-mstcn").file)
        np.save(weights.folder() / weights.entry(LRW_FACE).file, FACE)
        words = sorted(f"WORD{i:03}" for i in range(500))
        (weights.folder() / weights.entry("lrw-words").file).write_text("\n".join(words))
        yield folder


def test_lipnet_reads_letters(home):
    feature = lipnet_reading(port="unseen")
    assert feature.lacks() is None
    text = feature.compute(seen("lipnet"), port="unseen")
    assert set(text) <= set(" abcdefghijklmnopqrstuvwxyz")


def test_the_word_reader_reads_its_first_29_frames(home):
    whole = seen("lrw", frames=35, lost=(32,))  # a face lost after the word is nothing to it
    word = lrw_reading().compute(whole)
    assert word.startswith("WORD")
    assert lrw_reading().compute(Mouths(*(column[:29] for column in whole))) == word
    with pytest.raises(InputError, match="needs 29 frames; this clip has 28") as caught:
        lrw_reading().compute(Mouths(*(column[:28] for column in whole)))
    assert caught.value.reason == "too short"


@pytest.mark.parametrize("text", ["", "ONE\nTWO", "\n".join(f"W{i}" for i in range(500)), "A\n" * 500])
def test_another_list_of_words_is_refused(text, tmp_path):
    path = tmp_path / "words.txt"
    path.write_text(text)
    with pytest.raises(WeightsError, match="500 words"):
        vocabulary(path)


def test_another_mean_face_is_refused(tmp_path):
    for number, content in enumerate((np.zeros((5, 2)), np.full((68, 2), np.nan))):
        np.save(tmp_path / f"{number}.npy", content)
        with pytest.raises(WeightsError, match="must hold 68 landmarks"):
            module._mean_face(tmp_path / f"{number}.npy")
    (tmp_path / "2.npy").write_text(json.dumps([1]))
    with pytest.raises(WeightsError, match="not an array of landmarks"):
        module._mean_face(tmp_path / "2.npy")
