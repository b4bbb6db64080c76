"""The light tier on a drawn head whose pose and mouth are known exactly."""

import numpy as np
import pytest
from support import assets

pytest.importorskip("torch")
pytest.importorskip("mediapipe")
pytest.importorskip("skimage")
from thgeval.features.faces.people import shapes
from thgeval.features.frames.frames import rgb
from thgeval.features.heads.expression import expression
from thgeval.features.heads.pose import pose
from thgeval.media.frames import FrameBatch
from thgeval.view import Side
from thgeval_baselines.photo.geometry import Parameters
from thgeval_baselines.photo.head import Head
from thgeval_baselines.photo.portrait import portrait

COUNT = 24
MOTION = {
    "yaw": 10 * np.sin(np.linspace(0, 6, COUNT)),
    "pitch": 6 * np.sin(np.linspace(1, 9, COUNT)),
    "roll": 8 * np.sin(np.linspace(2, 7, COUNT)),
    "aperture": 0.5 + 0.5 * np.sin(np.linspace(0, 11, COUNT)),
}
LEAST = {"mediapipe": (0.97, 0.85, 0.99), "3ddfa": (0.97, 0.85, 0.99)}
"""Correlations of yaw, pitch and roll with what was drawn."""


@pytest.fixture(scope="module")
def drawn():
    head = Head.of(portrait(seed=3))
    every = [Parameters(**{name: float(values[i]) for name, values in MOTION.items()}) for i in range(COUNT)]
    frames = np.stack([head.frame(parameters) for parameters in every])
    with assets.light():
        yield Side({rgb: FrameBatch(frames, 255.0, 0)}), np.stack([head.landmarks(p) for p in every])


@pytest.mark.parametrize("estimator", LEAST)
def test_poses_follow_the_truth(drawn, estimator):
    found = drawn[0][pose(estimator=estimator, landmarks=estimator)][:, 0]
    for angle, (name, least) in enumerate(zip(("yaw", "pitch", "roll"), LEAST[estimator], strict=True)):
        correlation = np.corrcoef(found[:, angle], MOTION[name])[0, 1]
        assert correlation > least, f"{name}: {correlation:.3f}"


@pytest.mark.parametrize(("chain", "most"), [("mediapipe", 0.06), ("3ddfa", 0.11)])
def test_landmarks_lie_near_the_truth(drawn, chain, most):
    values, truth = drawn
    found = values[shapes(landmarks=chain)][:, 0]
    eyes = np.linalg.norm(truth[:, 36] - truth[:, 45], axis=-1)[:, None]
    assert (np.linalg.norm(found - truth, axis=-1) / eyes).mean() < most


def test_the_mouth_opens_as_it_was_drawn(drawn):
    values, truth = drawn
    jaw_open = values[expression(source="blendshapes")][:, 0, 25]
    points = values[shapes(landmarks="mediapipe")][:, 0]
    drawn_gap, found_gap = (np.linalg.norm(p[:, 62] - p[:, 66], axis=-1) for p in (truth, points))
    assert np.corrcoef(drawn_gap, found_gap)[0, 1] > 0.95
    assert np.corrcoef(drawn_gap, jaw_open)[0, 1] > 0.85
