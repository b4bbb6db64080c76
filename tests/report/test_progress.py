"""The curve of a training: every score where it belongs, with its interval, and partial runs told apart."""

from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from thgeval import Meter
from thgeval.errors import ProtocolError
from thgeval.report.progress import progress

SVG = "{http://www.w3.org/2000/svg}"


def run(noise):
    """Four clips, some further from their references than others."""
    drawn = np.random.default_rng(0)
    meter = Meter("psnr", peak=1.0)
    for name in "abcd":
        reference = drawn.random((1, 8, 8, 3))
        meter.update(np.clip(reference + noise * (1 + drawn.random()), 0, 1), reference, name)
    return meter.result()


def test_scores_and_intervals_stand_over_their_steps():
    runs = {100: run(0.1), 0: run(0.3), 50: replace(run(0.2), expected=5)}
    tree = ElementTree.fromstring(progress(runs, "psnr"))
    circles = tree.findall(f".//{SVG}circle")
    xs = [float(circle.get("cx")) for circle in circles]
    assert xs == sorted(xs)
    assert xs[1] - xs[0] == pytest.approx(xs[2] - xs[1], abs=0.11)
    ys = [float(circle.get("cy")) for circle in circles]
    assert ys == sorted(ys, reverse=True)  # better is higher up
    assert ["hollow" in circle.get("class") for circle in circles] == [False, True, False]
    for bar, y in zip(tree.findall(f".//{SVG}g/{SVG}line"), ys, strict=True):
        assert float(bar.get("y2")) < y < float(bar.get("y1"))
    said = [title.text for title in tree.findall(f".//{SVG}g/{SVG}title")]
    assert said[1].startswith("step 50: ")
    assert said[1].endswith("4 of 5 clips")
    assert progress(runs, "psnr") == progress(dict(sorted(runs.items())), "psnr")


def test_one_run_is_a_point():
    assert progress({3: run(0.1)}, "psnr").count("<circle") == 1


def test_nothing_to_draw_is_said():
    with pytest.raises(ProtocolError, match="none of 1 run has a score of ssim"):
        progress({0: run(0.1)}, "ssim")
