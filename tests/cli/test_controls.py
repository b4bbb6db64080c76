"""``thgeval score --controls``: each score beside those of degraded copies of the references."""

import json
import tarfile

import pytest
from support.clips import moving, write_clip

from thgeval.controls import CONTROLS
from thgeval.results import Run

PLAIN = [name for name, control in CONTROLS.items() if not control.faces]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_scores_say_what_they_are_worth_and_keep_it(thgeval, folders, home):
    ask = (
        "score",
        folders.generated,
        folders.reference,
        "-m",
        "psnr",
        "f-mse",
        "-o",
        folders.generated.parent / "r.json",
    )
    answer = thgeval(*ask, "--controls", "-q")
    assert answer.code == 0, answer.err
    assert "beside copies of the references" in answer.out
    found = Run.read(folders.generated.parent / "r.json")
    assert set(PLAIN) <= found["psnr"].controls.keys() <= CONTROLS.keys()
    psnr = {name: value.value for name, value in found["psnr"].controls.items()}
    assert psnr["crf18"] > psnr["crf30"] > psnr["crf42"] > psnr["still"]
    assert psnr["noise2"] > psnr["noise10"]
    assert found["f-mse"].controls["still"].value < 1 < found["f-mse"].reference.value
    assert all(value.clips == 3 for value in found["psnr"].controls.values())
    assert thgeval("verify", folders.generated.parent / "r.json").code == 0
    for copy in list(home.glob("controls/*/*.mp4")):
        copy.chmod(0o444)
    again = thgeval(*ask, "-q")  # without asking anew: they stay in the file
    assert again.out == answer.out
    shown = thgeval("table", folders.generated.parent / "r.json", "--control", "still")
    assert "a still" in shown.out


def test_another_system_measures_no_copy_again(thgeval, folders, monkeypatch):
    ask = ("score", folders.generated, folders.reference, "-m", "psnr", "--controls", "-q", "-f", "json")
    first = json.loads(thgeval(*ask).out)
    write_clip(folders.generated / "a.mp4", moving(seed=0, noise=12.0))
    monkeypatch.setattr("thgeval.controls.copies.write_video", None)
    second = json.loads(thgeval(*ask).out)
    assert second["scores"]["psnr"]["value"] != first["scores"]["psnr"]["value"]
    assert second["scores"]["psnr"]["controls"] == first["scores"]["psnr"]["controls"]


def test_a_control_rests_on_the_clips_that_the_system_has(thgeval, folders):
    (folders.generated / "b.mp4").write_bytes(b"no video")
    answer = thgeval("score", folders.generated, folders.reference, "-m", "psnr", "--controls", "-q", "-f", "json")
    assert answer.code == 1
    score = json.loads(answer.out)["scores"]["psnr"]
    assert score["clips"] == 2
    assert {value["clips"] for value in score["controls"].values()} == {2}


def test_references_too_short_for_a_copy_are_said(thgeval, folders):
    for folder in (folders.generated, folders.reference):
        write_clip(folder / "b.mp4", moving(4))
    answer = thgeval("score", folders.generated, folders.reference, "-m", "psnr", "--controls", "-q", "-f", "json")
    assert answer.code == 0
    assert "5 frames late: no copy of 1 of 3 references: " in answer.err
    controls = json.loads(answer.out)["scores"]["psnr"]["controls"]
    assert (controls["shift5"]["clips"], controls["shift2"]["clips"]) == (2, 3)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ((), "there are none: name their folder too"),
        (("--unpaired",), "needs pairs of clips"),
    ],
)
def test_without_references_in_pairs_it_is_refused(thgeval, folders, more, sentence):
    places = (folders.generated, folders.reference) if more else (folders.generated,)
    answer = thgeval("score", *places, "-m", "fid-random" if more else "cpbd", "--controls", *more)
    assert (answer.code, answer.out) == (2, "")
    assert sentence in answer.err


def test_merging_leaves_them_out_and_says_so(thgeval, folders, tmp_path):
    for name in ("a", "b"):
        pair = (folders.generated / f"{name}.mp4", folders.reference / f"{name}.mp4")
        thgeval("score", *pair, "-m", "psnr", "--controls", "-q", "-o", tmp_path / f"{name}.json")
    answer = thgeval("merge", tmp_path / "a.json", tmp_path / "b.json", "-o", tmp_path / "both.json")
    assert answer.code == 0, answer.err
    assert "what copies of the references scored is left out" in answer.err
    assert not Run.read(tmp_path / "both.json")["psnr"].controls


def test_a_shard_is_refused_and_merged_shards_get_them_as_one_run(thgeval, folders, tmp_path):
    ask = ("score", folders.generated, folders.reference, "-m", "psnr", "-q")
    answer = thgeval(*ask, "--controls", "--shard", "1/2", "-o", tmp_path / "1.json")
    assert (answer.code, answer.out) == (2, "")
    assert "not of a shard: merge the shards, then score with --controls" in answer.err
    for number in (1, 2):
        assert thgeval(*ask, "--shard", f"{number}/2", "-o", tmp_path / f"{number}.json").code == 0
    assert thgeval("merge", tmp_path / "1.json", tmp_path / "2.json", "-o", tmp_path / "merged.json").code == 0
    assert thgeval(*ask, "--controls", "-o", tmp_path / "merged.json").code == 0
    assert thgeval(*ask, "--controls", "-o", tmp_path / "whole.json").code == 0
    merged, whole = Run.read(tmp_path / "merged.json"), Run.read(tmp_path / "whole.json")
    assert merged.record["measured"] == {"recalled": 3}
    assert merged["psnr"].controls == whole["psnr"].controls != {}
    assert merged.canonical == whole.canonical


def test_tars_are_refused(thgeval, folders, tmp_path):
    with tarfile.open(tmp_path / "0.tar", "w") as archive:
        for side in ("generated", "reference"):
            archive.add(getattr(folders, side) / "a.mp4", f"a.{side}.mp4")
    answer = thgeval("score", tmp_path / "0.tar", "-m", "psnr", "--controls")
    assert (answer.code, answer.out) == (2, "")
    assert "and tars once at all: unpack them" in answer.err
