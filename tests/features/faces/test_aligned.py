"""Upright faces: the base shape stays where it is, and motion of the head is taken off."""

import numpy as np
import pytest
from support import assets

from thgeval.feature import resting_on
from thgeval.features.faces import aligned
from thgeval.features.faces.landmarks import landmarks
from thgeval.features.faces.people import shapes
from thgeval.features.frames.frames import rgb
from thgeval.media.frames import FrameBatch
from thgeval.view import Side


def test_a_face_in_place_is_cut_out_as_it_is():
    frame = np.random.default_rng(4).integers(0, 256, (200, 180, 3), dtype=np.uint8)
    np.testing.assert_array_equal(aligned.upright(frame, aligned.BASE + np.array([30, 20])), frame[20:148, 30:158])


def test_the_base_shape_lies_within_the_square():
    assert aligned.BASE.min() > 8
    assert aligned.BASE.max() < 125


@pytest.mark.parametrize("clip", ["May_5s.mp4", "iplap_129.mp4"])
def test_noses_and_eyes_of_real_faces_come_to_lie_on_the_base(clip):
    pytest.importorskip("dlib")
    values = Side({rgb: FrameBatch(assets.frames(clip, 4, 20), 255.0, 0)})
    found = values[resting_on(shapes(who="first"), old=rgb, new=aligned.aligned_faces())][:, 0]
    assert np.linalg.norm(found[:, aligned.USED] - aligned.BASE[aligned.USED], axis=-1).mean() < 5
    spread = values[shapes(who="first")][:, 0, 30].std(axis=0).sum()
    assert found[:, 30].std(axis=0).sum() < 0.5 * spread


def test_frames_without_a_face_are_black():
    pytest.importorskip("dlib")
    frames = np.full((2, 64, 64, 3), 90, np.uint8)
    values = Side({rgb: FrameBatch(frames, 255.0, 0), landmarks(): np.full((2, 8, 68, 2), np.nan, np.float32)})
    assert not values[aligned.aligned_faces()].pixels.any()
