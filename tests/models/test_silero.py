"""Silero VAD: the package's own model and stretches of speech, on a sentence between silences."""

import numpy as np
import pytest

pytest.importorskip("torch")

from thgeval.features.sync.silero import SILERO, silero_voice, stretches
from thgeval.requirements import weights
from thgeval_baselines.speech.spoken import spoken
from thgeval_models import silero

FOUND = [(12320, 66016), (73248, 103904), (119328, 155000)]
SECONDS = [(0.8, 4.1), (4.6, 6.5), (7.5, 9.7)]
SOME, SUM = [0.002480974653735757, 0.002500479808077216, 0.0026025306433439255], 227.3319091796875
"""Of silero-vad 5.1.2 on ``sound``: get_speech_timestamps, with and without return_seconds, and its probabilities."""
needs_file = pytest.mark.skipif(weights.problem(SILERO) is not None, reason="needs the package silero-vad 5.1.2")


@pytest.fixture(scope="module")
def sound():
    said = np.asarray(spoken(0, seconds=6.0).samples, np.float32)
    return np.concatenate([np.zeros(8000, np.float32), said, np.zeros(11000, np.float32), said[:40000]])


@needs_file
def test_it_hears_what_the_package_hears(sound):
    with weights.opened(SILERO) as path:
        found = silero.probabilities(silero.load(path), sound)
    assert found[20:23].tolist() == pytest.approx(SOME, abs=1e-5)
    assert float(found.sum()) == pytest.approx(SUM, abs=1e-3)
    assert stretches(found, len(sound)) == FOUND
    marks = silero_voice.compute(sound)
    edges = np.flatnonzero(np.diff(np.r_[False, marks, False].astype(int))).reshape(-1, 2) / 100
    np.testing.assert_allclose(edges, np.minimum(SECONDS, len(marks) / 100))


def probable(*runs):
    return np.array([value for value, count in runs for _ in range(count)], np.float32)


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        (probable((0.0, 20)), []),
        (probable((0.9, 20)), [(0, 10240)]),
        (probable((0.1, 10), (0.9, 7), (0.1, 10)), []),  # 3584 samples are too brief
        (probable((0.1, 10), (0.9, 10), (0.1, 10)), [(5120 - 480, 10240 + 480)]),
        (probable((0.9, 10), (0.1, 3), (0.9, 10)), [(0, 23 * 512)]),  # a pause of 96 ms is none
        (probable((0.9, 10), (0.4, 30), (0.9, 10)), [(0, 50 * 512)]),  # nor is what stays above 0.35
        (probable((0.9, 10), (0.1, 5), (0.9, 10)), [(0, 5120 + 480), (7680 - 480, 25 * 512)]),
    ],
)
def test_stretches(heard, expected):
    assert stretches(heard, len(heard) * 512) == expected


def test_random_probabilities_make_stretches_in_order():
    """Widened stretches never overlap, however probabilities wander."""
    rng = np.random.default_rng(5)
    for _ in range(50):
        heard = np.clip(0.5 + 0.4 * np.sin(np.cumsum(rng.normal(0, 0.4, 200))), 0, 1).astype(np.float32)
        found = np.array(stretches(heard, 200 * 512)).reshape(-1, 2)
        assert (np.diff(found.ravel()) >= 0).all()
