"""CPBD and FSIM beside what others use, on photographs: package cpbd 1.0.7, scikit-image's Canny, piq's FSIM."""

from dataclasses import asdict

import numpy as np
import pytest
from oracles import cpbd as oracle
from PIL import Image
from scipy.ndimage import gaussian_filter
from support.tolerances import agree

from thgeval.kernels.cpbd import RULES, canny, cpbd, gradients
from thgeval.kernels.fsim import similarity

data = pytest.importorskip("skimage.data", reason="needs scikit-image's pictures: pip install scikit-image")
feature = pytest.importorskip("skimage.feature")

NAMES = ["astronaut", "brick", "camera", "chelsea", "clock", "coffee", "coins", "moon", "page", "rocket"]
BLURS_PX = [0.0, 1.2]


def rgb(name: str) -> np.ndarray:
    return np.asarray(Image.fromarray(getattr(data, name)()).convert("RGB"))


def luma(name: str, blur_px: float, *, side: int = 191) -> np.ndarray:
    """A part of a picture, blurred, as 8-bit luma: (191, side)."""
    grey = np.asarray(Image.fromarray(rgb(name)).convert("L"))
    part = grey[:191, 100 : 100 + side].astype(float)
    return np.clip(gaussian_filter(part, blur_px), 0, 255).round().astype(np.uint8)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("blur_px", BLURS_PX)
def test_python_cpbd_equals_the_package(name, blur_px):
    pytest.importorskip("skimage", minversion="0.26")
    try:
        package = oracle.published_package()
    except ImportError:
        pytest.skip("needs the package cpbd: pip install cpbd==1.0.7")
    frame = luma(name, blur_px)
    agree(cpbd(frame[None], **asdict(RULES["python-cpbd"]))[0], package.compute(frame), "cpbd/python-cpbd")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("blur_px", BLURS_PX)
def test_canny_marks_the_pixels_that_scikit_image_marks(name, blur_px):
    frame = luma(name, blur_px, side=173)
    found = np.empty((3, *frame.shape))
    thresholds = gradients.skimage_gradients(frame.astype(np.float32), found)
    ours = canny.edges(canny.peaks(found, *thresholds))
    agree(ours, feature.canny(frame.astype(np.float64)), "canny")


@pytest.mark.parametrize("name", NAMES[:5])
@pytest.mark.parametrize("blur_px", BLURS_PX)
def test_the_other_programs_equal_their_slow_twins(name, blur_px):
    frame = luma(name, blur_px)
    single = feature.canny(frame.astype(np.float32))
    agree(cpbd(frame[None])[0], oracle.matlab(frame), "cpbd")
    agree(cpbd(frame[None], **asdict(RULES["atvgnet"]))[0], oracle.atvgnet(frame, single), "cpbd")


def test_atvgnet_reports_far_less_than_the_authors():
    frames = np.stack([luma(name, 0.0) for name in NAMES])
    authors, atvgnet = (cpbd(frames, **asdict(RULES[preset])) for preset in ("matlab", "atvgnet"))
    assert (atvgnet < 0.7 * authors).all()


@pytest.fixture
def one_torch_thread():
    torch = pytest.importorskip("torch")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield torch
    torch.set_num_threads(threads)


@pytest.mark.parametrize(
    ("name", "size"),
    [("astronaut", (256, 256)), ("chelsea", (300, 380)), ("coffee", (384, 384)), ("rocket", (256, 256))],
)
def test_fsim_equals_piq_but_for_its_departures(name, size, one_torch_thread):
    """piq lays its frequencies out transposed, which changes what becomes of the edge of an even spectrum.

    That moves these pictures by 1e-6, by 2e-5 where much of them is black. Its chroma weights have a fourth digit where
    the authors' have three. It also takes the modulus of the chroma product, rounds half to even and drops what its
    pooling leaves over; sizes and distortions here avoid all three.
    """
    piq = pytest.importorskip("piq")
    torch = one_torch_thread
    reference = rgb(name)[: size[0], : size[1]]
    blurred = gaussian_filter(reference.astype(float), (1.5, 1.5, 0))
    noise = np.random.default_rng(1).normal(0, 8, (*reference.shape[:2], 1))
    generated = np.clip(blurred + noise, 0, 255).round().astype(np.uint8)
    both = similarity(generated=generated[None], reference=reference[None], peak=255)
    x, y = (torch.from_numpy(f.copy()).permute(2, 0, 1)[None].double() for f in (generated, reference))
    agree(both.fsim[0], piq.fsim(x, y, data_range=255, chromatic=False).item(), "fsim of piq")
    agree(both.fsimc[0], piq.fsim(x, y, data_range=255, chromatic=True).item(), "fsimc of piq")
