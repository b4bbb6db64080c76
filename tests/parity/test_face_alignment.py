"""S3FD and FAN against face-alignment on equal random weights, without a way out of the machine."""

import socket
from contextlib import ExitStack

import numpy as np
import pytest

from thgeval.networks import memory

torch = pytest.importorskip("torch")
api = pytest.importorskip("face_alignment.api")
from face_alignment import utils
from face_alignment.detection.sfd import FaceDetector
from support import random_weights
from support.tolerances import agree

from thgeval.features.faces import fan
from thgeval.requirements import weights

BOXES = np.array([[40.0, 30, 120, 130], [-20, 60.5, 50.25, 140], [100, 90, 190, 180]])


class Loaded(api.FaceAlignment):
    """The package's class with the networks' files as they lie here."""

    def _load_native(self, network_name, network_size, device, dtype):
        network = api.FAN(network_size)
        network.load_state_dict(torch.load(weights.path("fan-2d"), weights_only=True), strict=False)
        return network.eval()


@pytest.fixture(scope="module")
def package():
    def refused(*args, **kwargs):
        raise AssertionError("something tried to open a connection")

    with random_weights.installed(["fan-2d", "s3fd"]), pytest.MonkeyPatch.context() as patch, ExitStack() as runs:
        patch.setattr(socket, "socket", refused)
        for name, loop in vars(utils).items():
            if hasattr(loop, "py_func"):  # compiling it takes seconds in every process
                patch.setattr(utils, name, loop.py_func)
        runs.enter_context(memory.apart())
        tensors = torch.load(weights.path("s3fd"), weights_only=True)
        near = {name: value * 0.05 if "mbox" in name else value for name, value in tensors.items()}
        random_weights.save(near, weights.path("s3fd"))  # boxes near their places, and no two probabilities alike
        runs.enter_context(weights.allowed(weights.policy()))
        path = {"path_to_detector": str(weights.path("s3fd"))}
        yield Loaded(1, device="cpu", flip_input=False, compile=False, face_detector_kwargs=path)


@pytest.fixture(scope="module")
def picture():
    noise = np.random.default_rng(5).integers(0, 256, (20, 22, 3), dtype=np.uint8)
    return noise.repeat(9, axis=0).repeat(9, axis=1)


@pytest.mark.slow
def test_landmarks_are_those_of_the_package(package, picture):
    ours = fan.landmarks68(picture, BOXES)
    theirs = package.get_landmarks_from_image(picture, detected_faces=list(BOXES))
    agree(ours, np.stack(theirs), "fan landmarks")
    assert len(np.unique(ours.reshape(-1, 2), axis=0)) > 50


@pytest.mark.parametrize("box", BOXES)
def test_squares_are_those_of_the_package(box, picture):
    centre, side = fan.square(box)
    theirs = api.crop(picture, centre, side / 200)
    np.testing.assert_array_equal(fan.cut(picture, centre, side), theirs)


@pytest.mark.slow
def test_boxes_are_those_of_the_package(package, picture):
    small = picture[:64, :72]
    theirs = np.array(FaceDetector.detect_from_image(package.face_detector, small))
    found = fan.detected(small)
    assert len(theirs) > 1
    agree(found.scores, theirs[:, 4], "s3fd boxes")
    agree(found.boxes, theirs[:, :4], "s3fd boxes")


def test_tiny_frames_have_no_face(package):
    assert len(fan.detected(np.zeros((20, 90, 3), np.uint8)).boxes) == 0
