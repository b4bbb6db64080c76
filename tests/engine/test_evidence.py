"""The states beside a result are used only if they are those that it was made of."""

import io
import json
import os
import shutil
import zipfile

import numpy as np
import pytest
from support.clips import moving, write_clip

from thgeval.cli.main import code
from thgeval.engine.evidence import evidence
from thgeval.errors import ProtocolError
from thgeval.results import Run
from thgeval.states.checkpoint import digest, load, save

METRICS = ("-m", "psnr", "f-mse")


@pytest.fixture
def made(tmp_path):
    """A folder with a result of two clips, its states, and the clips."""
    for number, name in enumerate("ab"):
        for side, noise in (("pred", 6.0), ("gt", 0.0)):
            (tmp_path / side).mkdir(exist_ok=True)
            write_clip(tmp_path / side / f"{name}.mp4", moving(seed=number, noise=noise))
    assert scored(tmp_path, tmp_path / "run.json") == 0
    return tmp_path


def scored(folder, out, *options):
    return code(["score", str(folder / "pred"), str(folder / "gt"), "-q", *METRICS, "-o", str(out), *options])


def states(folder, clip="a"):
    return next(folder.glob(f"run.states/{clip}-*.npz"))


def merge(folder, capsys):
    capsys.readouterr()
    returned = code(["merge", str(folder / "run.json"), "-o", str(folder / "merged.json")])
    return returned, capsys.readouterr().err


def test_states_of_a_result_are_its_own(made):
    run = Run.read(made / "run.json")
    for record in run.clips:
        assert evidence(run, record).kept.keys() == {"psnr", "f-mse"}


def test_states_of_another_protocol_are_named_and_not_merged(made, capsys):
    assert scored(made, made / "other.json", "--size", "32") == 0
    shutil.copy(next(made.glob("other.states/a-*.npz")), states(made))
    returned, said = merge(made, capsys)
    assert returned == 2
    assert "doesn't belong to" in said
    assert "|32px|" in said
    assert code(["score", str(made / "pred"), str(made / "gt"), "-o", str(made / "x.json")]) == 0
    with pytest.raises(ProtocolError, match="doesn't belong"):
        evidence(Run.read(made / "run.json"), Run.read(made / "run.json").clips[0])


def test_states_of_another_clip_are_named(made, capsys):
    shutil.copy(states(made, "b"), states(made, "a"))
    returned, said = merge(made, capsys)
    assert (returned, "it holds the states of 'b'" in said) == (2, True)


def test_lost_states_of_set_metrics_are_noticed_too(made, capsys):
    pytest.importorskip("torch")
    assert scored(made, made / "run.json", "-m", "fid-random:side_px=32") == 0
    states(made).unlink()
    returned, said = merge(made, capsys)
    assert (returned, "the states of clip a are missing" in said) == (2, True)


def test_the_digest_is_of_what_was_measured_not_of_how(made):
    from dataclasses import replace

    held = load(states(made))
    assert digest(held.kept) == digest(dict(reversed(held.kept.items())))
    path = made / "again.npz"
    save(path, replace(held, record={}))
    assert digest(load(path).kept) == digest(held.kept)
    state = held.kept["psnr"].state
    changed = type(state).of("a", state.record("a").array + 1e-12)
    assert digest({**held.kept, "psnr": replace(held.kept["psnr"], state=changed)}) != digest(held.kept)
    half = len(state.record("a").values) // 2
    values = state.record("a").array
    pieces = type(state).of("a", values[:half]) + type(state).of("a", values[half:], start=half)
    assert digest({**held.kept, "psnr": replace(held.kept["psnr"], state=pieces)}) == digest(held.kept)


def hostile(path, change):
    """The file with its JSON header changed, all checksums right."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    header = json.loads(np.load(io.BytesIO(members["header.npy"])).tobytes())
    change(header)
    buffer = io.BytesIO()
    np.save(buffer, np.frombuffer(json.dumps(header).encode(), np.uint8))
    members["header.npy"] = buffer.getvalue()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


@pytest.mark.parametrize(
    "change",
    [
        lambda header: header.update(metrics=[]),
        lambda header: header.update(pair=3),
        lambda header: header.update(content=None),
        lambda header: header.update(content={"a": 1}),
        lambda header: header.update(decoder=[]),
        lambda header: header.update(record=7),
        lambda header: header["metrics"]["psnr"].update(device=3),
        lambda header: header["metrics"]["psnr"].update(protocol=None),
        lambda header: header["metrics"]["psnr"]["state"].update(kind="Path"),
        lambda header: header["metrics"]["psnr"]["state"].update(kind=[]),
        lambda header: header["metrics"]["psnr"]["state"].update(parts={}),
        lambda header: header["metrics"]["psnr"]["state"]["parts"][0].update(start="x"),
        lambda header: header["metrics"]["psnr"]["state"]["parts"][0].update(left_out=[1]),
        lambda header: header["metrics"]["psnr"]["state"]["parts"][0].update(array="header"),
        lambda header: header["metrics"]["psnr"]["state"]["parts"][0].update(array="nowhere"),
        lambda header: header["metrics"]["psnr"]["state"]["parts"][0].update(under=1),
    ],
)
def test_states_of_odd_kinds_count_as_absent(made, change):
    hostile(states(made), lambda header: None)
    assert load(states(made)) is not None
    hostile(states(made), change)
    assert load(states(made)) is None


def test_states_that_never_end_count_as_absent(made):
    states(made).unlink()
    for place in ("/dev/zero", "/dev/urandom"):
        link = made / "run.states" / f"{place[5:]}.npz"
        link.symlink_to(place)
        assert load(link) is None
    pipe = made / "run.states" / "pipe.npz"
    os.mkfifo(pipe)
    assert load(pipe) is None


def test_states_that_were_packed_count_as_absent(made):
    path = states(made)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    assert load(path) is None
