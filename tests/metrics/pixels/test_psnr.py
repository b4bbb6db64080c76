"""PSNR: what becomes of exact copies, and the averages of scripts in circulation."""

import math
import shutil
from fractions import Fraction

import cv2
import numpy as np
import pytest
from support.clips import moving, written_at

import thgeval
from thgeval import registry
from thgeval.engine.run import Options
from thgeval.metrics import METRICS
from thgeval.states import ClipError, ClipMean

PIXELS = ("psnr", "l1", "l1-255", "ssim", "ms-ssim", "fsim", "fsimc", "cpbd", "f-mse", "ofm", "temporal-warp-error")


def lossless(path, frames):
    return written_at(path, frames, range(len(frames)), Fraction(1, 25))


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A copy, a clip of which three frames are copies, and a noisy longer one: their folders and frames."""
    made = [tmp_path_factory.mktemp("sides") / side for side in ("generated", "reference")]
    shown = {}
    for folder in made:
        folder.mkdir()
    for seed, (name, frames) in enumerate({"copy": 5, "partly": 7, "noisy": 12}.items()):
        real = moving(frames, 192, seed=seed)
        noise = np.random.default_rng(seed).normal(0, 6, real.shape)
        noise[: {"copy": 5, "partly": 3}.get(name, 0)] = 0
        shown[name] = np.clip(np.rint(real + noise), 0, 255).astype(np.uint8), real
        for folder, clip in zip(made, shown[name], strict=True):
            lossless(folder / f"{name}.mkv", clip)
    return made, shown


def run(folders, *requests):
    return thgeval.evaluate(*folders, metrics=requests, options=Options(workers=1))


def as_in_the_scripts(frames):
    """The mean over all frames of 20 log10(255 / root of the mean of uint8 squares), 100 for none, frame by frame."""
    found = []
    for generated, reference in frames:
        errors = ((generated.astype(int) - reference) % 256) ** 2 % 256
        found.append(20 * math.log10(255 / math.sqrt(errors.mean())) if errors.any() else 100.0)
    return sum(found) / len(found)


def test_the_scripts_average_all_frames_and_count_copies_as_100(folders):
    places, shown = folders
    pairs = [pair for sides in shown.values() for pair in zip(*sides, strict=True)]
    grey = [[cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in pair] for pair in pairs]
    done = run(places, "psnr/atvgnet", "psnr/talklip", "psnr/uint8-wrap", "psnr/eat")
    assert done["psnr/talklip"].value == pytest.approx(as_in_the_scripts(pairs), abs=1e-10)
    assert done["psnr/atvgnet"].value == pytest.approx(as_in_the_scripts(grey), abs=1e-10)
    assert done["psnr/talklip"].clips == 3
    assert done["psnr/uint8-wrap"].value < done["psnr/talklip"].value - 3
    values = [10 * np.log10(255**2 / ((a.astype(float) - b) ** 2).mean()) for a, b in pairs if (a != b).any()]
    assert done["psnr/eat"].value == pytest.approx(np.mean(values), abs=1e-10)


def test_a_pooled_copy_is_left_out_and_counted(folders):
    places, shown = folders
    mse = [((a.astype(float) - b) ** 2).mean() for name, (a, b) in shown.items() if name != "copy"]
    score = run(places, "psnr/pooled")["psnr/pooled"]
    assert score.value == pytest.approx(np.mean(10 * np.log10(255**2 / np.array(mse))), abs=1e-10)
    assert (score.clips, score.left_out) == (2, {"identical": 1})
    assert score.frames == 7 + 12
    assert score.interval is not None
    assert score.note == "5 frames are exact copies, which have no decibels, and are left out"
    assert "n:2/3" in score.signature


def test_copies_alone_are_infinite(tmp_path):
    for folder in ("generated", "reference"):
        (tmp_path / folder).mkdir()
        lossless(tmp_path / folder / "a.mkv", moving(3))
    shutil.copy(tmp_path / "generated" / "a.mkv", tmp_path / "reference" / "a.mkv")
    done = run([tmp_path / "generated", tmp_path / "reference"], "psnr/pooled", "psnr", "psnr/eat")
    assert [score.value for score in done.scores.values()] == [math.inf] * 3
    assert [score.clips for score in done.scores.values()] == [1] * 3


def of_whole_frames(name):
    """A metric, and all its presets that look at no face."""
    cls = registry.metric_class(name)
    return [name, *(f"{name}/{preset}" for preset, given in cls.presets.items() if "region" not in given.fields)]


def test_every_clip_that_is_counted_is_in_the_mean(folders):
    """Over the metrics of pixels and time, and all their presets: a mean of n clips is that of n clips' own values."""
    asked = [request for name in PIXELS for request in of_whole_frames(name)]
    done = run(folders[0], *asked)
    for key, score in done.scores.items():
        own = [clip.scores[key] for clip in done.clips]
        finite = [value for value in own if isinstance(value, float) and math.isfinite(value)]
        assert score.clips == len(finite), key
        assert score.clips + sum(score.left_out.values()) == 3, key
        assert min(finite) <= score.value <= max(finite), key


def test_error_states_merge_in_any_order():
    parts = [ClipError.of("a", [0.0, 0.0]), ClipError.of("a", [0.0, 2.0], start=2), ClipError.of("b", [0.0])]
    state = ClipError.total(parts)
    assert state.scored == ("a",)
    assert state.left_out == {"identical": 1}
    assert state.means.tolist() == ClipMean.of("a", [0, 0, 0, 2.0]).means.tolist()
    assert ClipError.total(parts[::-1]).left_out == state.left_out
    assert set(PIXELS) <= METRICS.keys()
