"""What a run will cost is said beforehand, and is right."""

import shutil

import numpy as np
import pytest
from support.clips import moving, write_clip

import thgeval
from thgeval import Options
from thgeval.cli.main import code
from thgeval.engine.execution import protocol_of
from thgeval.engine.forecast import ClipCost, ClipSize, Fleet, failure_bounds, fitted, forecast, simulated
from thgeval.errors import ProtocolError
from thgeval.pairing import paired
from thgeval.stages import Stages

CLIPS = 200
METRICS = ["psnr", "ssim", "f-mse"]


def cost(frames, megapixels, missed=1.0, **more):
    seconds = {"decode": (0.01 + 0.002 * frames) * missed, "metrics": 0.05 * megapixels * missed}
    return ClipCost(ClipSize(frames, megapixels), seconds, int(100 + 8 * frames), **more)


@pytest.fixture(scope="module")
def model():
    return fitted([cost(n, n * m) for n in (10, 50, 200) for m in (0.1, 0.5)], 2.0, 0.001, 500)


def test_a_fit_finds_what_the_costs_were_made_of(model):
    assert model.stages["decode"] == pytest.approx((0.01, 0.002, 0), abs=1e-9)
    assert model.stages["metrics"] == pytest.approx((0, 0, 0.05), abs=1e-9)
    assert model.bytes_of_states([ClipSize(1000, 0.0)] * 2) == pytest.approx(2 * 8100)
    assert np.allclose(model.missed, 1)


def test_clips_that_failed_are_no_measure_of_others():
    with_one = fitted([cost(n, n * 0.1) for n in (10, 50, 200)] + [cost(100, 1.0, missed=0.0, failed=True)], 0, 0, 0)
    assert with_one.stages["decode"] == pytest.approx((0.01, 0.002, 0), abs=1e-9)


def test_machines_and_cores_share_the_work_and_failures_cost(model):
    sizes = [ClipSize(100, 30.0)] * 4000
    alone, four, cores = (
        float(np.median(simulated(model, sizes, Fleet(machines, count), 0)[0]))
        for machines, count in ((1, 1), (4, 1), (1, 4))
    )
    work = 4000 * (0.01 + 0.2 + 1.5) / 3600
    assert alone == pytest.approx(work, rel=0.01)
    assert alone / 4 < four < alone / 4 * 1.1  # shards are not quite equal
    assert cores == pytest.approx(alone / 4, rel=0.01)
    hours, downs = simulated(model, sizes, Fleet(1, 1, mtbf_h=1.0), 0)
    assert downs.mean() == pytest.approx(work, rel=0.2)
    assert np.median(hours) > alone
    assert np.array_equal(hours, simulated(model, sizes, Fleet(1, 1, mtbf_h=1.0), 0)[0])


def test_failures_are_bounded_even_if_none_was_seen():
    assert failure_bounds(0, 12, 1000)[0] == 0
    assert 200 < failure_bounds(0, 12, 1000)[1] < 250
    assert failure_bounds(3, 12, 1000)[0] == 250
    assert failure_bounds(12, 12, 1000) == (1000, 1000)


def test_stages_inside_others_are_counted_once():
    stages = Stages()
    with stages.spent("outer"), stages.spent("inner"):
        sum(range(200_000))
    assert stages.seconds["inner"] > 10 * stages.seconds["outer"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """200 pairs of 4 to 24 frames of 48 or 96 px, ten of them different."""
    place = tmp_path_factory.mktemp("forecast")
    for side, noise in (("pred", 6.0), ("gt", 0.0)):
        (place / side).mkdir()
        for number in range(10):
            frames = moving(frames=4 + 5 * (number % 5), size=48 + 48 * (number % 2), seed=number, noise=noise)
            made = write_clip(place / f"{side}{number}.mp4", frames)
            for copy in range(CLIPS // 10):
                shutil.copy(made, place / side / f"{copy:02}-{number}.mp4")
    return place


def test_a_run_of_200_clips_costs_what_was_said(folder, tmp_path):
    pairing = paired(folder / "pred", folder / "gt")
    said = forecast(pairing, METRICS, protocol_of("native"), Fleet())
    options = Options(out=tmp_path / "run.json", workers=1)
    run = thgeval.evaluate(folder / "pred", folder / "gt", metrics=METRICS, options=options)
    assert (said.clips, said.sampled) == (CLIPS, 12)
    assert said.cpu_seconds == pytest.approx(run.record["cpu_seconds"], rel=0.25)
    states = sum(path.stat().st_size for path in tmp_path.glob("run.states/*.npz"))
    assert said.state_bytes == pytest.approx(states, rel=0.25)
    assert said.result_bytes == pytest.approx((tmp_path / "run.json").stat().st_size, rel=0.5)
    assert {"decode", "metrics", "states", "write", "scores"} <= said.stages.keys()


def test_from_the_command_line(folder, capsys, tmp_path):
    asked = ["plan", str(folder / "pred"), str(folder / "gt"), "-m", "psnr", "--sample", "3"]
    assert code([*asked, "--machines", "64", "--cores", "16", "--clips", "20000"]) == 0
    said = capsys.readouterr().out
    assert "20000 clips, of which 3 were measured" in said
    assert "on 64 machines of 16 cores" in said
    (tmp_path / "empty").mkdir()
    assert code(["plan", str(tmp_path / "empty"), "-m", "psnr"]) == 2
    with pytest.raises(ProtocolError, match="a fleet has"):
        Fleet(0)
