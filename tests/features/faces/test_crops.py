"""Cutting faces out: exact geometry, and what lies beyond the frame."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.tolerances import agree

from thgeval.features.faces import crops


def placed(scale, angle, shift):
    """The template, turned, scaled and moved."""
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return scale * crops.ARCFACE_PX @ turn.T + shift


@given(
    scale=st.floats(0.2, 5),
    angle=st.floats(-3, 3),
    shift=st.tuples(st.floats(-300, 300), st.floats(-300, 300)),
)
def test_points_that_are_similar_come_to_lie_on_the_template(scale, angle, shift):
    points = placed(scale, angle, shift)
    matrix = crops.similarity(points, crops.ARCFACE_PX)
    np.testing.assert_allclose(points @ matrix[:, :2].T + matrix[:, 2], crops.ARCFACE_PX, atol=1e-8)


def test_equals_umeyama_of_scikit_image():
    transform = pytest.importorskip("skimage.transform")
    points = placed(1.7, 0.3, (40, 9)) + np.random.default_rng(1).normal(0, 4, (5, 2))
    theirs = transform.SimilarityTransform.from_estimate(points, crops.ARCFACE_PX)
    agree(crops.similarity(points, crops.ARCFACE_PX), theirs.params[:2], "similarity")


def test_never_mirrors():
    mirrored = crops.ARCFACE_PX * (-1, 1)
    assert np.linalg.det(crops.similarity(mirrored, crops.ARCFACE_PX)[:, :2]) >= 0


def test_a_face_on_the_template_is_cut_out_as_it_is():
    frame = np.random.default_rng(2).integers(0, 256, (140, 150, 3), dtype=np.uint8)
    face = crops.arcface(frame, crops.ARCFACE_PX + np.array([20, 11]))
    np.testing.assert_array_equal(face, frame[11:123, 20:132])


def test_beyond_the_frame_it_is_black():
    frame = np.full((100, 100, 3), 200, np.uint8)
    face = crops.arcface(frame, crops.ARCFACE_PX - np.array([50, 0]))
    assert (face[:100, 50:] == 200).all()
    assert not face[:, :49].any()


def test_a_box_is_clipped_to_the_frame():
    frame = np.arange(40, dtype=np.uint8)[:, None, None] * np.ones((1, 60, 3), np.uint8)
    np.testing.assert_array_equal(crops.boxed(frame, np.array([-10.0, -10, 30, 30]), 30), frame[:30, :30])
    assert crops.boxed(frame, np.array([70.0, 50, 90, 80]), 8).shape == (8, 8, 3)
