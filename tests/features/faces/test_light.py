"""The light tier on real clips: its networks agree with dlib and with each other, and are free for any use."""

import socket
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import numpy as np
import pytest
from support import assets

pytest.importorskip("torch")
pytest.importorskip("mediapipe")
from thgeval.errors import ProtocolError, WeightsError
from thgeval.feature import joined
from thgeval.features.faces.crops import window
from thgeval.features.faces.detection import faces
from thgeval.features.faces.face_mesh import LANDMARKS_68, check_silent, face_mesh
from thgeval.features.faces.identity import embeddings_of_people
from thgeval.features.faces.landmarks import CHAINS
from thgeval.features.faces.people import shapes
from thgeval.features.faces.tddfa import tddfa
from thgeval.features.frames.frames import rgb
from thgeval.features.heads.expression import expression
from thgeval.features.heads.pose import pose
from thgeval.features.heads.vertices import vertices
from thgeval.media.frames import FrameBatch
from thgeval.view import Side

TALKING, TURNING = "May_5s.mp4", "WolfgangLanger_Pexels.mp4"
FROM_DLIB = {"mediapipe": 0.06, "3ddfa": 0.08}
"""How far from dlib's landmarks a chain may be on average, in distances of the outer eye corners."""
DEGREES = 6.0


def batch(frames, start=0):
    return FrameBatch(frames, 255.0, start, fps=Fraction(25))


@pytest.fixture(scope="module")
def home():
    with assets.light() as folder, pytest.MonkeyPatch.context() as patch:

        def refused(*args, **kwargs):
            raise AssertionError("something tried to open a connection")

        patch.setattr(socket, "socket", refused)
        patch.setattr(socket, "create_connection", refused)
        yield folder


@pytest.fixture(scope="module")
def talking(home):
    return Side({rgb: batch(assets.frames(TALKING, 10, 12))})


@pytest.fixture(scope="module")
def turning(home):
    return Side({rgb: batch(assets.frames(TURNING, 10, 40))})


def boxes_overlap(one, other):
    width = np.minimum(one[..., 2], other[..., 2]) - np.maximum(one[..., 0], other[..., 0])
    height = np.minimum(one[..., 3], other[..., 3]) - np.maximum(one[..., 1], other[..., 1])
    areas = [(box[..., 2] - box[..., 0]) * (box[..., 3] - box[..., 1]) for box in (one, other)]
    return width * height / (areas[0] + areas[1] - width * height)


@pytest.mark.parametrize("detector", ["yunet", "mediapipe"])
def test_one_face_is_found_in_every_frame_where_dlib_finds_it(talking, detector):
    found, dlib = talking[faces(detector=detector)], talking[faces(detector="dlib")]
    assert found.counts.tolist() == [1] * 10
    assert boxes_overlap(found.boxes[:, 0], dlib.boxes[:, 0]).min() > 0.4
    assert (np.diff(found.points[:, 0, :2, 0], axis=1) > 0).all(), "left eye first"
    assert (found.points[:, 0, 3:, 1] > found.points[:, 0, :2, 1].max(axis=1, keepdims=True)).all()


@pytest.mark.parametrize("model", FROM_DLIB)
@pytest.mark.parametrize("clip", ["talking", "turning"])
def test_landmarks_lie_near_dlibs(request, clip, model):
    values = request.getfixturevalue(clip)
    ours, theirs = values[shapes(landmarks=model)], values[shapes(landmarks="dlib")]
    eyes = np.linalg.norm(theirs[:, :, 36] - theirs[:, :, 45], axis=-1)[..., None]
    apart = np.linalg.norm(ours - theirs, axis=-1) / eyes
    assert np.nanmean(apart) < FROM_DLIB[model]


@pytest.mark.parametrize("clip", ["talking", "turning"])
def test_poses_of_two_networks_agree(request, clip):
    values = request.getfixturevalue(clip)
    ours, theirs = values[pose(estimator="mediapipe")], values[pose(estimator="3ddfa", landmarks="3ddfa")]
    assert np.abs(ours - theirs).mean() < DEGREES
    for angle in range(3):
        if theirs[:, 0, angle].std() > 3:  # where the head turns at all, they turn together
            assert np.corrcoef(ours[:, 0, angle], theirs[:, 0, angle])[0, 1] > 0.8


def test_the_jaw_that_opens_is_seen_in_blendshapes(talking):
    shapes_ = talking[expression(source="blendshapes")]
    assert shapes_.shape == (10, 1, 52)
    assert shapes_.min() >= 0
    assert shapes_.max() <= 1
    points = talking[shapes(landmarks="mediapipe")][:, 0]
    aperture = np.linalg.norm(points[:, 62] - points[:, 66], axis=-1)
    assert np.corrcoef(shapes_[:, 0, 25], aperture)[0, 1] > 0.8  # jawOpen


def test_the_shape_of_a_face_is_its_persons(talking, turning):
    one, other = (values[vertices(landmarks="3ddfa")][:, 0] for values in (talking, turning))
    assert one.shape == (10, 68, 3)
    within = np.linalg.norm(one - one.mean(axis=0), axis=-1).mean()
    between = np.linalg.norm(one.mean(axis=0) - other.mean(axis=0), axis=-1).mean()
    assert between > 2 * within
    width = one[:, 16, 0] - one[:, 0, 0]
    assert (width > 1.2).all()  # dm
    assert (width < 1.7).all()


def test_expressions_of_3ddfa_move_with_the_mouth(talking):
    rows = talking[expression(source="3ddfa", landmarks="3ddfa")]
    assert rows.shape == (10, 1, 10)
    assert rows.std(axis=0).min() > 0


@pytest.mark.parametrize("feature", [face_mesh(), tddfa(detector="yunet")], ids=lambda feature: feature.name)
def test_chunks_do_not_change_a_bit(home, feature):
    frames = assets.frames(TALKING, 10, 12)[:5]
    whole = Side({rgb: batch(frames)})[feature]
    parts = joined([Side({rgb: batch(frames[i : i + 2], i)})[feature] for i in (0, 2, 4)])
    assert all(a.tobytes() == b.tobytes() for a, b in zip(whole, parts, strict=True))


@pytest.mark.parametrize("chain", ["mediapipe", "3ddfa"])
def test_frames_without_a_face_have_no_numbers(home, chain):
    values = Side({rgb: batch(assets.frames("no_face.mp4", 2))})
    assert values[faces(detector=CHAINS[chain].detector)].counts.tolist() == [0, 0]
    for feature in (shapes(landmarks=chain), pose(estimator=chain, landmarks=chain)):
        assert np.isnan(values[feature]).all()


def test_mediapipe_looks_at_every_frame(home):
    values = Side({rgb: batch(np.zeros((1, 8, 8, 3), np.uint8))})
    with pytest.raises(ProtocolError, match="follow must be every"):
        values[faces(detector="mediapipe", follow="tracked-8")]


def test_mediapipe_starts_without_a_line_on_standard_error(home, capfd):
    """Its own log passes by Python and by --quiet; a new thread starts a landmarker of its own."""
    frames = batch(assets.frames(TALKING, 10, 12)[:2])
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: Side({rgb: frames})[face_mesh()].counts.tolist()).result() == [1, 1]
    assert capfd.readouterr().err == ""


def test_talkative_releases_of_mediapipe_are_refused():
    check_silent("0.10.31")
    with pytest.raises(ProtocolError, match=r"mediapipe 1\.2\.3 may send reports of its use"):
        check_silent("1.2.3")


def test_points_of_the_mesh_are_used_once():
    assert len(set(LANDMARKS_68.tolist())) == 68


def test_a_square_beyond_the_frame_is_black_there():
    frame = np.full((60, 60, 3), 9, np.uint8)
    held = window(frame, (-60, 0, 60, 120), 120)
    assert (held[:59, 61:] == 9).all()
    assert not held[61:].any()
    assert not held[:, :59].any()
    assert not window(frame, (100, 100, 220, 220), 120).any()


def test_the_light_tier_may_be_used_commercially():
    free = (
        embeddings_of_people(network="mobilefacenet"),
        shapes(landmarks="mediapipe"),
        pose(estimator="mediapipe"),
        pose(estimator="3ddfa", landmarks="yunet"),
        expression(source="blendshapes"),
        expression(source="3ddfa", landmarks="yunet"),
    )
    with assets.light(commercial=True):
        for feature in free:
            assert [part.lacks() for part in feature.closure() if part.lacks()] == []
        for feature in (shapes(landmarks="dlib"), shapes(landmarks="3ddfa"), vertices(landmarks="yunet")):
            problems = [part.lacks() for part in feature.closure() if part.lacks()]
            assert all(isinstance(problem, WeightsError) for problem in problems)
            assert "commercial" in str(problems[0])


def test_names_that_are_not_there_are_refused():
    for refused in (lambda: pose(estimator="p"), lambda: expression(source="p"), lambda: vertices(model="p")):
        with pytest.raises(ProtocolError, match="must be one of"):
            refused()
