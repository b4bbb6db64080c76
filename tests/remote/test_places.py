"""Clips and results that lie elsewhere score like those that lie here, byte for byte, and fail in a sentence."""

import json
import time

import pytest
from support.elsewhere import BUCKET, SECRET, blobs, everything_below, uploaded

import thgeval
from thgeval import Options
from thgeval.cli.main import code
from thgeval.errors import ProtocolError
from thgeval.remote import mirror

METRICS = ("-m", "psnr", "-m", "f-mse", "--allow-missing", "-q")


@pytest.fixture(scope="module")
def here(clips, tmp_path_factory):
    """The result of the same clips in folders of this machine."""
    out = tmp_path_factory.mktemp("here") / "run.json"
    assert code(["score", str(clips.generated), str(clips.reference), *METRICS, "-o", str(out)]) == 0
    return thgeval.Run.read(out)


def test_s3_gives_the_same_bytes_and_says_no_secret(s3, clips, here, run, home, tmp_path):
    generated, reference = uploaded(s3, clips.generated, "pred"), uploaded(s3, clips.reference, "gt")
    answer = run("score", generated, reference, *METRICS, "-o", tmp_path / "run.json")
    assert answer.code == 0, answer.err
    found = thgeval.Run.read(tmp_path / "run.json")
    assert found.canonical == here.canonical
    assert found.record["folders"] == {"generated": "s3://bucket/pred", "reference": "s3://bucket/gt"}
    assert "s3://bucket/pred/broken.mp4" in answer.err
    assert SECRET.encode() not in everything_below(tmp_path)
    assert SECRET not in answer.err + answer.out
    assert len(blobs(home)) == 9
    assert not list((home / "fetched" / "runs").iterdir())


def test_copies_of_references_that_lie_elsewhere_score_the_same(s3, clips, run, home, tmp_path):
    asked = ("-m", "psnr", "--controls", "--allow-missing", "-q", "-o")
    assert run("score", clips.generated, clips.reference, *asked, tmp_path / "here.json").code == 0
    sides = uploaded(s3, clips.generated, "pred"), uploaded(s3, clips.reference, "gt")
    answer = run("score", *sides, *asked, tmp_path / "there.json")
    assert answer.code == 0, answer.err
    here, there = (thgeval.Run.read(tmp_path / f"{name}.json") for name in ("here", "there"))
    assert there["psnr"].controls == here["psnr"].controls != {}
    assert there.canonical == here.canonical
    assert str(home) not in answer.err


def test_what_was_fetched_is_not_fetched_again_and_what_changed_is(s3, clips, here, run, home, tmp_path, monkeypatch):
    from thgeval.remote.store import RemotePlace

    fetched, real = [], RemotePlace.fetched
    monkeypatch.setattr(
        RemotePlace, "fetched", lambda self, name, *rest: fetched.append(name) or real(self, name, *rest)
    )
    sides = uploaded(s3, clips.generated, "pred"), clips.reference
    for again in range(2):
        assert run("score", *sides, *METRICS, "-o", tmp_path / f"{again}.json").code == 0
    assert sorted(fetched) == ["a.mp4", "a.txt", "b b.mp4", "broken.mp4", "ü.mp4"]
    s3.upload_file(str(clips.reference / "a.mp4"), BUCKET, "pred/a.mp4")
    assert run("score", *sides, *METRICS, "-o", tmp_path / "0.json").code == 0
    assert sorted(fetched)[:2] == ["a.mp4", "a.mp4"]
    assert len(fetched) == 6
    assert thgeval.Run.read(tmp_path / "0.json")["psnr"] != here["psnr"]


def test_a_result_elsewhere_goes_on_and_is_the_same(s3, clips, here, run, home, tmp_path):
    asked = ("score", clips.generated, clips.reference, *METRICS, "-o", "s3://bucket/runs/run.json")
    assert run(*asked, "-o", "s3://bucket/runs/run.csv").code == 0
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert {"runs/run.json", "runs/run.csv"} < set(keys)
    assert sum(key.startswith("runs/run.states/") for key in keys) == 4
    first = s3.get_object(Bucket=BUCKET, Key="runs/run.json")["Body"].read()
    s3.delete_object(Bucket=BUCKET, Key="runs/run.json")  # as if the run had been killed before its end
    assert run(*asked).code == 0
    second = s3.get_object(Bucket=BUCKET, Key="runs/run.json")["Body"].read()
    assert json.loads(second)["run"]["measured"] == {"recalled": 4}
    for content in (first, second):
        (tmp_path / "run.json").write_bytes(content)
        assert thgeval.Run.read(tmp_path / "run.json").canonical == here.canonical
    assert str(tmp_path) not in second.decode()


def test_shards_elsewhere_are_merged_there(s3, clips, here, run, home, tmp_path):
    for number in (1, 2):
        out = f"s3://bucket/runs/{number}.json"
        assert run("score", clips.generated, clips.reference, *METRICS, "--shard", f"{number}/2", "-o", out).code == 0
    assert run("merge", "s3://bucket/runs/?.json", "-o", "s3://bucket/all.json").code == 0
    s3.download_file(BUCKET, "all.json", str(tmp_path / "all.json"))
    assert thgeval.Run.read(tmp_path / "all.json").canonical == here.canonical
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix="all.states/")["Contents"]
    assert len(listed) == 4
    answer = run("merge", "s3://bucket/nothing/*.json", "-o", tmp_path / "m.json")
    assert (answer.code, answer.err.count("\n")) == (2, 1)


def test_from_python(s3, clips, here, home):
    sides = uploaded(s3, clips.generated, "pred"), uploaded(s3, clips.reference, "gt")
    run = thgeval.evaluate(*sides, metrics=["psnr"], options=Options(out="s3://bucket/run.json"))
    assert run["psnr"] == here["psnr"]
    one = thgeval.evaluate(f"{sides[0]}/a.mp4", f"{sides[1]}/a.mp4", metrics=["psnr"])
    assert one["psnr"].value == here.clips[0].scores["psnr"]


def test_the_web_gives_the_same_bytes(web, here, run, home, tmp_path):
    address, handler = web
    secretly = address.replace("://", f"://user:{SECRET}@")
    answer = run("score", f"{secretly}/pred", f"{address}/gt/", *METRICS, "-o", tmp_path / "run.json")
    assert answer.code == 0, answer.err
    assert thgeval.Run.read(tmp_path / "run.json").canonical == here.canonical
    assert SECRET not in answer.err
    assert SECRET.encode() not in everything_below(tmp_path)
    handler.asked.clear()
    assert run("score", f"{address}/pred", f"{address}/gt/", *METRICS, "-o", tmp_path / "again.json").code == 0
    assert not [path for path in handler.asked if path.endswith(".mp4")]


def test_wrong_credentials_and_places_that_are_not_there_are_one_sentence(s3, run, home, monkeypatch, clips):
    for place, said in (
        ("s3://nobucket/pred", "s3://nobucket/pred can't be listed"),
        ("s3://bucket/nothing", "s3://bucket/nothing can't be listed: there is no such place"),
        ("nosuch://bucket/x", "nosuch://bucket/x is no address that fsspec knows"),
        (f"s3://testing:{SECRET}@bucket/x", "s3://bucket/x: keys don't belong in the address of an s3:// place"),
    ):
        answer = run("score", place, clips.reference, "-m", "psnr")
        assert (answer.code, answer.err.count("\n")) == (2, 1), answer.err
        assert said in answer.err
        assert SECRET not in answer.err
    answer = run("score", clips.generated, clips.reference, *METRICS, "-o", "s3://nobucket/run.json")
    assert answer.code in (2, 4)
    assert "s3://nobucket" in answer.err


def test_without_keys_and_with_those_of_nobody_it_is_one_sentence(s3, run, home, monkeypatch, clips):
    import requests
    import s3fs

    address = f"{s3.meta.endpoint_url}/moto-api/reset-auth"
    try:
        requests.post(address, data=b"0", timeout=20)
        for place in (
            ("s3://bucket/pred", clips.reference),
            (clips.generated, clips.reference, "-o", "s3://bucket/r.json"),
        ):
            answer = run("score", *place, "-m", "psnr", "-q")
            assert (answer.code, answer.err.count("\n")) == (2, 1), answer.err
            assert "can't be listed: " in answer.err
            assert SECRET not in answer.err
    finally:
        requests.post(address, data=b"inf", timeout=20)
    s3fs.S3FileSystem.clear_instance_cache()  # which would be asked with the keys that it knows
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    answer = run("score", "s3://bucket/pred", clips.reference, "-m", "psnr")
    s3fs.S3FileSystem.clear_instance_cache()
    assert (answer.code, answer.err.count("\n")) == (2, 1), answer.err
    assert "no credentials were found" in answer.err


def test_an_unreachable_place_is_given_up_in_the_stated_time(web, run, home, monkeypatch, clips):
    address, handler = web
    handler.silent_s = 6.0
    monkeypatch.setenv("THGEVAL_LIMITS", "silent_s=1")
    began = time.monotonic()
    answer = run("score", f"{address}/pred?token=secret", clips.reference, "-m", "psnr")
    assert time.monotonic() - began < 5
    assert answer.code == 2
    assert f"{address}/pred can't be listed: it didn't answer for 1 s" in answer.err
    answer = run("score", "http://127.0.0.1:9/pred", clips.reference, "-m", "psnr")
    assert (answer.code, answer.err.count("\n")) == (2, 1), answer.err


def test_a_place_that_goes_away_ends_the_run_and_one_file_does_not(s3, clips, run, home, tmp_path, monkeypatch):
    from thgeval.remote.store import RemotePlace

    sides = uploaded(s3, clips.generated, "pred"), clips.reference
    real = RemotePlace.version

    def gone(self, name=""):
        if name == "a.mp4":
            s3.delete_object(Bucket=BUCKET, Key="pred/a.mp4")
        return real(self, name)

    monkeypatch.setattr(RemotePlace, "version", gone)
    answer = run("score", *sides, "-m", "psnr", "-q", "-o", tmp_path / "run.json")
    assert answer.code == 1
    reasons = {clip.id: clip.failure.reason for clip in thgeval.Run.read(tmp_path / "run.json").failures}
    assert reasons == {"a": "missing", "broken": "corrupt"}
    monkeypatch.setattr(mirror, "IN_VAIN", 2)
    monkeypatch.setattr(RemotePlace, "version", lambda *_: (_ for _ in ()).throw(unreachable()))
    answer = run("score", *sides, "-m", "psnr", "-q", "-o", tmp_path / "other.json")
    assert answer.code == 2
    assert "that makes 2 files in a row, so the run ends" in answer.err


def unreachable():
    from thgeval.errors import InputError

    return InputError("s3://bucket/pred/x: it didn't answer for 30 s", reason="unreachable")


def test_a_file_that_changes_while_it_is_fetched_is_named(s3, clips, run, home, tmp_path, monkeypatch):
    from thgeval.remote.store import RemotePlace

    sides = uploaded(s3, clips.generated, "pred"), clips.reference
    real = RemotePlace.version

    def changing(self, name=""):
        found = real(self, name)
        if name == "a.mp4":
            s3.put_object(Bucket=BUCKET, Key="pred/a.mp4", Body=str(time.monotonic()).encode() * 100)
        return found

    monkeypatch.setattr(RemotePlace, "version", changing)
    answer = run("score", *sides, "-m", "psnr", "-q", "-o", tmp_path / "run.json")
    assert answer.code == 1
    failed = {clip.id: clip.failure for clip in thgeval.Run.read(tmp_path / "run.json").failures}
    assert failed["a"].reason == "changed"
    assert failed["a"].message == "generated/a.mp4: it was changed while it was fetched; run again"


def test_names_that_lead_out_of_the_folder_are_refused(s3, clips, run, home):
    s3.put_object(Bucket=BUCKET, Key="pred/../../evil.mp4", Body=b"x")
    s3.put_object(Bucket=BUCKET, Key="pred/a.mp4", Body=b"x")
    answer = run("score", "s3://bucket/pred", clips.reference, "-m", "psnr")
    assert answer.code == 2
    assert "whose name can't be one here: '../../evil.mp4'" in answer.err


def test_without_the_packages_the_install_line_is_given(clips, run, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "fsspec.core", None)
    answer = run("score", "s3://bucket/pred", clips.reference, "-m", "psnr")
    assert answer.code == 3
    assert "[remote]" in answer.err


def test_an_address_is_delivered_by_evaluate_alone(clips):
    with pytest.raises(ProtocolError, match=r"only evaluate and the command line write to s3://bucket/run\.json"):
        thgeval.score(
            clips.generated / "a.mp4", clips.reference / "a.mp4", options=Options(out="s3://k:secret@bucket/run.json")
        )


def test_tars_elsewhere_are_streamed(s3, clips, run, home, tmp_path):
    import io
    import tarfile

    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for side, folder in (("generated", clips.generated), ("reference", clips.reference)):
            archive.add(folder / "a.mp4", f"a.{side}.mp4")
    s3.put_object(Bucket=BUCKET, Key="tars/0.tar", Body=content.getvalue())
    s3.put_object(Bucket=BUCKET, Key="tars/1.tar", Body=content.getvalue().replace(b"a.", b"b.")[:-11_000])
    answer = run("score", "s3://bucket/tars/{0..1}.tar", "-m", "psnr", "-q", "-o", tmp_path / "run.json")
    assert answer.code == 1
    found = thgeval.Run.read(tmp_path / "run.json")
    assert found["psnr"].clips == 1
    assert {clip.id: clip.failure.reason for clip in found.failures} == {"1.tar": "truncated tar"}
    assert not blobs(home)
