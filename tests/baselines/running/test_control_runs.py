"""Controls in the runner: they see the reference, are made of it, and say how."""

import json

import numpy as np
import pytest
from support.outputs import levels

from thgeval.errors import InputError, ProtocolError
from thgeval.media import decoded_speech
from thgeval_baselines.catalogue import systems
from thgeval_baselines.controls import frames as of
from thgeval_baselines.controls.sound import in_pieces
from thgeval_baselines.controls.table import TABLE, Clip, made
from thgeval_baselines.running.record import DONE, FAILED
from thgeval_baselines.running.runner import run
from thgeval_baselines.sets.synth3d import make_synth3d

CHOSEN = ("ctl-gt", "ctl-still", "ctl-shift5", "ctl-wrongaudio", "ctl-noblink", "ctl-random")


@pytest.fixture(scope="module")
def once(tmp_path_factory, made_once):
    from thgeval_baselines.running.plan import Options
    from thgeval_baselines.tasks.files import read_taskset

    tasks, out = read_taskset(made_once), tmp_path_factory.mktemp("controls")
    options = Options(workers=2, timeout_s=120, fits=out / "fits")
    outcome = run(tasks, systems(CHOSEN), out, options=options, items=tasks.items[:1])
    return tasks, out / "control", {record.system["id"]: record for record in outcome.records}


def test_controls_are_made_of_the_reference_and_flagged(once):
    tasks, out, records = once
    reference = tasks.path(tasks["item-a"].reference)
    assert (out / "ctl-gt/clips/item-a.mp4").read_bytes() == reference.read_bytes()
    assert all(record.system["notice"].startswith("control: made from the reference") for record in records.values())
    assert {record.setting for record in records.values()} == {"control"}
    shown, late = levels(reference).astype(int), levels(out / "ctl-shift5/clips/item-a.mp4")
    assert np.abs(late[5:] - shown[:-5]).mean() < 3 < np.abs(late[5:] - shown[5:]).mean() + 3
    assert any("still" in remark for remark in records["ctl-still"].remarks)
    own, other = (decoded_speech(path).samples for path in (reference, out / "ctl-wrongaudio/clips/item-a.mp4"))
    assert abs(np.corrcoef(own[: len(other)], other[: len(own)])[0, 1]) < 0.5
    assert records["ctl-random"].status == DONE


def test_what_only_a_set_with_truth_can_make_is_refused_elsewhere(once):
    record = once[2]["ctl-noblink"]
    assert (record.status, record.reason) == (FAILED, "unable")


def test_a_rendered_set_changes_one_thing_alone(tmp_path, options):
    tasks = make_synth3d(tmp_path / "set", people=2, seconds=1, size=64, fit_seconds=0, stills=0)
    (item,) = [item for item in tasks if item.id == "p0-front"]
    outcome = run(tasks, systems(["ctl-nopose", "ctl-idswap"]), tmp_path / "out", options=options, items=[item])
    assert [record.status for record in outcome.records] == [DONE, DONE], outcome.records
    assert all("rendered anew" in " ".join(record.actions) for record in outcome.records)
    own = levels(tasks.path(item.reference)).astype(int)
    fixed = levels(tmp_path / "out/control/ctl-nopose/clips/p0-front.mp4")
    swapped = levels(tmp_path / "out/control/ctl-idswap/clips/p0-front.mp4")
    assert np.abs(fixed[0] - own[0]).mean() < 3, "the first frame is the reference's"
    assert np.abs(swapped[0] - own[0]).mean() > 3


def numbered(count=30):
    return np.repeat(np.arange(count, dtype=np.uint8)[:, None, None, None], 8, axis=1).repeat(8, 2).repeat(3, 3)


def test_frames_of_time_controls_are_where_they_say():
    frames = numbered()
    assert of.paused(frames, fps=10, start=0.0, seconds=1)[:, 0, 0, 0].tolist() == [0] * 10 + [*range(10, 30)]
    assert of.looped(frames, fps=10)[:, 0, 0, 0].tolist() == [*range(10)] * 3
    lost = of.dropped(frames, part=0.3, seed=1)[:, 0, 0, 0]
    assert (np.diff(lost.astype(int)) >= 0).all()
    assert len(set(lost.tolist())) == 21
    assert sorted(of.shuffled(frames, seed=1)[:, 0, 0, 0].tolist()) == [*range(30)]
    assert len(np.unique(of.fewer_levels(frames, bits=2))) <= 4
    with pytest.raises(ProtocolError, match="no room for"):
        of.paused(frames, fps=10, start=0.5, seconds=2)


@pytest.mark.parametrize("seed", range(5))
def test_no_piece_of_sound_stays_in_its_place(seed):
    samples = np.repeat(np.arange(5, dtype=np.float32), 400)
    moved = in_pieces(samples, rate_hz=1000, seed=seed)
    assert sorted(moved) == sorted(samples)
    assert (moved != samples).all()


def test_a_clip_too_short_for_a_control_is_that_items_failure():
    clip = Clip(frames=numbered(8), fps=25, seed=0)
    with pytest.raises(InputError, match="can't be shifted by 10"):
        made(TABLE["ctl-shift10"], clip)
    assert all(json.dumps(row.says) for row in TABLE.values())
