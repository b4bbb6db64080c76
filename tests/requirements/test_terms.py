"""Whoever scores with a file whose terms exclude commercial use is told so, once."""

import json

import pytest
from requirements.sites import content, entry_text, sha256
from support.clips import moving, write_clip

import thgeval
from thgeval import licences
from thgeval.feature import Feature
from thgeval.licences import reminders
from thgeval.registry import Named
from thgeval.requirements import Weights, weights
from thgeval.requirements.weights import Policy

SENTENCE = "{} dlib-68, whose terms exclude commercial use; --commercial-safe leaves such metrics unscored"


@pytest.fixture
def clips(tmp_path):
    for side, seed in (("gen", 1), ("ref", 2)):
        (tmp_path / side).mkdir()
        write_clip(tmp_path / side / "a.mp4", moving(6, seed=seed))
    return tmp_path / "gen", tmp_path / "ref"


def score(thgeval, clips, *more):
    return thgeval("score", *clips, "--allow-missing", *more).err


def test_it_is_said_at_the_first_use_and_not_again(thgeval, clips, home):
    pytest.importorskip("dlib")
    if weights.located(weights.entry("dlib-68")) is None:
        pytest.skip("needs face_recognition_models")
    said = SENTENCE.format("lmd, blinks-per-s read")
    assert score(thgeval, clips, "-m", "psnr").count("commercial") == 0
    assert score(thgeval, clips, "-m", "lmd,psnr,blinks-per-s", "--commercial-safe").count(said) == 0
    assert score(thgeval, clips, "-m", "lmd,psnr,blinks-per-s", "-q").splitlines().count(f"thgeval: {said}") == 1
    assert "exclude commercial" not in score(thgeval, clips, "-m", "lmd")
    (home / "told" / "dlib-68").unlink()
    assert SENTENCE.format("lmd reads") in score(thgeval, clips, "-m", "lmd")
    assert "exclude commercial" not in score(thgeval, clips, "-m", "lmd")


def test_a_result_names_the_licence_of_every_file_it_read(thgeval, clips, tmp_path):
    pytest.importorskip("dlib")
    if weights.located(weights.entry("dlib-68")) is None:
        pytest.skip("needs face_recognition_models")
    thgeval("score", *clips, "--allow-missing", "-m", "lmd,psnr", "-o", tmp_path / "run.json")
    told = json.loads((tmp_path / "run.json").read_text())["run"]["weights"]
    assert told == {"dlib-68": weights.entry("dlib-68").weight_licence}
    thgeval("score", *clips, "-m", "psnr", "-o", tmp_path / "pixels.json")
    assert json.loads((tmp_path / "pixels.json").read_text())["run"]["weights"] == {}


class Stub:
    def __init__(self, *names):
        self.feature = Feature("embedding", version=1, requires=tuple(map(Weights, names)))


def told(monkeypatch, *stubs):
    monkeypatch.setattr("thgeval.signature.closure", lambda stub: [stub.feature])
    return reminders([Named(f"m{i}", stub) for i, stub in enumerate(stubs)])


@pytest.mark.parametrize(("use", "count"), [("no", 1), ("unclear", 0), ("yes", 0)])
def test_terms_that_exclude_commercial_use_are_those(use, count, manifest, monkeypatch):
    manifest(entry_text("net", origin="https://x.org/n", sha256=sha256(content(9)), commercial_use=use))
    assert len(told(monkeypatch, Stub("net"), Stub("net"))) == count


def test_each_file_is_told_of_once(manifest, monkeypatch):
    known = {"origin": "https://x.org/n", "sha256": sha256(content(9)), "commercial_use": "no"}
    manifest(entry_text("one", **known), entry_text("two", **known))
    ends = "whose terms exclude commercial use; --commercial-safe leaves such metrics unscored"
    assert told(monkeypatch, Stub("one"), Stub("one")) == [f"m0, m1 read one, {ends}"]
    assert told(monkeypatch, Stub("one", "two")) == [f"m0 reads two, {ends}"]
    assert told(monkeypatch, Stub("one", "two")) == []


def test_of_many_metrics_the_first_are_named(manifest, monkeypatch):
    manifest(entry_text("one", origin="https://x.org/n", sha256=sha256(content(9)), commercial_use="no"))
    (said,) = told(monkeypatch, *[Stub("one")] * 6)
    assert said.startswith("m0, m1, m2, m3 and 2 more read one, ")


def test_python_is_told_once_in_a_process_on_the_log(monkeypatch, caplog):
    pytest.importorskip("dlib")
    if weights.located(weights.entry("dlib-68")) is None:
        pytest.skip("needs face_recognition_models")
    monkeypatch.setattr(licences, "_said", set())
    frames = moving(2, 64)
    thgeval.score(frames, frames, metrics=["psnr"])
    commercial = thgeval.Options(weights=Policy(commercial=True))
    thgeval.score(frames, frames, metrics=["psnr", "lmd"], options=commercial)
    assert caplog.messages == []
    for _ in range(2):
        thgeval.score(frames, frames, metrics=["lmd", "psnr", "blinks-per-s"])
    said = SENTENCE.format("lmd, blinks-per-s read").partition("--")[0]
    assert caplog.messages == [f"{said}Options(weights=Policy(commercial=True)) leaves such metrics unscored"]


def test_both_ways_tell_of_each_file_once(manifest, monkeypatch, caplog):
    monkeypatch.setattr(licences, "_said", set())
    known = {"origin": "https://x.org/n", "sha256": sha256(content(9)), "commercial_use": "no"}
    manifest(entry_text("one", **known), entry_text("two", **known))
    monkeypatch.setattr("thgeval.signature.closure", lambda stub: [stub.feature])
    for names in (("one",), ("one", "two"), ("two",)):
        licences.remind([Named("m", Stub(*names))])
    assert [message.partition(",")[0] for message in caplog.messages] == ["m reads one", "m reads two"]
    assert len(told(monkeypatch, Stub("one", "two"))) == 2  # no mark was left for the command


def test_where_nothing_can_be_kept_it_is_said_in_every_run(manifest, monkeypatch, tmp_path):
    (tmp_path / "a-file").touch()
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path / "a-file"))
    manifest(entry_text("net", origin="https://x.org/n", sha256=sha256(content(9)), commercial_use="no"))
    for _ in range(3):
        assert len(told(monkeypatch, Stub("net"))) == 1
