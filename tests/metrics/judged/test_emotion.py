"""Emotion, valence and arousal: what is made of what a checkout says; the checkout is a fake that reads files."""

import math

import numpy as np
import pytest
from support.fake_judge import checkout, judged

import thgeval
from thgeval import Options
from thgeval.errors import InputError
from thgeval.features.frames.checkout import CheckoutAnswer
from thgeval.metrics.judged.affect import concordance, same_signs, squared_errors
from thgeval.metrics.judged.emotion import EMOTIONS, NAMED, emotions, in_name, of_most

AFFECT = [f"{what}-{how}" for what in ("valence", "arousal") for how in ("rmse", "sagr", "ccc")]
GLAD = {"valence": [0.5, -0.5, 0.0, 1.5], "arousal": [0.1, 0.2, 0.3, 0.4], "emotion": ["happy", "Happy", "sad", None]}
STILL = {"valence": [0.5] * 4, "arousal": [0.2] * 4, "emotion": "sad"}


@pytest.fixture
def evaluated(tmp_path, monkeypatch):
    """Score what a checkout says of generated clips and of reference clips."""
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path / "home"))
    checkout(tmp_path / "home", "emonet")

    def of(requests, generated, reference):
        sides = [judged(tmp_path / side, "emonet", said) for side, said in (("g", generated), ("r", reference))]
        return thgeval.evaluate(*sides, metrics=list(requests), options=Options(workers=1))

    return of


def test_copies_are_best(evaluated):
    requests = [*AFFECT, "emotion-accuracy", "emotion-accuracy/frames"]
    run = evaluated(requests, {"a": GLAD}, {"a": GLAD})
    assert [run[name].value for name in requests] == [0.0, 1.0, 1.0] * 2 + [1.0, 1.0]
    assert run["emotion-accuracy/frames"].frames_left_out == {"no face": 1}


def test_clips_and_frames_may_weigh_alike(evaluated):
    two = {"a": GLAD, "b": {**STILL, "valence": [0.5], "emotion": "anger"}}
    other = {"a": {**GLAD, "valence": [0.4, 0.5, None, 1.0]}, "b": {**STILL, "valence": [-0.5], "emotion": "sad"}}
    run = evaluated(["valence-rmse", "valence-rmse/clips", "valence-sagr", "valence-sagr/fae"], two, other)
    assert run["valence-rmse"].value == pytest.approx(math.sqrt((0.01 + 1 + 0 + 1) / 4))
    assert run["valence-rmse/clips"].value == pytest.approx((math.sqrt(1.01 / 3) + 1) / 2)
    assert run["valence-sagr"].value == pytest.approx(2 / 4)
    assert run["valence-sagr/fae"].value == pytest.approx((2 / 3 + 0) / 2)
    assert run["valence-rmse"].frames_left_out == {"no face": 1}


def test_a_clip_counts_by_the_emotion_of_most_frames(evaluated):
    clips = {"a": GLAD, "b": STILL}
    run = evaluated(["emotion-accuracy", "emotion-accuracy/frames"], clips, {"a": STILL, "b": STILL})
    assert run["emotion-accuracy"].value == 0.5
    assert run["emotion-accuracy/frames"].value == pytest.approx((1 / 3 + 1) / 2)


def test_names_may_say_what_is_right(evaluated):
    clips = {"M003_sad_3_001": STILL, "1001_DFA_HAP_XX": STILL, "W009-happy-sad": STILL, "a": STILL}
    run = evaluated(["emotion-accuracy:label=name"], clips, clips)["emotion-accuracy:label=name"]
    assert (run.value, run.clips, run.left_out) == (0.5, 2, {"no emotion in the name": 2})
    assert run.reference.value == 0.5


def test_a_clip_that_never_changes_has_no_concordance_with_its_copy(evaluated):
    run = evaluated(["valence-ccc", "arousal-ccc"], {"a": STILL, "b": GLAD}, {"a": STILL, "b": STILL})
    assert (run["valence-ccc"].value, run["valence-ccc"].clips) == (0.0, 1)
    assert run["valence-ccc"].frames_left_out == {"nothing changes on either side": 4}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ('{"valence": [1e400]}', "must give a number, or a list of numbers and null, for 'valence'"),
        ('{"valence": [NaN]}', "must give a number"),
        ('{"valence": [true]}', "must give a number"),
        ('{"valence": "glad"}', "must give a number"),
        ('{"valence": []}', "gives an empty list for 'valence'"),
        ('{"arousal": 1}', "says nothing of 'valence', but of 'arousal'"),
        ("[1, 2]", "is no JSON object"),
        ("{", "is no JSON object"),
        ("[" * 5000, "is no JSON object"),
    ],
)
def test_an_answer_of_another_kind_fails_the_clip(answer, said, evaluated):
    run = evaluated(["valence-rmse"], {"a": answer}, {"a": STILL})
    failure = run.clips[0].failed["valence-rmse"]
    assert (failure.reason, run["valence-rmse"].clips) == ("checkout failed", 0)
    assert said in failure.message


def test_sides_of_other_lengths_are_refused(evaluated):
    run = evaluated(["valence-rmse"], {"a": {"valence": [1, 2]}}, {"a": STILL})
    assert run["valence-rmse"].left_out == {"length differs": 1}


def test_without_a_checkout_there_is_a_sentence(evaluated):
    run = evaluated(["emotion-accuracy/eat"], {"a": STILL}, {"a": STILL})
    assert "there is no folder" in run["emotion-accuracy/eat"].unscored


def test_emotions_have_eight_names_and_a_clip_without_any_has_none():
    assert len(EMOTIONS) == 8
    assert emotions(CheckoutAnswer({"emotion": list(NAMED)}, "it")) == tuple(NAMED.values())
    with pytest.raises(InputError, match="names an emotion 'bored', which is none of neutral, happy"):
        emotions(CheckoutAnswer({"emotion": ["Bored"]}, "it"))
    assert of_most(("sad", "fear", "fear", "sad", None), "a") == "sad"
    with pytest.raises(InputError, match="no frame has an emotion"):
        of_most((None,), "a")
    assert in_name("MEAD/W011_dis_1_004") == "disgust"


def test_formulas_of_frames():
    assert squared_errors(np.array([3.0, 0.5]), np.array([0.0, -1.5])).tolist() == [1.0, 2.25]
    ours, theirs = np.array([0.0, 0.0, -1e-9, np.nan]), np.array([0.0, 1e-9, -2.0, np.nan])
    np.testing.assert_array_equal(same_signs(ours, theirs), [1, 0, 1, np.nan])
    rng = np.random.default_rng(3)
    values = rng.normal(size=50)
    assert concordance(values, values) == 1.0
    assert concordance(values, -values) == pytest.approx(-1, abs=0.2)
    assert concordance(values, values + 9) < 0.1
    assert math.isnan(concordance(np.ones(3), np.ones(3)))
    assert concordance(np.ones(3), np.zeros(3)) == 0
