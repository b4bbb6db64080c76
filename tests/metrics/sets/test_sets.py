"""Metrics of two sets, end to end: order of controls, coverage, notes, intervals, cache; and their states."""

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest

import thgeval
from thgeval import registry
from thgeval.engine.run import Options, evaluate
from thgeval.errors import InputError, ProtocolError
from thgeval.features.frames.windows import squares, windows
from thgeval.media.frames import FrameBatch
from thgeval.results import Run
from thgeval.states import TwoRows, checkpoint
from thgeval.states.checkpoint import Checkpoint, Kept

NETWORKS = ("seed=20200713", "side_px=32,seed=1")  # small frames for another one, to be quick
WHICH = ("density", "precision", "recall")
FRAMES = 25
WORSE = ("copy", "crf18", "crf42", "blur3")


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    pytest.importorskip("torch")
    pytest.importorskip("skimage")
    from thgeval_baselines.demo import make_demo

    return make_demo(tmp_path_factory.mktemp("demo") / "clips", clips=2, seconds=1.0, size=128)


@pytest.fixture(scope="module")
def runs(demo, seen_once):
    """Every control under random networks of two seeds."""
    names = ("fid-random", "prdc-random", "fvd-random", *(f"prdc-random/{which}" for which in WHICH))
    requests = [f"{name}:{network}" for name in names for network in NETWORKS]
    return {
        control: evaluate(demo.controls[control], demo.reference, metrics=requests, options=Options(workers=2))
        for control in WORSE
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fid-random", "fvd-random"])
@pytest.mark.parametrize("network", NETWORKS)
def test_random_networks_put_controls_in_order(runs, name, network):
    key = registry.metric(f"{name}:{network}").key
    values = [runs[control][key].value for control in WORSE]
    assert values[0] == pytest.approx(0, abs=1e-9)
    assert values == sorted(values)
    assert len(set(values)) == len(WORSE)


@pytest.mark.slow
@pytest.mark.parametrize("network", NETWORKS)
def test_random_coverage_tells_mild_from_strong_damage(runs, network):
    """The middle is narrow: mild damage leaves frames in their balls, strong damage takes all of them out."""
    key = registry.metric(f"prdc-random:{network}").key
    values = [runs[control][key].value for control in WORSE]
    assert values[0] == 1
    assert values == sorted(values, reverse=True)
    assert min(values[:2]) > max(values[2:])


@pytest.mark.slow
@pytest.mark.parametrize("which", WHICH)
def test_the_four_of_prdc_agree_on_the_extremes(runs, which):
    key = registry.metric(f"prdc-random/{which}").key
    assert runs["copy"][key].value == pytest.approx(1, abs=0.1)
    assert runs["blur3"][key].value == 0


@pytest.mark.slow
def test_a_result_counts_clips_and_rows_and_says_that_they_are_few(runs, tmp_path):
    run = runs["crf42"]
    score = run["fid-random"]
    assert (score.clips, score.frames) == (2, 2 * FRAMES)
    assert run["fvd-random"].frames == 2
    assert "|n:2/2|" in score.signature.replace("||", "|")
    assert score.note == f"rests on {2 * FRAMES} frames a side; below 640 the value depends much on their number"
    low, high = score.interval
    assert low < score.value < high
    assert all(clip.scores["fid-random"] is None for clip in run.clips)
    assert all("fid-random" not in clip.contributions for clip in run.clips)
    run.write(tmp_path / "run.json")
    assert Run.read(tmp_path / "run.json")["fid-random"] == score
    schema = json.loads((Path(thgeval.__file__).parent / "result.schema.json").read_text())
    jsonschema.validate(json.loads((tmp_path / "run.json").read_text()), schema)


@pytest.mark.slow
def test_a_second_run_reads_states_instead_of_running_networks(demo, tmp_path, monkeypatch):
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path))
    small = ["fid-random:side_px=32", "fvd-random:side_px=32"]
    asked = {"metrics": small, "options": Options(workers=2, cache="read-write")}
    first = evaluate(demo.controls["crf42"], demo.reference, **asked)
    monkeypatch.setattr("thgeval.networks.rows", None)
    second = evaluate(demo.controls["crf42"], demo.reference, **asked)
    assert second.scores == first.scores


def test_a_clip_that_is_too_short_fails_that_metric_alone():
    pytest.importorskip("torch")
    frames = np.random.default_rng(0).integers(0, 256, size=(12, 48, 48, 3)).astype(np.uint8)
    run = thgeval.score(frames, frames, metrics=["fvd-random", "psnr"])
    assert run["fvd-random"].value is None
    assert run["fvd-random"].unscored == "no clip could be scored: too short (1)"
    assert run["fvd-random"].left_out == {"too short": 1}
    assert run.clips[0].failed["fvd-random"].message == (
        "a window of 16 frames from frame 0 on needs a clip of at least 16 frames, not 12"
    )


def test_one_window_is_no_set():
    pytest.importorskip("torch")
    frames = np.random.default_rng(0).integers(0, 256, size=(33, 48, 48, 3)).astype(np.uint8)
    run = thgeval.score(frames, frames, metrics=["fvd-random", "fvd-random:windows=all"], fps=25)
    assert run["fvd-random"].unscored == "fvd-random needs at least 2 windows on either side, not 1"
    assert run["fvd-random"].clips == 1
    several = run["fvd-random:windows=all"]
    assert (several.value, several.frames, several.interval) == (0.0, 2, None)


def test_the_two_sides_may_have_different_numbers_of_rows(tmp_path):
    generated, reference = np.arange(6, dtype=np.float32).reshape(3, 2), np.ones((3, 2), np.float32)
    generated[1] = np.nan
    state = TwoRows.of("b", generated=generated, reference=reference) + TwoRows.of(
        "a", generated=reference[:1], reference=np.full((1, 2), np.nan, np.float32)
    )
    assert state.generated[:].tolist() == [[1, 1], [0, 1], [4, 5]]
    assert state.reference[:].tolist() == [[1, 1]] * 3
    assert (state.frames, state.scored) == (3, ("a", "b"))
    assert state.only([]).generated.shape[0] == 0
    kept = Checkpoint("b", {}, "", {"m": Kept("p", state.only(["b"]))})
    checkpoint.save(tmp_path / "b.npz", kept)
    again = checkpoint.load(tmp_path / "b.npz").kept["m"].state
    assert isinstance(again, TwoRows)
    assert again.generated.dtype == np.float32
    assert again.record("b").values.tobytes() == state.record("b").values.tobytes()


def test_windows_follow_each_other_without_overlap():
    held = np.arange(23, dtype=np.float32)[:, None, None, None] * np.ones((1, 3, 2, 2), np.float32)

    def seen(**asked):
        return windows(held, **{"length": 3, "stride": 1, "start": 0, "which": "all"} | asked)[:, 0, :, 0, 0].tolist()

    assert seen(length=9) == [list(range(9)), list(range(9, 18))]
    assert seen(which="first") == [[0, 1, 2]]
    assert seen(stride=4) == [[0, 4, 8], [12, 16, 20]]
    assert seen(length=23) == [list(range(23))]
    with pytest.raises(InputError, match="needs a clip of at least 24 frames, not 23"):
        seen(length=24)
    with pytest.raises(InputError, match="from frame 20 on needs a clip of at least 44 frames, not 43"):
        seen(length=24, start=20)


@pytest.mark.parametrize("size", [(40, 60), (60, 40), (37, 53), (32, 32)])
@pytest.mark.parametrize("square", ["stretch", "centre-crop", "area"])
def test_squares_take_the_frames_asked_for(size, square):
    pytest.importorskip("torch")
    frames = np.random.default_rng(1).integers(0, 256, size=(7, *size, 3)).astype(np.uint8)
    asked = squares(side_px=32, square=square, start=2, count=3)
    whole = asked.compute(FrameBatch(frames, 255.0, 0), **dict(asked.parameters))
    assert whole.shape == (3, 3, 32, 32)
    assert whole.dtype == np.float32
    assert (whole.min() >= 0) & (whole.max() <= 1)
    pieces = [FrameBatch(frames[max(first - 1, 0) : first + 2], 255.0, first, min(first, 1)) for first in (0, 2, 4, 6)]
    parts = [asked.compute(piece, **dict(asked.parameters)) for piece in pieces]
    assert np.concatenate(parts).tobytes() == whole.tobytes()


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ("fvd:length=8", "fvd: length must be at least 9, not 8"),
        ("fvd:windows=some", "fvd: windows must be one of first, all, whole, not 'some'"),
        ("fvd:ddof=2", "fvd: ddof must be one of 0, 1, not 2"),
        ("fvd:square=round", "square must be one of stretch, centre-crop, area, bicubic-pil, not 'round'"),
        ("fvd-random:length=7", "fvd-random: length must be at least 8, not 7"),
        ("fid:resize=lanczos", "resize must be one of bilinear, bilinear-antialias"),
        ("fid:estimate=best", "estimate must be one of plain, infinity"),
        ("fid-random:side_px=16", "side_px must be at least 32 and at most 1024, not 16"),
        ("kid:subsets=5", "both 0, or 1 or more of 2 or more rows"),
        ("prdc:which=f1", "which must be one of coverage, density, precision, recall"),
        ("prdc:nearest=0", "nearest must be at least 1, not 0"),
        ("lpips:trunk=resnet", "trunk must be one of alex, vgg, squeeze"),
        ("clipsim:scale=0.0", "scale must be at most 1000 and above 0, not 0.0"),
        ("iqa:crops=0", "crops must be at least 1 and at most 1000, not 0"),
    ],
)
def test_requests_that_make_no_sense_are_refused(request_, said):
    with pytest.raises(ProtocolError, match=said):
        registry.metric(request_)
