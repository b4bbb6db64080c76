"""The embedded detectors, landmarks and descriptors as their packages give them, on a portrait whose truth is known."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("dlib")
pytest.importorskip("skimage")

import dlib
from support import dlib_itself
from support.tolerances import agree

from thgeval.errors import MissingExtra, install_line
from thgeval.features.faces import descriptors, dlib_models
from thgeval.features.faces.detection import SLOTS, faces
from thgeval.features.faces.landmarks import CHAINS, landmarks
from thgeval.features.frames.frames import rgb
from thgeval.media.frames import FrameBatch
from thgeval.requirements import weights
from thgeval.view import Side
from thgeval_baselines.photo.geometry import Parameters
from thgeval_baselines.sets.clips import head

POSES = [Parameters(), Parameters(yaw=12, aperture=0.5), Parameters(pitch=-6, roll=8, blink=1.0)]


@pytest.fixture(scope="module")
def person():
    return head(seed=2)


@pytest.fixture(scope="module")
def frames(person) -> np.ndarray:
    return np.stack([person.frame(pose) for pose in POSES])


@pytest.fixture(scope="module")
def truth(person) -> np.ndarray:
    return np.stack([person.landmarks(pose) for pose in POSES])


def of(pixels, *features, peak=255.0):
    values = Side({rgb: FrameBatch(pixels, peak, 0)})
    return [values[feature] for feature in features]


def test_dlib_finds_what_dlib_finds(frames):
    grey = np.asarray(dlib.as_grayscale(frames[1]))
    boxes, scores, _ = dlib_itself.models()[0].run(grey, 0, 0.0)
    found = dlib_models.detected(frames[1])
    assert found.boxes.tolist() == [[box.left(), box.top(), box.right(), box.bottom()] for box in boxes]
    agree(found.scores, list(scores), "dlib scores")


@pytest.mark.parametrize(("chain", "largest_px"), [("dlib", 1.6), ("dlib-x4", 1.4)])
def test_landmarks_lie_near_the_truth(frames, truth, chain, largest_px):
    (points,) = of(frames, landmarks(model=chain))
    assert points.shape == (len(frames), SLOTS, 68, 2)
    assert np.isnan(points[:, 1:]).all()
    errors = np.linalg.norm(points[:, 0] - truth, axis=-1).mean(axis=1)
    assert (errors < largest_px).all()


def test_enlarged_landmarks_are_nearer(frames, truth):
    plain, fine = (np.linalg.norm(points[:, 0] - truth, axis=-1).mean() for points in of(frames, *MODELS))
    assert fine < plain


MODELS = [landmarks(model=chain) for chain in ("dlib", "dlib-x4")]


def test_a_face_at_the_border_has_landmarks(frames):
    cut = frames[:1, :, 60:]
    plain, fine = (points[0, 0] for points in of(cut, *MODELS))
    assert np.isfinite(plain).all()
    assert np.linalg.norm(plain - fine, axis=1).mean() < 2


def test_floats_and_bytes_show_the_same_faces(frames):
    (bytes_,) = of(frames, faces())
    (floats,) = of((frames / 255.0).astype(np.float32), faces(), peak=1.0)
    for one, two in zip(bytes_, floats, strict=True):
        assert np.array_equal(one, two, equal_nan=True)


def test_threads_do_not_mix_up_frames(frames):
    many = np.concatenate([frames] * 4)
    alone = [dlib_models.detected(frame).boxes.tolist() for frame in many]
    with ThreadPoolExecutor(4) as threads:
        assert [found.boxes.tolist() for found in threads.map(dlib_models.detected, many)] == alone


def test_descriptors_are_dlibs_own(frames, truth):
    model = dlib.face_recognition_model_v1(str(weights.path("dlib-face-descriptor")))
    points = np.rint(truth[0]).astype(int)
    shape = dlib.full_object_detection(dlib.rectangle(0, 0, 9, 9), [dlib.point(int(x), int(y)) for x, y in points])
    expected = np.array(model.compute_face_descriptor(frames[0], shape), np.float32)
    found = dlib_models.descriptors(frames[0], truth[:1])
    assert found.shape == (1, 128)
    agree(found[0], expected, "dlib descriptors")
    assert dlib_models.descriptors(frames[0], truth[:0]).shape == (0, 128)


def test_threads_have_workers_of_their_own_and_the_same_bits(frames, truth):
    def described(i):
        return dlib_models.descriptors(frames[i % 3], truth[i % 3][None])

    alone = [described(i) for i in range(3)]
    with ThreadPoolExecutor(2) as threads:
        assert all(np.array_equal(one, alone[i % 3]) for i, one in enumerate(threads.map(described, range(6))))


def test_a_worker_that_died_costs_nothing_but_time(frames, truth, monkeypatch):
    expected = dlib_models.descriptors(frames[0], truth[:1])
    dead = descriptors._started()
    dead.kill()
    dead.wait()
    monkeypatch.setattr(descriptors, "_borrowed", lambda token: dead)
    assert np.array_equal(dlib_models.descriptors(frames[0], truth[:1]), expected)


SCRIPT = """
import numpy as np, sys
from thgeval.features.faces import descriptors
face = np.full((1, 150, 150, 3), 90, np.uint8)
print(descriptors.descriptors_of(face).sum(), flush=True)
print(descriptors._idle(descriptors.weights.token(descriptors.NAME)).get_nowait().pid, flush=True)
{end}
"""


@pytest.mark.parametrize("end", ["", "raise SystemExit(3)", "import os; os._exit(1)"])
def test_workers_end_with_a_script_that_has_no_main_guard(end):
    done = subprocess.run([sys.executable, "-c", SCRIPT.format(end=end)], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    value, pid = done.stdout.split()
    assert np.isfinite(float(value))
    assert _gone(int(pid))


def _gone(pid: int) -> bool:
    """Whether a process, which is no child of ours, ends within some seconds."""
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        state = Path(f"/proc/{pid}/stat")
        if state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z":
            return True  # it has ended, and nobody has asked how
        time.sleep(0.1)
    return False


def test_mtcnn_finds_what_facenet_pytorch_finds(frames, truth):
    pytest.importorskip("facenet_pytorch")
    from facenet_pytorch import MTCNN

    (found,) = of(frames, faces(detector="mtcnn"))
    for frame, pixels in enumerate(frames):
        boxes, scores, points = MTCNN(keep_all=True).detect(pixels, landmarks=True)
        count = len(boxes)
        assert found.counts[frame] == count
        order = np.argsort(-scores.astype(float), kind="stable")
        agree(found.boxes[frame, :count], boxes[order].astype(np.float32), "mtcnn")
        agree(found.points[frame, :count], points[order].astype(np.float32), "mtcnn")
        marks = truth[frame]
        five = [marks[36:42].mean(0), marks[42:48].mean(0), marks[30], marks[48], marks[54]]
        assert np.linalg.norm(found.points[frame, 0] - five, axis=1).max() < 6


def test_mtcnn_finds_nothing_where_nothing_is():
    pytest.importorskip("facenet_pytorch")
    for shape in ((1, 64, 64, 3), (1, 8, 300, 3), (1, 20, 20, 3)):
        (found,) = of(np.zeros(shape, np.uint8), faces(detector="mtcnn"))
        assert found.counts.tolist() == [0]
        assert np.isnan(found.points).all()


def test_missing_packages_are_named_with_what_installs_them():
    assert install_line("faces") in str(MissingExtra("faces", extra="faces"))
    said = str(MissingExtra("faces", extra="facenet-pytorch"))
    assert "pip install --no-deps facenet-pytorch" in said
    assert "[facenet" not in said


def test_chains_name_detectors_that_exist():
    for model in CHAINS:
        assert landmarks(model=model).inputs[1].name == "faces"


def test_published_variants_of_dlib_see_what_their_scripts_show_it():
    """Looking for faces at twice the size, as ATVGnet; in scikit-image's grey, as DinoMan/blink-detector."""
    data, colour = pytest.importorskip("skimage.data"), pytest.importorskip("skimage.color")
    frame = np.ascontiguousarray(data.astronaut()[:256, 96:352])
    frames = np.stack([frame])
    grey = np.rint(colour.rgb2gray(frame) * 255).astype(np.uint8)
    detect, predict = dlib_itself.models()
    for chain, shown, upsample in (
        ("dlib-709", grey, 0),
        ("dlib-detected-x2", cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), 1),
    ):
        shape = predict(shown, detect(shown, upsample)[0])
        (points,) = of(frames, landmarks(model=chain))
        assert points[0, 0].tolist() == dlib_itself.points(shape).tolist()
