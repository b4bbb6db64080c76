"""``without_blinks``: open eyes pasted over shut ones, held against the same performance rendered without blinks."""

import numpy as np
import pytest

pytest.importorskip("skimage")

from thgeval.controls.faces import open_eyed, without_blinks
from thgeval.errors import InputError
from thgeval_baselines.controls.takes import CONTROLS
from thgeval_baselines.sets.clips import head, take

EYES = slice(36, 48)


@pytest.fixture(scope="module")
def performed():
    return take(head(seed=1, size=128), seed=3, seconds=4.0, first=0)


@pytest.fixture(scope="module")
def opened(performed):
    return np.stack(list(without_blinks(performed.frames, performed.landmarks)))


def eyes_of(frames, points):
    """The frames around the eyes: each (height, width, 3)."""
    low, high = points[:, EYES].min(axis=1) - 2, points[:, EYES].max(axis=1) + 3
    boxes = np.concatenate([low, high], axis=1).astype(int)
    return [
        frame[top:bottom, left:right].astype(float)
        for frame, (left, top, right, bottom) in zip(frames, boxes, strict=True)
    ]


def test_eyes_are_those_of_one_who_never_blinks(performed, opened):
    true = CONTROLS["noblink"].changed(performed)
    shut = np.flatnonzero(open_eyed(performed.landmarks) != np.arange(len(opened)))
    assert len(shut) > 5
    eyes = [eyes_of(frames, true.landmarks) for frames in (opened, performed.frames, true.frames)]
    ours, blinking = (np.array([np.abs(some[at] - eyes[2][at]).mean() for at in shut]) for some in (eyes[0], eyes[1]))
    worst = blinking.argmax()
    assert blinking[worst] > 10, "it blinks, or nothing is shown"
    assert ours[worst] < 0.4 * blinking[worst]
    assert ours.max() < blinking.max() / 2


def test_frames_with_open_eyes_are_untouched(performed, opened):
    own = open_eyed(performed.landmarks) == np.arange(len(opened))
    assert 0.5 < own.mean() < 1
    assert np.array_equal(opened[own], performed.frames[own])


def test_a_clip_that_begins_with_shut_eyes_has_those_that_open(performed):
    shut = np.flatnonzero(open_eyed(performed.landmarks) != np.arange(len(performed.frames)))
    first = int(shut[0]) + 3
    points = performed.landmarks[first:]
    chosen = open_eyed(points)
    assert chosen[0] > 0
    assert (chosen[: chosen[0]] == chosen[0]).all()
    made = np.stack(list(without_blinks(performed.frames[first:], points)))
    assert made.shape == performed.frames[first:].shape
    assert np.abs(made[0].astype(int) - performed.frames[first]).max() > 20


def test_eyes_that_never_open_are_refused(performed):
    points = performed.landmarks[:3].copy()
    points[1, 36:48, 1] = 50.0
    with pytest.raises(InputError, match="no frame whose eyes are open"):
        open_eyed(points)
