"""Drift: slopes and ends of what clips show, beside a line fitted by numpy."""

from fractions import Fraction

import numpy as np
import pytest

from thgeval.clip import Clip, Memory, Pair
from thgeval.engine.run import Options, execute
from thgeval.metrics.time.drift import Drift
from thgeval.pairing import Pairing
from thgeval.states import TimedValues

RATE = Fraction(25)


def pair(name, levels, rate=RATE):
    """A clip of grey frames of these levels, beside one that stays as it begins."""
    shown = np.array(levels, np.float32)[:, None, None, None] * np.ones((16, 16, 3), np.float32)
    sides = shown, np.repeat(shown[:1], len(shown), axis=0)
    return Pair(name, *(Clip(side, Memory(frames, 1.0), rate) for side, frames in zip("gr", sides, strict=True)))


def judged(pairs, *requests):
    return execute(Pairing(tuple(pairs), ()), requests, "native", Options(workers=1)).scores


def test_slopes_are_numpys_lines_in_a_minute_and_never_cancel():
    rng = np.random.default_rng(1)
    up, down = (0.5 + sign * 0.002 * np.arange(40) + rng.normal(0, 0.01, 40) for sign in (1, -1))
    score = judged([pair("up", up), pair("down", down)], "drift")["drift"]
    lines = [np.polyfit(np.arange(40) / 25, levels.astype(np.float32), 1)[0] * 60 for levels in (up, down)]
    assert score.value == pytest.approx(np.abs(lines).mean(), rel=1e-5)
    assert score.note == "1 of 2 clips creep up, 1 down"
    assert score.unit == "1/min"
    assert score.reference.value == 0


def test_ends_are_the_last_part_less_the_first():
    levels = np.linspace(0.25, 0.75, 101)
    score = judged([pair("a", levels)], "drift/ends")["drift/ends"]
    assert score.value == pytest.approx(levels[80:].mean() - levels[:21].mean(), rel=1e-6)
    assert score.unit == ""


def test_a_moment_alone_has_no_course_and_is_counted():
    scores = judged([pair("one", [0.5]), pair("two", [0.5, 0.6])], "drift")
    assert (scores["drift"].clips, scores["drift"].left_out) == (1, {"a moment alone": 1})
    assert scores["drift"].value == pytest.approx(0.1 * 25 * 60, rel=1e-5)


def test_without_a_rate_nothing_creeps_in_a_minute():
    score = judged([pair("a", [0.5, 0.6], rate=None)], "drift")["drift"]
    assert score.left_out == {"no frame rate": 1}


def test_sampled_faces_keep_their_seconds():
    """Of values of some frames, as of csim at five a second, the seconds are those of the frames."""
    values = np.array([[1.0, 0.0], [np.nan, 0.2], [0.5, 0.4]])
    state = TimedValues.of("a", values)
    assert state.scored == ("a",)
    assert Drift().score(state) == pytest.approx(0.5 / 0.4 * 60)
    assert state.left_out == {}
