"""The reference's own value stands beside a score over the same clips, or says on how many of them it rests."""

import csv
import io
import json
from pathlib import Path

import jsonschema
import pytest
from support.clips import moving, write_clip

import thgeval as package
from thgeval import registry
from thgeval.engine.scoring import Contribution, Setting, scored_run
from thgeval.protocol import Protocol
from thgeval.results import ClipResult, Run
from thgeval.states import ClipMean
from thgeval.statistics import Resampling

SYNC = ("sync-conf", "lse-d", "av-offset", "sync-lm-conf", "sync-lm-dist", "sync-lm-offset", "sync-envelope")


@pytest.fixture
def unlike(folders):
    """Of two pairs one differs in size and rate, the other is identical."""
    for folder in (folders.generated, folders.reference):
        for name in "abc":
            (folder / f"{name}.mp4").unlink()
        write_clip(folder / "a.mp4", moving(seed=1))
    write_clip(folders.generated / "b.mp4", moving(seed=2, size=96, frames=20), fps=50)
    write_clip(folders.reference / "b.mp4", moving(seed=3, noise=9))
    return folders


def test_the_references_value_is_of_clips_that_are_in_the_score_or_says_of_how_many(thgeval, unlike, tmp_path):
    """f-mse of the only clip that both sides have stood beside a mean of two clips, without a word."""
    out = tmp_path / "run.json"
    answer = thgeval("score", unlike.generated, unlike.reference, "-m", "video-fps", "f-mse", "-o", out)
    run = Run.read(out)
    for key in ("video-fps", "f-mse"):
        assert (run[key].clips, run[key].reference.clips, run[key].reference_share) == (2, 1, "1/2")
        alone = next(clip for clip in run.clips if clip.id == "a").scores[key]
        assert run[key].reference.value == pytest.approx(alone)
    assert run["video-fps"].value == 37.5
    assert "25.0000  2/2 [1]" in answer.out
    assert "[1] the reference's value is of 1/2 clips" in answer.out
    assert thgeval("report", out).code == 0
    assert "of 1/2 clips" in out.with_suffix(".html").read_text()


@pytest.mark.parametrize("form", ["table", "markdown", "latex", "csv"])
def test_every_form_says_it(thgeval, unlike, form):
    answer = thgeval("score", unlike.generated, unlike.reference, "-m", "f-mse", "-f", form)
    if form == "csv":
        (row,) = csv.DictReader(io.StringIO(answer.out))
        assert (row["clips"], row["reference clips"]) == ("2", "1")
    else:
        assert (" (1/2 clips)" if form == "markdown" else "of 1/2 clips") in answer.out


def test_a_folder_against_itself_is_its_own_reference(thgeval, unlike):
    answer = thgeval(
        "score", unlike.generated, unlike.generated, "-m", "video-fps", "f-mse", "--protocol", "thg256", "-f", "json"
    )
    for score in json.loads(answer.out)["scores"].values():
        if score["reference"]["clips"] == score["clips"]:
            assert score["value"] == score["reference"]["value"]


def test_a_reference_whose_generated_clip_has_no_value_is_not_in_the_mean():
    """One good clip and a test card: the score rested on one clip, its reference on two."""
    own = {clip: ClipMean.of(clip, [value]) for clip, value in (("a", 0.9), ("b", 0.1))}
    ours = {"a": ClipMean.of("a", [0.9]), "b": ClipMean.of("b", [0.5], left_out={"no face": [0]})}
    seen = [Contribution(ClipResult(clip), {"f-mse": ours[clip]}, {"f-mse": own[clip]}) for clip in "ab"]
    run = scored_run(registry.metrics(["f-mse"]), {}, seen, Setting(Protocol(), Resampling(), 2, {}, {}), {}, {})
    score = run["f-mse"]
    assert (score.clips, score.reference.clips, score.value, score.reference.value) == (1, 1, 0.9, 0.9)
    assert score.reference_share == ""
    assert run.clips[1].reference_contributions == {"f-mse": [0.1, 1.0]}


def test_results_hold_the_references_values_clip_by_clip(thgeval, folders, tmp_path):
    answer = thgeval("score", folders.generated, folders.reference, "-m", "f-mse", "psnr", "-f", "json")
    data = json.loads(answer.out)
    jsonschema.validate(data, json.loads((Path(package.__file__).parent / "result.schema.json").read_text()))
    own = [clip["reference_contributions"] for clip in data["clips"]]
    assert all(list(item) == ["f-mse"] for item in own)
    mean = sum(item["f-mse"][0] for item in own) / 3
    assert data["scores"]["f-mse"]["reference"]["value"] == pytest.approx(mean)


def test_results_of_earlier_versions_are_read(thgeval, folders, tmp_path):
    out = tmp_path / "run.json"
    assert thgeval("score", folders.generated, folders.reference, "-m", "f-mse", "-o", out).code == 0
    data = json.loads(out.read_text())
    for score in data["scores"].values():
        del score["groups"], score["interval_note"]
    for clip in data["clips"]:
        del clip["reference_contributions"]
    jsonschema.validate(data, json.loads((Path(package.__file__).parent / "result.schema.json").read_text()))
    out.write_text(json.dumps(data))
    assert Run.read(out)["f-mse"].interval_note is None
    assert thgeval("compare", out, out).code == 0


@pytest.mark.parametrize("name", SYNC)
def test_every_metric_of_lip_sync_measures_the_reference_too(name):
    """Their page says that each is only worth reading beside the reference's own number; the column was empty."""
    from thgeval.engine.plan import measures_reference

    assert measures_reference(registry.metric(name).metric)


def test_intervals_say_how_they_were_made(thgeval, folders):
    """Signatures named 1000 bootstrap draws and a seed whatever the interval."""
    answer = thgeval("score", folders.generated, folders.reference, "-m", "psnr", "video-fps", "--signatures")
    signed = {line.partition("@")[0]: line for line in answer.out.splitlines() if "||" in line}
    assert "|ci:t" in signed["psnr"]
    assert "|ci:" not in signed["video-fps"]
    assert not any("|bs:" in line for line in signed.values())
    assert "no interval: all 3 clips have the same value (video-fps)" in answer.out
    assert "the interval rests on 3 clips, and is right only if clips scatter normally" in answer.out
