"""Metrics of meshes on the rigged head, whose truth is known, and on files that are no meshes of a clip."""

from fractions import Fraction

import numpy as np
import pytest
from scipy.io import wavfile
from support.clips import written_at

from thgeval.clip import Clip, Pair
from thgeval.engine.run import Options, execute
from thgeval.pairing import Pairing
from thgeval_baselines.rig.model import rig
from thgeval_baselines.rig.people import Person
from thgeval_baselines.rig.pose import Pose, posed, skull

FRAMES = 24
JAW, BROW = "jawOpen", "browInnerUp"


@pytest.fixture(scope="module")
def head():
    """The rig's lips, upper face and a person at rest."""
    marks = rig().landmarks
    person = Person.of(3).neutral
    return {
        "template": person,
        "lips": marks[48:68].astype(np.int64),
        "upper_face": marks[17:48].astype(np.int64),
        "lip_middles": marks[[62, 66]].astype(np.int64),
    }


def curve(**over_time):
    """Weights of the rig's actions, (frames, 52)."""
    weights = np.zeros((FRAMES, len(rig().action_names)))
    for name, values in over_time.items():
        weights[:, rig().action_names.index(name)] = values
    return weights


def acting(head, weights):
    """The head by these weights, with what its file says beside the vertices."""
    return {**head, "vertices": rig().performed(head["template"], weights).astype(np.float64)}


OPENING = 0.5 - 0.5 * np.cos(np.arange(FRAMES) * 0.9)
RAISED = 0.5 + 0.4 * np.sin(np.arange(FRAMES) * 0.4)


@pytest.fixture(scope="module")
def spoken(head):
    return acting(head, curve(jawOpen=OPENING, browInnerUp=RAISED))


@pytest.fixture
def judged(tmp_path):
    """The scores of metrics on one pair of meshes, or on several by name, with speech if it is given."""

    def clip(side, name, mesh):
        (tmp_path / side).mkdir(exist_ok=True)
        grey = np.full((FRAMES, 16, 16, 3), 90, np.uint8)
        path = written_at(tmp_path / side / f"{name}.mkv", grey, range(FRAMES), Fraction(1, 25))
        np.savez(path.with_suffix(".mesh.npz"), **mesh)
        return Clip(name, path)

    def of(generated, reference, *requests, heard=None):
        several = generated if "vertices" not in generated else {"a": generated}
        pairs = []
        for name, mesh in several.items():
            sound = None if heard is None else tmp_path / f"{name}.wav"
            if sound is not None:
                wavfile.write(sound, 44100, np.rint(heard[name]).astype(np.int16))
            pairs.append(Pair(name, clip("g", name, mesh), clip("r", name, reference), audio=sound))
        return execute(Pairing(tuple(pairs), ()), requests, "native", Options(workers=1))

    return of


PAIRED = ("lve", "lve/meshtalk", "mve", "fdd", "fdd/absolute", "fdd/own-mean", "mod", "mtm")


def test_what_is_the_same_is_0_off(judged, spoken):
    scores = judged(spoken, spoken, *PAIRED).scores
    assert {key: score.value for key, score in scores.items()} == dict.fromkeys(PAIRED, 0.0)


def test_a_mouth_half_open_is_off_by_half_of_what_the_rig_moves(judged, head, spoken):
    scores = judged(acting(head, curve(jawOpen=OPENING / 2, browInnerUp=RAISED)), spoken, *PAIRED).scores
    moves = rig().actions[rig().action_names.index(JAW)].astype(np.float64)
    sizes = np.linalg.norm(moves, axis=1)
    worst = sizes[head["lips"]].max()
    assert scores["lve"].value == pytest.approx(((OPENING / 2 * worst) ** 2).mean(), rel=1e-5)
    assert scores["lve/meshtalk"].value == pytest.approx((OPENING / 2 * worst).mean(), rel=1e-5)
    assert scores["mve"].value == pytest.approx(OPENING.mean() / 2 * sizes.mean(), rel=1e-5)
    assert scores["mtm"].value == 0
    assert scores["mod"].value > 0


def test_a_brow_that_moves_half_as_far_moves_by_three_quarters_less(judged, head):
    half, full = (acting(head, curve(browInnerUp=share * RAISED)) for share in (0.5, 1))
    scores = judged(half, full, *PAIRED).scores
    moves = rig().actions[rig().action_names.index(BROW)].astype(np.float64)[head["upper_face"]]
    size = ((RAISED**2).std() * (moves**2).sum(axis=1)).mean()
    assert scores["fdd"].value == pytest.approx(0.75 * size, rel=1e-3)
    assert scores["fdd/absolute"].value == scores["fdd"].value
    about = np.abs(RAISED - RAISED.mean()).std(ddof=1) * np.linalg.norm(moves, axis=1).mean()
    assert scores["fdd/own-mean"].value == pytest.approx(about / 2, rel=1e-3)


def test_signs_of_clips_cancel_unless_they_are_dropped(judged, head):
    still, middle, large = (acting(head, curve(browInnerUp=share * RAISED)) for share in (0.0, 0.5**0.5, 1.0))
    scores = judged({"a": still, "b": large}, middle, "fdd", "fdd/absolute").scores
    assert scores["fdd"].value == pytest.approx(0, abs=1e-4 * scores["fdd/absolute"].value)
    assert scores["fdd/absolute"].value > 0


def test_a_mouth_that_is_late_is_late_by_so_many_frames(judged, head, spoken):
    late = acting(head, curve(jawOpen=np.concatenate([np.zeros(2), OPENING[:-2]])))
    assert judged(late, spoken, "mtm").scores["mtm"].value == pytest.approx(2, abs=0.5)


def test_lips_that_never_turn_round_have_no_moments(judged, head, spoken):
    score = judged(acting(head, curve()), spoken, "mtm").scores["mtm"]
    assert score.value is None
    assert score.frames_left_out == {"no moments that match": FRAMES}


def turned(mesh):
    """The same mesh with the head turned, and what turned it."""
    poses = [Pose(yaw=20 * np.sin(0.2 * k), pitch=5, roll=0) for k in range(FRAMES)]
    vertices = np.array([posed(face, pose) for face, pose in zip(mesh["vertices"], poses, strict=True)])
    return {**mesh, "vertices": vertices, "head": np.array([skull(pose)[:3] for pose in poses])}


def test_heads_turn_back_only_where_they_are_asked_to(judged, head, spoken):
    half = acting(head, curve(jawOpen=OPENING / 2, browInnerUp=RAISED / 2))
    stilled = {"head": np.tile(np.eye(3, 4), (FRAMES, 1, 1))}
    asked = [f"{name}:head=still" for name in ("lve", "fdd", "mod", "mtm")]
    plain = judged(half, spoken, "lve", "fdd", "mod", "mtm").scores
    back = judged(turned(half), {**spoken, **stilled}, *asked, "lve").scores
    for name in ("lve", "fdd", "mod", "mtm"):
        assert back[f"{name}:head=still"].value == pytest.approx(plain[name].value, rel=1e-6)
    assert back["lve"].value > 2 * plain["lve"].value


def test_lips_go_with_loudness_within_each_person(judged, head):
    rng = np.random.default_rng(5)
    sizes = {"m1_a": 0.2, "m1_b": 0.5, "m1_c": 0.9, "m2_a": 0.3, "m2_b": 0.4, "m3_only": 0.9}
    meshes = {name: acting(head, curve(jawOpen=size * OPENING)) for name, size in sizes.items()}
    noise = rng.normal(0, 1, round(FRAMES / 25 * 44100))
    loud = {name: noise * 1000 * size * (4 if name < "m2" else 1) for name, size in sizes.items()}
    found = judged(meshes, meshes["m1_a"], "slcc", heard=loud).scores["slcc"]
    assert found.value == pytest.approx(1, abs=1e-4)
    assert "1 of 6 clips are left out" in found.note
    quiet = {name: noise * 400 / size for name, size in sizes.items()}
    assert judged(meshes, meshes["m1_a"], "slcc", heard=quiet).scores["slcc"].value < -0.8
    assert judged(meshes["m1_a"], meshes["m1_a"], "slcc", heard={"a": noise * 400}).scores["slcc"].value is None


def test_two_clips_correlate_wholly_and_the_score_says_so(judged, head):
    rng = np.random.default_rng(6)
    meshes = {name: acting(head, curve(jawOpen=size * OPENING)) for name, size in (("m1_a", 0.2), ("m1_b", 0.7))}
    heard = {name: rng.normal(0, 1000, round(FRAMES / 25 * 44100)) for name in meshes}
    found = judged(meshes, meshes["m1_a"], "slcc", heard=heard).scores["slcc"]
    assert abs(found.value) == pytest.approx(1)
    assert "two clips always correlate wholly" in found.note


def said(run):
    """The sentences about clips that failed, in whole or for one metric."""
    return str([vars(clip) for clip in run.clips])


FAULTS = {
    "fewer vertices": (lambda mesh: {"vertices": np.zeros((FRAMES, 30, 3))}, "other topology", "mesh of 30 vertices"),
    "other lips": (lambda mesh: {**mesh, "lips": mesh["lips"][::-1]}, "other topology", "other lips"),
    "fewer frames": (lambda mesh: {**mesh, "vertices": mesh["vertices"][:9]}, "other length", "9 rows and the clip"),
    "holes": (lambda mesh: {**mesh, "vertices": mesh["vertices"] * np.nan}, "bad mesh file", "NaN"),
    "vertices beyond the last": (lambda mesh: {**mesh, "lips": np.array([10**6])}, "bad mesh file", "whole numbers"),
    "parts of vertices": (lambda mesh: {**mesh, "lips": np.array([0.5])}, "bad mesh file", "whole numbers"),
    "another rest": (lambda mesh: {**mesh, "template": np.zeros((9, 3))}, "bad mesh file", "template has 9"),
    "flat vertices": (
        lambda mesh: {"vertices": np.zeros((FRAMES, 30))},
        "bad mesh file",
        "(frames, points, 3)",
    ),
    "a foreign array": (lambda mesh: {**mesh, "teeth": np.zeros(3)}, "bad mesh file", "teeth"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_no_mesh_of_the_clip_is_said_with_its_reason(judged, spoken, fault):
    broken, reason, words = FAULTS[fault]
    run = judged({"a": broken(spoken), "b": spoken}, spoken, "lve")
    score = run.scores["lve"]
    assert (score.value, score.clips) == (0.0, 1)
    assert score.left_out == {reason: 1}
    assert words in said(run)


def test_files_that_say_too_little_say_what_they_lack(judged, spoken):
    bare = {"vertices": spoken["vertices"]}
    run = judged(bare, bare, "lve", "mve", "fdd")
    assert run.scores["mve"].value == 0
    assert run.scores["lve"].value is None
    assert "has no array 'lips'" in said(run)
