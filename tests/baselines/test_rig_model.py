import hashlib
from importlib import resources

import numpy as np
import pytest

from thgeval.errors import ProtocolError
from thgeval_baselines.rig.model import person, rig

SHA256 = "da331160085be84c355d5566243fd806400b62e32df987371292ddd2e381d4a9"
EYES = {"Right": (36, 39, (37, 38), (41, 40)), "Left": (42, 45, (43, 44), (47, 46))}


@pytest.fixture(scope="module")
def head():
    return rig()


def opened(face, upper, lower):
    return float(np.mean([np.linalg.norm(face[a] - face[b]) for a, b in zip(upper, lower, strict=True)]))


def test_the_file_is_the_one_whose_making_is_written_down():
    raw = resources.files("thgeval_baselines.rig").joinpath("head_rig.npz").read_bytes()
    assert hashlib.sha256(raw).hexdigest() == SHA256
    assert len(raw) < 600_000


def test_has_the_52_actions_and_about_200_shapes(head):
    assert len(head.action_names) == 52
    assert {"jawOpen", "eyeBlinkLeft", "mouthPucker", "tongueOut"} <= set(head.action_names)
    assert 200 <= len(head.shape_names) <= 250
    assert all(np.abs(move).max() > 0 for move in (*head.actions, *head.shapes))


def test_every_triangle_has_three_corners_and_every_edge_at_most_two_triangles(head):
    vertices = head.drawn[head.triangles]
    assert np.all(vertices[:, [0, 1, 2]] != vertices[:, [1, 2, 0]])
    edges = np.sort(vertices[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    assert np.unique(edges, axis=0, return_counts=True)[1].max() == 2


def test_landmarks_are_symmetrical_and_in_their_order(head):
    face = head.vertices[head.landmarks]
    pairs = [(0, 16), (8, 8), (17, 26), (27, 27), (31, 35), (36, 45), (37, 44), (40, 47), (48, 54), (61, 63), (67, 65)]
    for right, left in pairs:
        assert face[right] * [-1, 1, 1] == pytest.approx(face[left], abs=2e-3)
    assert len(set(head.landmarks)) == 68
    for along, axis, sign in ((range(17), 0, 1), (range(17, 27), 0, 1), (range(27, 31), 1, -1), (range(31, 36), 0, 1)):
        assert np.all(np.diff(sign * face[list(along), axis]) > 0)


def test_lips_meet_at_rest_and_part_with_the_jaw(head):
    gaps = []
    for weight in np.linspace(0, 0.6, 7):
        face = head.acting(head.vertices, {"jawOpen": weight})[head.landmarks]
        gaps.append(face[62, 1] - face[66, 1])
    unit = np.linalg.norm(head.vertices[head.landmarks[45]] - head.vertices[head.landmarks[36]])
    assert abs(gaps[0]) < 0.01 * unit
    assert np.corrcoef(gaps, np.linspace(0, 0.6, 7))[0, 1] > 0.999
    assert gaps[-1] > 0.2 * unit


@pytest.mark.parametrize("side", EYES)
def test_blinking_closes_one_eye_alone(head, side):
    outer, inner, upper, lower = EYES[side]
    other = EYES["Left" if side == "Right" else "Right"]
    heights, others = [], []
    for weight in (0.0, 0.5, 1.0):
        face = head.acting(head.vertices, {f"eyeBlink{side}": weight})[head.landmarks]
        heights.append(opened(face, upper, lower) / np.linalg.norm(face[outer] - face[inner]))
        others.append(opened(face, *other[2:]))
    assert heights[0] > 0.2
    assert heights[0] > heights[1] > heights[2]
    assert heights[2] < 0.35 * heights[0]
    assert others == pytest.approx([others[0]] * 3, abs=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_a_blink_ends_at_the_lower_lid_on_every_face(head, seed):
    neutral = head.shaped(person(seed))
    rest, closed = neutral[head.landmarks], head.acting(neutral, {"eyeBlinkLeft": 1.0})[head.landmarks]
    gap, left = (np.mean([face[a, 1] - face[b, 1] for a, b in ((43, 47), (44, 46))]) for face in (rest, closed))
    assert abs(left) < 0.02 * gap


def test_a_seed_is_a_person_and_people_differ(head):
    assert person(3) == person(3)
    faces = np.array([head.shaped(person(seed))[head.landmarks] for seed in range(8)])
    apart = [np.linalg.norm(a - b, axis=1).mean() for at, a in enumerate(faces) for b in faces[:at]]
    assert min(apart) > 0.03  # 3 mm on average, over every landmark


def test_curves_over_time_are_the_same_as_frames_one_by_one(head):
    curves = np.random.default_rng(0).uniform(0, 1, (3, 52))
    together = head.performed(head.vertices, curves)
    for at, row in enumerate(curves):
        alone = head.acting(head.vertices, dict(zip(head.action_names, row.tolist(), strict=True)))
        assert together[at] == pytest.approx(alone, abs=1e-5)


def test_what_makes_no_sense_is_refused(head):
    with pytest.raises(ProtocolError, match="no shape is named nose/none"):
        head.shaped({"nose/none": 1.0})
    with pytest.raises(ProtocolError, match=r"jawOpen is 1\.5, choose a value in"):
        head.acting(head.vertices, {"jawOpen": 1.5})
    with pytest.raises(ProtocolError, match=r"give \(frames, 52\)"):
        head.performed(head.vertices, np.zeros((3, 51)))
    with pytest.raises(ProtocolError, match="leaves"):
        head.performed(head.vertices, np.full((1, 52), np.nan))
