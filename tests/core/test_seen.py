"""What was found in frames is found once for all runs that share it, and no number knows of it."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from thgeval import ProtocolError
from thgeval import seen as seen_module
from thgeval.engine.run import Options, evaluate
from thgeval.feature import Feature, feature
from thgeval.features.faces import dlib_models
from thgeval.features.faces.detection import Found
from thgeval.features.faces.landmarks import landmarks
from thgeval.features.frames import motion
from thgeval.features.frames.frames import luma, rgb
from thgeval.media.frames import FrameBatch
from thgeval.requirements import Pins, pinned
from thgeval.seen import Seen, SeenChunk

FRAMES, SYSTEMS = 5, ("a", "b", "c")
METRICS = ["f-mse", "lmd", "psnr"]


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    rng = np.random.default_rng(3)
    for name in ("reference", *SYSTEMS):
        (tmp_path / name).mkdir()
        np.save(tmp_path / name / "clip.npy", rng.integers(0, 256, (FRAMES, 96, 96, 3), np.uint8))
    return tmp_path


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often a detector and a landmark model looked at a frame; what they find depends on its pixels."""
    calls: Counter[str] = Counter()

    def detected(frame: Any) -> Found:
        calls["faces"] += 1
        shift = float(frame.mean() % 1)
        return Found(np.array([[10 + shift, 10, 80, 80]], np.float32), np.ones(1, np.float32))

    def marked(frame: Any, boxes: Any) -> Any:
        calls["landmarks"] += 1
        return boxes[:, None, :2] + frame[:68, :2, 0].astype(np.float32) / 8

    monkeypatch.setattr(dlib_models, "detected", detected)
    monkeypatch.setattr(dlib_models, "landmarks68", marked)
    return calls


def scores(folders: Path, seen: Seen | None, workers: int = 1) -> list[Any]:
    options = Options(seen=seen, workers=workers)
    runs = [evaluate(folders / name, folders / "reference", metrics=METRICS, options=options) for name in SYSTEMS]
    assert all(run["lmd"].value for run in runs)
    return [(run.to_dict()["scores"], run.clips) for run in runs]


def test_the_references_are_looked_at_once_for_all_systems_and_scores_keep_their_bits(
    folders: Path, looked_at: Counter[str]
) -> None:
    without = scores(folders, None)
    assert looked_at == dict.fromkeys(("faces", "landmarks"), FRAMES * 2 * len(SYSTEMS))
    looked_at.clear()
    assert scores(folders, Seen()) == without
    assert looked_at == dict.fromkeys(("faces", "landmarks"), FRAMES * (1 + len(SYSTEMS)))


def test_nothing_is_looked_at_again_whatever_the_clip_is_called(folders: Path, looked_at: Counter[str]) -> None:
    seen = Seen()
    first = scores(folders, seen)
    looked_at.clear()
    assert scores(folders, seen, workers=2) == first
    assert not looked_at


def test_where_nothing_fits_all_is_looked_at_and_scores_are_the_same(folders: Path, looked_at: Counter[str]) -> None:
    assert scores(folders, Seen(0)) == scores(folders, None)
    assert looked_at["faces"] == 2 * FRAMES * 2 * len(SYSTEMS)


def batch(**changes: Any) -> FrameBatch:
    pixels = np.random.default_rng(1).integers(0, 256, (4, 32, 32, 3), np.uint8)
    return FrameBatch(**({"pixels": pixels, "peak": 255.0, "start": 8, "lead": 1} | changes))


def pins(of: Feature[Any]) -> Pins:
    return pinned(item for source in of.closure() for item in source.requires)


def computed(seen: Seen, frames: FrameBatch, of: Any = None) -> bool:
    """Whether a value had to be computed for these frames."""
    calls = []

    def compute() -> Any:
        calls.append(1)
        return np.zeros(len(frames))

    SeenChunk(seen, pins(of or landmarks()), frames).value(of or landmarks(), compute)
    return bool(calls)


@feature(rgb, version=1, halo=1)
def change(frames: FrameBatch) -> Any:
    """A feature that sees the frame before."""
    return np.zeros(len(frames))


def test_whatever_a_feature_can_see_tells_frames_apart() -> None:
    seen, pixels = Seen(), batch().pixels
    assert computed(seen, batch())
    assert not computed(seen, batch())
    changed = pixels.copy()
    changed[-1, -1, -1, -1] ^= 1
    others = [{"pixels": changed}, {"peak": 254.0}, {"start": 9}, {"times": np.arange(3.0)}, {"fps": 25}]
    assert all(computed(seen, batch(**other)) for other in others)
    assert computed(seen, batch(), landmarks(model="dlib-x4"))


def test_the_frame_before_matters_to_a_feature_that_sees_it_and_to_no_other() -> None:
    seen, pixels = Seen(), batch().pixels.copy()
    pixels[0] ^= 1
    assert computed(seen, batch())
    assert not computed(seen, batch(pixels=pixels))
    assert computed(seen, batch(), change())
    assert computed(seen, batch(pixels=pixels), change())


def test_errors_and_what_is_as_large_as_the_frames_are_not_held() -> None:
    seen = Seen()
    for _ in range(2):
        with pytest.raises(ValueError, match="this time"):
            SeenChunk(seen, pins(landmarks()), batch()).value(landmarks(), _failing)
    held = [SeenChunk(seen, {}, batch()).value(luma(), lambda: batch().pixels) for _ in range(2)]
    assert held[0] is not held[1]


def test_what_is_large_is_held_of_references_where_it_was_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    large = batch().pixels

    def is_held(took_s: float, *, asked: bool = True, of_reference: bool = True) -> bool:
        told = iter((0.0, took_s, 0.0, took_s))
        monkeypatch.setattr(seen_module, "perf_counter", lambda: next(told))
        chunk = SeenChunk(Seen(large=asked), {}, batch(), of_reference)
        found = [chunk.value(luma(), lambda: large.copy()) for _ in range(2)]
        return found[0] is found[1]

    slow = large.nbytes * seen_module.SLOW_S
    assert is_held(slow)
    assert not is_held(slow / 2)
    assert not is_held(slow, of_reference=False)
    assert not is_held(slow, asked=False)


@pytest.mark.parametrize("large", [False, True])
def test_flow_of_references_is_found_once_where_large_values_are_held(
    folders: Path, monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    """And no score knows of it; what is slow enough is a matter of the machine, so here everything is."""
    calls: list[int] = []
    drawn = motion._write_farneback
    monkeypatch.setattr(motion, "_write_farneback", lambda *given: (calls.append(1), drawn(*given))[1])
    monkeypatch.setattr(seen_module, "SLOW_S", 0.0)

    def run_of(name: str, options: Options) -> Any:
        return evaluate(folders / name, folders / "reference", metrics=["tof"], options=options).to_dict()["scores"]

    alone = [run_of(name, Options()) for name in SYSTEMS]
    calls.clear()
    options = Options(seen=Seen(large=large))
    assert [run_of(name, options) for name in SYSTEMS] == alone
    assert len(calls) == (FRAMES - 1) * (len(SYSTEMS) + (1 if large else len(SYSTEMS)))


def _failing() -> Any:
    raise ValueError("this time")


def test_what_was_used_longest_ago_is_dropped() -> None:
    seen = Seen(most_bytes=48)  # two values of 24 bytes
    for start in (0, 1):
        computed(seen, batch(start=start))
    assert not computed(seen, batch(start=0))
    assert computed(seen, batch(start=2))
    assert not computed(seen, batch(start=0))
    assert computed(seen, batch(start=1))


def test_a_limit_below_nothing_is_refused() -> None:
    with pytest.raises(ProtocolError, match="most_bytes must be a whole number from 0 up, not -1"):
        Seen(-1)
