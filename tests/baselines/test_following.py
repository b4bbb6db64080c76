"""The landmarks of a face through a video: near those that are read with all care, at less cost."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from threading import Barrier

import numpy as np
import pytest

from thgeval.networks import memory
from thgeval_baselines.generators.following import EVERY, landmarks_of
from thgeval_baselines.photo.geometry import Parameters
from thgeval_baselines.photo.given import landmarks_in
from thgeval_baselines.sets.synth import head_of

dlib = pytest.importorskip("dlib")


@pytest.fixture(scope="module")
def frames() -> list[np.ndarray]:
    """A head that turns and speaks."""
    head = head_of(0, seed=0)
    return [head.frame(Parameters(yaw=12 * t, aperture=0.5 * abs(np.sin(7 * t)))) for t in np.linspace(-1, 1, 7)]


def test_landmarks_stay_near_those_that_are_read_with_all_care(frames: list[np.ndarray]) -> None:
    fast, careful = list(landmarks_of(frames)), [landmarks_in(frame) for frame in frames]
    apart = [np.linalg.norm(one - other, axis=1).mean() for one, other in zip(fast, careful, strict=True)]
    assert max(apart) < 1.0


def test_a_face_counts_until_it_is_looked_for_again(frames: list[np.ndarray]) -> None:
    wall = np.full_like(frames[0], 90)
    shown = [wall] * EVERY + [frames[3]] * EVERY + [wall] * EVERY
    assert [each is not None for each in landmarks_of(shown)] == [False] * EVERY + [True] * EVERY + [False] * EVERY


def test_no_more_frames_are_asked_for_than_processors_are_busy_with(frames: list[np.ndarray]) -> None:
    asked = []

    def shown() -> Iterator[np.ndarray]:
        for number in range(10_000):
            asked.append(number)
            yield frames[number % len(frames)]

    assert len(list(islice(landmarks_of(shown()), 2))) == 2
    assert len(asked) < 1000


def test_the_detector_is_made_once_for_all_threads(frames: list[np.ndarray], monkeypatch: pytest.MonkeyPatch) -> None:
    from thgeval.features.faces import dlib_models

    made = []
    real = dlib.get_frontal_face_detector
    monkeypatch.setattr(dlib, "get_frontal_face_detector", lambda: made.append(1) or real())
    monkeypatch.setattr(memory, "_lasting", {})
    monkeypatch.setattr(memory, "_held", memory.ContextVar("held", default=memory._lasting))
    found = []
    for _ in range(2):
        with ThreadPoolExecutor(2) as pool:
            found += pool.map(lambda frame: dlib_models.detected(frame).boxes.tolist(), frames[2:5])
    assert len(made) == 1
    assert found[:3] == found[3:]
    (rectangles, _, _) = real().run(np.ascontiguousarray(dlib_models._grey(frames[2])), 0, 0.0)
    assert found[0] == [[r.left(), r.top(), r.right(), r.bottom()] for r in rectangles]


def test_two_things_load_beside_each_other_and_one_thing_once() -> None:
    together, loads, mark = Barrier(2, timeout=20), [], object()

    def load(name: str) -> str:
        loads.append(name)
        together.wait()
        return name

    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(memory.once, (mark, key), lambda key=key: load(key)) for key in "abab"]
        assert [each.result() for each in asked] == list("abab")
    assert sorted(loads) == ["a", "b"]
