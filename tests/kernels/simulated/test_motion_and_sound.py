"""Warping, mel columns and distances of landmarks against their slow twins."""

import numpy as np
import pytest
from oracles import mel as mel_oracle
from oracles import warp as warp_oracle

from thgeval.kernels import landmarks, mel, warp


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("size", [(1, 1), (1, 7), (9, 11)])
def test_reading_along_a_flow(lent, size, dtype):
    rng = np.random.default_rng(7)
    previous, current = (rng.integers(0, 256, (2, *size, 3)).astype(dtype) for _ in range(2))
    flow, mask = rng.uniform(-2, 2, (2, *size, 2)).astype(np.float32), rng.random((2, *size)) < 0.7
    pixels, inside = warp.warped(lent(current), flow=lent(flow))
    squared, counts = warp.squared_error(
        previous=lent(previous), current=lent(current), flow=lent(flow), mask=lent(mask)
    )
    for index in range(2):
        wanted, wanted_inside = warp_oracle.warped(current[index], flow[index])
        np.testing.assert_array_equal(np.asarray(inside)[index], wanted_inside)
        np.testing.assert_allclose(np.asarray(pixels)[index], wanted, rtol=0, atol=1e-9)
        total, count = warp_oracle.squared_error(previous[index], current[index], flow[index], mask[index])
        assert np.asarray(counts)[index] == count
        np.testing.assert_allclose(np.asarray(squared)[index], total, rtol=1e-12)


def test_what_can_be_followed(lent):
    rng = np.random.default_rng(8)
    forward = (0.5 + rng.uniform(-0.05, 0.05, (2, 14, 15, 2))).astype(np.float32)
    backward = (-forward + rng.uniform(-0.8, 0.8, forward.shape)).astype(np.float32)
    seen = np.asarray(warp.visible(forward=lent(forward), backward=lent(backward)))
    for index in range(2):
        np.testing.assert_array_equal(seen[index], warp_oracle.visible(forward[index], backward[index]))
    assert 0.1 < seen.mean() < 0.9


def test_columns_of_sound(lent):
    samples = np.random.default_rng(3).integers(-3000, 3000, 600).astype(np.int16)
    np.testing.assert_allclose(mel.mfcc(lent(samples)), mel_oracle.mfcc(samples), rtol=1e-9, atol=1e-9)
    unit = samples / 32768
    found = mel.log_mel(lent(unit), bands=20, floor=1e-10)
    np.testing.assert_allclose(found, mel_oracle.log_mel(unit, 20, 1e-10), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(mel.loudness(lent(unit), window=150), mel_oracle.loudness(unit, 150), rtol=1e-12)


def test_silence_is_a_number(lent):
    silence = np.zeros(401, np.int16)
    np.testing.assert_allclose(mel.mfcc(lent(silence)), mel_oracle.mfcc(silence), rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("distance", landmarks.DISTANCES)
def test_distances_of_landmarks(lent, distance):
    first, second = np.random.default_rng(4).normal(100, 30, (2, 2, 68, 2))
    first[1, 5] = np.nan
    found = landmarks.points_apart(lent(first), lent(second), distance=distance)
    gap = first - second
    expected = np.hypot(*gap.transpose(2, 0, 1)) if distance == "l2" else (abs(gap[..., 0]) + abs(gap[..., 1])) / 2
    np.testing.assert_allclose(found, expected, rtol=1e-13)
    middle = [[sum(face[:, axis]) / 68 for axis in range(2)] for face in first]
    np.testing.assert_allclose(landmarks.centred(lent(first)), first - np.array(middle)[:, None], atol=1e-11)
    apart = np.hypot(*(second[:, 36] - second[:, 45]).T)
    np.testing.assert_allclose(landmarks.interocular(lent(second)), apart, rtol=1e-13)
