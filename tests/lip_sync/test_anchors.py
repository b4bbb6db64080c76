"""Published figures, where the published weights and clips are: named by THGEVAL_ANCHORS, with weights fetched there.

THGEVAL_ANCHORS/
    weights/syncnet_v2.model, weights/sfd_face.pth
    example.avi            of syncnet_python (data/example.avi)
    mochabench/video.avi   of MoChaBench (eval-lipsync/example), with speech.wav beside it
"""

import os
from pathlib import Path

import pytest

from thgeval.clip import Clip, Pair
from thgeval.engine.run import Options, execute
from thgeval.pairing import Pairing

ROOT = Path(os.environ.get("THGEVAL_ANCHORS", "."))
WEIGHTS = ("weights/syncnet_v2.model", "weights/sfd_face.pth")
NAMES = ("av-offset", "lse-d", "sync-conf")


def anchored(name: str) -> Path:
    """A file of the anchors, with weights beside; skips where any is missing."""
    missing = [need for need in (*WEIGHTS, name) if not (ROOT / need).is_file()]
    if "THGEVAL_ANCHORS" not in os.environ or missing:
        pytest.skip(f"THGEVAL_ANCHORS doesn't hold {', '.join(missing) or 'the published files'}")
    return ROOT / name


def scores(clip: Path, preset: str, monkeypatch, *, audio: Path | None = None) -> list[float]:
    monkeypatch.setenv("THGEVAL_HOME", str(ROOT))
    requests = [f"{name}/{preset}" for name in NAMES]
    run = execute(Pairing((Pair("a", Clip("a", clip), audio=audio),), ()), requests, "native", Options())
    return [run[request].value for request in requests]


def test_the_example_of_syncnet_python(monkeypatch):
    """README of joonson/syncnet_python: offset 3, distance 5.353, confidence 10.021; a first version gives 4, 6.742."""
    offset, distance, confidence = scores(anchored("example.avi"), "wav2lip-lrs", monkeypatch)
    assert offset == 3
    assert distance == pytest.approx(5.353, abs=0.1)
    assert confidence == pytest.approx(10.021, abs=0.1)


def test_the_example_of_mochabench(monkeypatch):
    """README of congwei1230/MoChaBench: offset 1, distance 9.255, confidence 4.497, to 0.1 between builds of ffmpeg.

    The clip has MP3 at 44.1 kHz of its own, so that the program's picture is a frame late beside the speech: that is
    the 1, and read straight from the clip the offset is 0.
    """
    clip = anchored("mochabench/video.avi")
    speech = anchored("mochabench/speech.wav")
    offset, distance, confidence = scores(clip, "mochabench", monkeypatch, audio=speech)
    assert offset == 1
    assert distance == pytest.approx(9.255, abs=0.3)
    assert confidence == pytest.approx(4.497, abs=0.3)


@pytest.mark.parametrize(("preset", "expected"), [("syncnet-python-avi", 3), ("mochabench", 5)])
def test_the_example_through_the_files(preset, expected, monkeypatch):
    """Comments in MoChaBench's ``syncnet_pipeline.py``: 5 where the sound is the clip's, 3 beside the AVI's own."""
    offset, _, _ = scores(anchored("example.avi"), preset, monkeypatch)
    assert offset == expected
