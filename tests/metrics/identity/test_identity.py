"""csim, f-sim, aed-euclid and id-consistency: their arithmetic on made-up embeddings, and real faces told apart."""

import math
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from support import assets

from thgeval import registry, score
from thgeval.clip import Clip, Memory, Pair
from thgeval.engine.measure import measured
from thgeval.engine.plan import measures_reference, plan
from thgeval.engine.workers import Cores
from thgeval.errors import InputError, ProtocolError
from thgeval.features.faces.identity import Embeddings
from thgeval.features.faces.people import choice
from thgeval.metrics.identity.id_consistency import with_the_others
from thgeval.metrics.identity.identity import cosine, directions
from thgeval.protocol import Protocol
from thgeval.view import View

NAN = np.nan


def found(*rows, frames=None):
    """Embeddings of one person, a row or None for each sampled frame."""
    width = next(len(row) for row in rows if row is not None)
    table = np.array([[NAN] * width if row is None else row for row in rows], np.float64)
    return Embeddings(table[:, None], np.arange(len(rows)) if frames is None else np.array(frames))


def side(metric, embeddings):
    """A clip in which those embeddings are seen, of the first face of every frame."""
    slots = np.zeros((embeddings.frames.max() + 1, 1), np.int64)
    return {metric.whom.of_clip: embeddings} | dict.fromkeys(choice(metric.whom.of_clip), slots)


def state_of(request, generated, reference=None, source=None):
    """What a metric makes of embeddings that stand where its recogniser's would."""
    metric = registry.metric(request).metric
    first = side(metric, generated) | ({metric.whom.of_source: source} if source is not None else {})
    second = {} if reference is None else side(metric, reference)
    return metric, metric.measure(View.of("clip", 0, first, second).seen_by(metric.needs, metric.name))


def values_of(request, *sides, **more):
    metric, state = state_of(request, *sides, **more)
    return state.record("clip").values, dict(state.left_out), metric.score(state)


@given(st.integers(0, 2**32 - 1), st.integers(2, 40))
def test_cosines_are_those_of_the_definition(seed, width):
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(2, 5, width))
    expected = [np.dot(a, b) / np.linalg.norm(a) / np.linalg.norm(b) for a, b in zip(first, second, strict=True)]
    assert cosine(directions(first), directions(second)) == pytest.approx(expected, abs=1e-12)
    assert (cosine(directions(first), directions(first)) == 1).all()


def test_csim_is_the_mean_cosine_with_the_same_frame():
    values, left_out, score = values_of("csim", found([2, 0], [0, 3], [1, 1]), found([1, 0], [4, 0], [-1, -1]))
    assert values == pytest.approx([1, 0, -1])
    assert not left_out
    assert score == pytest.approx(0)


def test_csim_against_the_first_frame_and_the_source():
    generated, reference = found([1, 0], [0, 1]), found([0, 2], [5, 0])
    assert values_of("csim/first", generated, reference)[0] == pytest.approx([0, 1])
    assert values_of("csim/source", generated, source=found([3, 3]))[0] == pytest.approx([0.5**0.5] * 2)


def test_length_of_embeddings_matters_to_distances_alone():
    generated, reference = found([3, 4], [1, 0]), found([0, 0.5], [0, 1])
    longer = Embeddings(generated.rows * 7, generated.frames)
    assert values_of("csim", longer, reference)[0] == pytest.approx(values_of("csim", generated, reference)[0])
    assert values_of("aed-euclid", longer, reference)[2] > values_of("aed-euclid", generated, reference)[2]


def test_aed_takes_the_root_and_the_script_does_not():
    generated, reference = found([3, 4], [1, 0]), found([0, 0], [0, 0])
    assert values_of("aed-euclid", generated, reference)[0] == pytest.approx([5, 1])
    assert values_of("aed-euclid/fomm", generated, reference)[0] == pytest.approx([25, 1])


@pytest.mark.parametrize(
    ("request_", "mean"), [("aed-euclid", (2 + 6) / 2), ("aed-euclid/fomm", (4 + 36 + 36 + 36) / 4)]
)
def test_the_script_pools_the_frames_of_all_clips(request_, mean):
    metric, short = state_of(request_, found([2, 0]), found([0, 0]))
    _, long = state_of(request_, found(*[[6, 0]] * 3), found(*[[0, 0]] * 3))
    assert metric.score(short.renamed("a") + long.renamed("b")) == pytest.approx(mean)


MISSING = found([1, 0], None, [1, 0], None), found([1, 0], [1, 0], None, None)
COUNTED = {"no face in generated": 1, "no face in reference": 1, "no face in either": 1}


def test_frames_without_a_face_are_left_out_and_counted():
    values, left_out, score = values_of("csim", *MISSING)
    assert np.isnan(values).tolist() == [False, True, True, True]
    assert left_out == COUNTED
    assert score == 1


def test_frames_without_a_face_may_be_held_or_count_as_zero():
    values, left_out, _ = values_of("csim:missing=hold", *MISSING)
    assert (values == 1).all()
    assert left_out == {f"{reason}, held": 1 for reason in COUNTED}
    values, left_out, score = values_of("csim:missing=zero", *MISSING)
    assert values.tolist() == [1, 0, 0, 0]
    assert left_out == {f"{reason}, counted as 0": 1 for reason in COUNTED}
    assert score == 0.25


@pytest.mark.parametrize("request_", ["csim:missing=fail", "id-consistency:missing=fail"])
def test_frames_without_a_face_may_fail_the_clip(request_):
    with pytest.raises(InputError) as said:
        values_of(request_, *MISSING)
    assert said.value.reason == "no face"
    assert "clip: no face in" in str(said.value) or "clip: no face in 2 of 4 frames" in str(said.value)


def test_a_clip_without_any_face_has_no_number():
    nobody = Embeddings(np.full((3, 1, 2), NAN), np.arange(3))
    for request in ("csim", "f-sim", "aed-euclid", "id-consistency"):
        metric, state = state_of(request, nobody, found(*[[1, 0]] * 3))
        assert math.isnan(metric.score(state))
        assert sum(state.left_out.values()) == 3
        assert "3 of 3 frames have no value of their own" in metric.remark(state)


def test_f_sim_is_percent_of_the_first_reference_frame():
    values, _, score = values_of("f-sim", found([1, 0], [1, 1]), found([1, 0], [0, 1]))
    assert values == pytest.approx([100, 100 * 0.5**0.5])
    assert score == pytest.approx(50 * (1 + 0.5**0.5))
    assert values_of("f-sim/source", found([1, 0], [1, 1]), source=found([0, 1]))[0][0] == pytest.approx(0)


def test_the_reference_has_an_f_sim_of_its_own():
    metric = registry.metric("f-sim").metric
    sides = side(metric, found([1, 0], [1, 0])), side(metric, found([1, 0], [0, 1]))
    assert measures_reference(metric)
    own = metric.measure(View.of("clip", 0, *sides).swapped().seen_by(metric.needs, metric.name))
    assert own.record("clip").values == pytest.approx([100, 0])


def test_without_a_face_in_the_first_frame_nothing_is_compared_with_it():
    for request in ("csim/first", "f-sim"):
        with pytest.raises(InputError) as said:
            values_of(request, found([1, 0], [1, 0]), found(None, [1, 0]))
        assert said.value.reason == "no face in first frame"


@given(st.integers(0, 2**32 - 1), st.integers(2, 12))
def test_consistency_is_the_mean_over_pairs(seed, count):
    rows = np.random.default_rng(seed).normal(size=(count, 6))
    expected = [
        np.dot(rows[i], rows[j]) / np.linalg.norm(rows[i]) / np.linalg.norm(rows[j])
        for i, j in combinations(range(count), 2)
    ]
    assert values_of("id-consistency", found(*rows))[2] == pytest.approx(np.mean(expected), abs=1e-12)


def test_consistency_of_a_still_is_exactly_one():
    assert values_of("id-consistency", found(*[[0.3, 0.7, -0.2]] * 9))[2] == 1


def test_the_frame_that_drifts_is_the_one_that_scores_low():
    rows = np.tile([1.0, 0.0], (5, 1))
    rows[3] = [0, 1]
    values = with_the_others(rows)
    assert values.argmin() == 3
    assert values[3] == pytest.approx(0)
    assert values[0] == pytest.approx(0.75)


def test_one_face_has_no_one_to_be_like():
    values, left_out, score = values_of("id-consistency", found([1, 0], None))
    assert np.isnan(values).all()
    assert left_out == {"no face": 1, "only one frame with a face": 1}
    assert math.isnan(score)


def test_several_people_are_averaged_within_a_frame():
    pair = np.array([[[1.0, 0], [0, 1]], [[1, 0], [0, 1]]])
    swapped = Embeddings(pair[:, ::-1], np.arange(2))
    both = Embeddings(pair, np.arange(2))
    assert values_of("csim:who=all", both, both)[2] == 1
    assert values_of("csim:who=all", both, swapped)[2] == 0
    assert values_of("id-consistency:who=all", both)[2] == 1


def test_frames_sampled_at_other_places_are_not_compared():
    with pytest.raises(InputError, match="5 frames a second are other frames in the reference") as said:
        values_of("csim/dlib", found([1, 0], [1, 0], frames=[0, 5]), found([1, 0], [1, 0], frames=[0, 6]))
    assert said.value.reason == "frame rate differs"


@pytest.mark.parametrize("row", [[0, 0], [math.inf, 1]])
def test_what_has_no_direction_is_refused(row):
    for request in ("csim", "f-sim", "id-consistency"):
        with pytest.raises(InputError) as said:
            values_of(request, found(row, [1, 0]), found([1, 0], [1, 0]))
        assert said.value.reason == "not finite"


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ("csim:network=vgg", "network must be one of dlib, mobilefacenet"),
        ("csim:against=nobody", "against must be one of paired, first, source"),
        ("csim:per_s=-1", "csim: per_s must be at least 0, not -1.0"),
        ("csim:who=any", "who must be one of"),
        ("f-sim:against=paired", "against must be one of first, source"),
        ("aed-euclid:distance=cubed", "distance must be one of euclid, squared"),
        ("id-consistency:missing=hold", "missing must be one of skip, fail"),
    ],
)
def test_fields_out_of_range_are_refused(request_, said):
    with pytest.raises(ProtocolError, match=said):
        registry.metric(request_)


def test_the_result_says_whose_eyes_saw_the_faces():
    metric, state = state_of("csim/dlib", found([1, 0]), found([1, 0]))
    assert metric.remark(state) == "as dlib sees faces; other recognisers give other numbers"


def score_pair(generated, reference, *requests, source=None):
    pair = Pair("a", *(Clip("a", Memory(side, 255.0), Fraction(25)) for side in (generated, reference)))
    pair = Pair("a", pair.generated, pair.reference, source_image=source)
    planned = plan(registry.metrics(list(requests)), [pair])
    assert not planned.unscored, planned.unscored
    with Cores(2) as cores:
        return cores.occupy(measured, pair, planned, Protocol(), cores, lambda frames: None)


def mean_of(outcome, request, states="states"):
    return registry.metric(request).metric.score(getattr(outcome, states)[request])


@pytest.mark.slow
def test_real_people_score_high_against_themselves_and_low_against_others(tmp_path):
    """The light chain on real clips: YuNet finds, MobileFaceNet tells apart."""
    person, other = (assets.frames(name, 16)[::2] for name in ("May_5s.mp4", "iplap_129.mp4"))
    size = other.shape[1:3]
    person = np.stack([np.asarray(Image.fromarray(frame).resize(size[::-1])) for frame in person])
    Image.fromarray(person[0]).save(tmp_path / "a.source.png")
    requests = ["csim/mobilefacenet", "f-sim/mobilefacenet", "id-consistency/mobilefacenet"]
    with assets.light():
        same = score_pair(np.roll(person, 1, axis=0), person, *requests)
        others = score_pair(other, person, *requests)
        source = score_pair(
            person, person, "csim:network=mobilefacenet,against=source", source=tmp_path / "a.source.png"
        )
    assert mean_of(same, requests[0]) > 0.7
    assert mean_of(others, requests[0]) < 0.3
    assert mean_of(same, requests[1]) > 70 > 30 > mean_of(others, requests[1])
    assert mean_of(others, requests[1], "reference_states") == pytest.approx(
        mean_of(same, requests[1], "reference_states"), abs=1e-9
    )
    assert mean_of(others, requests[2]) > 0.7
    assert mean_of(source, "csim:network=mobilefacenet,against=source") > 0.7


@pytest.mark.slow
def test_faces_that_are_not_there_are_counted():
    pytest.importorskip("dlib")
    nobody = assets.frames("no_face.mp4", 10)
    outcome = score_pair(nobody, nobody, "csim/dlib", "id-consistency/dlib")
    assert dict(outcome.states["csim/dlib"].left_out) == {"no face in either": 2}
    assert dict(outcome.states["id-consistency/dlib"].left_out) == {"no face": 2}


def test_frames_without_a_rate_cost_no_other_metric_its_score():
    frames = np.random.default_rng(3).integers(0, 255, (3, 192, 192, 3), np.uint8)
    run = score(frames, frames[::-1].copy(), metrics=["psnr", "csim/dlib"])
    assert run.scores["psnr"].value > 0
    assert run.clips[0].failed["csim/dlib"].reason == "no frame rate"
