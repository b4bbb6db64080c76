"""States are sums of records: order, split and names can't reach the numbers."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thgeval.states import ClipMean, Counts, Part, PooledMean, Rows

values = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40)


@given(values, st.randoms(use_true_random=False))
def test_any_split_in_any_order_gives_the_same_bits(frames, random):
    whole = ClipMean.of("a", frames)
    cuts = sorted({0, *(random.randrange(len(frames)) for _ in range(4))})
    parts = [
        ClipMean.of("a", frames[low:high], start=low)
        for low, high in zip(cuts, [*cuts[1:], len(frames)], strict=True)
        if high > low
    ]
    random.shuffle(parts)
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    assert total.value == whole.value
    assert total.record("a").values.tolist() == frames


def test_clip_mean_weighs_clips_and_pooled_mean_frames():
    for kind, expected in ((ClipMean, (1 + 4) / 2), (PooledMean, (1 + 4 + 4 + 4) / 4)):
        state = kind.of("short", [1.0]) + kind.of("long", [4.0, 4.0, 4.0])
        assert state.value == expected
        assert state.frames == 4


def test_sums_are_exactly_rounded():
    frames = [1e16, 1.0, -1e16, 1.0]
    assert ClipMean.of("a", frames).sums[0] == float(sum(map(Fraction, frames)))


def test_frames_without_a_value_are_counted_and_left_out_of_the_mean():
    state = ClipMean.of("a", [1.0, math.inf, 3.0], left_out={"identical": np.array([False, True, False])})
    state += ClipMean.of("a", [math.inf, 5.0], start=3, left_out={"identical": [0]})
    assert state.value == 3.0
    assert state.frames == 3
    assert state.left_out == {"identical": 2}
    assert state.record("a").left_out == {"identical": (1, 3)}


def test_a_clip_without_any_value_is_not_scored():
    state = ClipMean.of("a", [1.0]) + ClipMean.of("b", [2.0], left_out={"black": [0]})
    assert state.scored == ("a",)
    assert state.value == 1.0
    assert math.isnan(ClipMean.of("b", [2.0], left_out={"black": [0]}).value)


def test_measuring_the_same_frames_twice_is_refused():
    with pytest.raises(ValueError, match=r"clip 'a' was measured twice from frame 0"):
        _ = ClipMean.of("a", [1.0]) + ClipMean.of("a", [2.0])


def test_counts_are_a_ratio_of_sums():
    state = Counts.of("a", 3, 10.0, frames=250) + Counts.of("b", 1, 30.0, frames=750)
    assert state.value == 4 / 40
    assert state.frames == 1000
    assert math.isnan(Counts.of("c", 0, 0.0).value)


def test_rows_are_stacked_in_the_order_of_clips():
    state = Rows.of("b", np.full((2, 3), 2.0)) + Rows.of("a", np.full((1, 3), 1.0))
    assert state.stacked()[:][:, 0].tolist() == [1.0, 2.0, 2.0]


def test_what_is_shown_of_parts_is_shown_of_their_clip():
    state = Counts.of("a", 1, 2, detail="first line")
    assert state.record("a").detail == "first line"
    parts = {
        "a": (
            Part(0, np.zeros((1, 3)), detail="one"),
            Part(1, np.zeros((1, 3))),
            Part(2, np.zeros((1, 3)), detail="two"),
        )
    }
    assert Counts(parts).record("a").detail == "one\ntwo"
