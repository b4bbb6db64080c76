"""Fréchet and kernel distances, precision and recall beside the packages others use, on the same rows."""

import importlib
import warnings
from types import ModuleType

import numpy as np
import pytest
from support.tolerances import agree

from thgeval.kernels import frechet, kid, prdc


def peer(name: str) -> ModuleType:
    """Another package, whose own warnings while loading are not ours."""
    pytest.importorskip(name.split(".")[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(name)


def features(count: int, dimensions: int, *, seed: int) -> np.ndarray:
    """Non-negative correlated rows, as networks leave them."""
    mix = np.random.default_rng(0).standard_normal((dimensions, dimensions)) / dimensions**0.5
    latent = np.random.default_rng(seed).standard_normal((count, dimensions)) * np.arange(1, dimensions + 1) ** -0.5
    return np.maximum(4 * latent @ mix + 0.05 * seed, 0).astype(np.float32)


@pytest.mark.parametrize("name", ["pytorch_fid.fid_score:calculate_frechet_distance", "cleanfid.fid:frechet_distance"])
@pytest.mark.parametrize(("count", "bound"), [(500, "frechet"), (40, "frechet of few")])
def test_frechet_distance_equals_the_matrix_root(name, count, bound):
    """To the error of the matrix root, which grows where the product of the covariances is singular."""
    module, function = name.split(":")
    theirs = getattr(peer(module), function)
    sides = [features(count, 96, seed=seed).astype(np.float64) for seed in (1, 2)]
    moments = [value for rows in sides for value in (rows.mean(axis=0), np.cov(rows, rowvar=False))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scipy's about the deprecated argument, and about singular matrices
        expected = theirs(*moments)
    agree(frechet.distance(*sides), expected, bound)


def test_frechet_distance_equals_torchmetrics():
    module, torch = peer("torchmetrics.image.fid"), peer("torch")
    sides = [features(500, 96, seed=seed).astype(np.float64) for seed in (1, 2)]
    moments = [torch.from_numpy(value) for rows in sides for value in (rows.mean(axis=0), np.cov(rows, rowvar=False))]
    agree(frechet.distance(*sides), float(module._compute_fid(*moments)), "frechet")


def test_kernel_distance_equals_torchmetrics():
    module, torch = peer("torchmetrics.image.kid"), peer("torch")
    sides = [features(300, 64, seed=seed) for seed in (1, 2)]
    generated, reference = (torch.from_numpy(rows).double() for rows in sides)
    for kernel in ({}, {"degree": 2, "gamma": 0.1}):
        expected = float(module.poly_mmd(reference, generated, **kernel))
        agree(kid.distance(*sides, **kernel).mean, expected, "kid")


def test_kernel_distance_equals_clean_fid():
    """One subset of everything leaves nothing to chance; of 1000 out of more, both estimate the same."""
    module = peer("cleanfid.fid")
    generated, reference = (features(1000, 64, seed=seed) for seed in (1, 2))
    expected = module.kernel_distance(reference.astype(float), generated.astype(float), num_subsets=1)
    agree(kid.distance(generated, reference).mean, expected, "kid")
    whole = kid.distance(generated, reference, subset_size=1000, subsets=2, seed=0)
    agree(whole.mean, expected, "kid")


def test_kernel_distance_equals_piq():
    module, torch = peer("piq.kid"), peer("torch")
    sides = [features(300, 64, seed=seed) for seed in (1, 2)]
    generated, reference = (torch.from_numpy(rows).double() for rows in sides)
    expected = float(module.KID().compute_metric(generated, reference))
    agree(kid.distance(*sides).mean, expected, "kid")


def test_precision_equals_piq():
    """Recall is left out: piq compares part of it with the other side's balls."""
    module, torch = peer("piq.pr"), peer("torch")
    sides = [features(count, 32, seed=seed).astype(np.float64) for count, seed in ((250, 1), (300, 2))]
    generated, reference = (torch.from_numpy(rows) for rows in sides)
    precision, _ = module.PR(nearest_k=5).compute_metric(reference, generated)
    agree(prdc.scores(*sides, nearest=5).precision, float(precision), "prdc")
