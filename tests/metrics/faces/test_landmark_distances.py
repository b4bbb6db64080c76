"""Every landmark distance on one sequence of known landmarks: the published variants, their relations and policies."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import landmark_distance as oracle
from support.stubs import scored, seen

import thgeval
from thgeval import registry
from thgeval.errors import InputError, ProtocolError
from thgeval.metrics.faces.missing import told

FRAMES = 400
JITTER_PX = 1.5
SHIFT_PX = (4.0, -2.0)


def metric(request):
    return registry.metric(request).metric


def neutral():
    """Sixty-eight landmarks of a plausible face of 256 px, with outer eye corners 60 px apart."""
    rng = np.random.default_rng(3)
    points = rng.uniform((80, 90), (180, 220), (68, 2))
    points[36], points[45] = (98, 110), (158, 110)
    points[48:] = rng.uniform((105, 170), (150, 195), (20, 2))
    return points


@pytest.fixture(scope="module")
def faces():
    """A moving face, and the same with 1.5 px of jitter and a constant shift of the head: (FRAMES, 1, 68, 2)."""
    rng = np.random.default_rng(11)
    reference = neutral() + np.cumsum(rng.normal(0, 0.5, (FRAMES, 1, 2)), axis=0)
    generated = reference + rng.normal(0, JITTER_PX, (FRAMES, 68, 2)) + SHIFT_PX
    return generated[:, None], reference[:, None]


VARIANTS = {  # request: (twin, about what peers.md 6.2 measured on such a sequence)
    "lmd": (oracle.eat_mouth, 1.84),
    "lmd/atvgnet": (oracle.atvgnet, 36.8),
    "lmd:reduction=sum": (oracle.atvgnet, 36.8),
    "lmd/eat": (oracle.eat_mouth, 1.84),
    "lmd/fae": (oracle.fae, 3.07),
    "lmd/interocular": (oracle.interocular, 0.031),
    "lmd:centred=no": (oracle.uncentred, 4.75),
    "lmd/talkinggaussian": (oracle.eat_mouth, 1.84),
    "lmd/vico": (oracle.vico, 3.07),
    "m-lmd": (oracle.eat_mouth, 1.84),
    "f-lmd": (oracle.eat_face, 1.87),
    "akd": (oracle.pose_evaluation, 3.07),
    "akd/dlib": (oracle.pose_evaluation, 3.07),
    "akd/l2": (lambda a, b: oracle.uncentred(a, b, range(68)), 4.75),
    "lvd": (oracle.velocity, 2.66),
    "lvd/face": (lambda a, b: oracle.velocity(a, b, range(68)), 2.66),
    "lvd/eat": (oracle.eat_velocity, 2.65),
}


@pytest.mark.parametrize("request_", VARIANTS)
def test_each_variant_is_what_its_script_computes(request_, faces):
    twin, measured = VARIANTS[request_]
    value = scored(metric(request_), *faces)
    assert value == pytest.approx(twin(faces[0][:, 0], faces[1][:, 0]), rel=1e-12)
    assert value == pytest.approx(measured, rel=0.02)


def test_the_sum_is_twenty_times_the_mean(faces):
    assert scored(metric("lmd/atvgnet"), *faces) == pytest.approx(20 * scored(metric("lmd"), *faces), rel=1e-13)


def test_isotropic_errors_are_larger_by_euclid_than_per_coordinate(faces):
    euclidean, absolute = (scored(metric(f"lmd:distance={distance}"), *faces) for distance in ("l2", "l1"))
    assert euclidean / absolute == pytest.approx(math.pi / 2, rel=0.01)


def test_centred_is_blind_to_shifts_and_uncentred_is_not(faces):
    generated, reference = faces
    still = generated - np.array(SHIFT_PX)
    for request in ("lmd", "lmd/atvgnet", "f-lmd", "m-lmd", "lmd/interocular"):
        assert scored(metric(request), generated, reference) == pytest.approx(
            scored(metric(request), still, reference), rel=1e-12
        )
    assert scored(metric("lmd:centred=no"), generated, reference) > 2 * scored(metric("lmd"), generated, reference)
    shifted = reference + np.array(SHIFT_PX)
    assert scored(metric("lmd/fae"), shifted, reference) == pytest.approx(3.0, rel=1e-12)
    assert scored(metric("lmd:centred=no"), shifted, reference) == pytest.approx(math.hypot(*SHIFT_PX), rel=1e-12)


def test_px_scale_with_the_picture_and_eye_distances_do_not(faces):
    doubled = [2 * side for side in faces]
    assert scored(metric("lmd"), *doubled) == pytest.approx(2 * scored(metric("lmd"), *faces), rel=1e-12)
    assert scored(metric("lmd/interocular"), *doubled) == pytest.approx(
        scored(metric("lmd/interocular"), *faces), rel=1e-12
    )


@given(st.floats(-50, 50), st.floats(-50, 50))
def test_velocity_is_blind_to_where_the_head_is(x, y):
    rng = np.random.default_rng(5)
    reference = rng.uniform(0, 200, (6, 1, 68, 2))
    assert scored(metric("lvd"), reference + np.array([x, y]), reference) == pytest.approx(0, abs=1e-10)


def test_a_frozen_mouth_is_cheaper_than_a_mistimed_one():
    """Why LMD never stands alone."""
    opening = 6 * (1 - np.cos(np.arange(100) * 2 * np.pi / 10))
    moving = np.repeat(neutral()[None, None], 100, axis=0)
    moving[:, 0, 55:60, 1] += opening[:, None]
    frozen, late = np.repeat(moving[:1] * 0 + moving.mean(axis=0), 100, axis=0), np.roll(moving, 5, axis=0)
    assert scored(metric("lmd"), frozen, moving) < scored(metric("lmd"), late, moving)
    note = metric("lmd").remark(metric("lmd").measure(seen(metric("lmd"), frozen, moving)))
    assert "read it beside mouth-amplitude and mouth-correlation" in note


def gaps(faces, *, generated=(), reference=()):
    """The same faces, without any in these frames."""
    first, second = (side[:10].copy() for side in faces)
    first[list(generated)], second[list(reference)] = np.nan, np.nan
    return first, second


def test_frames_without_a_face_are_left_out_and_counted(faces):
    pair = gaps(faces, generated=(2, 3, 7), reference=(3, 8))
    state = metric("lmd").measure(seen(metric("lmd"), *pair))
    used = [0, 1, 4, 5, 6, 9]
    assert metric("lmd").score(state) == pytest.approx(scored(metric("lmd"), pair[0][used], pair[1][used]), rel=1e-12)
    assert dict(state.left_out) == {"no face in generated": 2, "no face in either": 1, "no face in reference": 1}
    assert state.frames == 6
    reasons = "no face in either: 1, no face in generated: 2, no face in reference: 1"
    assert metric("lmd").remark(state).startswith(f"4 of 10 frames have no value of their own ({reasons}); px")


def test_a_face_that_the_policy_passes_over_is_not_called_no_face(faces):
    pair = gaps(faces, generated=(2, 3, 7), reference=(3, 8))
    slots = np.zeros((10, 1), np.int64)
    slots[[2, 3, 7, 8], 0] = -3, -2, -1, -2
    state = metric("lmd").measure(seen(metric("lmd"), *pair, slots=slots))
    assert dict(state.left_out) == {
        "face lost in generated": 1,
        "face too small in either": 1,
        "no face in generated": 1,
        "face too small in reference": 1,
    }


def test_different_reasons_on_the_two_sides_are_both_told():
    why = told(np.array(["", "no face", "no face"]), np.array(["face lost", "face lost", ""]))
    assert why.tolist() == [
        "face lost in reference",
        "no face in generated, face lost in reference",
        "no face in generated",
    ]


def test_zero_counts_them_as_equal(faces):
    pair = gaps(faces, generated=(2, 3, 7), reference=(3, 8))
    named = metric("lmd:missing=zero")
    state = named.measure(seen(named, *pair))
    assert named.score(state) == pytest.approx(0.6 * scored(metric("lmd"), *pair), rel=1e-12)
    assert state.frames == 10
    assert state.left_out["no face in generated, counted as 0"] == 2
    assert named.remark(state).startswith("4 of 10 frames have no value of their own")


def test_hold_takes_what_was_last_seen_on_that_side(faces):
    generated, reference = gaps(faces, generated=(0, 5))
    named = metric("lmd:missing=hold")
    state = named.measure(seen(named, generated, reference))
    generated[5] = generated[4]
    assert named.score(state) == pytest.approx(scored(metric("lmd"), generated[1:], reference[1:]), rel=1e-12)
    assert dict(state.left_out) == {"no face in generated": 1, "no face in generated, held": 1}
    assert named.remark(state).startswith("2 of 10 frames have no value of their own")


def test_fail_refuses_the_clip_with_a_sentence(faces):
    named = metric("lmd:missing=fail")
    with pytest.raises(InputError, match=r"clip: no face in generated in 2 of 10 frames, first in frame 4") as raised:
        named.measure(seen(named, *gaps(faces, generated=(4, 6))))
    assert raised.value.reason == "no face"


@pytest.mark.parametrize("request_", ["lmd", "lmd:missing=hold", "f-lmd", "lvd", "lvd/eat"])
def test_a_clip_without_a_face_has_no_number(request_, faces):
    named = metric(request_)
    state = named.measure(seen(named, *gaps(faces, generated=range(10))))
    assert math.isnan(named.score(state))
    assert not state.scored
    assert "frames have no value of their own (no face in generated" in named.remark(state)


def test_a_step_needs_a_face_in_both_its_frames(faces):
    pair = gaps(faces, generated=(4,))
    state = metric("lvd").measure(seen(metric("lvd"), *pair))
    parts = [scored(metric("lvd"), *(side[cut] for side in pair)) for cut in (slice(0, 4), slice(5, 10))]
    assert metric("lvd").score(state) == pytest.approx((3 * parts[0] + 4 * parts[1]) / 7, rel=1e-12)
    assert dict(state.left_out) == {"no face in generated": 2}
    found = [0, 1, 2, 3, 5, 6, 7, 8, 9]
    assert scored(metric("lvd/eat"), *pair) == pytest.approx(
        oracle.eat_velocity(*(side[found, 0] for side in pair)), rel=1e-12
    )


def test_several_people_are_averaged_within_a_frame(faces):
    two = [np.concatenate([side[:10], side[10:20]], axis=1) for side in faces]
    alone = [scored(metric("lmd"), *(side[:, [person]] for side in two)) for person in (0, 1)]
    assert scored(metric("lmd:who=all"), *two) == pytest.approx(np.mean(alone), rel=1e-12)
    with pytest.raises(InputError, match="clip shows 2 people and its reference 1; compare as many on either side"):
        scored(metric("lmd:who=all"), two[0], two[1][:, :1])
    nobody = np.full_like(two[1][:, :1], np.nan)
    assert math.isnan(scored(metric("lmd:who=all"), two[0], nobody))


def test_pooled_frames_let_long_clips_weigh_more(faces):
    for request, weigh in (("lmd", lambda a, b: (a + b) / 2), ("lmd:pool=frame", lambda a, b: (10 * a + 30 * b) / 40)):
        named = metric(request)
        parts = [
            named.measure(seen(named, *(side[cut] for side in faces), clip=clip))
            for clip, cut in (("a", slice(0, 10)), ("b", slice(10, 40)))
        ]
        alone = [named.score(part) for part in parts]
        assert named.score(parts[0] + parts[1]) == pytest.approx(weigh(*alone), rel=1e-12)


def test_atvgnets_script_averages_the_frames_of_all_clips(faces):
    """Clips of other lengths, one frame in which no face is found on one side, and one on the other."""
    named = metric("lmd/atvgnet")
    cuts = {"a": slice(0, 7), "b": slice(7, 37), "c": slice(37, 50)}
    generated, reference = (side[:50].copy() for side in faces)
    generated[20], reference[3] = np.nan, np.nan
    parts = [named.measure(seen(named, generated[cut], reference[cut], clip=clip)) for clip, cut in cuts.items()]
    used = [frame for frame in range(50) if frame not in (3, 20)]
    expected = oracle.atvgnet(generated[used, 0], reference[used, 0])
    assert named.score(type(parts[0]).total(parts)) == pytest.approx(expected, rel=1e-12)
    assert named.whom.landmarks == "dlib-detected-x2"


def test_px_of_frames_of_different_sizes_have_no_mean():
    pytest.importorskip("dlib")
    pytest.importorskip("skimage")
    from thgeval_baselines.photo.geometry import Parameters
    from thgeval_baselines.sets.clips import head

    for size in (176, 208):
        frames = np.stack([head(seed=0, size=size).frame(Parameters())] * 2)
        score = thgeval.score(frames, frames, metrics=["lmd"])["lmd"]
        assert score.note.startswith(f"px of {size}x{size} frames; ")
        assert f"|under:{size}x{size}px" in score.signature
        cut = thgeval.score(frames, frames, metrics=["lmd/eat"])["lmd/eat"]
        assert cut.value == 0
        assert cut.note.startswith("px of 128x128 frames; ")
    named = metric("lmd")
    face = np.repeat(neutral()[None, None], 3, axis=0)
    small, large = (named.measure(seen(named, face, clip=str(size), size=(size, size))) for size in (176, 208))
    assert (small + large).under == ("176x176px", "208x208px")


def test_wrong_fields_are_refused():
    for request, said in (
        ("lmd:points=nose", "lmd: points must be one of mouth, face, mouth-twice"),
        ("lmd:missing=drop", "lmd: missing must be one of skip, fail, hold, zero"),
        ("lmd:who=tallest", "lmd: who must be one of largest, first"),
        ("lmd:min_px=-1", "lmd: min_px must be at least 0, not -1"),
        ("lmd:cut=eat,follow=tracked-8", "lmd: cut needs landmarks found in every frame; use follow=every"),
        ("lmd:cut=eat,landmarks=npz", "lmd: cut needs landmarks found in every frame; use follow=every"),
        ("lvd:steps=all", "lvd: steps must be one of consecutive, found"),
    ):
        with pytest.raises(ProtocolError, match=said):
            metric(request)
