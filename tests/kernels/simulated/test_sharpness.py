"""CPBD against its slow twin and, where programs differ, against the loops of the processor."""

import numpy as np
import pytest
from oracles import cpbd as oracle
from scipy.ndimage import gaussian_filter, zoom

from thgeval.kernels.cpbd import RULES, cpbd
from thgeval.kernels.cpbd.canny import STRONG, WEAK


def texture(height, width, seed, blur_px=0.6):
    rng = np.random.default_rng(seed)
    blobs = zoom(rng.uniform(0, 255, (height // 8 + 2, width // 8 + 2)), 8, order=1)[:height, :width]
    edges = 90 * (zoom(rng.uniform(size=(height // 16 + 2, width // 16 + 2)), 16, order=0)[:height, :width] > 0.5)
    image = gaussian_filter(0.6 * blobs + edges + rng.normal(0, 4, (height, width)), blur_px)
    return np.clip(image, 0, 255).round().astype(np.uint8)


def test_equals_the_slow_twin(lent):
    """A frame, and a uniform one that has no edge."""
    frame = texture(65, 66, 3, blur_px=1.2)
    found = np.asarray(cpbd(lent(np.stack([frame, np.full_like(frame, 9)]))))
    np.testing.assert_allclose(found, [oracle.matlab(frame), 0], atol=1e-12)
    assert found[0] > 0


@pytest.mark.parametrize("rule", ["python-cpbd", "atvgnet"])
def test_other_programs(lent, rule):
    frame = texture(64, 64, 5)[None]
    rules = {field: getattr(RULES[rule], field) for field in ("edges", "canny", "widths", "cut")}
    np.testing.assert_allclose(cpbd(lent(frame), **rules), cpbd(frame, **rules), atol=1e-12)


def test_weak_peaks_count_where_they_are_linked_to_strong_ones(lent):
    from thgeval.kernels.cpbd.cuda_canny import _link
    from thgeval.kernels.cuda_target import launch
    from thgeval.kernels.places import readable

    marks = np.zeros((2, 14, 9), np.uint8)
    marks[0, 3:12, 4] = WEAK
    marks[0, 12, 5] = STRONG
    marks[1, 2:6, 2] = WEAK
    held = readable(lent(marks))
    launch(_link, (2,), held)
    found = np.asarray(held)
    assert (found[0, 3:12, 4] == STRONG).all()
    assert (found[1, 2:6, 2] == WEAK).all()
