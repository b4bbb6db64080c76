"""What making took, from the records beside clips."""

import json
from dataclasses import asdict, replace
from fractions import Fraction

import numpy as np
import pytest

from thgeval.clip import Clip, Memory
from thgeval.errors import InputError
from thgeval.features.frames.frames import info
from thgeval.features.frames.offered import timing
from thgeval.media.decoder import probe
from thgeval.metric import Better
from thgeval.metrics.cost.fps import FPS
from thgeval.metrics.cost.memory import PeakMemory, WeightsSize
from thgeval.metrics.cost.rtf import RTF
from thgeval.metrics.cost.ttff import TTFF
from thgeval.timing import TimingRecord, read_timing
from thgeval.view import View

RECORD = TimingRecord(
    frames=100, seconds=4.0, device="NVIDIA A100, 80 GB", dtype="float16", batch=1, resolution="512x512"
)


CARD = replace(RECORD, first_frame_s=0.5, peak_memory_bytes=3e9, weights_bytes=2.5e8)


@pytest.fixture
def measured(tmp_path):
    def of(metric, clip, record, rate=Fraction(25)):
        path = tmp_path / f"{clip}.timing.json"
        path.write_text(json.dumps(asdict(record)))
        facts = probe(Clip(clip, Memory(np.zeros((1, 8, 8, 3), np.uint8), 255.0), rate))
        return metric.measure(View.of(clip, 0, {timing: path, info: facts}, {}).seen_by(metric.needs, metric.name))

    return of


@pytest.fixture
def speed_of(measured):
    return lambda clip, record: measured(FPS(), clip, record)


def test_a_factor_is_seconds_of_making_over_seconds_of_video(measured):
    state = measured(RTF(), "a", RECORD) + measured(RTF(), "b", replace(RECORD, frames=20, seconds=8.0))
    assert RTF().score(state) == 12.0 / (120 / 25)


def test_a_factor_needs_the_rate_of_the_clip(measured):
    with pytest.raises(InputError, match="state its fps, or leave rtf out"):
        measured(RTF(), "a", RECORD, rate=None)


@pytest.mark.parametrize(
    ("metric", "first", "both"), [(TTFF(), 0.5, 1.0), (PeakMemory(), 3e3, 2e3), (WeightsSize(), 250, 125)]
)
def test_facts_are_averaged_over_clips(measured, metric, first, both):
    other = replace(CARD, first_frame_s=1.5, peak_memory_bytes=1e9, weights_bytes=0)
    state = measured(metric, "a", CARD)
    assert metric.score(state) == first
    assert metric.score(state + measured(metric, "b", other)) == both


@pytest.mark.parametrize("metric", [TTFF(), PeakMemory(), WeightsSize()])
def test_a_record_may_say_nothing_of_a_fact(measured, metric):
    with pytest.raises(InputError, match=f"the timing record of a says nothing of {metric.fact}") as caught:
        measured(metric, "a", RECORD)
    assert caught.value.reason == f"no {metric.fact}"


def test_fps_is_a_ratio_of_sums(speed_of):
    state = speed_of("a", RECORD) + speed_of("b", replace(RECORD, frames=20, seconds=8.0))
    assert FPS().score(state) == 120 / 12.0
    assert state.frames == 120
    assert state.under == ("NVIDIA-A100-80-GB,float16,batch1,512x512,model",)


@pytest.mark.parametrize(
    "change",
    [{"device": "cpu"}, {"dtype": "float32"}, {"batch": 8}, {"resolution": "256x256"}, {"timed": "whole command"}],
)
def test_fps_never_pools_other_conditions(speed_of, change):
    state = speed_of("a", RECORD) + speed_of("b", replace(RECORD, **change))
    assert len(state.under) == 2


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (json.dumps({**asdict(RECORD), "first_frame_s": -1}), "first_frame_s must be 0 or more"),
        (json.dumps({**asdict(RECORD), "weights_bytes": "many"}), "can't be used"),
        ("{", "can't be used"),
        ('{"frames": 1, "seconds": 1}', "it lacks 'device'"),
        ('{"frames": 1, "seconds": 0, "device": "a", "dtype": "b", "batch": 1, "resolution": "c"}', "must be positive"),
        (
            '{"frames": 1, "seconds": 1, "device": " ", "dtype": "b", "batch": 1, "resolution": "c"}',
            "leaves open device",
        ),
        (
            '{"frames": 1, "seconds": NaN, "device": "a", "dtype": "b", "batch": 1, "resolution": "c"}',
            "must be positive",
        ),
        ('{"frames": "x", "seconds": 1, "device": "a", "dtype": "b", "batch": 1, "resolution": "c"}', "can't be used"),
        ("[]", "can't be used"),
    ],
)
def test_bad_timing_records_are_explained(tmp_path, record, said):
    path = tmp_path / "a.timing.json"
    path.write_text(record)
    with pytest.raises(InputError, match=said) as caught:
        read_timing(path)
    assert caught.value.reason == "bad timing record"


def test_which_way_is_better():
    assert FPS.better is Better.HIGHER
    assert {cls.better for cls in (RTF, TTFF, PeakMemory, WeightsSize)} == {Better.LOWER}
