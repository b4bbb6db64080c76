"""Tars of pairs score like folders of the same clips, byte for byte; broken and hostile ones are named."""

import io
import json
import tarfile

import pytest
from support.clips import moving, write_clip

import thgeval
from thgeval import Options
from thgeval.cli.main import code
from thgeval.errors import ProtocolError
from thgeval.pairing.packed import packed

METRICS = ("psnr", "f-mse", "fps", "wer")


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Four pairs, one damaged, one with a timing record; one clip in a folder below."""
    place = tmp_path_factory.mktemp("clips")
    for side, noise in (("pred", 6.0), ("gt", 0.0)):
        (place / side / "id1").mkdir(parents=True)
        for number, name in enumerate(("a", "b", "id1/c", "id1/d")):
            write_clip(place / side / f"{name}.mp4", moving(frames=3, size=32, seed=number, noise=noise))
    (place / "pred" / "b.mp4").write_bytes(b"no video")
    timed = {"frames": 3, "seconds": 2.0, "device": "cpu", "dtype": "float32", "batch": 1, "resolution": "32x32"}
    (place / "pred" / "a.timing.json").write_text(json.dumps(timed))
    return place


@pytest.fixture(scope="module")
def here(clips):
    asked = Options(out=clips / "here.json")
    naming = thgeval.Naming(recursive=True)
    return thgeval.evaluate(clips / "pred", clips / "gt", metrics=METRICS, naming=naming, options=asked)


def members(clips, *names):
    """The files of samples, as a tar holds them."""
    found = []
    for name in names:
        for side, folder in (("generated", "pred"), ("reference", "gt")):
            found.append((f"{name}.{side}.mp4", (clips / folder / f"{name}.mp4").read_bytes()))
        if (beside := clips / "pred" / f"{name}.timing.json").exists():
            found.append((beside.name, beside.read_bytes()))
    return found


def tarred(path, files, form=tarfile.PAX_FORMAT, mode="w"):
    with tarfile.open(path, mode, format=form) as archive:
        for name, content in files:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def scored(tars, out, **options):
    return thgeval.evaluate(str(tars), metrics=METRICS, options=Options(out=out, **options))


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_tars_give_the_bytes_of_folders(clips, here, tmp_path, mode):
    end = ".tar.gz" if mode == "w:gz" else ".tar"
    tarred(tmp_path / f"000{end}", members(clips, "b", "a"), mode=mode)
    tarred(tmp_path / f"001{end}", [("./more", b""), *members(clips, "id1/d", "id1/c")], mode=mode)
    for pattern in ("*", "{000..001}", "{000,001}"):
        run = scored(tmp_path / f"{pattern}{end}", tmp_path / "run.json")
        assert run.canonical == here.canonical
    assert run.record["measured"] == {"recalled": 4}
    assert not list(tmp_path.glob("**/*.mp4"))


def test_shards_of_tars_merge_to_the_same_bytes(clips, here, tmp_path):
    from thgeval.engine.merging import merged

    for number, name in enumerate(("a", "b", "id1/c", "id1/d")):
        tarred(tmp_path / f"{number}.tar", members(clips, name))
    paths = [tmp_path / f"part{number}.json" for number in (1, 2, 3)]
    sizes = [len(scored(tmp_path / "?.tar", path, shard=f"{number}/3").clips) for number, path in enumerate(paths, 1)]
    assert sum(sizes) == 4
    assert max(sizes) < 4
    merged(paths, tmp_path / "m.json").write(tmp_path / "m.json")
    assert thgeval.Run.read(tmp_path / "m.json").canonical == here.canonical


def test_what_json_and_sound_say(clips, tmp_path, monkeypatch):
    from thgeval.engine import job

    seen = []
    monkeypatch.setattr(job, "measured", lambda pair, *rest: seen.append((pair, pair.audio.read_bytes())) or 1 / 0)
    files = [*members(clips, "a"), ("a.wav", b"RIFF"), ("a.json", b'{"transcript": "bin blue", "fps": 3}')]
    scored(tarred(tmp_path / "x.tar", files), None)
    ((pair, sound),) = seen
    assert (pair.id, pair.transcript, sound, pair.timing is not None) == ("a", "bin blue", b"RIFF", True)


def failures(run):
    return {clip.id: (clip.failure.reason, clip.failure.message) for clip in run.failures}


def test_a_tar_that_is_cut_off_is_named_and_what_came_before_counts(clips, here, tmp_path):
    whole = tarred(tmp_path / "whole.tar", members(clips, "a", "id1/c")).read_bytes()
    blocks = whole.rstrip(b"\0")
    ends = {
        "in a clip": len(blocks) - 1000,
        "between samples": blocks.index(b"id1/c.generated.mp4"),
        "without its end": (len(blocks) + 511) // 512 * 512,
        "in a header": blocks.index(b"id1/c.generated.mp4") + 100,
    }
    for where, end in ends.items():
        (tmp_path / "cut.tar").write_bytes(whole[:end])
        run = scored(tmp_path / "cut.tar", tmp_path / f"{where}.json")
        reason, said = failures(run)["cut.tar"]
        assert reason == "truncated tar", where
        assert "cut.tar: it is cut off or damaged" in said
        assert run.clips[0].scores["psnr"] == here.clips[0].scores["psnr"]
        assert run.expected == (3 if where == "without its end" else 2), where


@pytest.mark.parametrize("name", ["../evil.generated.mp4", "/etc/evil.generated.mp4", "x/../../evil.generated.mp4"])
def test_a_name_that_leads_out_is_refused(clips, tmp_path, name):
    tarred(tmp_path / "x.tar", [*members(clips, "a"), (name, b"evil"), *members(clips, "id1/c")])
    run = scored(tmp_path / "x.tar", None)
    assert [clip.id for clip in run.clips] == ["a", "x.tar"]
    reason, said = failures(run)["x.tar"]
    assert reason == "unsafe tar"
    assert "1 clips before that were read" in said
    assert not list(tmp_path.rglob("evil*"))


def test_links_and_what_is_no_tar_are_refused(clips, tmp_path):
    with tarfile.open(tmp_path / "link.tar", "w") as archive:
        info = tarfile.TarInfo("a.generated.mp4")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(info)
    (tmp_path / "none.tar").write_bytes(b"no tar at all" * 100)
    (tmp_path / "void.tar").write_bytes(b"")
    run = scored(tmp_path / "{link,none,void}.tar", None)
    assert {id: reason for id, (reason, _) in failures(run).items()} == {
        "link.tar": "unsafe tar",
        "none.tar": "truncated tar",
        "void.tar": "truncated tar",
    }


def test_no_two_failures_have_one_id(clips, tmp_path):
    keys = [name for _ in range(3) for name in ("a", "id1/c")]
    tarred(tmp_path / "x.tar", members(clips, *keys))
    assert [clip.id for clip in scored(tmp_path / "x.tar", None).failures] == [
        *("a again in x.tar", "a again in x.tar (2)", "id1/c again in x.tar", "id1/c again in x.tar (2)")
    ]
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "y.tar").write_bytes(b"junk" * 500)
    assert [clip.id for clip in scored(tmp_path / "{one,two}" / "y.tar", None).failures] == ["y.tar", "y.tar (2)"]


def test_samples_that_make_no_pair_are_named(clips, tmp_path):
    a, c = members(clips, "a"), members(clips, "id1/c")
    files = [
        *a,
        ("no.reference.mp4", a[1][1]),
        ("two.generated.mp4", a[0][1]),
        ("two.generated.avi", a[0][1]),
        ("odd.generated.mp4", a[0][1]),
        ("odd.json", b"[1"),
        *c,
        *a,
    ]
    run = scored(tarred(tmp_path / "x.tar", files), None)
    assert {id: reason for id, (reason, _) in failures(run).items()} == {
        "no": "missing clip",
        "two": "duplicate stem",
        "odd": "unreadable",
        "a again in x.tar": "duplicate stem",
    }
    assert run["psnr"].clips == 2


def test_requests_that_make_no_sense_are_refused(clips, tmp_path, capsys):
    tar = tarred(tmp_path / "x.tar", members(clips, "a"))
    for asked, said in (
        ([str(tar), str(clips / "gt")], "tars hold references beside generated clips"),
        ([str(tar), "--pred-suffix", "_x"], "would do nothing"),
        ([str(tar), "--unpaired"], "unpack the tars for it"),
        ([str(tmp_path / "y.tar")], "there is no file"),
        ([str(tmp_path / "y*.tar")], "no tar is called"),
        ([str(tmp_path / "{9..1}.tar")], "is no range"),
        ([str(tar), "--engine", "ray", "-o", str(tmp_path / "r.json")], "a cluster measures clips that lie apart"),
    ):
        assert code(["score", *asked, "-m", "psnr", "-q"]) == 2
        assert said in capsys.readouterr().err
    assert code(["score", str(tar), "-m", "psnr", "-q", "--limit", "1"]) == 0
    with pytest.raises(ProtocolError, match="is no range"):
        packed(tmp_path / "{0..999999}.tar")
