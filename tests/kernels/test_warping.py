"""Derivative dynamic time warping beside a slow computation over the whole matrix."""

import numpy as np
import pytest
from oracles import warping as oracle

from thgeval.kernels.warping import warping_path


@pytest.mark.parametrize("counts", [(1, 1), (2, 5), (23, 23), (30, 17)])
def test_it_takes_the_way_of_the_whole_matrix(counts):
    rng = np.random.default_rng(sum(counts))
    curves = [np.cumsum(rng.normal(0, 1, count)) for count in counts]
    assert warping_path(*curves).tolist() == oracle.warped(*curves).tolist()


def test_equal_steps_go_back_together_first():
    flat = np.zeros(4)
    assert warping_path(flat, flat).tolist() == [[k, k] for k in range(4)] == oracle.warped(flat, flat).tolist()
