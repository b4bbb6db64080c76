"""Our pixel kernels beside scikit-image, pytorch-msssim, piq and torchmetrics on the same frames.

Where a peer defines something else, the call says how it is brought to our definition: torchmetrics mirrors frames at
their borders, so its map is cropped to the windows inside; piq halves without zeros, so it is compared on sides that
stay even.
"""

import warnings
from functools import cache

import cv2
import numpy as np
import pytest
from support.tolerances import agree

from thgeval.kernels.difference import errors
from thgeval.kernels.ms_ssim import ms_ssim
from thgeval.kernels.ssim import downsample, downsampling_factor, ssim

PEAK = 255


@cache
def photograph():
    return pytest.importorskip("skimage.data", reason="real pictures come with scikit-image").astronaut()


def noisy(picture):
    noise = np.random.default_rng(7).normal(0, 15, picture.shape)
    return (picture + noise).clip(0, 255).astype(np.uint8)


def recompressed(picture):
    _, packed = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 15])
    return cv2.imdecode(packed, cv2.IMREAD_COLOR)


DISTORTIONS = {
    "noise": noisy,
    "blur": lambda picture: cv2.GaussianBlur(picture, (0, 0), 2.0),
    "jpeg": recompressed,
    "darker": lambda picture: (picture * 0.6).astype(np.uint8),
    "shifted": lambda picture: np.roll(picture, (1, 2), (0, 1)),
    "zoomed": lambda picture: cv2.resize(picture[8:-8, 8:-8], picture.shape[1::-1], interpolation=cv2.INTER_AREA),
}


def rectangle(picture):
    return np.ascontiguousarray(picture[60:231, 140:325])  # 171 x 185: odd, and odd again after some halvings


def square(picture):
    return np.ascontiguousarray(picture[40:232, 140:332])  # 192 x 192: even at every halving


@cache
def pair(name, crop=rectangle):
    """(generated, reference), each (1, height, width, 3) uint8."""
    if name == "random":
        rng = np.random.default_rng(11)
        return tuple(rng.integers(0, 256, (2, 1, 163, 177, 3), dtype=np.uint8))
    whole = photograph()
    return crop(DISTORTIONS[name](whole))[None], crop(whole)[None]


NAMES = ["random", *DISTORTIONS]


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Spares small convolutions the wait for a thread pool when the machine is busy."""
    try:
        import torch
    except ImportError:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def tensors(generated, reference):
    """Both as float64 (1, 3, height, width): in float32 the peers themselves are off by up to 1e-5."""
    torch = pytest.importorskip("torch")
    return tuple(torch.from_numpy(side.astype(np.float64)).permute(0, 3, 1, 2) for side in (generated, reference))


def quiet_import(name):
    """Import a peer; what its own imports warn about is not ours to fail on."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(name)


def psnr(generated, reference):
    sums = errors(generated=generated, reference=reference)
    return 10 * np.log10(PEAK**2 * sums.count / sums.squared)


@pytest.mark.parametrize("name", NAMES)
def test_psnr_of_scikit_image(name):
    metrics = quiet_import("skimage.metrics")
    generated, reference = pair(name)
    expected = metrics.peak_signal_noise_ratio(reference[0], generated[0], data_range=PEAK)
    agree(psnr(generated, reference), [expected], "psnr")


@pytest.mark.parametrize("name", NAMES)
def test_psnr_of_torchmetrics_and_piq(name):
    torchmetrics = quiet_import("torchmetrics.functional.image")
    piq = quiet_import("piq")
    generated, reference = pair(name)
    a, b = tensors(generated, reference)
    expected = torchmetrics.peak_signal_noise_ratio(a, b, data_range=float(PEAK)).item()
    agree(psnr(generated, reference), [expected], "psnr of torchmetrics")
    expected = piq.psnr(a, b, data_range=PEAK).item()
    agree(psnr(generated, reference), [expected], "psnr of piq")


@pytest.mark.parametrize("name", NAMES)
def test_ssim_of_scikit_image_with_gaussian_windows(name):
    metrics = quiet_import("skimage.metrics")
    generated, reference = pair(name)
    expected = metrics.structural_similarity(
        reference[0],
        generated[0],
        channel_axis=2,
        data_range=PEAK,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    agree(ssim(generated=generated, reference=reference, peak=PEAK)[0], expected, "ssim")


@pytest.mark.parametrize("name", NAMES)
def test_ssim_of_scikit_image_by_default(name):
    metrics = quiet_import("skimage.metrics")
    generated, reference = pair(name)
    score = ssim(
        generated=generated, reference=reference, peak=PEAK, window=7, weighting="uniform", sample_covariance=True
    )
    expected = metrics.structural_similarity(reference[0], generated[0], channel_axis=2, data_range=PEAK)
    agree(score[0], expected, "ssim")
    grey = metrics.structural_similarity(reference[0, ..., 1], generated[0, ..., 1], data_range=PEAK)
    score = ssim(
        generated=generated[..., 1],
        reference=reference[..., 1],
        peak=PEAK,
        window=7,
        weighting="uniform",
        sample_covariance=True,
    )
    agree(score[0], grey, "ssim")


@pytest.mark.parametrize("name", NAMES)
def test_ssim_and_ms_ssim_of_pytorch_msssim(name):
    peer = quiet_import("pytorch_msssim")
    generated, reference = pair(name)
    a, b = tensors(generated, reference)
    expected = peer.ssim(a, b, data_range=PEAK).item()
    agree(ssim(generated=generated, reference=reference, peak=PEAK)[0], expected, "ssim")
    expected = peer.ms_ssim(a, b, data_range=PEAK).item()
    agree(ms_ssim(generated=generated, reference=reference, peak=PEAK)[0], expected, "ms-ssim")


@pytest.mark.parametrize("name", NAMES)
def test_ssim_of_piq(name):
    piq = quiet_import("piq")
    generated, reference = pair(name)
    a, b = tensors(generated, reference)
    expected = piq.ssim(a, b, data_range=PEAK, downsample=False).item()
    agree(ssim(generated=generated, reference=reference, peak=PEAK)[0], expected, "ssim")


@pytest.mark.parametrize("name", list(DISTORTIONS))
def test_ms_ssim_of_piq_on_even_sides(name):
    piq = quiet_import("piq")
    generated, reference = pair(name, square)
    a, b = tensors(generated, reference)
    expected = piq.multi_scale_ssim(a, b, data_range=PEAK).item()
    agree(ms_ssim(generated=generated, reference=reference, peak=PEAK)[0], expected, "ms-ssim")


@pytest.mark.parametrize("name", ["noise", "jpeg"])
def test_downsampled_ssim_of_piq(name):
    """On even sides a 2 × 2 mean of every second pixel is what both the MATLAB script and piq compute."""
    piq = quiet_import("piq")
    generated, reference = (side[..., 1] for side in pair(name, np.ascontiguousarray))
    factor = downsampling_factor(*generated.shape[1:])
    assert factor == 2
    score = ssim(generated=downsample(generated, factor), reference=downsample(reference, factor), peak=PEAK)
    a, b = tensors(generated[..., None], reference[..., None])
    agree(score[0], piq.ssim(a, b, data_range=PEAK, downsample=True).item(), "ssim")


@pytest.mark.parametrize("name", NAMES)
def test_ssim_of_torchmetrics_inside_the_frame(name):
    torchmetrics = quiet_import("torchmetrics.functional.image")
    generated, reference = pair(name)
    a, b = tensors(generated, reference)
    _, similarity = torchmetrics.structural_similarity_index_measure(
        a, b, data_range=float(PEAK), return_full_image=True
    )
    expected = similarity[..., 5:-5, 5:-5].mean().item()
    agree(ssim(generated=generated, reference=reference, peak=PEAK)[0], expected, "ssim")
