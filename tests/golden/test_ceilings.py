"""Every metric against float64 computations that share no code with it, on real pictures, within the one table."""

import tomllib
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest
from oracles import cpbd, difference, fsim, landmark_distance, luma, ms_ssim, regions, ssim
from support import dlib_itself
from support.once import remembering

import thgeval

TABLE = tomllib.loads((Path(__file__).parent / "tolerances.toml").read_text())["ceiling"]
FRAMES = 2
SIZE = (390, 385)  # large enough for the authors' script to halve it


@pytest.fixture(scope="module")
def clips():
    """A real picture under three small shifts, and the same softened, noisy and darkened."""
    data = pytest.importorskip("skimage.data")
    picture = data.astronaut()
    height, width = SIZE
    reference = np.stack([picture[20 + shift : 20 + shift + height, 60:][:, :width] for shift in range(FRAMES)])
    rng = np.random.default_rng(8)
    worse = np.stack([cv2.GaussianBlur(frame, (0, 0), 1.2) for frame in reference]) * 0.95
    return np.clip(worse + rng.normal(0, 4, worse.shape), 0, 255).astype(np.uint8), reference


def psnr(generated, reference, *, wrap=False, pooled=False):
    _, squared = (difference.wrapped if wrap else difference.errors)(generated, reference)
    mse = squared / generated[0].size
    return 10 * np.log10(255**2 / mse.mean()) if pooled else (10 * np.log10(255**2 / mse)).mean()


def l1(generated, reference):
    return difference.errors(generated, reference)[0].mean() / generated[0].size


def structure(generated, reference, **parameters):
    return ssim.terms(generated, reference, **parameters)[0].mean()


def wang(generated, reference):
    grey = [
        np.stack([ssim.downsampled(frame, 2) for frame in luma.bt601_rounded(side)]) for side in (generated, reference)
    ]
    return structure(*grey, peak=255)


def multiscale(generated, reference):
    return np.mean(ms_ssim.ms_ssim(generated, reference, peak=255))


def feature(generated, reference, index):
    return np.mean([fsim.similarity(a, b)[index] for a, b in zip(generated, reference, strict=True)])


def landmarks(frames, upsample=0):
    """The 68 landmarks of the largest face of each frame, straight from dlib."""
    return np.array([face(frame, upsample) for frame in frames])


@partial(remembering, {})
def face(frame, upsample):
    """The landmarks of one frame, found once for all metrics that ask."""
    detect, predict = dlib_itself.models()
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    return dlib_itself.points(predict(grey, max(detect(grey, upsample), key=lambda box: box.area())))


def of_landmarks(oracle, upsample=0):
    return lambda generated, reference: oracle(landmarks(generated, upsample), landmarks(reference, upsample))


def within(region, oracle):
    """An oracle of whole frames, of both clips cut where dlib finds the reference's face."""

    def cut(generated, reference):
        where = landmarks(reference)
        return oracle(regions.cut(generated, where, region), regions.cut(reference, where, region))

    return cut


UNIFORM = {"window": 7, "weighting": "uniform", "sample_covariance": True}
ORACLES = {
    "psnr": psnr,
    "psnr/pooled": lambda a, b: psnr(a, b, pooled=True),
    "psnr/uint8-wrap": lambda a, b: psnr(a, b, wrap=True),
    "l1": lambda a, b: l1(a, b) / 255,
    "l1-255": l1,
    "f-mse": lambda a, b: ((a[1:].astype(float) - a[:-1]) ** 2).mean(axis=(1, 2, 3)).mean(),
    "ssim": lambda a, b: structure(luma.bt601_rounded(a), luma.bt601_rounded(b), peak=255),
    "ssim/pytorch-msssim": lambda a, b: structure(a, b, peak=255),
    "ssim/skimage-rgb": lambda a, b: structure(a, b, peak=255, **UNIFORM),
    "ssim/wang-downsample": wang,
    "ms-ssim": multiscale,
    "ms-ssim/grey": lambda a, b: multiscale(luma.bt601_rounded(a), luma.bt601_rounded(b)),
    "fsim": lambda a, b: feature(a, b, 0),
    "fsimc": lambda a, b: feature(a, b, 1),
    "cpbd": lambda a, b: np.mean([cpbd.matlab(frame) for frame in luma.bt601_rounded(a)]),
    "cpbd/python-cpbd": lambda a, b: np.mean([cpbd.published_package().compute(frame) for frame in luma.pil_l(a)]),
    "lmd": of_landmarks(landmark_distance.eat_mouth),
    "lmd/atvgnet": of_landmarks(landmark_distance.atvgnet, upsample=1),
    "lmd/fae": of_landmarks(landmark_distance.fae),
    "lmd/interocular": of_landmarks(landmark_distance.interocular),
    "f-lmd": of_landmarks(landmark_distance.eat_face),
    "m-lmd": of_landmarks(landmark_distance.eat_mouth),
    "lvd": of_landmarks(landmark_distance.velocity),
    "lvd:steps=found": of_landmarks(landmark_distance.eat_velocity),
    "akd/dlib": of_landmarks(landmark_distance.pose_evaluation),
    "akd/dlib-l2": of_landmarks(lambda a, b: landmark_distance.uncentred(a, b, range(68))),
    "psnr/mouth": within("mouth", psnr),
    "l1/face": within("face", lambda a, b: l1(a, b) / 255),
    "ssim/face": within("face", lambda a, b: structure(luma.bt601_rounded(a), luma.bt601_rounded(b), peak=255)),
    "ms-ssim/face": within("face", multiscale),
}


def test_the_table_and_the_oracles_name_the_same_metrics():
    assert [row["metric"] for row in TABLE] == list(ORACLES)


@pytest.fixture(scope="module")
def scores(request, clips):
    """Of the rows whose tests run, measured together."""
    own = [item for item in request.session.items if item.path == request.path and "scores" in item.fixturenames]
    rows = [item.callspec.params["row"] for item in own]
    return thgeval.score(*clips, metrics=[row["metric"] for row in rows if installed(row["metric"])])


def installed(metric):
    return metric != "cpbd/python-cpbd" or find_spec("cpbd") is not None


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row["metric"])
def test_within_the_ceiling(row, clips, scores):
    if not installed(row["metric"]):
        pytest.skip("the package cpbd is not installed")
    expected = float(ORACLES[row["metric"]](*clips))
    found = scores[row["metric"]].value
    allowed = row["ceiling"] * (abs(expected) if row["kind"] == "relative" else 1.0)
    assert abs(found - expected) <= allowed, (found, expected)
