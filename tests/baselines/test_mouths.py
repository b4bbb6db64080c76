"""Where a mouth lies in a face: found upright, put back where it was."""

import numpy as np
import pytest

from thgeval_baselines.generators.mouths import EDGE, STEADY, Place, mask, steadied
from thgeval_baselines.photo.portrait import portrait

PX = 40


@pytest.fixture(scope="module")
def face():
    return portrait(seed=3)


def turned(marks, degrees, scale, shift):
    angle = np.deg2rad(degrees)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (marks - 128) @ turn.T + 128 + shift


def test_the_square_follows_a_face_that_is_moved_turned_and_enlarged(face):
    place = Place.of(face.landmarks[None])
    marks = turned(face.landmarks, 20, 1.3, (9, -4))
    for points in (face.landmarks, marks):
        way = place.way(points, PX)
        moved = points @ way[:, :2].T + way[:, 2]
        assert (moved[48:68] > EDGE * PX - 1).all()
        assert (moved[48:68] < (1 - EDGE) * PX).all()
    first, second = (p @ place.way(p, PX)[:, :2].T + place.way(p, PX)[:, 2] for p in (face.landmarks, marks))
    np.testing.assert_allclose(first, second, atol=1e-6)
    np.testing.assert_allclose(place.turned(marks), place.turned(face.landmarks), atol=1e-9)


def test_lips_that_move_do_not_move_the_square(face):
    place = Place.of(face.landmarks[None])
    speaking = face.landmarks.copy()
    speaking[48:] += 11
    speaking[5:12] += 9
    np.testing.assert_array_equal(place.way(speaking, PX), place.way(face.landmarks, PX))
    assert not set(STEADY) & set(range(48, 68))


def test_what_is_cut_out_and_put_back_leaves_the_face_as_it_was(face):
    place = Place.of(face.landmarks[None])
    square = place.cut(face.image, face.landmarks, 96)
    back = place.put(face.image, face.landmarks, square)
    assert np.abs(back.astype(float) - face.image).mean() < 0.3
    painted = place.put(face.image, face.landmarks, np.full((PX, PX, 3), 7, np.uint8))
    changed = (painted != face.image).any(axis=-1)
    low, high = face.landmarks[48:].min(axis=0).astype(int), face.landmarks[48:].max(axis=0).astype(int)
    assert (painted[low[1] : high[1], low[0] : high[0]] <= 12).all()
    assert not changed[: int(face.landmarks[30, 1])].any()


def test_the_edge_is_soft_and_the_middle_is_whole():
    soft = mask(PX)
    assert soft[PX // 2, PX // 2] == 1
    assert soft[0].max() < 0.05
    np.testing.assert_array_equal(soft, soft[::-1, ::-1])


def test_a_place_is_read_as_it_was_written(face):
    place = Place.of(np.stack([face.landmarks, turned(face.landmarks, 3, 1.0, (1, 1))]))
    np.testing.assert_array_equal(Place.read(place.known()).way(face.landmarks, PX), place.way(face.landmarks, PX))


def test_trembling_goes_and_gaps_stay():
    rng = np.random.default_rng(0)
    still = rng.uniform(0, 100, (68, 2))
    found = [None if n in (0, 7, 8, 29) else still + rng.normal(0, 1, (68, 2)) for n in range(30)]
    smooth = steadied(found, 2.0)
    assert [each is None for each in smooth] == [each is None for each in found]
    off = np.std([each - still for each in smooth if each is not None])
    assert off < 0.6
    assert steadied([None, None], 2.0) == [None, None]


def test_what_speech_does_to_a_mouth_is_measured_whatever_the_head_does(face):
    place = Place.of(face.landmarks[None])
    gaps = np.array([0.0, 3.0, 6.0, 1.0])
    clip = np.stack([turned(opened(face.landmarks, gap), 3 * gap, 1 + gap / 20, (gap, -gap)) for gap in gaps])
    told = place.spoken(clip)
    assert told.shape == (4, 4)
    np.testing.assert_allclose(told.mean(axis=0), 0, atol=1e-12)
    assert np.corrcoef(told[:, 0], gaps)[0, 1] > 0.99
    eyes_px = np.linalg.norm(face.landmarks[36] - face.landmarks[45])
    assert np.ptp(told[:, 0]) * eyes_px == pytest.approx(6, rel=0.05)
    assert np.ptp(told[:, 1]) < 0.02


def opened(marks, gap):
    found = marks.copy()
    found[[65, 66, 67], 1] = found[[63, 62, 61], 1] + gap
    return found
