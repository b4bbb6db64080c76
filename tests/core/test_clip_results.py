"""Entries of clips in a result file: typed, never changed in place, and read back as they were written."""

import dataclasses
import math

import numpy as np
import pytest
from support.boards import made_run

from thgeval import registry
from thgeval.engine.scoring import Contribution, Setting, scored_run
from thgeval.engine.verification import from_clips
from thgeval.errors import Failure
from thgeval.protocol import Protocol
from thgeval.results import ClipResult
from thgeval.states import ClipMean
from thgeval.statistics import Resampling

FULL = ClipResult(
    "a",
    side="generated",
    generated="a.mp4",
    content={"generated": "0" * 64},
    states="1" * 64,
    frames=3,
    failure=Failure("corrupt", "a.mp4: frame 3 is damaged"),
    failed={"lmd": Failure("no face", "a.mp4: no face was found")},
    notes=("the first 3 were compared",),
    media={"generated": {"fps": 25.0}},
    scores={"psnr": math.inf, "l1": 0.5, "lmd": None},
    contributions={"l1": [0.5, 1.0]},
    reference_contributions={"f-mse": [2.0, 1.0]},
    details={"wer": "ok"},
)


def test_an_entry_is_read_back_as_it_was_written():
    assert ClipResult.from_dict(FULL.to_dict()) == FULL
    assert FULL.to_dict()["scores"] == {"psnr": "inf", "l1": 0.5, "lmd": None}
    assert FULL.to_dict()["failure"] == {"reason": "corrupt", "message": "a.mp4: frame 3 is damaged"}


def test_entries_are_in_the_order_of_the_file():
    order = [field.name for field in dataclasses.fields(ClipResult)]
    assert list(FULL.to_dict()) == order
    assert list(ClipResult("b").to_dict()) == [name for name in order if name != "side"]


def test_scoring_leaves_what_it_reads_as_it_is():
    clip = ClipResult("a", notes=("said",))
    contribution = Contribution(clip, {"l1": ClipMean.of("a", [0.5])})
    run = scored_run(registry.metrics(["l1"]), {}, [contribution], Setting(Protocol(), Resampling(), 1, {}, {}), {}, {})
    assert run.clips[0].scores == {"l1": 0.5}
    assert clip == ClipResult("a", notes=("said",))
    assert contribution.sealed({"l1"}).clip.states
    assert contribution.clip == clip
    with pytest.raises(dataclasses.FrozenInstanceError):
        clip.frames = 3


@pytest.mark.parametrize("value", [1e91, -1e200, 1.7e308])
def test_values_that_no_clip_can_have_are_named(value):
    run = made_run({"l1": list(np.linspace(0.1, 0.9, 8))})
    clips = (dataclasses.replace(run.clips[0], contributions={"l1": [value, 1.0]}), *run.clips[1:])
    verdict = from_clips(dataclasses.replace(run, clips=clips))
    assert verdict.differs == ("l1 has values per clip beyond 1e+90, which no clip can have",)
    assert from_clips(run).differs == ()
