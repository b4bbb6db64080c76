"""``thgeval baseline`` and ``thgeval synth`` from the command line: a set, videos, and the command that scores them."""

import json
import shlex
import shutil

import pytest
from support import odd_generators

from thgeval_baselines.sets import SETS
from thgeval_baselines.sets.clips import head, take, write_take
from thgeval_baselines.tasks.files import read_taskset

SWAYING = f"{odd_generators.__file__}:Swaying"


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """Two talking heads of one second."""
    folder = tmp_path_factory.mktemp("videos")
    for number, name in enumerate(("one", "two")):
        write_take(folder / f"{name}.mp4", take(head(seed=3, size=128), seed=number, seconds=1.0), crf=20)
    return folder


@pytest.fixture
def taskset(tmp_path, thgeval, monkeypatch, videos):
    """Two items of 25 frames, made from a folder of videos."""
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path / "home"))
    answer = thgeval("baseline", "import", "folder", videos, tmp_path / "set")
    assert answer.code == 0, answer.err
    assert "2 items, 0 left out" in answer.out
    return tmp_path / "set"


def test_a_run_ends_with_the_command_that_scores_it(taskset, tmp_path, thgeval, monkeypatch):
    monkeypatch.chdir(tmp_path)
    theirs = tmp_path / "theirs"
    shutil.copytree(taskset / "reference", theirs)
    answer = thgeval("baseline", "run", taskset, "-g", f"mine={theirs}", "-o", "runs")
    assert answer.code == 0, answer.err
    assert "runs/self-audio/mine: 2 of 2 made" in answer.out
    (line,) = [line for line in answer.out.splitlines() if line.startswith("next: ")]
    command = shlex.split(line.removeprefix("next: thgeval "))
    assert command[:2] == ["score", "--list"]
    scored = thgeval(*[{"all": "psnr"}.get(word, word) for word in command], "-f", "json")
    assert scored.code == 0, scored.err
    result = json.loads(scored.out)
    assert result["scores"]["psnr"]["value"] == "inf", "the clips are their own references"
    assert len(result["clips"]) == 2


def test_failures_are_told_and_scored_as_missing(taskset, tmp_path, thgeval):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    shutil.copy(taskset / "reference/one.mp4", theirs)
    answer = thgeval("baseline", "run", taskset, "-g", f"mine={theirs}", "-o", tmp_path / "runs")
    assert answer.code == 1
    assert "mine two: no output: " in answer.err
    assert "1 of 2 made" in answer.out
    scored = thgeval("score", "--list", tmp_path / "runs/self-audio/mine/pairs.txt", "-m", "psnr")
    assert scored.code == 1
    assert "two" in scored.err
    assert "missing" in scored.err


def test_a_generator_of_ones_own_runs_by_its_file(taskset, tmp_path, thgeval):
    arguments = ("baseline", "run", taskset, "-g", SWAYING, "-o", tmp_path / "runs", "--item", "one", "-q")
    answer = thgeval(*arguments)
    assert answer.code == 0, answer.err
    assert "runs/self-audio/my-swaying: 1 of 1 made" in answer.out
    assert (tmp_path / "runs/self-audio/my-swaying/clips/one.timing.json").exists()


def test_the_list_and_the_doctor_say_what_there_is(thgeval):
    answer = thgeval("baseline", "list")
    assert answer.code == 0, answer.err
    assert "reference generators" in answer.out
    assert thgeval("baseline", "doctor", SWAYING).out.startswith("my-swaying: ready")
    answer = thgeval("baseline", "doctor", "mine=nowhere")
    assert answer.code == 1
    assert "not ready" in answer.out
    assert "there is no folder nowhere" in answer.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-g", "ref-nobody"), "there is no generator called 'ref-nobody'"),
        (("-g", "a=b", "--setting", "self_audio"), "there is no setting called 'self_audio'"),
        (("-g", "a=b", "--item", "three"), "has no item called three"),
        (("-g", "a=b", "--split", "train"), "has no item of the split 'train'"),
        (("-g", "a=b,c=d", "--checkout", "x"), "--checkout x could be anybody's; write --checkout NAME=x"),
    ],
)
def test_a_request_that_makes_no_sense_is_one_sentence(taskset, thgeval, arguments, said):
    answer = thgeval("baseline", "run", taskset, *arguments)
    assert answer.code == 2
    assert said in answer.err


def test_a_folder_that_is_no_task_set_is_said(tmp_path, thgeval):
    answer = thgeval("baseline", "run", tmp_path, "-g", "a=b")
    assert answer.code == 2
    assert "is no task set" in answer.err


def test_a_set_is_rendered_by_name(tmp_path, thgeval):
    answer = thgeval("synth", "synth3d-v1", tmp_path / "set", "--people", 1, "--seconds", 1, "--size", 64)
    assert answer.code == 0, answer.err
    assert len(read_taskset(tmp_path / "set")) == 5
    assert "next: thgeval baseline run" in answer.out
    assert thgeval("synth", "list", "-").out.split() == list(SETS)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("synth-v9",), "there is no set called 'synth-v9'; there are "),
        (("demo", "--people", "3"), "demo takes no --people; it takes --seed, --clips"),
    ],
)
def test_a_set_that_is_none_is_said(tmp_path, thgeval, arguments, said):
    answer = thgeval("synth", arguments[0], tmp_path / "set", *arguments[1:])
    assert answer.code == 2
    assert said in answer.err
    assert not (tmp_path / "set").exists()
