"""FSIM's transforms against numpy's: every kind of factor, and any stage left out."""

import numpy as np
import pytest

from thgeval.kernels.fsim.lanes import LANES
from thgeval.kernels.fsim.transforms import line, lines, transform


def drawn(length: int) -> np.ndarray:
    """(length, lanes) complex."""
    rng = np.random.default_rng(length)
    return rng.normal(size=(length, LANES)) + 1j * rng.normal(size=(length, LANES))


def transformed(entries: np.ndarray, *, done: int = 0) -> np.ndarray:
    length = len(entries)
    values = lines(1, length)
    held = values.reshape(length, 2, LANES)
    held[:, 0], held[:, 1] = entries.real, entries.imag
    transform(values, 0, line(length), done, lines(1, length))
    return held[:, 0] + 1j * held[:, 1]


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 8, 12, 61, 64, 75, 127, 240, 256, 427, 486])
def test_is_the_inverse_transform_of_each_lane_times_its_length(length):
    entries = drawn(length)
    expected = np.fft.ifft(entries, axis=0) * length
    found = transformed(entries[line(length).order])
    assert np.abs(found - expected).max() < 2e-6 * np.sqrt(np.mean(np.abs(expected) ** 2))


def test_stages_that_are_done_are_left_out():
    entries = drawn(20)
    fours = np.fft.ifft(entries[line(20).order].reshape(5, 4, LANES), axis=1).reshape(20, LANES) * 4
    np.testing.assert_allclose(transformed(fours, done=1), np.fft.ifft(entries, axis=0) * 20, atol=1e-5)


def test_only_its_own_line_is_touched():
    values = lines(3, 6)
    values[:] = 1
    transform(values, 6 * 2 * LANES, line(6), 0, lines(1, 6))
    assert (values[: 6 * 2 * LANES] == 1).all()
    assert (values[2 * 6 * 2 * LANES :] == 1).all()
    assert values.ctypes.data % 64 == 0
