"""Runs of a shut eye: against a walk over frames, and where a clip or a face ends."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import blinks as oracle

from thgeval.kernels.blinks import blinks, falls

OPEN, SHUT, GONE = 0.3, 0.1, np.nan


def sequence(text):
    """Aspect ratios from text: o open, s shut, . not seen."""
    return np.array([{"o": OPEN, "s": SHUT, ".": GONE}[mark] for mark in text])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ooooo", []),
        ("", []),
        (".....", []),
        ("oosssoo", [(3, True)]),
        ("oosoo", []),
        ("ssoosso", [(2, False), (2, True)]),
        ("oosss", [(3, False)]),
        ("sssss", [(5, False)]),
        ("oos.sso", [(4, True)]),
        ("oo.sso", [(2, False)]),
        ("ooss.o", [(2, False)]),
        ("oss.osso", [(2, False), (2, True)]),
        ("os.o", []),
    ],
)
def test_blinks_are_runs_of_frames(text, found):
    got = blinks(sequence(text), threshold=0.2, least=2)
    assert list(zip(got.frames.tolist(), got.whole.tolist(), strict=True)) == found


@given(st.lists(st.sampled_from([0.05, 0.19, 0.2, 0.25, 0.4, np.nan]), max_size=40), st.integers(1, 4))
def test_against_a_walk_over_frames(openness, least):
    got = blinks(np.array(openness, float), threshold=0.2, least=least)
    assert list(zip(got.frames.tolist(), got.whole.tolist(), strict=True)) == oracle.blinks(openness, 0.2, least)


@given(st.integers(0, 5), st.integers(2, 6))
def test_dips_of_known_length_are_found_as_they_are(dips, frames):
    text = "ooo" + ("s" * frames + "ooo") * dips
    got = blinks(sequence(text), threshold=0.2, least=2)
    assert got.frames.tolist() == [frames] * dips
    assert got.whole.all()


# Openness, and end - start of the blinks that process_video and save_blink_distribution of DinoMan/blink-detector at
# 325e301 find in it (scipy 1.16): dips of 4, 1, 7 and 4 frames, the last cut by the end; a slow dip; one from frame 0.
PROGRAMS = [
    ([*[0.3, 0.31, 0.3] * 2, *[0.1] * 4, *[0.3, 0.31, 0.3] * 2, 0.1, *[0.3, 0.31, 0.3] * 2, *[0.1] * 7,
      *[0.3, 0.31, 0.3] * 2, *[0.1] * 4], [7, 4, 10, 5]),
    ([0.3, 0.31, 0.3, 0.25, 0.2, 0.15, 0.1, 0.15, 0.2, 0.25, 0.3, 0.31, 0.3], []),
    ([0.0, 0.0, 0.3, 0.31, 0.2, 0.05, 0.2, 0.31, 0.3], [4]),
    ([0.3, 0.1, 0.1, 0.3, 0.31, 0.3], []),
    ([0.3], []),
    ([0.3, 0.1], []),
]  # fmt: skip


@pytest.mark.parametrize(("openness", "frames"), PROGRAMS)
def test_falls_are_those_of_the_program(openness, frames):
    assert falls(np.array(openness), drop=0.072, apart=4).frames.tolist() == frames


@given(st.lists(st.floats(0, 0.45), min_size=2, max_size=60, unique=True), st.integers(1, 6))
def test_falls_against_a_walk_over_frames(openness, apart):
    found = falls(np.array(openness), drop=0.072, apart=apart)
    assert found.frames.tolist() == oracle.falls(openness, 0.072, apart)
    assert found.whole.all()


def test_falls_need_every_frame():
    with pytest.raises(ValueError, match="every frame needs a value"):
        falls(np.array([0.3, np.nan, 0.3]), drop=0.072, apart=4)
    assert not len(falls(np.empty(0), drop=0.072, apart=4).frames)
