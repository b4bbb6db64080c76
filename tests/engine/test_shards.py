"""Shards of one run, put together, are that run to the byte; what is no whole set of shards is refused."""

import itertools
import json
import shutil

import pytest
from support.clips import moving, write_clip

import thgeval
from thgeval import Options
from thgeval.cli.main import code
from thgeval.engine.merging import merged
from thgeval.errors import ProtocolError
from thgeval.pairing.shards import Shard

SHARDS = 4
METRICS = ("psnr", "f-mse", "fid-random:side_px=32", "wer", "fps")
"""A mean, one of single clips, one of sets, and two that no clip or only some clips can serve."""


def scored(folder, out, *, part=None, metrics=METRICS, **options):
    asked = Options(out=out, shard=part, **options)
    return thgeval.evaluate(folder / "pred", folder / "gt", metrics=list(metrics), options=asked)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Six pairs, one of them cut short, one damaged, one without a reference, one with a timing record."""
    pytest.importorskip("torch")
    place = tmp_path_factory.mktemp("shards")
    for side, noise in (("pred", 6.0), ("gt", 0.0)):
        (place / side).mkdir()
        for number, name in enumerate("abcdef"):
            write_clip(place / side / f"{name}.mp4", moving(frames=5, size=32, seed=number, noise=noise))
    write_clip(place / "pred" / "b.mp4", moving(frames=3, size=32))
    (place / "pred" / "c.mp4").write_bytes(b"no video")
    (place / "gt" / "d.mp4").unlink()
    timed = {"frames": 5, "seconds": 2.0, "device": "cpu", "dtype": "float32", "batch": 1, "resolution": "32x32"}
    (place / "pred" / "e.timing.json").write_text(json.dumps(timed))
    return place


@pytest.fixture(scope="module")
def whole(folder):
    return scored(folder, folder / "whole.json")


@pytest.fixture(scope="module")
def parts(folder):
    for number in range(1, SHARDS + 1):
        scored(folder, folder / f"{number}.json", part=f"{number}/{SHARDS}")
    return [folder / f"{number}.json" for number in range(1, SHARDS + 1)]


def test_a_clip_stays_in_its_shard_whatever_comes():
    shards = [Shard(number, 7) for number in range(1, 8)]
    for clip in ("a", "people/ann 1", "ä", "\udcff"):
        assert sum(shard.holds(clip) for shard in shards) == 1
    assert Shard(3, 7) == Shard.parse("3/7")
    assert [number for number in range(1, 8) if Shard(number, 7).holds("a")] == [5]  # for ever


@pytest.mark.parametrize("text", ["", "3", "0/4", "5/4", "1/0", "-1/4", "1/4/2", "one/two", "1/9999999", "١/٢"])
def test_what_is_no_shard_is_refused(text):
    with pytest.raises(ProtocolError, match="shard is"):
        Options(shard=text)


def test_the_bytes_are_those_of_one_run_in_any_order(folder, whole, parts):
    for order in itertools.islice(itertools.permutations(parts), 0, None, 7):
        out = folder / "merged.json"
        merged(order, out).write(out)
        assert thgeval.Run.read(out).canonical == whole.canonical
        shutil.rmtree(folder / "merged.states")
        out.unlink()


def test_the_mix_is_as_hard_as_it_says(whole, parts):
    """A damaged clip, a short one, a lone one; a metric that some clips serve; one that none does; an empty shard."""
    assert {clip.failure.reason for clip in whole.failures} == {"corrupt", "length differs", "missing reference"}
    assert (whole["fps"].clips, whole["fps"].left_out) == (1, {"unmet need": 4, "missing reference": 1})
    assert whole["wer"].unscored
    assert whole["fid-random:side_px=32"].value is not None
    sizes = [len(thgeval.Run.read(path).clips) for path in parts]
    assert sum(sizes) == 6
    assert 0 in sizes


def test_a_shard_says_that_it_is_one(parts):
    run = thgeval.Run.read(parts[0])
    assert run.part == "shard 1/4 alone (--shard)"
    assert all(score.signature.endswith("|!shard:1/4") for score in run.scores.values())
    from thgeval.engine.verification import verified

    assert not verified(parts[0]).differs


def refusal(paths, out):
    with pytest.raises(ProtocolError) as found:
        merged(paths, out)
    assert not out.exists()
    return str(found.value)


def test_shards_that_are_missing_or_there_twice_are_named(folder, parts, whole):
    out = folder / "refused.json"
    assert refusal(parts[:2], out) == "2 of 4 shards are missing: 3, 4"
    assert "are both shard 2/4" in refusal([*parts, parts[1]], out)
    assert "whole.json is no shard" in refusal([parts[0], folder / "whole.json"], out)


def test_shards_of_other_counts_clips_metrics_protocols_and_versions_are_refused(folder, parts, tmp_path):
    scored(folder, tmp_path / "of.json", part="2/3")
    assert "is one of 4 shards, and" in refusal([parts[0], tmp_path / "of.json"], tmp_path / "m.json")
    scored(folder, tmp_path / "metrics.json", part="2/4", metrics=["psnr"])
    assert "hold different metrics" in refusal([parts[0], tmp_path / "metrics.json"], tmp_path / "m.json")
    text = parts[1].read_text()
    for name, old, new, said in (
        ("version", '"thgeval":"', '"thgeval":"9.', "was made by thgeval"),
        ("decoder", '"decoder":"', '"decoder":"other', "were decoded by different versions"),
        ("clips", '"clips":6', '"clips":7', "clips came or went"),
        ("protocol", '"name":"native@1"', '"name":"mine@1"', "was made under"),
    ):
        other = tmp_path / f"{name}.json"
        assert text.count(old) == 1, name
        other.write_text(text.replace(old, new))
        assert said in refusal([parts[0], other, *parts[2:]], tmp_path / "m.json"), name


def test_lost_states_of_a_shard_are_noticed(folder, parts, tmp_path):
    for path in (*parts, *(path.with_suffix(".states") for path in parts)):
        (shutil.copytree if path.is_dir() else shutil.copy)(path, tmp_path / path.name)
    lost = next(tmp_path.glob("*.states/a-*.npz"))
    lost.unlink()
    assert "the states of clip a are missing" in refusal([tmp_path / path.name for path in parts], tmp_path / "m.json")


def test_a_clip_that_comes_later_moves_no_other(folder, parts, tmp_path):
    for name in ("pred", "gt"):
        shutil.copytree(folder / name, tmp_path / name)
        write_clip(tmp_path / name / "late.mp4", moving(frames=5, size=32, seed=9))
    runs = [scored(tmp_path, tmp_path / f"{number}.json", part=f"{number}/{SHARDS}") for number in (1, 2, 3, 4)]
    for before, after in zip(parts, runs, strict=True):
        assert {clip.id for clip in after.clips} - {clip.id for clip in thgeval.Run.read(before).clips} <= {"late"}
    said = refusal([parts[0], *(tmp_path / f"{number}.json" for number in (2, 3, 4))], tmp_path / "m.json")
    assert "is a shard of 6 clips" in said


def test_sets_without_pairs_are_shared_out_too(folder, tmp_path):
    asked = {"metrics": ["fid-random:side_px=32"], "unpaired": True}
    sides = folder / "pred", folder / "gt"
    one = thgeval.evaluate(*sides, **asked, options=Options(out=tmp_path / "one.json"))
    paths = [tmp_path / f"{number}.json" for number in (1, 2)]
    for number, path in enumerate(paths, 1):
        thgeval.evaluate(*sides, **asked, options=Options(out=path, shard=Shard(number, 2)))
    merged(paths, tmp_path / "m.json").write(tmp_path / "m.json")
    assert thgeval.Run.read(tmp_path / "m.json").canonical == one.canonical


def test_from_the_command_line(folder, whole, tmp_path, capsys):
    asked = ["score", str(folder / "pred"), str(folder / "gt"), "-q", "--allow-missing"]
    asked += [text for metric in METRICS if metric != "wer" for text in ("-m", metric)]
    for number in (1, 2):
        assert code([*asked, "--shard", f"{number}/2", "-o", str(tmp_path / f"{number}.json")]) == 0
    assert code(["merge", str(tmp_path / "2.json"), str(tmp_path / "1.json"), "-o", str(tmp_path / "m.json")]) == 0
    run = thgeval.Run.read(tmp_path / "m.json")
    assert run["psnr"] == whole["psnr"]
    assert run.part is None
    assert code([*asked, "--shard", "3/2"]) == 2
    assert "there is no 3/2" in capsys.readouterr().err
