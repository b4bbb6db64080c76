"""MS-SSIM in plain float64 numpy: Wang, Simoncelli, Bovik (2003), zero-padded 2 × 2 means, terms clamped at 0."""

import numpy as np
from oracles import ssim

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def halved(plane):
    plane = np.asarray(plane, np.float64)
    odd_down, odd_across = (side % 2 for side in plane.shape)
    padded = np.pad(plane, ((odd_down, 0), (odd_across, 0)))
    height, width = padded.shape
    return padded.reshape(height // 2, 2, width // 2, 2).mean((1, 3))


def plane_ms_ssim(generated, reference, *, weights=WEIGHTS, **parameters):
    value = 1.0
    for scale, weight in enumerate(weights):
        score, contrast = ssim.plane_terms(generated, reference, **parameters)
        term = score if scale == len(weights) - 1 else contrast
        value *= max(term, 0) ** weight
        generated, reference = halved(generated), halved(reference)
    return value


def ms_ssim(generated, reference, **parameters):
    """(frames,) MS-SSIM of (frames, height, width[, 3]) arrays."""
    if generated.ndim == 3:
        generated, reference = generated[..., None], reference[..., None]
    return np.array(
        [
            np.mean([plane_ms_ssim(a[..., c], b[..., c], **parameters) for c in range(a.shape[-1])])
            for a, b in zip(generated, reference, strict=True)
        ]
    )
