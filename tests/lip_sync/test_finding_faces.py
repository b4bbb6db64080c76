"""S3FD and cuts on frames: against twins, and as PySceneDetect sees a file."""

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")
from lip_sync.conftest import face_like, in_memory, speech_like
from models.twins import s3fd as twin
from support import random_weights
from support.tolerances import agree

from thgeval import networks, registry
from thgeval.clip import Clip
from thgeval.errors import InputError
from thgeval.features.sync import syncnet as features
from thgeval.media import write_video
from thgeval_models import s3fd
from thgeval_models.loading import fit


@pytest.fixture(scope="module")
def tensors():
    """Random weights that find faces in several places, nowhere with the same probability."""
    found = random_weights.tensors("sfd-face", seed=5)
    for name, tensor in found.items():
        if name.startswith(("loc", "conf")):
            tensor *= 0.05 if name.startswith("loc") else 0.5
        if name in ("conf.0.bias", "conf.1.bias"):
            tensor[-1] += 3
        if "L2Norm" in name:
            tensor *= 8
    return found


def test_boxes_equal_the_twins(tensors):
    frame = cv2.GaussianBlur(face_like(1, 190, 252, seed=4)[0], (0, 0), 5)
    small = cv2.resize(frame[..., ::-1], (0, 0), fx=0.25, fy=0.25, interpolation=cv2.INTER_LINEAR)
    with torch.no_grad():
        image = torch.from_numpy(small.astype(np.float32)).permute(2, 0, 1)[None]
        places = twin.detect(tensors, image, syncnet=True)
    first = [places[i] for i in twin.greedy(places, 0.9, 0.3)]
    best = [first[i][0] for i in twin.greedy(first, 0.9, 0.1)]
    assert 2 <= len(best) <= 100
    scale = np.array([252 / small.shape[1], 190 / small.shape[0]] * 2)
    network = networks.channels_last(fit(s3fd.build(), tensors))
    agree(features.s3fd_boxes(network, frame), np.array(best) * scale, "s3fd boxes")


def test_frames_too_small_for_the_detector_are_refused():
    with pytest.raises(InputError, match="S3FD needs frames of at least 128 px a side, not 200 x 120") as caught:
        features.s3fd_boxes(None, np.zeros((120, 200, 3), np.uint8))
    assert caught.value.reason == "too small"


def scenes() -> np.ndarray:
    """Three scenes of 40, 30 and 35 frames."""
    rng = np.random.default_rng(0)
    shown = [np.tile(rng.integers(0, 256, (1, 12, 30, 3)), (count, 1, 1, 1)) for count in (40, 30, 35)]
    frames = np.concatenate(shown).repeat(16, axis=1).repeat(16, axis=2)
    return np.clip(frames + rng.normal(0, 3, frames.shape), 0, 255).astype(np.uint8)


def test_cuts_are_those_of_pyscenedetect(tmp_path):
    scenedetect = pytest.importorskip("scenedetect")
    path = tmp_path / "scenes.mp4"
    write_video(path, scenes(), fps=25, crf=4)
    expected = [scene[0].frame_num for scene in scenedetect.detect(str(path), scenedetect.ContentDetector())][1:]
    seen = features._Scenes()
    for frame in features._frames(Clip("a", path), features.RATE):
        seen.see(frame)
    assert seen.cuts == expected == [40, 70]


@pytest.mark.slow
def test_a_clip_without_a_face_goes_through_the_whole_pipeline(wav):
    from thgeval.engine.measure import measured
    from thgeval.engine.plan import plan
    from thgeval.engine.workers import Cores
    from thgeval.protocol import Protocol

    with random_weights.installed(["syncnet-v2", "sfd-face"]):
        pair = in_memory(face_like(8, 160, 160), wav(speech_like(640 * 8)))
        planned = plan(registry.metrics(["sync-conf", "lse-d", "av-offset/strided"]), [pair])
        with Cores(1) as cores:
            found = measured(pair, planned, Protocol(), cores, lambda frames: None)
    assert {key: failure.reason in ("no face", "short track") for key, failure in found.failed.items()} == {
        "sync-conf": True,
        "lse-d": True,
        "av-offset/strided": True,
    }
