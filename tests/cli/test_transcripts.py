"""``thgeval score`` with transcripts found in names of clips, and with words shown one above the other."""

import json
import sys

import pytest

from thgeval.requirements import programs

REQUEST = "wer:reader=checkout,model=fake"


@pytest.fixture
def reader(tmp_path, monkeypatch):
    """A reader that reads ``two a`` in every clip."""
    pytest.importorskip("jiwer")
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path / "home"))
    place = programs.folder("fake")
    place.mkdir(parents=True)
    (place / "read.py").write_text("import sys; open(sys.argv[2], 'w').write('{\"text\": \"two a\"}')")
    command = [sys.executable, "read.py", "{clip}", "{out}"]
    (place / programs.RECIPE).write_text(f"command = {json.dumps(command)}")


@pytest.fixture
def rule(tmp_path):
    path = tmp_path / "rule.toml"
    path.write_text("annotation_regex = '^([ab])$'\nannotation_map = {a = 'two a', b = 'one b'}")
    return path


def test_words_from_names_with_the_alignment_and_the_reference_beside(thgeval, folders, reader, rule):
    (folders.generated / "c.txt").write_text("Two, A!")
    answer = thgeval(
        "score", folders.generated, folders.reference, "-m", REQUEST, "--transcripts", rule, "--details", "-f", "json"
    )
    assert answer.code == 0, answer.err
    (score,) = json.loads(answer.out)["scores"].values()
    assert score["value"] == pytest.approx(2 / 6)
    assert score["reference"]["value"] == pytest.approx(2 / 6)
    assert "b, wer:reader=checkout,model=fake:\nREF: one b\nHYP: two a" in answer.err


def test_a_clip_without_words_fails_alone(thgeval, folders, reader, rule):
    answer = thgeval("score", folders.generated, folders.reference, "-m", REQUEST, "--transcripts", rule)
    assert answer.code == 1
    assert "c has no transcript (a CLIP.txt or CLIP.align beside it, or --transcripts)" in answer.err


def test_a_rule_that_is_not_there(thgeval, folders, tmp_path):
    answer = thgeval("score", folders.generated, "-m", "wer", "--transcripts", tmp_path / "none.yaml")
    assert answer.code == 2
    assert "the rule" in answer.err


def test_a_checkout_that_is_not_there_is_named(thgeval, folders, tmp_path, monkeypatch):
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path / "nothing"))
    answer = thgeval("score", folders.generated, folders.reference, "-m", "wer/auto-avsr")
    assert answer.code == 3
    assert "there is no folder" in answer.out + answer.err
