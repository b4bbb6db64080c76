"""Faces are found once for all metrics, and scores don't depend on how a run is carried out."""

import numpy as np
import pytest

pytest.importorskip("dlib")
pytest.importorskip("skimage")

import thgeval
from thgeval.engine.run import Options
from thgeval.features.faces import dlib_models
from thgeval_baselines.photo.geometry import Parameters
from thgeval_baselines.sets.clips import head

METRICS = ["lmd", "m-lmd", "lvd", "mkr/faces", "blinks-per-s", "mouth-amplitude"]
FRAMES = 20


@pytest.fixture(scope="module")
def sides() -> list[np.ndarray]:
    person = head(seed=4)
    poses = [Parameters(yaw=0.5 * i, aperture=0.04 * i, blink=float(i in (8, 9, 10))) for i in range(FRAMES)]
    frames = np.stack([person.frame(pose) for pose in poses])
    return [np.roll(frames, 2, axis=0), frames]


def followed(follow: str) -> list[str]:
    return [f"{name}:follow={follow}" for name in METRICS]


@pytest.mark.parametrize(("follow", "looks"), [("every", 2 * FRAMES), ("tracked-8", 2 * 3)])
def test_every_frame_is_looked_at_once_for_all_metrics(sides, follow, looks, monkeypatch):
    calls = []
    real = dlib_models.detected

    def counted(frame):
        calls.append(frame.shape)
        return real(frame)

    monkeypatch.setattr(dlib_models, "detected", counted)
    run = thgeval.score(*sides, metrics=followed(follow), fps=25, options=Options(chunk=FRAMES))
    assert len(calls) == looks
    assert all(score.value is not None for score in run.scores.values())


@pytest.mark.parametrize("follow", ["every", "tracked-8"])
def test_chunks_and_workers_change_no_score(sides, follow):
    def values(**how):
        run = thgeval.score(*sides, metrics=followed(follow), fps=25, options=Options(**how))
        return {key: score.value for key, score in run.scores.items()}

    expected = values(chunk=FRAMES, workers=1)
    for how in ({"chunk": 3, "workers": 2}, {"chunk": 7, "workers": 1}, {"workers": 2}):
        assert values(**how) == expected


def test_ways_to_follow_have_different_signatures(sides):
    run = thgeval.score(*sides, metrics=["lmd", "lmd:follow=tracked-8"], fps=25)
    every, tracked = (score.signature for score in run.scores.values())
    assert "faces@1:dlib,every|" in every
    assert "faces@1:dlib,tracked-8|" in tracked
