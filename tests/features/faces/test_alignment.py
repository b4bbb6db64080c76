"""Pose by fitting a rigid face: exact on what it models, with the signs of the synthetic head."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thgeval.features.faces.alignment import alignments_with, angles
from thgeval.features.faces.people import shapes
from thgeval.features.faces.template import EYE_DISTANCE, GENERIC_FACE, RIGID
from thgeval.features.heads.expression import EXPRESSIVE, expression
from thgeval.features.heads.frontal import frontal
from thgeval.features.heads.pose import pose
from thgeval.view import Side
from thgeval_baselines.photo.geometry import RANGES, Parameters, landmark_depth, posed_points

WEIGHTS = np.array([*RIGID.values()])


def turned(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """The rotation, written out from its definition: roll after pitch after yaw."""
    (cy, cp, cr), (sy, sp, sr) = np.cos(np.deg2rad([yaw, pitch, roll])), np.sin(np.deg2rad([yaw, pitch, roll]))
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    return np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]]) @ about_x @ about_y


def seen(yaw, pitch, roll, scale=0.8, shift=(128.0, 110.0)):
    """The generic face in a picture: (68, 2)."""
    return scale * (GENERIC_FACE @ turned(yaw, pitch, roll).T)[:, :2] + np.array(shift)


def of(feature, points):
    """The value of a feature of one person's (frames, 68, 2) landmarks."""
    return Side({shapes(): np.asarray(points, float)[:, None]})[feature]


degrees = st.floats(-60, 60)


@given(degrees, degrees, degrees, st.floats(0.05, 20), st.floats(-500, 500), st.floats(-500, 500))
def test_every_pose_of_the_face_is_found(yaw, pitch, roll, scale, x, y):
    points = seen(yaw, pitch, roll, scale, (x, y))
    found = alignments_with(points[None, [*RIGID]], GENERIC_FACE[[*RIGID]], WEIGHTS)
    assert np.allclose(angles(found.rotation)[0], (yaw, pitch, roll), atol=1e-5)
    assert found.scale[0] == pytest.approx(scale, rel=1e-7)
    assert np.allclose(found.shift[0], (x, y), atol=1e-4)


def test_the_fit_is_the_least_squares_one():
    rng = np.random.default_rng(3)
    points = seen(20, -10, 5)[[*RIGID]] + rng.normal(0, 2, (len(RIGID), 2))
    found = alignments_with(points[None], GENERIC_FACE[[*RIGID]], WEIGHTS)

    def cost(rotation, scale, shift):
        return float(
            WEIGHTS @ np.sum((scale * (GENERIC_FACE[[*RIGID]] @ rotation.T)[:, :2] + shift - points) ** 2, axis=1)
        )

    best = cost(found.rotation[0], found.scale[0], found.shift[0])
    for _ in range(200):
        yaw, pitch, roll = rng.normal(0, 0.3, 3)
        other = turned(yaw, pitch, roll) @ found.rotation[0]
        assert cost(other, found.scale[0] * rng.normal(1, 0.003), found.shift[0] + rng.normal(0, 0.1, 2)) > best


def test_signs_are_those_of_the_synthetic_head():
    neutral = GENERIC_FACE[:, :2] + 200.0
    depth = landmark_depth(neutral, unit_px=EYE_DISTANCE)
    rest = of(pose(), [posed_points(neutral, depth, Parameters(), neutral=neutral, size=400)[0]])[0, 0]
    for column, name in enumerate(("yaw", "pitch", "roll")):
        values = np.linspace(*RANGES[name], 7)
        points = [posed_points(neutral, depth, Parameters(**{name: v}), neutral=neutral, size=400)[0] for v in values]
        found = of(pose(), points)[:, 0, column] - rest[column]
        assert np.polyfit(values, found, 1)[0] == pytest.approx(1, abs=0.25), name
        assert np.corrcoef(values, found)[0, 1] > 0.998, name


def test_what_is_turned_back_is_the_face_itself():
    views = [seen(*pose_, scale, shift) for pose_, scale, shift in POSES]
    found = of(frontal(), views).points[:, 0] * EYE_DISTANCE
    assert np.allclose(found, GENERIC_FACE[:, :2], atol=1e-6)


POSES = [((0, 0, 0), 1.0, (0, 0)), ((30, 10, -20), 0.5, (50, 60)), ((-25, -15, 35), 3.0, (-10, 400))]


def test_expression_ignores_where_the_head_is():
    opened = GENERIC_FACE[:, :2].copy()
    opened[[57, 58, 56, 66, 65, 67, 8, 7, 9], 1] += 15
    lifted = np.concatenate([opened, GENERIC_FACE[:, 2:]], axis=1)
    views = [scale * (lifted @ turned(*pose_).T)[:, :2] + shift for pose_, scale, shift in POSES]
    rows = of(expression(), views)[:, 0]
    assert rows.shape == (3, 2 * len(EXPRESSIVE))
    assert np.allclose(rows, rows[0], atol=1e-8)
    assert not np.allclose(rows[0], of(expression(), [GENERIC_FACE[:, :2]])[0, 0], atol=0.05)


def test_no_face_has_no_pose():
    points = np.stack([seen(0, 0, 0), np.full((68, 2), np.nan), seen(10, 0, 0)])
    found = of(pose(), points)
    assert np.isnan(found[1]).all()
    assert not np.isnan(found[[0, 2]]).any()
    assert np.isnan(of(pose(), points[1:2])).all()
    assert np.isnan(of(expression(), points[1:2])).all()


def test_the_template_is_a_face():
    assert np.isfinite(GENERIC_FACE).all()
    mirrored = GENERIC_FACE * (-1, 1, 1)
    nearest = np.linalg.norm(mirrored[:, None] - GENERIC_FACE[None], axis=-1).min(axis=1)
    assert nearest.max() == 0
    assert EYE_DISTANCE == 90
    assert GENERIC_FACE[30, 2] == GENERIC_FACE[:, 2].max()  # the tip of the nose is the foremost point
