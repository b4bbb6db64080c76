"""Offset, distance and confidence of two sequences: the curve, its sign, and its padding."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.tolerances import agree

from thgeval.errors import ProtocolError
from thgeval.features.sync.offsets import OffsetDistances, aligned, padded_share


def rows(windows: int, seed: int = 0, dimensions: int = 16) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(windows, dimensions)).astype(np.float32)


@given(delay=st.integers(-15, 15), windows=st.integers(40, 80), seed=st.integers(0, 99))
def test_delaying_the_sound_by_k_lowers_the_offset_by_k(delay, windows, seed):
    both = rows(windows + 30, seed)
    heard = both[15 - delay : 15 - delay + windows]  # what is heard at i + delay is seen at i
    found = aligned(seen=both[15 : 15 + windows], heard=heard, furthest=15)
    assert found.offset == -delay
    assert found.curve.shape == (31,)
    assert found.confidence >= 0


@pytest.mark.parametrize(("windows", "furthest"), [(1, 1), (1, 15), (7, 3), (24, 15), (40, 10)])
def test_equals_torch_window_by_window(windows, furthest):
    torch = pytest.importorskip("torch")
    seen, heard = torch.from_numpy(rows(windows, 1)), torch.from_numpy(rows(windows, 2))
    padded = torch.nn.functional.pad(heard, (0, 0, furthest, furthest))
    expected = [
        torch.nn.functional.pairwise_distance(seen[[i]].repeat(2 * furthest + 1, 1), padded[i : i + 2 * furthest + 1])
        for i in range(windows)
    ]
    found = aligned(seen=seen.numpy(), heard=heard.numpy(), furthest=furthest)
    agree(found.distances, torch.stack(expected), "embedding distances")
    curve = torch.stack(expected).mean(dim=0)
    assert found.offset == furthest - int(curve.argmin())
    agree(found.distance, curve.min(), "embedding distances")
    agree(found.confidence + found.distance, curve.median(), "embedding distances")


def test_equal_embeddings_are_as_far_apart_as_torch_says():
    same = rows(20)
    found = aligned(seen=same, heard=same, furthest=15)
    assert found.distance == pytest.approx(1e-6 * np.sqrt(16), rel=1e-9)
    assert found.offset == 0


def test_the_first_of_equal_places_counts():
    distances = np.ones((5, 7))
    distances[:, [2, 4]] = 0.25
    assert OffsetDistances(distances).offset == 1


def test_windows_average_to_the_two_scores():
    found = aligned(seen=rows(30, 3), heard=rows(30, 4), furthest=15)
    assert found.at_best.mean() == pytest.approx(found.distance, rel=1e-12)
    assert found.confidences.mean() == pytest.approx(found.confidence, rel=1e-9)


def test_shown_confidences_are_a_running_median_of_nine():
    found = aligned(seen=rows(30, 3), heard=rows(30, 4), furthest=15)
    padded = np.pad(found.confidences, 4)
    expected = [np.median(padded[i : i + 9]) for i in range(30)]
    np.testing.assert_array_equal(found.smoothed, expected)


def test_windows_without_a_partner_are_compared_with_nothing():
    seen, heard = rows(4, 5), rows(4, 6)
    found = aligned(seen=seen, heard=heard, furthest=5)
    lengths = np.sqrt(((seen.astype(float) + 1e-6) ** 2).sum(axis=1))
    np.testing.assert_allclose(found.distances[:, 0], lengths, rtol=1e-12)
    np.testing.assert_allclose(found.distances[0, :5], lengths[0], rtol=1e-12)


@pytest.mark.parametrize(("windows", "furthest"), [(24, 15), (3, 15), (100, 15), (7, 2)])
def test_padded_share_counts_pairs_without_a_partner(windows, furthest):
    pairs = [(i, i + s) for i in range(windows) for s in range(-furthest, furthest + 1)]
    assert padded_share(windows, furthest) == sum(not 0 <= j < windows for _, j in pairs) / len(pairs)
    assert padded_share(24, 15) == pytest.approx(240 / 744)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ProtocolError, match=r"alike, not \(3, 16\) and \(4, 16\)"):
        aligned(seen=rows(3), heard=rows(4), furthest=2)
    with pytest.raises(ProtocolError, match="alike, not"):
        aligned(seen=rows(0), heard=rows(0), furthest=2)
    with pytest.raises(ProtocolError, match="at least 1, not 0"):
        aligned(seen=rows(3), heard=rows(3), furthest=0)
