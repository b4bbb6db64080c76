"""Runs of a shut eye: against a walk over frames, and where a clip or a face ends."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import blinks as oracle

from thgeval.kernels.blinks import blinks

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
