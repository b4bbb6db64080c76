"""Deep3D: where faces come to lie, what angles mean, and what the Basel Face Model is needed for."""

import numpy as np
import pytest
from scipy.io import savemat
from support import assets

from thgeval.networks import memory

torch = pytest.importorskip("torch")
from support import random_weights

from thgeval.errors import WeightsError
from thgeval.features.faces.alignment import angles, downwards
from thgeval.features.faces.landmarks import five_points, landmarks
from thgeval.features.frames.frames import rgb
from thgeval.features.heads import deep3d
from thgeval.features.heads.expression import expression
from thgeval.features.heads.pose import pose
from thgeval.features.heads.vertices import vertices
from thgeval.media.frames import FrameBatch
from thgeval.requirements import weights
from thgeval.view import Side


def turned(yaw, pitch, roll):
    """The original's rotation of its three angles in radians: y upwards, z towards the viewer."""
    about = [np.eye(3) for _ in range(3)]
    for axis, angle in enumerate((pitch, yaw, roll)):
        i, j = [k for k in range(3) if k != axis]
        sign = -1 if axis == 1 else 1
        about[axis][[i, j], [i, j]] = np.cos(angle)
        about[axis][i, j], about[axis][j, i] = -sign * np.sin(angle), sign * np.sin(angle)
    return about[2] @ about[1] @ about[0]


@pytest.mark.parametrize("size", [(300, 400), (500, 260)])
def test_the_standard_face_comes_to_lie_in_the_middle(size):
    height, width = size
    scale, middle = 60.0, np.array([170.0, 140.0])
    points = middle + scale * deep3d.STANDARD[:, :2] * (1, -1)
    frame = np.zeros((height, width, 3), np.uint8)
    for x, y in points:
        frame[round(y) - 3 : round(y) + 4, round(x) - 3 : round(x) + 4] = 255
    crop = deep3d.standing(frame, points)
    assert crop.shape == (224, 224, 3)
    expected = 112 + 102 * deep3d.STANDARD[:, :2] * (1, -1)
    y, x = np.nonzero(crop[..., 0] > 127)
    nearest = np.linalg.norm(np.stack([x, y], axis=1)[:, None] - expected, axis=2).argmin(axis=1)
    found = np.array([(x[nearest == i].mean(), y[nearest == i].mean()) for i in range(5)])
    np.testing.assert_allclose(found, expected, atol=2.5)


def test_beyond_the_frame_it_is_black():
    frame = np.full((100, 100, 3), 255, np.uint8)
    points = 50 + 20 * deep3d.STANDARD[:, :2] * (1, -1) - np.array([45, 0])
    assert not deep3d.standing(frame, points)[:, :60].any()


@pytest.mark.parametrize("angle", [(0.3, 0, 0), (0, 0.2, 0), (0, 0, -0.4)], ids=["yaw", "pitch", "roll"])
def test_single_angles_are_those_of_every_estimator(angle):
    coefficients = np.zeros((1, 1, 257), np.float32)
    coefficients[0, 0, deep3d.ANGLES] = np.array(angle)[[1, 0, 2]]
    ours = deep3d.pose_deep3d.__wrapped__(coefficients)[0, 0]
    np.testing.assert_allclose(ours, angles(downwards(turned(*angle))), atol=1e-4)


@pytest.mark.slow
def test_every_part_comes_from_its_place():
    frames = assets.frames("May_5s.mp4", 2, 30)
    with random_weights.installed(["deep3d"]), memory.apart():
        values = Side({rgb: FrameBatch(frames, 255.0, 0)})
        rows = values[deep3d.deep3d(landmarks="dlib")]
        assert rows.shape == (2, 8, 257)
        assert np.isfinite(rows[:, 0]).all()
        assert np.isnan(rows[:, 1:]).all()
        np.testing.assert_array_equal(values[expression(source="deep3d")][:, 0], rows[:, 0, 80:144])
        np.testing.assert_allclose(values[pose(estimator="deep3d")][:, 0, 0], np.rad2deg(rows[:, 0, 225]), rtol=1e-5)


def test_vertices_need_the_basel_face_model(tmp_path, monkeypatch):
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path))
    lacks = [part.lacks() for part in vertices(model="deep3d").closure()]
    assert any("bfm09" in str(problem) and "01_MorphableModel.mat" in str(problem) for problem in lacks)


def test_an_identity_coefficient_moves_vertices_along_its_direction(tmp_path, monkeypatch):
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path))
    rng = np.random.default_rng(1)
    model = {"shapeMU": rng.normal(0, 1e5, (96, 1)), "shapePC": rng.normal(0, 1, (96, 199))}
    model["shapeEV"] = rng.uniform(1e4, 1e5, (199, 1))
    weights.folder().mkdir(parents=True)
    savemat(weights.folder() / weights.entry("bfm09").file, model)
    with weights.allowed(weights.Policy(unverified=True)), memory.apart():
        coefficients = np.zeros((1, 1, 257), np.float32)
        still = deep3d.vertices_deep3d.__wrapped__(coefficients)
        assert still.shape == (1, 1, 2, 3)
        np.testing.assert_allclose(still[0, 0], model["shapeMU"].reshape(-1, 3)[[0, 16]] / 1e5)
        coefficients[..., 7] = 2
        moved = deep3d.vertices_deep3d.__wrapped__(coefficients) - still
        direction = (model["shapePC"][:, 7] * model["shapeEV"][7]).reshape(-1, 3)[[0, 16]] / 1e5
        np.testing.assert_allclose(moved[0, 0], 2 * direction, atol=1e-12)


def test_a_file_that_is_not_the_basel_face_model_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path))
    weights.folder().mkdir(parents=True)
    savemat(weights.folder() / weights.entry("bfm09").file, {"other": np.ones(3)})
    with (
        weights.allowed(weights.Policy(unverified=True)),
        memory.apart(),
        pytest.raises(WeightsError, match="is not the Basel Face Model 2009"),
    ):
        deep3d.faces_of_basel()


def test_five_points_of_a_chain_are_means_of_its_landmarks():
    with assets.light():
        values = Side({rgb: FrameBatch(assets.frames("May_5s.mp4", 1), 255.0, 0)})
        all68, five = values[landmarks(model="mediapipe")][0, 0], values[five_points(of="mediapipe")][0, 0]
        own = values[five_points(of="yunet")][0, 0]
    np.testing.assert_allclose(five[1], all68[[42, 45]].mean(axis=0))
    np.testing.assert_array_equal(five[2:], all68[[30, 48, 54]])
    assert np.linalg.norm(five - own, axis=1).max() < 25  # px of a face of 200
