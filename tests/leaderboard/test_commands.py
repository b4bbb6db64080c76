"""``thgeval leaderboard``: a run becomes an entry, the folder is checked, history grows."""

import json

import pytest
from PIL import Image
from support.boards import made_run

from thgeval.cli.main import code
from thgeval_leaderboard.entry import read

RUN = {"psnr": [30.0, 31.0, 33.0], "ssim": [0.8, 0.9, 0.85]}
METHOD = ["--method", "Wav2Lip", "--paradigm", "audio", "--dataset", "synth-v1@1", "--code", "https://example.org/x"]


@pytest.fixture
def result(tmp_path):
    path = tmp_path / "run.json"
    made_run(RUN).write(path)
    return path


def test_a_run_becomes_an_entry_that_passes_its_check(result, tmp_path, capsys):
    folder = tmp_path / "entries"
    assert code(["leaderboard", "add", str(result), str(folder), *METHOD, "--date", "2026-11-28"]) == 0
    path = folder / "wav2lip.synth-v1-1.self-audio.json"
    assert capsys.readouterr().out.strip() == str(path)
    assert code(["leaderboard", "check", str(folder)]) == 0
    assert "1 entry stands, 0 refused" in capsys.readouterr().out
    assert code(["leaderboard", "add", str(result), str(folder), *METHOD]) == 2
    assert "has an entry wav2lip.synth-v1-1.self-audio" in capsys.readouterr().err


def test_what_may_not_stand_is_not_written(result, tmp_path, capsys):
    link = ["--paper", "javascript:alert(1)"]
    assert code(["leaderboard", "add", str(result), str(tmp_path / "e"), *METHOD, *link]) == 1
    assert "method.paper: 'javascript:alert(1)' is no address" in capsys.readouterr().err
    assert not (tmp_path / "e").exists()


def test_the_clips_of_another_entry_are_not_written(result, tmp_path, capsys):
    code(["leaderboard", "add", str(result), str(tmp_path / "e"), *METHOD])
    renamed = ["Copy" if each == "Wav2Lip" else each for each in METHOD]
    assert code(["leaderboard", "add", str(result), str(tmp_path / "e"), *renamed]) == 1
    assert "run.clips: the very clips of wav2lip.synth-v1-1.self-audio" in capsys.readouterr().err
    assert len(list((tmp_path / "e").iterdir())) == 1


def test_a_data_set_without_a_version_is_told_what_it_must_be(result, tmp_path, capsys):
    unversioned = ["synth" if each == "synth-v1@1" else each for each in METHOD]
    assert code(["leaderboard", "add", str(result), str(tmp_path / "e"), *unversioned]) == 2
    assert capsys.readouterr().err.endswith(": NAME@VERSION\n")


def test_an_edited_digit_fails_the_check(result, tmp_path, capsys):
    code(["leaderboard", "add", str(result), str(tmp_path / "e"), *METHOD])
    path = next((tmp_path / "e").iterdir())
    path.write_text(path.read_text().replace('"value":31.333', '"value":31.433'))
    assert code(["leaderboard", "check", str(tmp_path / "e")]) == 1
    assert "psnr is 31.433333333333334, and 31.333333333333332 by its values per clip" in capsys.readouterr().err


def test_history_grows_by_marks(result, tmp_path):
    folder = tmp_path / "e"
    code(["leaderboard", "add", str(result), str(folder), *METHOD, "--date", "2026-11-28"])
    path = next(folder.iterdir())
    assert code(["leaderboard", "mark", str(path), "verified", "--why", "by the keepers", "--date", "2026-11-29"]) == 0
    assert code(["leaderboard", "mark", str(path), "withdrawn", "--why", "a wrong crop", "--date", "2026-11-30"]) == 0
    entry = read(path)
    assert (entry.verified, entry.withdrawn, len(entry.history)) == ("rerun", "a wrong crop", 3)
    assert code(["leaderboard", "mark", str(path), "corrected", "--why", "x"]) == 2


def test_what_was_taken_back_is_named(result, tmp_path, capsys):
    old, new = tmp_path / "old", tmp_path / "new"
    code(["leaderboard", "add", str(result), str(old), *METHOD])
    new.mkdir()
    assert code(["leaderboard", "check", str(new), "--against", str(old)]) == 1
    assert "taken away" in capsys.readouterr().err


def test_the_schema_is_strict_about_every_object():
    from importlib.resources import files

    schema = json.loads(files("thgeval_leaderboard").joinpath("entry.schema.json").read_text())
    objects = [schema, *schema["properties"].values(), schema["properties"]["history"]["items"]]
    assert all(item.get("additionalProperties") is False for item in objects if item.get("type") == "object")


def test_media_are_shown_and_folders_of_nobody_are_named(result, tmp_path, capsys):
    folder, media = tmp_path / "entries", tmp_path / "media"
    code(["leaderboard", "add", str(result), str(folder), *METHOD])
    (id,) = (path.stem for path in folder.iterdir())
    for name in (id, "nobody"):
        (media / name).mkdir(parents=True)
    Image.new("RGB", (30, 20)).save(media / id / "clip0.png")
    assert code(["leaderboard", "build", str(folder), str(tmp_path / "site"), "--media", str(media)]) == 0
    assert capsys.readouterr().err.endswith(f"no entry that stands is called as these folders of {media}: nobody\n")
    assert [path.name for path in (tmp_path / "site/media" / id).iterdir()] == ["1.webp"]


def test_what_holds_of_many_entries_is_said_once():
    from thgeval_leaderboard.check import Finding, remarks

    findings = [
        Finding("a.json", "run.scores.fid", "from states", refused=False),
        Finding("a.json", "run.scores.kid", "from states", refused=False),
        Finding("b.json", "run.scores.fid", "from states", refused=False),
        Finding("b.json", "run.scores.psnr", "is edited"),
        Finding("b.json", "", "alone", refused=False),
    ]
    assert remarks(findings) == {"from states": "fid, kid of 2 entries", "alone": "b.json"}
