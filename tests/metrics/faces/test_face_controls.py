"""Controls whose rank is known, drawn and found again: what each metric of faces sees, and what it doesn't."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import thgeval
from thgeval import registry
from thgeval.metric import Better

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("seen_once")]

PAIRED = (
    "lmd", "f-lmd", "m-lmd", "lvd", "lvd/face", "mouth-amplitude", "mouth-correlation",
    "akd/dlib", "akd/dlib-l2", "mkr/faces", "prmse/pnp", "apd/pnp", "aucon/geometric",
    "aue/geometric-upper", "aue/geometric-lower", "e-fid/landmarks",
)  # fmt: skip
BLINKS = ("blinks-per-s", "blink-duration")
DETECTOR_PX = 0.2  # what dlib's whole px make of a change that is not there
POSE = dict.fromkeys(("yaw", "pitch", "roll", "tx", "ty"), 0.0)


@pytest.fixture(scope="module")
def runs():
    """Every control of one clip of three seconds against it, under all metrics."""
    pytest.importorskip("dlib")
    pytest.importorskip("skimage")
    from thgeval_baselines.controls.frames import shifted
    from thgeval_baselines.photo.head import render
    from thgeval_baselines.sets.clips import head
    from thgeval_baselines.sets.track import track

    drawn, motion = head(seed=0, size=208), track(seed=1, seconds=3.0)

    def clip(**changed):
        return render(drawn, [replace(frame, **changed) for frame in motion.frames()])[0]

    resting = {name: float(motion[name].mean()) for name in ("aperture", "rounding", "smile")}
    reference = clip()
    controls = {
        "copy": reference,
        "no blink": clip(blink=0.0),
        "frozen mouth": clip(**resting),
        "late": shifted(reference, by=5),
        "no pose": clip(**POSE),
        "still": np.repeat(reference[:1], len(reference), axis=0),
        "lost": np.concatenate([reference[:60], np.zeros_like(reference[60:])]),
    }
    runs = {
        name: thgeval.score(frames, reference, metrics=[*PAIRED, *BLINKS], fps=25) for name, frames in controls.items()
    }
    return SimpleNamespace(runs=runs, of=lambda control, metric: runs[control][metric].value, blinks=motion.blinks_s)


def worth(metric, value):
    """Larger is better."""
    better = registry.metric(metric).metric.better
    return value if better is Better.HIGHER else -abs(value)


@pytest.mark.parametrize("metric", PAIRED)
def test_the_copy_is_best_or_tied(runs, metric):
    best = worth(metric, runs.of("copy", metric))
    others = [worth(metric, value) for control in runs.runs if (value := runs.of(control, metric)) is not None]
    assert best >= max(others) - 1e-9


def test_missing_blinks_are_seen_by_the_metrics_of_blinks_alone(runs):
    rate = runs.runs["no blink"]["blinks-per-s"]
    assert rate.value == 0
    assert rate.reference.value == pytest.approx(len(runs.blinks) / 3, rel=1e-12)
    assert runs.runs["no blink"]["blink-duration"].unscored.startswith("no blink begins and ends in view")
    assert runs.of("no blink", "lmd") < DETECTOR_PX
    assert runs.of("no blink", "f-lmd") < DETECTOR_PX
    assert runs.of("no blink", "mouth-correlation") > 0.99
    assert runs.of("no blink", "mouth-amplitude") < 0.02
    assert runs.of("no blink", "prmse/pnp") < 1
    for other in ("frozen mouth", "late", "no pose"):
        assert runs.of(other, "blinks-per-s") == rate.reference.value


def test_a_frozen_mouth_pleases_lmd_and_is_exposed_by_amplitude_and_correlation(runs):
    assert runs.of("frozen mouth", "lmd") < runs.of("late", "lmd")
    assert runs.of("frozen mouth", "mouth-amplitude") > 0.8
    assert runs.of("frozen mouth", "mouth-correlation") < 0.4
    assert runs.of("late", "mouth-amplitude") < 0.1
    assert "read it beside mouth-amplitude and mouth-correlation" in runs.runs["frozen mouth"]["lmd"].note


def test_a_late_mouth_is_seen_by_correlation(runs):
    assert runs.of("late", "mouth-correlation") < 0.5
    assert runs.of("late", "lvd") > runs.of("frozen mouth", "lvd")


def test_a_head_that_does_not_turn_is_seen_by_the_metrics_of_pose(runs):
    for metric in ("prmse/pnp", "apd/pnp"):
        assert runs.of("no pose", metric) > 3 * runs.of("frozen mouth", metric)
        assert runs.of("no pose", metric) > 3 * runs.of("no blink", metric)
    assert runs.of("no pose", "mouth-correlation") > 0.95
    assert runs.of("no pose", "akd/dlib-l2") > 2 * runs.of("no pose", "f-lmd")


def test_a_still_face_has_no_correlation_and_no_amplitude(runs):
    assert runs.runs["still"]["mouth-correlation"].value is None
    assert runs.runs["still"]["mouth-correlation"].left_out == {"a mouth does not move": 1}
    assert runs.of("still", "mouth-amplitude") == 1


def test_lost_faces_are_counted_and_not_averaged_over(runs):
    assert runs.of("lost", "mkr/faces") == 15 / 75
    lost = runs.runs["lost"]["lmd"]
    assert lost.value == 0
    assert lost.frames == 60
    assert lost.frames_left_out == {"no face in generated": 15}
    assert lost.note.startswith("15 of 75 frames have no value of their own")


LIGHT = (
    "lmd:landmarks=mediapipe", "prmse/3ddfa", "prmse/mediapipe", "apd/3ddfa", "aed-3dmm/3ddfa", "avd/3ddfa",
    "e-fid/3ddfa", "e-fid/blendshapes",
)  # fmt: skip


def test_the_light_networks_put_controls_in_order():
    pytest.importorskip("torch")
    pytest.importorskip("mediapipe")
    pytest.importorskip("skimage")
    from support import assets

    from thgeval_baselines.photo.geometry import Parameters
    from thgeval_baselines.sets.clips import head

    drawn, other = head(seed=0, size=256), head(seed=1, size=256)
    motion = [Parameters(aperture=t / 10, yaw=8 * np.sin(t), pitch=4 * np.cos(t), roll=t / 2) for t in range(8)]
    reference = np.stack([drawn.frame(each) for each in motion])
    controls = {
        "copy": reference,
        "frozen mouth": np.stack([drawn.frame(replace(each, aperture=0.3)) for each in motion]),
        "no pose": np.stack([drawn.frame(replace(each, **POSE)) for each in motion]),
        "other": np.stack([other.frame(each) for each in motion]),
    }
    with assets.light():
        runs = {name: thgeval.score(frames, reference, metrics=LIGHT, fps=25) for name, frames in controls.items()}
    value = {metric: {name: run[metric].value for name, run in runs.items()} for metric in LIGHT}
    copies = {metric: value[metric].pop("copy") for metric in LIGHT}
    for metric in LIGHT:
        copy = copies[metric]
        assert copy < min(value[metric].values()), metric
        assert copy == pytest.approx(0, abs=1e-9) or metric == "avd/3ddfa"
    assert runs["copy"]["avd/3ddfa"].note == f"the reference is {copies['avd/3ddfa']:.4f} dm from its own first frame"
    for metric in ("prmse/3ddfa", "prmse/mediapipe", "apd/3ddfa"):
        assert value[metric]["no pose"] > 2 * value[metric]["frozen mouth"]
    assert value["aed-3dmm/3ddfa"]["frozen mouth"] > value["aed-3dmm/3ddfa"]["no pose"]
    assert value["avd/3ddfa"]["other"] > value["avd/3ddfa"]["frozen mouth"]
