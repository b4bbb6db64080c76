"""Files that users bring: what is read, and that nothing wrong in one is a crash, a guess or a number."""

from fractions import Fraction

import numpy as np
import pytest
from support import clips

from thgeval import registry
from thgeval.clip import Clip, Pair
from thgeval.engine.measure import measured
from thgeval.engine.plan import plan
from thgeval.engine.workers import Cores
from thgeval.errors import InputError, ProtocolError
from thgeval.features.faces.identity import embeddings_of_people
from thgeval.features.faces.people import shapes
from thgeval.features.faces.supplied import LAYOUTS, given, given_joints
from thgeval.features.frames.frames import Shown, shown
from thgeval.features.frames.offered import faces_file
from thgeval.features.heads.action_units import action_units
from thgeval.features.heads.expression import expression
from thgeval.features.heads.pose import pose
from thgeval.features.heads.vertices import vertices
from thgeval.protocol import Protocol
from thgeval.view import Side

FRAMES, SIZE = 5, 64
RNG = np.random.default_rng(11)
GOOD = {
    "size_px": np.array([SIZE, SIZE]),
    "landmarks_px": RNG.uniform(0, SIZE, (FRAMES, 68, 2)),
    "keypoints_px": RNG.uniform(0, SIZE, (FRAMES, 18, 2)),
    "pose_deg": RNG.normal(0, 9, (FRAMES, 3)),
    "embeddings": RNG.normal(size=(FRAMES, 7)),
    "source_embedding": RNG.normal(size=7),
    "expression": RNG.normal(size=(FRAMES, 6)),
    "vertices": RNG.normal(size=(FRAMES, 9, 3)),
    "au_presence": RNG.integers(0, 2, (FRAMES, 18)),
    "au_intensity": RNG.uniform(0, 5, (FRAMES, 17)),
}


@pytest.fixture
def side(tmp_path):
    """The features of a clip of FRAMES frames that a file lies beside."""

    def of(**arrays):
        path = tmp_path / "a.faces.npz"
        np.savez(path, **arrays)
        frames = Shown(np.tile([SIZE, SIZE], (FRAMES, 1)), np.full(FRAMES, 0.04), np.arange(FRAMES) * 0.04)
        return Side({faces_file: path, shown: frames})

    return of


@pytest.fixture
def scored(tmp_path):
    """The outcome of metrics on a pair whose sides each have a file."""

    def of(generated, reference, *requests):
        sides = []
        for name, arrays in (("pred", generated), ("gt", reference)):
            (tmp_path / name).mkdir(exist_ok=True)
            video = clips.write_clip(tmp_path / name / "a.mp4", clips.moving(FRAMES, SIZE))
            if arrays is not None:
                np.savez(tmp_path / name / "a.faces.npz", **arrays)
            sides.append(Clip("a", video, Fraction(25)))
        pair = Pair("a", *sides)
        planned = plan(registry.metrics(list(requests)), [pair])
        with Cores(1) as cores:
            outcome = cores.occupy(measured, pair, planned, Protocol(), cores, lambda frames: None)
        return outcome, planned.unscored

    return of


def changed(name, change):
    return {**GOOD, name: change(GOOD[name])}


def test_arrays_come_back_as_those_of_one_person(side):
    held = side(**GOOD)
    for name in set(LAYOUTS) - {"size_px", "source_embedding"}:
        np.testing.assert_array_equal(held[given(array=name)][:, 0], GOOD[name])
    for feature, name in (
        (pose(estimator="npz"), "pose_deg"),
        (expression(source="npz"), "expression"),
        (vertices(model="npz"), "vertices"),
    ):
        np.testing.assert_array_equal(held[feature][:, 0], GOOD[name])
    np.testing.assert_array_equal(held[shapes(landmarks="npz")][:, 0], GOOD["landmarks_px"])
    np.testing.assert_array_equal(held[embeddings_of_people(network="npz")].rows[:, 0], GOOD["embeddings"])
    np.testing.assert_array_equal(
        held[embeddings_of_people(network="npz", of="source")].rows[0, 0], GOOD["source_embedding"]
    )


def test_action_units_have_no_intensity_of_lip_suck(side):
    units = side(**GOOD)[action_units(source="npz")]
    np.testing.assert_array_equal(units.presence[:, 0], GOOD["au_presence"])
    np.testing.assert_array_equal(np.delete(units.intensity[:, 0], 16, axis=1), GOOD["au_intensity"])
    assert np.isnan(units.intensity[:, 0, 16]).all()


def test_a_joint_may_be_missing_in_either_way(side):
    points = GOOD["keypoints_px"].copy()
    points[1, 3], points[2, 4] = np.nan, -1
    points[3, 5, 0] = -1  # a joint just outside the picture is there
    found = side(**{**GOOD, "keypoints_px": points})[given_joints()]
    assert found.shape == (FRAMES, 18, 2)
    missing = np.isnan(found).all(axis=-1)
    assert {tuple(place) for place in np.argwhere(missing).tolist()} == {(1, 3), (2, 4)}


def test_frames_without_a_face_are_bridged_if_asked(side):
    pose = np.repeat(np.arange(FRAMES, dtype=float)[:, None], 3, axis=1)
    held = side(pose_deg=np.where(np.arange(FRAMES)[:, None] == 2, np.nan, pose))
    assert np.isnan(held[given(array="pose_deg")][2]).all()
    np.testing.assert_allclose(held[given(array="pose_deg", fill=1)][:, 0], pose)


@pytest.mark.parametrize(
    ("arrays", "asked", "reason", "said"),
    [
        (
            {"embeddings": GOOD["embeddings"]},
            "pose_deg",
            "bad faces file",
            "has no array 'pose_deg', which is",
        ),
        (changed("pose_deg", lambda a: a[:-1]), "pose_deg", "other length", "pose_deg has 4 rows and the clip has 5"),
        (changed("pose_deg", lambda a: a[:, :2]), "pose_deg", "bad faces file", "pose_deg must be (frames, 3)"),
        (changed("landmarks_px", lambda a: a[:, :5]), "landmarks_px", "bad faces file", "must be (frames, 68, 2)"),
        (changed("expression", lambda a: a[:, :0]), "expression", "bad faces file", "expression must be (frames, dim"),
        (changed("expression", lambda a: a + 1j), "expression", "bad faces file", "holds complex128, not real numbers"),
        (changed("expression", lambda a: a.astype(str)), "expression", "bad faces file", "not real numbers"),
        (
            changed("pose_deg", lambda a: np.where(np.eye(FRAMES, 3), np.nan, a)),
            "pose_deg",
            "bad faces file",
            "pose_deg is NaN in part of a row, or infinite",
        ),
        (changed("pose_deg", lambda a: a * np.inf), "pose_deg", "bad faces file", "or infinite"),
        (
            {"landmarks_px": GOOD["landmarks_px"]},
            "landmarks_px",
            "bad faces file",
            "lacks 'size_px', which says",
        ),
        (
            changed("size_px", lambda a: a * 2),
            "landmarks_px",
            "other size",
            "measured on 128x128 px and the",
        ),
        (
            GOOD | {"landmark_px": np.zeros(3)},
            "pose_deg",
            "bad faces file",
            "holds 'landmark_px', which is none of",
        ),
    ],
)
def test_what_cannot_be_the_clips_is_a_sentence(side, arrays, asked, reason, said):
    with pytest.raises(InputError) as caught:
        side(**arrays)[given(array=asked)]
    assert caught.value.reason == reason
    assert said in str(caught.value)
    assert "a.faces.npz" in str(caught.value)


REQUESTS = (
    "lmd:landmarks=npz",
    "csim:network=npz",
    "csim:network=npz,against=source",
    "id-consistency:network=npz",
    "mkr",
)


def test_metrics_rest_on_files_alone(scored):
    outcome, unscored = scored(GOOD, GOOD, *REQUESTS)
    assert not unscored
    assert not outcome.failed, outcome.failed
    best = {"csim:network=npz": 1, "lmd:landmarks=npz": 0, "mkr": 0}
    for request, value in best.items():
        assert registry.metric(request).metric.score(outcome.states[request]) == value


def test_missing_joints_are_counted_as_the_original_does(scored):
    points = GOOD["keypoints_px"].copy()
    points[0, :9] = -1
    outcome, _ = scored({**GOOD, "keypoints_px": points}, GOOD, "mkr")
    assert registry.metric("mkr").metric.score(outcome.states["mkr"]) == pytest.approx(0.5 / FRAMES)
    outcome, _ = scored(GOOD, {**GOOD, "keypoints_px": points}, "mkr")
    assert registry.metric("mkr").metric.score(outcome.states["mkr"]) == 0


def test_without_a_file_the_metric_says_which_is_missing(scored):
    _, unscored = scored(None, None, "mkr")
    assert unscored["mkr"] == (
        "mkr needs faces (mkr <- given-joints <- given <- faces); "
        "a has no file of face measurements (a CLIP.faces.npz beside it); "
        "mkr/faces is scored without them, as a number of its own"
    )
    _, unscored = scored(GOOD, None, "mkr")
    assert "the reference of a has no file of face measurements" in unscored["mkr"]


@pytest.mark.parametrize(
    ("name", "request_", "reason"),
    [
        ("embeddings", "csim:network=npz", "other number of values"),
        ("keypoints_px", "mkr", "other number of joints"),
    ],
)
def test_sides_of_other_dimensions_are_not_compared(scored, name, request_, reason):
    outcome, _ = scored(changed(name, lambda a: a[:, :-1]), GOOD, request_)
    assert outcome.failed[request_].reason == reason


def test_what_needs_detected_faces_refuses_a_file():
    with pytest.raises(ProtocolError, match="landmarks=npz finds no faces, which this needs"):
        pose(estimator="3ddfa", landmarks="npz")
    with pytest.raises(ProtocolError, match="network=npz takes the embeddings of every frame"):
        registry.metric("csim:network=npz,per_s=5").metric.needs  # noqa: B018
