"""The embedded sync scores through the whole program, offline: controls rank as they must; real clips too."""

import subprocess
import sys

import numpy as np
import pytest
from support import assets

import thgeval
from thgeval.clip import Clip
from thgeval.engine.run import Options, evaluate
from thgeval.media import decode
from thgeval.media.encode import write_video
from thgeval.report import write as write_report
from thgeval_baselines.demo import make_demo

pytestmark = pytest.mark.usefixtures("seen_once")
SCORES = ["sync-lm-conf", "sync-lm-dist", "sync-lm-offset", "sync-envelope"]

pytest.importorskip("dlib")
pytest.importorskip("skimage")


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return make_demo(tmp_path_factory.mktemp("demo") / "clips", clips=2, seconds=3.0, size=192)


@pytest.fixture(scope="module")
def runs(demo):
    names = ("copy", "shift5", "wrongaudio", "mouthfreeze")
    return {name: evaluate(demo.controls[name], metrics=SCORES) for name in names}


def test_the_right_sound_wins_by_far(runs):
    sure = {name: run.scores["sync-lm-conf"].value for name, run in runs.items()}
    assert sure["copy"] > 0.3
    assert max(sure["wrongaudio"], sure["mouthfreeze"]) < 0.2
    far = {name: run.scores["sync-lm-dist"].value for name, run in runs.items()}
    assert far["copy"] < min(far["wrongaudio"], far["mouthfreeze"]) - 0.1
    beside = {name: run.scores["sync-envelope"].value for name, run in runs.items()}
    assert beside["copy"] > max(beside["wrongaudio"], beside["mouthfreeze"])


def test_a_picture_five_frames_late_is_five_frames_late(runs):
    offsets = {name: [clip.scores["sync-lm-offset"] for clip in run.clips] for name, run in runs.items()}
    assert offsets["copy"] == [0, 0]
    assert offsets["shift5"] == [5, 5]


def test_torch_is_not_needed(demo):
    """In a process of its own that never imports it."""
    program = (
        "import sys, thgeval\n"
        f"run = thgeval.score({str(demo.controls['copy'] / 'face1.mp4')!r}, metrics={SCORES!r})\n"
        "print(run.scores['sync-lm-offset'].value, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0.0 False"


def test_the_report_shows_confidence_over_time_for_every_clip(demo, tmp_path):
    result = tmp_path / "copy.json"
    evaluate(demo.controls["copy"], metrics=["sync-lm-conf"], options=Options(out=result)).write(result)
    page = write_report(result, tmp_path / "copy.html").read_text(encoding="utf-8")
    for stem in demo.stems:
        assert f"sync-lm-conf of {stem}: lowest" in page


@pytest.mark.parametrize("name", ["brbk7n.mpg", "lbax4n.mpg", "swiz3n.mpg"])
def test_unknown_speakers_are_in_sync(name):
    run = thgeval.score(assets.there("clips", name), metrics=SCORES)
    assert abs(run.scores["sync-lm-offset"].value) <= 1
    assert run.scores["sync-lm-conf"].value > 0.3


def test_clips_without_sound_or_face_are_refused_with_a_reason():
    for name, reason in (("iplap_129.mp4", "no audio"), ("no_face.mp4", "no face")):
        run = evaluate(assets.there("clips", name), metrics=["sync-lm-conf"])
        assert run.scores["sync-lm-conf"].value is None
        assert run.clips[0].failed["sync-lm-conf"].reason == reason


def test_the_references_own_value_stands_beside_every_score(demo):
    """The column was empty, though the page calls each number worth reading beside it alone."""
    run = evaluate(demo.controls["wrongaudio"], demo.reference, metrics=SCORES)
    own = evaluate(demo.reference, metrics=SCORES)
    for key in SCORES:
        assert run[key].reference.value == own[key].value
        assert run[key].reference.clips == 2


@pytest.mark.parametrize(
    ("frames", "note"), [(50, "the reference's own value was not measured: face1 has"), (100, None)]
)
def test_a_reference_of_another_length_or_without_sound_costs_its_own_value_alone(demo, tmp_path, frames, note):
    pixels = np.concatenate([batch.pixels for batch in decode(Clip("r", demo.reference / "face1.mp4"), chunk=50)])
    write_video(tmp_path / "other.mp4", pixels[:frames], fps=25)
    run = thgeval.score(demo.controls["copy"] / "face1.mp4", tmp_path / "other.mp4", metrics=["sync-envelope"])
    assert run["sync-envelope"].value is not None
    assert run["sync-envelope"].reference is None
    assert run.clips[0].failure is None
    assert [text for text in run.clips[0].notes if text.startswith(note or "the reference")] == list(run.clips[0].notes)
    assert bool(run.clips[0].notes) == (note is not None)
