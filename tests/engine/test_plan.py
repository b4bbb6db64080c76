"""What is refused before anything is decoded, and what is computed once for all metrics."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from thgeval.clip import Clip, Memory, Pair
from thgeval.engine.plan import unmet_need
from thgeval.errors import InputError
from thgeval.feature import Feature, Grain
from thgeval.features.frames.offered import clip, offered, openface_file, prompt, sound
from thgeval.metric import Better, Metric, Needs, of_both, of_generated
from thgeval.states import ClipMean
from thgeval.view import Side, View


@dataclass(frozen=True)
class Reading(Metric[ClipMean]):
    """A metric that reads whatever it is told to."""

    wanted: ClassVar[Needs] = Needs()
    name = "reading"
    version = 1
    range = (0.0, 1.0)
    better = Better.HIGHER
    cites = ()

    @property
    def needs(self):
        return self.wanted

    def measure(self, view):
        raise AssertionError("never measured here")

    def score(self, state):
        return state.value


def reading(needs):
    return type("Reading", (Reading,), {"wanted": needs})()


def test_each_side_is_asked_for_what_it_must_offer(tmp_path):
    (tmp_path / "a.csv").write_text("")
    generated = Clip("a", tmp_path / "a.mp4")
    reference = Clip("a", tmp_path / "real" / "a.mp4")
    pair = Pair("a", generated, reference)
    assert unmet_need(reading(of_generated(openface_file)), pair) is None
    refusal = str(unmet_need(reading(of_both(openface_file)), pair))
    assert refusal == (
        "reading needs openface (reading <- openface); the reference of a has no OpenFace table "
        "(a CLIP.openface.csv beside it)"
    )


def test_frames_in_memory_have_no_sound_unless_it_is_named():
    frames = Clip("a", Memory(np.zeros((1, 2, 2, 3), np.uint8), 255.0))
    assert "frames alone have none" in str(unmet_need(reading(of_generated(sound)), Pair("a", frames)))
    named = Pair("a", frames, audio=Path("speech.wav"))
    assert unmet_need(reading(of_generated(sound)), named) is None
    assert offered(named, reference=False) == {clip: frames, sound: Path("speech.wav")}


def test_a_reference_brings_its_own_sound_and_no_prompt(tmp_path):
    generated, reference = Clip("a", tmp_path / "a.mp4"), Clip("a", tmp_path / "real.mp4")
    pair = Pair("a", generated, reference, audio=Path("speech.wav"), prompt=Path("a.prompt.txt"))
    assert offered(pair, reference=False)[sound] == Path("speech.wav")
    assert offered(pair, reference=False)[prompt] == Path("a.prompt.txt")
    assert offered(pair, reference=True) == {clip: reference, sound: reference}
    assert offered(Pair("a", generated), reference=True) == {}


def test_what_cannot_be_computed_is_tried_once():
    tries = []

    def broken(value):
        tries.append(value)
        raise InputError("no face anywhere", reason="no face")

    given = Feature("given", 1, grain=Grain.CLIP, offered="clip")
    feature = Feature("broken", 1, inputs=(given,), grain=Grain.CLIP, compute=broken)
    above = Feature("above", 1, inputs=(feature,), grain=Grain.CLIP, compute=lambda value: value)
    values = Side({given: 7})
    for asked in (feature, above, feature, above):
        with pytest.raises(InputError, match="no face anywhere"):
            values[asked]
    assert tries == [7]


def test_a_companion_that_one_side_lacks_is_an_input_error_of_that_side():
    seen = View.of("a", 0, {openface_file: Path("a.csv")}, {}).swapped().seen_by(of_generated(openface_file), "reading")
    with pytest.raises(InputError, match="there is no openface beside the clip") as caught:
        seen.generated[openface_file]
    assert caught.value.reason == "no openface"
