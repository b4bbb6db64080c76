"""Small batches that look like pictures: smooth, with some noise between the two sides."""

import torch
from torch.nn.functional import avg_pool2d


def batch(*shape, seed=0, noise=0.1, dtype=torch.float32):
    """Two float batches of that shape within [0, 1]."""
    drawn = torch.Generator().manual_seed(seed)
    reference = torch.rand(shape, generator=drawn, dtype=torch.float64)
    smooth = avg_pool2d(reference.flatten(0, -4), 5, 1, 2).reshape(shape)
    generated = smooth + noise * torch.randn(shape, generator=drawn, dtype=torch.float64)
    return generated.clamp(0, 1).to(dtype), smooth.to(dtype)
