"""Running again: what was measured is taken up and added to, never lost; and a result can be verified."""

import json
import shutil

import pytest
from support.clips import moving, write_clip

import thgeval as library
from thgeval.engine import job


@pytest.fixture
def measured(monkeypatch):
    """Ids of the clips that are measured."""
    seen, real = [], job.measured
    monkeypatch.setattr(job, "measured", lambda pair, *rest: seen.append(pair.id) or real(pair, *rest))
    return seen


@pytest.fixture
def run(thgeval, folders, tmp_path):
    def scored(*options):
        return thgeval("score", folders.generated, folders.reference, "-o", tmp_path / "run.json", *options)

    return scored


def result(tmp_path):
    return library.Run.read(tmp_path / "run.json")


def test_a_finished_run_measures_nothing_and_says_the_same(run, measured, tmp_path):
    assert run("-m", "psnr", "f-mse").code == 0
    before = result(tmp_path).canonical
    states = {path: path.stat().st_mtime_ns for path in tmp_path.glob("run.states/*.npz")}
    assert run("-m", "psnr", "f-mse").code == 0
    assert sorted(measured) == ["a", "b", "c"]
    assert result(tmp_path).canonical == before
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("run.states/*.npz")} == states
    assert result(tmp_path).record["measured"] == {"recalled": 3}


def test_other_metrics_are_added_to_those_that_are_there(run, measured, tmp_path):
    run("-m", "psnr", "f-mse")
    first = result(tmp_path)
    answer = run("-m", "ssim")
    assert "f-mse" in answer.out
    added = result(tmp_path)
    assert list(added.scores) == ["ssim", "psnr", "f-mse"]
    assert (added["psnr"], added["f-mse"]) == (first["psnr"], first["f-mse"])
    run("-m", "psnr", "f-mse", "ssim")
    assert len(measured) == 6


def test_what_fails_for_a_reason_of_its_own_is_carried_too(run, folders, tmp_path):
    write_clip(folders.generated / "b.mp4", moving(frames=8, seed=1, noise=6))
    assert run("-m", "psnr").code == 1
    first = result(tmp_path)
    assert run("-m", "l1").code == 1
    assert result(tmp_path)["psnr"] == first["psnr"]


@pytest.mark.parametrize("side", ["generated", "reference"])
def test_a_clip_that_changes_while_it_is_measured_fails_and_its_states_are_not_kept(
    run, folders, tmp_path, monkeypatch, side
):
    real = job.measured

    def changing(pair, *rest):
        if pair.id == "a":
            write_clip(getattr(folders, side) / "a.mp4", moving(seed=0, noise=20))
        elif pair.id == "b":
            (folders.generated / "b.mp4").touch()  # the same content is no change
        return real(pair, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(job, "measured", changing)
        assert run("-m", "psnr", "-q").code == 1
    (failed,) = result(tmp_path).failures
    assert (failed.id, failed.failure.reason) == ("a", "changed")
    assert failed.failure.message == "a: a file of it was changed while it was measured; run again"
    assert run("-m", "psnr", "-q").code == 0
    assert result(tmp_path).record["measured"] == {"measured": 1, "recalled": 2}
    again = tmp_path / "again.json"
    library.evaluate(folders.generated, folders.reference, metrics=["psnr"], options=library.Options(out=again))
    assert library.Run.read(again).canonical == result(tmp_path).canonical


def test_a_changed_clip_drops_what_was_not_asked_for_and_says_so(run, folders, tmp_path):
    run("-m", "psnr", "f-mse")
    write_clip(folders.generated / "a.mp4", moving(seed=0, noise=20))
    answer = run("-m", "psnr")
    assert "as not all clips have states of them" in answer.err
    assert "states of them: f-mse" in answer.err
    assert list(result(tmp_path).scores) == ["psnr"]


def test_what_fails_by_its_content_is_not_measured_again(run, folders, measured, tmp_path):
    """A metric that fails on every clip, and a clip that fails whole, made a finished run cost what a new one does."""
    write_clip(folders.generated / "b.mp4", moving(frames=8, seed=1, noise=6))
    assert run("-m", "psnr", "ms-ssim").code == 1
    first = result(tmp_path)
    assert first["ms-ssim"].left_out == {"too small": 2, "length differs": 1}
    answer = run("-m", "psnr", "ms-ssim")
    assert answer.code == 1
    assert "b: b has 8 generated frames" in answer.err
    assert sorted(measured) == ["a", "b", "c"]
    assert result(tmp_path).canonical == first.canonical


def test_a_failure_is_measured_again_where_it_might_be_said_otherwise(
    run, folders, measured, monkeypatch, tmp_path, thgeval
):
    monkeypatch.setenv("THGEVAL_LIMITS", "frames=9")
    assert run("-m", "psnr").code == 1
    monkeypatch.delenv("THGEVAL_LIMITS")
    assert run("-m", "psnr").code == 0
    assert sorted(measured) == ["a", "a", "b", "b", "c", "c"]
    write_clip(folders.generated / "b.mp4", moving(frames=8, seed=1, noise=6))
    assert run("-m", "psnr").code == 1
    assert len(measured) == 7
    folders.generated.rename(tmp_path / "moved")  # the sentences name files
    assert thgeval("score", tmp_path / "moved", folders.reference, "-m", "psnr", "-o", tmp_path / "run.json").code == 1
    assert measured[7:] == ["b"]


def test_what_failed_inside_is_measured_again(run, measured, monkeypatch):
    from thgeval.metrics.pixels.psnr import PSNR

    def broken(self, view):
        raise KeyError("nobody foresaw this")

    with monkeypatch.context() as patch:
        patch.setattr(PSNR, "measure", broken)
        assert run("-m", "psnr", "-m", "l1").code == 3
    assert run("-m", "psnr", "-m", "l1").code == 0
    assert len(measured) == 6


def test_fewer_clips_lose_no_states(run, measured, tmp_path):
    run("-m", "psnr", "f-mse")
    run("-m", "psnr", "--limit", "1")
    assert "!limit" in result(tmp_path)["psnr"].signature
    run("-m", "psnr", "f-mse")
    assert sorted(measured) == ["a", "b", "c"]
    assert result(tmp_path)["f-mse"].clips == 3


def test_fresh_measures_anew_and_replaces(run, measured, tmp_path):
    run("-m", "psnr", "f-mse")
    run("-m", "psnr", "--fresh")
    assert len(measured) == 6
    assert list(result(tmp_path).scores) == ["psnr"]


def test_another_protocol_is_refused_not_replaced(run, tmp_path):
    run("-m", "psnr")
    before = (tmp_path / "run.json").read_bytes()
    answer = run("-m", "psnr", "--size", "32")
    assert answer.code == 2
    assert "give another name, or --fresh" in answer.err
    assert (tmp_path / "run.json").read_bytes() == before
    assert run("-m", "psnr", "--size", "32", "--fresh").code == 0
    (tmp_path / "run.json").unlink()
    assert run("-m", "psnr").code == 2  # its states are still of the other


def test_a_file_that_is_no_result_is_not_replaced(run, tmp_path):
    (tmp_path / "run.json").write_text("my thesis")
    answer = run("-m", "psnr")
    assert answer.code == 2
    assert "run.json is not a thgeval result file" in answer.err
    assert (tmp_path / "run.json").read_text() == "my thesis"


def test_shards_merge_to_the_same_canonical_bytes(thgeval, folders, run, tmp_path):
    run("-m", "psnr", "f-mse")
    for name in "abc":
        for side in ("generated", "reference"):
            place = tmp_path / name / side
            place.mkdir(parents=True)
            shutil.copy(getattr(folders, side) / f"{name}.mp4", place)
        out = tmp_path / f"{name}.json"
        thgeval("score", tmp_path / name / "generated", tmp_path / name / "reference", "-m", "psnr", "f-mse", "-o", out)
    thgeval("merge", *(tmp_path / f"{name}.json" for name in "abc"), "-o", tmp_path / "merged.json")
    assert library.Run.read(tmp_path / "merged.json").canonical == result(tmp_path).canonical


def test_workers_make_the_same_canonical_bytes(run, tmp_path):
    run("-m", "psnr", "f-mse", "--workers", "1")
    one = result(tmp_path).canonical
    run("-m", "psnr", "f-mse", "--workers", "4", "--fresh")
    assert result(tmp_path).canonical == one


def test_a_result_is_as_it_says(thgeval, folders, run, tmp_path):
    run("-m", "psnr", "f-mse")
    answer = thgeval("verify", tmp_path / "run.json", folders.generated, folders.reference)
    assert (answer.code, answer.err) == (0, "")
    assert "2 of 2 scores from their values per clip" in answer.out
    assert "everything from the states of 3 clips; the content of the clips" in answer.out


def edited(tmp_path, change):
    held = json.loads((tmp_path / "run.json").read_text())
    change(held)
    (tmp_path / "run.json").write_text(json.dumps(held))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda held: held["scores"]["psnr"].update(value=99.0), "psnr is 99.0, and 3"),
        (lambda held: held["scores"]["psnr"].update(interval=[1.0, 2.0]), "scores.psnr.interval.0 is 1.0"),
        (lambda held: held["scores"]["psnr"].update(clips=40), "scores.psnr.clips is 40, and 3"),
        (lambda held: held["clips"][0]["scores"].update(psnr=50.0), "clips.a.scores.psnr is 50.0"),
        (lambda held: held["clips"][0].update(states="0" * 64), "are not those that were scored"),
        (lambda held: held["clips"][0]["content"].update(generated="0" * 64), "the content of a was another"),
        (lambda held: held["clips"].pop(), "scores.psnr.clips is 3, and 2"),
    ],
)
def test_what_was_edited_is_named(thgeval, run, tmp_path, change, said):
    run("-m", "psnr", "f-mse")
    edited(tmp_path, change)
    answer = thgeval("verify", tmp_path / "run.json")
    assert answer.code == 1
    assert said in answer.err


def test_other_clips_are_named(thgeval, folders, run, tmp_path):
    run("-m", "psnr")
    write_clip(folders.generated / "b.mp4", moving(seed=9))
    (folders.reference / "c.mp4").unlink()
    write_clip(folders.generated / "z.mp4", moving(seed=9))
    answer = thgeval("verify", tmp_path / "run.json", folders.generated, folders.reference)
    assert answer.code == 1
    assert "b: the generated clip is another than the one that was scored" in answer.err
    assert "z is there and not in the result" in answer.err
    assert "c: the reference clip" in answer.err


@pytest.mark.parametrize("option", ["--pred-suffix", "--match", "--recursive"])
def test_clips_that_paired_by_other_rules_are_those_that_were_scored(thgeval, folders, run, tmp_path, option):
    places = {"--pred-suffix": "{}_p.mp4", "--match": "{}_p.mp4", "--recursive": "in/{}.mp4"}
    for path in list(folders.generated.glob("*.mp4")):
        new = folders.generated / places[option].format(path.stem)
        new.parent.mkdir(exist_ok=True)
        path.rename(new)
    (folders.generated / "in").mkdir(exist_ok=True)
    given = {"--pred-suffix": ["_p"], "--match": ["^([abc])"], "--recursive": []}[option]
    if option == "--recursive":
        shutil.copytree(folders.reference, folders.reference / "in")
        for path in folders.reference.glob("*.mp4"):
            path.unlink()
    assert run("-m", "psnr", option, *given).code == 0
    answer = thgeval("verify", tmp_path / "run.json", folders.generated, folders.reference)
    assert (answer.code, answer.err) == (0, "")
    write_clip(next(folders.generated.rglob("*.mp4")), moving(seed=9))
    answer = thgeval("verify", tmp_path / "run.json", folders.generated, folders.reference)
    assert answer.code == 1
    assert "the generated clip is another than the one that was scored" in answer.err


def test_edited_states_are_not_resumed_from(thgeval, run, measured, tmp_path):
    from dataclasses import replace

    from thgeval.states.checkpoint import load, save

    run("-m", "psnr")
    honest = result(tmp_path)["psnr"]
    (path,) = tmp_path.glob("run.states/a-*.npz")
    held = load(path)
    state = held.kept["psnr"].state
    better = type(state).of("a", state.record("a").array / 100)
    save(path, replace(held, kept={"psnr": replace(held.kept["psnr"], state=better)}))
    for command in (("merge", tmp_path / "run.json", "-o", tmp_path / "m.json"), ("verify", tmp_path / "run.json")):
        answer = thgeval(*command)
        assert answer.code in (1, 2)
        assert "are not those that were scored" in answer.err
    answer = run("-m", "psnr")
    assert sorted(measured) == ["a", "a", "b", "c"]
    assert result(tmp_path)["psnr"] == honest
