"""Adapters over stub checkouts that take the real scripts' arguments, name their output and fail as they do."""

import os
import shutil
from dataclasses import replace

import numpy as np
import pytest
import yaml
from PIL import Image
from support.checkouts import STUBS, built, interpreter
from support.outputs import levels

from thgeval.errors import ProtocolError
from thgeval.media import decoded_speech
from thgeval_baselines.adapters import brought_systems, manifests
from thgeval_baselines.adapters.manifest import checked, read_manifest
from thgeval_baselines.catalogue import Places, systems
from thgeval_baselines.generator import Paradigm
from thgeval_baselines.running.plan import Options
from thgeval_baselines.running.record import DONE, FAILED
from thgeval_baselines.running.runner import run
from thgeval_baselines.tasks.files import read_taskset
from thgeval_baselines.tasks.settings import SETTINGS


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """A folder with every program that a manifest asks for."""
    folder = tmp_path_factory.mktemp("bin")
    for name in {name for each in manifests().values() for name in each.environment.get("programs", ())}:
        (folder / name).write_text("#!/bin/sh\nexit 0\n")
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def checkouts(tmp_path_factory):
    """A stub checkout of every adapter, where to find it, and its interpreter."""
    folder = tmp_path_factory.mktemp("checkouts")
    homes, pythons = {}, {}
    for id in STUBS:
        (folder / "python" / id).mkdir(parents=True)
        pythons[id] = interpreter(id, folder / "python" / id)
        homes[id] = built(id, folder / id)
    return Places(checkouts=homes, pythons=pythons)


def places_of(checkouts, device="cpu"):
    return replace(checkouts, device=device)


def device_of(id):
    return manifests()[id].data.get("devices", ["cpu"])[0]


@pytest.fixture(scope="module")
def once(made_once, tmp_path_factory, checkouts, programs):
    """Every adapter over one item."""
    folder = tmp_path_factory.mktemp("adapters")
    tasks = read_taskset(made_once)
    portrait = tasks.path(tasks["item-a"].inputs["source_image"])
    shutil.copy(portrait, checkouts.checkouts["er-nerf"] / "data/ori.png")
    options = Options(workers=2, timeout_s=120, fits=folder / "fits")
    records = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THGEVAL_HOME", str(folder / "home"))
        patch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
        for device in ("cuda", "cpu"):
            mine = [id for id in STUBS if device_of(id) == device]
            found = systems(mine, places_of(checkouts, device)) if mine else []
            outcome = run(tasks, found, folder / "out", options=options, items=tasks.items[:1])
            records |= {record.system["id"]: record for record in outcome.records}
    return folder / "out", records


@pytest.mark.parametrize("id", STUBS)
def test_an_adapter_makes_a_video_as_its_manifest_says(once, id):
    out, records = once
    record = records[id]
    assert record.status == DONE, (record.reason, record.message, record.log_tail)
    folder = out / record.setting / id
    frames = levels(folder / "clips/item-a.mp4")
    assert abs(len(frames) - 25) <= 3
    assert record.video["fps"] == "25"
    assert decoded_speech(folder / "clips/item-a.mp4").duration_s == pytest.approx(1, abs=0.15)
    assert record.system["paradigm"] == manifests()[id].paradigm.value
    assert record.cost.timed == "whole command"


def test_what_was_done_to_inputs_and_result_is_said(once):
    _, records = once
    said = {id: " | ".join(record.actions) for id, record in records.items()}
    assert "noise of 0.0001 added" in said["wav2lip"]
    assert "cut the panel 256x256+256+0 out of 768x256 px" in said["makeittalk"]
    assert "brought 62.5 to 25 frames per second" in said["makeittalk"]
    assert "brought 30 to 25" in said["aniportrait"]
    assert "put the item's sound under a silent picture" in said["fomm"]
    assert "source_image: png of 256 x 256 px" in said["fomm"]
    assert any("rendered mesh" in remark for remark in records["voca"].remarks)


def test_a_checkout_is_left_as_it_was_where_a_script_works_on_everything_in_a_folder(once, checkouts):
    place = checkouts.checkouts["makeittalk"]
    assert {path.name for path in (place / "examples").iterdir()} == {"ckpt", "dump", "other.wav", "other.jpg"}
    assert not (place / "out.mp4").exists()
    assert {path.name for path in (place / "examples/dump").iterdir()} == {"emb.pickle"}


def test_seeds_reach_scripts_with_and_without_an_option(once):
    out, records = once
    log = (out / "self-audio/sadtalker/items/item-a/log.txt").read_text()
    assert f"seeded with {records['sadtalker'].seed}" in log
    assert records["echomimic"].status == DONE, "its seed is in the name of its output"


def failing(tasks, tmp_path, checkouts, programs, monkeypatch, options, id, failure, setting=None):
    monkeypatch.setenv("PRETEND", failure)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    found = systems([id], places_of(checkouts, device_of(id)))
    given = replace(options, setting=None if setting is None else SETTINGS[setting])
    (record,) = run(tasks, found, tmp_path / "out", options=given, items=tasks.items[:1]).records
    return record


@pytest.mark.parametrize(
    ("id", "failure", "reason", "said"),
    [
        ("wav2lip", "crash", "crashed", "CUDA out of memory"),
        ("wav2lip", "nothing", "no output", "it ended without complaint and left no"),
        ("musetalk", "complains", "complained", "Error occurred during processing"),
        ("sadtalker", "complains", "complained", "Can't get the coeffs"),
        ("sadtalker", "panels", "panels", "it seems to hold several panels"),
        ("liveportrait", "watermark", "overlay", "such as a watermark"),
    ],
)
def test_a_script_that_fails_as_the_real_one_does_is_that_items_failure(
    tasks, tmp_path, checkouts, programs, monkeypatch, options, id, failure, reason, said
):
    record = failing(tasks, tmp_path, checkouts, programs, monkeypatch, options, id, failure)
    assert (record.status, record.reason) == (FAILED, reason), (record.message, record.log_tail)
    assert said in record.message


def test_a_wrong_rate_is_brought_to_the_wanted_one(tasks, tmp_path, checkouts, programs, monkeypatch, options):
    record = failing(tasks, tmp_path, checkouts, programs, monkeypatch, options, "fomm", "rate")
    assert (record.status, record.reason) == (FAILED, "wrong length"), "half as long, as its frames play twice as fast"


def test_a_portrait_without_a_face_is_refused_where_a_face_is_cut_out(
    tasks, tmp_path, checkouts, programs, monkeypatch, options
):
    pytest.importorskip("dlib")
    Image.fromarray(np.full((128, 128, 3), 90, np.uint8)).save(tasks.folder / "img/a.png")
    tasks = replace(tasks, items=tuple(replace(item, sha256={}) for item in tasks.items))
    record = failing(tasks, tmp_path, checkouts, programs, monkeypatch, options, "fomm", "")
    assert (record.status, record.reason) == (FAILED, "no face")
    assert "no face is found in the source_image" in record.message


def test_the_doctor_says_exactly_what_is_missing(tmp_path, checkouts, programs, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    folder = tmp_path / "wav2lip"
    shutil.copytree(checkouts.checkouts["wav2lip"], folder)
    (folder / "checkpoints/wav2lip_gan.pth").unlink()
    (folder / "face_detection/detection/sfd/s3fd.pth").unlink()
    (folder / ".git/packed-refs").write_text("0123456789012345678901234567890123456789 refs/heads/main\n")
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {shutil.which("python", path=os.defpath) or "/usr/bin/env python3"} "$@"\n')
    places = Places(checkouts={"wav2lip": folder}, pythons={"wav2lip": str(tmp_path / "no-python")})
    (system,) = systems(["wav2lip"], places)
    problems = system.problems()
    assert problems[0] == (
        f"{folder}/checkpoints/wav2lip_gan.pth or {folder}/checkpoints/wav2lip.pth is missing: the README links both"
    )
    assert problems[1].startswith(f"{folder}/face_detection/detection/sfd/s3fd.pth is missing: ")
    assert problems[2] == "the program ffmpeg is not installed"
    assert problems[3].startswith(f"the interpreter {tmp_path}/no-python can't be run: No such file")
    assert len(problems) == 4
    assert system.notes()[0] == "the checkout is at 012345678901, the manifest was read at 5c90fa9b4a2c"
    (system,) = systems(["wav2lip"], Places())
    assert system.problems() == [
        "name its checkout: --checkout wav2lip=DIR, a clone of https://github.com/Rudrabha/Wav2Lip"
    ]


def test_the_doctor_finds_modules_that_an_interpreter_lacks_and_devices(checkouts, programs, monkeypatch):
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    homes = Places(checkouts=checkouts.checkouts)
    (system,) = systems(["real3dportrait"], replace(homes, device="cpu"))
    first, second = system.problems()
    assert first == "it runs on cuda alone; say --device cuda"
    assert "lacks " in second
    assert "pytorch3d" in second
    assert "with torch==2.0.1, mmcv==2.1.0; the repository states Python 3.9" in second


def test_a_script_that_burns_a_watermark_in_has_to_be_changed_first(tmp_path, checkouts):
    folder = tmp_path / "dreamtalk"
    shutil.copytree(checkouts.checkouts["dreamtalk"], folder)
    with (folder / "inference_for_demo_video.py").open("a") as file:
        file.write("# os.system(f'ffmpeg -vf \"movie=media/watermark.png,scale= 120: 36[watermask]\"')\n")
    places = Places(checkouts={"dreamtalk": folder}, pythons=checkouts.pythons)
    (system,) = systems(["dreamtalk"], places)
    said = "inference_for_demo_video.py has to be changed: it burns a watermark"
    assert any(problem.startswith(said) for problem in system.problems())


@pytest.fixture
def manifest():
    return yaml.safe_load(yaml.safe_dump(dict(manifests()["wav2lip"].data)))


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (["steps", 0, 1], "{sourceimage}", r"has \{sourceimage\}, which is no placeholder; there are audio, "),
        (["steps", 0, 1], "../../bin/x", "paths begin with a placeholder"),
        (["steps", 0, 1], "{work}/../x", "paths begin with a placeholder"),
        (["steps", 0, 1], "--face=/etc/passwd", "paths begin with a placeholder"),
        (["steps", 0, 1], "{", "a brace that belongs to no placeholder"),
        (["steps", 0, 0], "sh", "a step begins with 'sh', not with python or ffmpeg"),
        (["steps"], "python inference.py", "steps must be array"),
        (["output", "path"], "../result.mp4", "paths begin with a placeholder"),
        (["files", 0], "/etc/passwd", "paths begin with a placeholder"),
        (["files", 0], "..\\x", "paths begin with a placeholder"),
        (["inputs", "face", "from"], ["reference"], "is made from 'reference'; inputs are "),
        (["inputs", "work"], {"from": ["audio"]}, "an input can't be called work"),
        (["optional"], {"face": ["--x"]}, "optional arguments for 'face'"),
        (["shell"], "echo", "must not contain"),
        (["verified"], "yes", "must match pattern"),
        (["output"], {"framing": "same"}, "must be valid exactly by one definition"),
    ],
)
def test_a_manifest_that_is_none_is_refused(manifest, path, value, said):
    place = manifest
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(ProtocolError, match=said):
        checked(manifest, "mine.yaml")


def test_a_manifest_of_ones_own_runs_by_its_file(tmp_path, manifest):
    manifest["id"] = "my-wav2lip"
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(manifest))
    (system,) = systems([str(tmp_path / "mine.yaml")], Places(checkouts={"my-wav2lip": tmp_path}))
    assert system.id == "my-wav2lip"
    (tmp_path / "broken.yaml").write_text("a: [")
    with pytest.raises(ProtocolError, match="can't be read"):
        read_manifest(tmp_path / "broken.yaml")


def test_every_manifest_has_a_stub_and_names_its_commit():
    assert set(STUBS) == set(manifests())
    assert all(len(manifest.commit) == 40 for manifest in manifests().values())
    assert {"wav2lip", "sadtalker", "fomm", "dagan", "dreamtalk"} <= set(manifests())


def test_systems_whose_videos_people_bring_are_known_by_name(tmp_path):
    names = [each["id"] for each in brought_systems()]
    assert len(set(names)) == len(names)
    assert not set(names) & set(manifests())
    for name in [*names, *manifests()]:
        (system,) = systems([f"{name}={tmp_path}"])
        assert isinstance(system.paradigm, Paradigm)
        assert ": " in system.says
