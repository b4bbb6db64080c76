"""Detector, tracks and crops beside syncnet_python's own code, with its own weights, on real frames."""

import hashlib
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")
from support.tolerances import agree

from thgeval import networks
from thgeval.clip import Clip
from thgeval.features.sync import face_tracks
from thgeval.features.sync import syncnet as features
from thgeval.features.sync.avi_route import avi_copy, avi_pcm
from thgeval.media import audio
from thgeval.requirements.weights import entry

pytestmark = [
    pytest.mark.filterwarnings("ignore:An output with one or more elements was resized"),  # in the original's own code
    pytest.mark.timeout(1800),  # two detectors on 319 frames
]

FRAMES, LATE = 317, 2
"""How far boxes may be apart: float32 through two orders of the same layers."""


def test_the_wheels_detector_is_the_authors(weights):
    data = weights.read_bytes()
    blob = hashlib.sha1(f"blob {len(data)}\0".encode() + data, usedforsecurity=False)
    assert blob.hexdigest() == entry("sfd-face").git_blob


@pytest.fixture(scope="module")
def copy(example):
    return avi_copy().compute(Clip("example", example), Clip("example", example))


@pytest.fixture(scope="module")
def jpegs(copy):
    return list(copy.jpegs())


@pytest.fixture(scope="module")
def faces(copy, weights):
    pytest.importorskip("scenedetect")
    return features.shot_faces(route="avi").compute(copy)


@pytest.fixture(scope="module")
def original_boxes(jpegs, original_detector):
    """As ``inference_video`` finds them in every frame: (faces, 5) each, with confidence last."""
    found = []
    for frame in jpegs:
        seen = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
        found.append(original_detector.detect_faces(seen, conf_th=0.9, scales=[0.25]))
    return found


def test_the_picture_comes_late_by_two_frames_and_the_sound_by_1105_samples(copy, jpegs, example):
    """80 ms against 69.1: the sound less the picture is -10.9 ms, where a copy with the picture in place had +69."""
    assert len(jpegs) == FRAMES + LATE
    heard, source = avi_pcm().compute(copy).astype(float), audio.decoded_speech(example).samples
    count = len(source)
    spectrum = np.fft.rfft(heard, 2 * count) * np.conj(np.fft.rfft(source, 2 * count))
    assert np.fft.irfft(spectrum).argmax() == 1105


def test_boxes_equal_the_originals_on_every_frame(faces, original_boxes):
    assert len(faces.boxes) == len(original_boxes) == FRAMES + LATE
    assert sum(len(boxes) for boxes in faces.boxes) >= FRAMES
    for boxes, theirs in zip(faces.boxes, original_boxes, strict=True):
        assert len(boxes) == len(theirs)
        if len(boxes):
            agree(boxes, theirs[:, :4], "original s3fd")


def test_boxes_equal_the_originals_on_synthetic_heads(original_detector, weights):
    """Drawn heads at three sizes, on both sides of a frame, and none."""
    pytest.importorskip("skimage")
    from thgeval_baselines.photo.geometry import Parameters
    from thgeval_baselines.sets.clips import head

    detector, found = networks.published("sfd-face"), 0
    for size in (192, 320, 448):
        drawn = head(seed=1, size=size).frame(Parameters(aperture=0.4, yaw=5.0))
        for shown in (drawn, np.concatenate([drawn, drawn[:, ::-1]], axis=1), np.full_like(drawn, 90)):
            theirs = original_detector.detect_faces(np.ascontiguousarray(shown), conf_th=0.9, scales=[0.25])
            ours = features.s3fd_boxes(detector, np.ascontiguousarray(shown[..., ::-1]))
            assert len(ours) == len(theirs)
            if len(ours):
                agree(ours, theirs[:, :4], "original s3fd")
            found += len(theirs)
    assert found


def original_tracks(pipeline, boxes, **limits):
    opt = SimpleNamespace(num_failed_det=25, min_face_size=100, **limits)
    listed = [
        [{"frame": i, "bbox": face[:4].tolist(), "conf": face[4]} for face in frame] for i, frame in enumerate(boxes)
    ]
    return pipeline["track_shot"](opt, listed)


def test_tracks_equal_the_originals(faces, original_boxes, original_pipeline):
    """The one scene ends with the frames that OpenCV reads, two before the JPEGs do."""
    assert (faces.cuts, faces.end) == ((), FRAMES)
    theirs = original_tracks(original_pipeline, original_boxes[:FRAMES], min_track=100)
    ours = face_tracks.tracks(faces, min_track=100)
    assert len(ours) == len(theirs) == 1
    assert ours[0].first == theirs[0]["frame"][0]
    agree(ours[0].boxes, theirs[0]["bbox"], "original s3fd")


def test_crops_equal_the_originals_to_the_pixel(faces, jpegs, original_pipeline, tmp_path, monkeypatch):
    """``crop_video`` on the same track, with what it hands to the encoder kept instead of encoded."""
    (track,) = face_tracks.tracks(faces, min_track=100)
    for index, frame in enumerate(jpegs):  # lossless under the names that it looks for
        (tmp_path / f"{index:06d}.jpg").write_bytes(cv2.imencode(".png", frame)[1].tobytes())
    written = []
    writer = SimpleNamespace(write=written.append, release=lambda: None)
    quiet = {
        "os": SimpleNamespace(path=__import__("os").path, remove=lambda name: None),
        "subprocess": SimpleNamespace(call=lambda *said, **how: 0),
        "wavfile": SimpleNamespace(read=lambda name: (16000, None)),
    }
    monkeypatch.setattr(cv2, "VideoWriter", lambda *said: writer)
    monkeypatch.setattr(cv2, "VideoWriter_fourcc", lambda *letters: 0, raising=False)
    original_pipeline.update(quiet)
    opt = SimpleNamespace(frames_dir=str(tmp_path), reference="", frame_rate=25, crop_scale=0.4, tmp_dir="", avi_dir="")
    frames = np.arange(track.first, track.first + len(track.boxes))
    original_pipeline["crop_video"](opt, {"frame": frames, "bbox": track.boxes}, str(tmp_path / "crop"))
    assert len(written) == len(track.boxes)
    for index, (square, theirs) in enumerate(zip(face_tracks.squares(track.boxes), written, strict=True), track.first):
        np.testing.assert_array_equal(face_tracks.cropped(jpegs[index], square), theirs)
