"""Q-Align, VBench and DeSync: what is made of what checkouts say; the checkouts are fakes that read files."""

import json

import pytest
from support.fake_judge import checkout, judged

import thgeval
from thgeval import Options

DIMENSIONS = ("subject_consistency", "background_consistency", "motion_smoothness", "dynamic_degree")
QUALITIES = ("aesthetic_quality", "imaging_quality")
AS_VBENCH = """
import datetime, pathlib, sys
clip, out, name = map(pathlib.Path, sys.argv[1:])
out.mkdir()
(out / "results_now_full_info.json").write_text("[]")
(out / "results_now_eval_results.json").write_bytes(clip.with_suffix(".vbench.json").read_bytes())
"""


@pytest.fixture
def evaluated(tmp_path, monkeypatch):
    """Score what a checkout says of generated clips."""
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path / "home"))

    def of(name, requests, answers, **recipe):
        checkout(tmp_path / "home", name, **recipe)
        return thgeval.evaluate(judged(tmp_path / "g", name, answers), metrics=requests, options=Options(workers=1))

    return of


def test_ratings_of_either_scale_are_the_same(evaluated):
    answers = {
        "a": {"scale": [0, 1], "quality": 0.76, "aesthetics": [0.0, 1.0, None, 0.5]},
        "b": {"scale": [1, 5], "quality": 4.04, "aesthetics": [1, 5, None, 3]},
    }
    run = evaluated("q-align", ["q-align-iqa", "ase"], answers)
    assert run["q-align-iqa"].value == pytest.approx(4.04)
    assert run["q-align-ase"].value == pytest.approx(3.0)
    assert run["q-align-ase"].frames_left_out == {"no rating": 2}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"quality": 0.5}, "says nothing of 'scale'"),
        ({"quality": 0.5, "scale": [1, 0]}, "must give the ends of its 'scale'"),
        ({"quality": 0.5, "scale": 1}, "must give the ends of its 'scale'"),
        ({"quality": 3.5, "scale": [0, 1]}, "gives numbers for 'quality' that are not within 0 and 1"),
    ],
)
def test_a_rating_without_its_scale_fails_the_clip(answer, said, evaluated):
    failure = evaluated("q-align", ["q-align-iqa"], {"a": answer}).clips[0].failed["q-align-iqa"]
    assert failure.reason == "checkout failed"
    assert said in failure.message


def test_quality_as_theval_rates_it_is_the_mean_of_the_frames_that_are_rated(evaluated):
    answers = {
        "a": {"global_aesthetic": 4.5, "mouth_quality": [20.0, None, 30.0], "face_quality": [0.4, 0.5]},
        "b": {"global_aesthetic": 5.5, "mouth_quality": 15.0, "face_quality": 0.55},
    }
    names = [f"{what}-theval" for what in ("global-aesthetics", "mouth-quality", "face-quality")]
    run = evaluated("theval", names, answers)
    assert [run[name].value for name in names] == pytest.approx([5.0, 20.0, 0.5])
    assert run["mouth-quality-theval"].frames_left_out == {"no rating": 1}
    assert run["global-aesthetics-theval"].note.endswith("4.6842 of its real videos: 0.9326")
    unrated = evaluated("theval", names[1:2], {clip: {"mouth_quality": [None, None]} for clip in "ab"})
    assert unrated[names[1]].value is None


def test_results_of_vbench_are_read_as_they_are(evaluated):
    of_one = {
        dimension: [0.1 * at, [{"video_path": "a.mp4", "video_results": 100.0}]]
        for at, dimension in enumerate((*DIMENSIONS, *QUALITIES))
    }
    requests = [f"{dimension.replace('_', '-')}-vbench" for dimension in of_one]
    run = evaluated("vbench", requests, {"a": of_one}, script=AS_VBENCH, more="file = '*_eval_results.json'")
    assert [run[request].value for request in requests] == [pytest.approx(0.1 * at) for at in range(6)]


def test_plain_numbers_of_a_dimension_will_do(evaluated):
    run = evaluated("vbench", ["dynamic-degree-vbench"], {"a": {"dynamic_degree": 1}, "b": {"dynamic_degree": 0}})
    assert run["dynamic-degree-vbench"].value == 0.5


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([0.5, [{}, {}]], "has 2 videos under 'motion_smoothness' instead of one"),
        (None, "gives no number"),
        ([0.5, 0.6], "must give a number"),
        (["x", [{}]], "must give a number"),
        (70.0, "not within 0 and 1"),
    ],
)
def test_another_file_than_vbench_writes_fails_the_clip(value, said, evaluated):
    run = evaluated("vbench", ["motion-smoothness-vbench"], {"a": {"motion_smoothness": value}})
    assert said in run.clips[0].failed["motion-smoothness-vbench"].message


def test_offsets_count_by_their_size(evaluated):
    answers = {"a": {"offset_s": [-0.4, 0.2]}, "b": {"offset_s": [0.0, 2.0, None]}}
    run = evaluated("synchformer", ["desync"], answers)
    assert run["desync"].value == pytest.approx((0.3 + 1.0) / 2)
    assert run["desync"].frames_left_out == {"no offset": 1}


def test_one_run_of_a_checkout_serves_all_its_metrics(evaluated, tmp_path):
    counting = AS_VBENCH + f"open({json.dumps(str(tmp_path / 'runs'))}, 'a').write('x')\n"
    said = {"motion_smoothness": 0.9, "dynamic_degree": 1}
    requests = ["motion-smoothness-vbench", "dynamic-degree-vbench"]
    evaluated("vbench", requests, {"a": said}, script=counting, more="file = '*_eval_results.json'")
    assert (tmp_path / "runs").read_text() == "x"


def test_a_checkout_that_hangs_is_ended(evaluated):
    run = evaluated("synchformer", ["desync"], {"a": {}}, script="while True: pass\n", more="timeout_s = 0.3")
    assert run["desync"].left_out == {"checkout timed out": 1}
