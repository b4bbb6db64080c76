"""Numbers as they are printed, and scales as they are drawn."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thgeval.metric import Better
from thgeval.protocol import CHOICES, Protocol
from thgeval.report import text
from thgeval.report.axes import Axis, axis
from thgeval.statistics import Interval


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (0.0, "0"),
        (0.91234, "0.9123"),
        (-0.91234, "-0.9123"),
        (31.4159, "31.42"),
        (9999.6, "10000"),
        (123456.0, "123456"),
        (0.00004213, "0.00004213"),
        (0.000004213, "4.213e-06"),
        (123456789.0, "1.235e+08"),
        (math.inf, "∞"),
        (-math.inf, "-∞"),
    ],
)
def test_four_significant_digits(value, printed):
    assert text.number(value) == printed


def test_an_interval_has_the_decimals_of_its_value_unless_its_bounds_are_far_larger():
    assert text.interval(0.02, Interval(-0.5, 12.0)) == ("0.02", "-0.50", "12.00")
    assert text.interval(0.99871, Interval(0.99812, 1.0)) == ("0.9987", "0.9981", "1.0000")


def test_columns_have_the_decimals_of_a_typical_number():
    assert text.shared_decimals([0.87, 0.91, 1.0]) == 4
    assert text.shared_decimals([16.0, 22.7, 300.1]) == 2
    assert text.shared_decimals([0.0034, math.inf, math.inf]) == 6
    assert text.shared_decimals([0.0, 0.0, 0.0, 0.6154]) == 4
    assert text.shared_decimals([math.inf]) == text.shared_decimals([]) == 0


def test_runs_of_frames_are_drawn_together():
    assert text.ranges([9, 3, 7, 8]) == "3, 7–9"
    assert text.ranges([]) == ""


def test_every_direction_and_every_policy_has_words():
    assert set(text.DIRECTIONS) == set(Better)
    for name, choices in CHOICES.items():
        for choice in choices:
            for token in Protocol(**{name: choice}).tokens():
                assert text.policy(token) != token
    assert [text.policy(token) for token in Protocol().tokens()[:2]] == ["each clip’s own frame rate", "native size"]
    assert text.policy("30000/1001fps") == "30000/1001 frames per second"


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_scales_hold_all_values_and_have_round_ticks_inside(values):
    scale = axis(values, 10.0, 210.0)
    assert all(9.9 <= scale(value) <= 210.1 for value in values)
    ticks = scale.ticks(5)
    assert 1 <= len(ticks) <= 12
    assert all(9.9 <= x <= 210.1 for x, _ in ticks)
    assert [x for x, _ in ticks] == sorted(x for x, _ in ticks)
    assert len({label for _, label in ticks}) == len(ticks)


def test_ticks_lie_where_their_labels_say():
    scale = Axis(0.0, 10.0, 0.0, 100.0)
    assert scale.ticks(5) == [(0.0, "0"), (20.0, "2"), (40.0, "4"), (60.0, "6"), (80.0, "8"), (100.0, "10")]
