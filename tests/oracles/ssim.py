"""SSIM in plain float64 numpy, straight from Wang et al. (2004): every window is laid out and weighted in 2-D."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def weights(window, sigma, weighting):
    if weighting == "uniform":
        return np.full((window, window), 1 / window**2)
    y, x = np.mgrid[:window, :window] - (window - 1) / 2
    gauss = np.exp(-(x**2 + y**2) / (2 * sigma**2))
    return gauss / gauss.sum()


def plane_terms(
    generated,
    reference,
    *,
    peak,
    window=11,
    sigma=1.5,
    k1=0.01,
    k2=0.03,
    weighting="gaussian",
    sample_covariance=False,
):
    """Mean SSIM and contrast-structure of two (height, width) planes; deviations are from each window's mean."""
    weight = weights(window, sigma, weighting)
    a = sliding_window_view(np.asarray(generated, np.float64), (window, window))
    b = sliding_window_view(np.asarray(reference, np.float64), (window, window))
    ssim, contrast = [], []
    c1, c2 = (k1 * peak) ** 2, (k2 * peak) ** 2
    unbias = window**2 / (window**2 - 1) if sample_covariance else 1
    for row_a, row_b in zip(a, b, strict=True):  # one row of windows at a time: all of them would fill the memory
        mean_a = (weight * row_a).sum((1, 2))
        mean_b = (weight * row_b).sum((1, 2))
        off_a = row_a - mean_a[:, None, None]
        off_b = row_b - mean_b[:, None, None]
        var_a = unbias * (weight * off_a**2).sum((1, 2))
        var_b = unbias * (weight * off_b**2).sum((1, 2))
        cov = unbias * (weight * off_a * off_b).sum((1, 2))
        cs = (2 * cov + c2) / (var_a + var_b + c2)
        ssim.append(cs * (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1))
        contrast.append(cs)
    return np.mean(ssim), np.mean(contrast)


def terms(generated, reference, **parameters):
    """(frames, channels) SSIM and contrast-structure of (frames, height, width[, 3]) arrays."""
    if generated.ndim == 3:
        generated, reference = generated[..., None], reference[..., None]
    pairs = [
        [plane_terms(a[..., c], b[..., c], **parameters) for c in range(a.shape[-1])]
        for a, b in zip(generated, reference, strict=True)
    ]
    both = np.asarray(pairs)
    return both[..., 0], both[..., 1]


def downsampled(plane, factor):
    """MATLAB's imfilter(plane, ones(f)/f², 'symmetric') followed by (1:f:end, 1:f:end)."""
    before = (factor + 1) // 2 - 1
    padded = np.pad(np.asarray(plane, np.float64), (before, factor - 1 - before), mode="symmetric")
    return sliding_window_view(padded, (factor, factor)).mean((2, 3))[::factor, ::factor]
