"""The kernels as operators of torch: their numbers, gradients, and what torch asks of an operator."""

import pytest

torch = pytest.importorskip("torch")

from training.pictures import batch

from thgeval.kernels.ms_ssim import cpu as ms_ssim
from thgeval.kernels.ssim import Windows
from thgeval.training import composite, operators

GAUSSIAN = {"window": 11, "sigma": 1.5, "k1": 0.01, "k2": 0.03, "weighting": "gaussian", "sample_covariance": False}
UNIFORM = {**GAUSSIAN, "window": 7, "weighting": "uniform", "sample_covariance": True}


@pytest.mark.parametrize(
    ("shape", "scales", "windows"),
    [((2, 37, 53), 1, GAUSSIAN), ((1, 11, 11), 1, GAUSSIAN), ((1, 29, 17), 1, UNIFORM), ((1, 61, 67), 3, UNIFORM)],
)
def test_terms_and_both_gradients_are_those_of_float64(shape, scales, windows):
    sides = [side[:, 0].requires_grad_() for side in batch(shape[0], 1, *shape[1:])]
    wide = [side.detach().double().requires_grad_() for side in sides]
    found = operators.scale_terms(*sides, 1.0, scales, True, *windows.values())
    right = composite.scale_terms(*wide, 1.0, scales, True, composite.Weighting.of(Windows(**windows)))
    torch.testing.assert_close(found, right, rtol=0, atol=2e-5)
    weights = torch.linspace(0.3, 2, found.numel(), dtype=torch.float64).view_as(found)
    (found * weights).sum().backward()
    (right * weights).sum().backward()
    for one, other in zip(sides, wide, strict=True):
        assert (one.grad - other.grad).abs().max() <= 2e-5 * other.grad.abs().max()


def test_terms_are_those_of_the_metrics():
    generated, reference = (side[:, 0] for side in batch(3, 1, 41, 47))
    through = Windows()
    right = ms_ssim.scale_terms(generated.numpy(), reference.numpy(), 1, through.taps, through.constants(1.0))
    how = (1.0, 1, False, *GAUSSIAN.values())
    found = operators.scale_terms(generated, reference, *how)
    torch.testing.assert_close(found.numpy(), right[:, 0], rtol=1e-6, atol=0)
    differentiable = operators.scale_terms(generated.requires_grad_(), reference, *how)
    torch.testing.assert_close(differentiable.detach(), found, rtol=1e-6, atol=0)


def test_bands_add_up(monkeypatch):
    sides = [side[:, 0] for side in batch(2, 1, 61, 47)]
    whole, parts = [], []
    for band, into in ((256, whole), (16, parts)):
        monkeypatch.setattr("thgeval.training.structure.BAND", band)
        moved = sides[0].clone().requires_grad_()
        for terms in (
            operators.scale_terms(moved, sides[1], 1.0, 3, True, *UNIFORM.values()),
            operators.scale_terms(*sides, 1.0, 3, True, *UNIFORM.values()),
        ):
            into.append(terms.detach())
        operators.scale_terms(moved, sides[1], 1.0, 3, True, *UNIFORM.values()).sum().backward()
        into.append(moved.grad)
    for one, other in zip(whole, parts, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-9)


def test_the_number_of_threads_changes_no_bit():
    sides = [side[:, 0] for side in batch(3, 1, 41, 47)]
    held = torch.get_num_threads()
    results = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            moved = sides[0].clone().requires_grad_()
            operators.scale_terms(moved, sides[1], 1.0, 2, True, *UNIFORM.values()).sum().backward()
            results.append(moved.grad)
    finally:
        torch.set_num_threads(held)
    assert torch.equal(*results)


def test_copies_have_no_gradient():
    side = batch(1, 1, 31, 33)[1][:, 0].requires_grad_()
    terms = operators.scale_terms(side, side.detach(), 1.0, 2, True, *UNIFORM.values())
    terms.sum().backward()
    assert terms.tolist() == [[1.0, 1.0, 0.0]]
    assert not side.grad.any()


def test_pixel_errors_and_their_gradients():
    sides = [side.flatten(1).requires_grad_() for side in batch(3, 1, 9, 11)]
    wide = [side.detach().double().requires_grad_() for side in sides]
    found, right = operators.pixel_errors(*sides), composite.pixel_errors(*wide)
    torch.testing.assert_close(found, right, rtol=1e-9, atol=0)
    weights = torch.tensor([0.5, 2.0], dtype=torch.float64)
    (found * weights).sum().backward()
    (right * weights).sum().backward()
    for one, other in zip(sides, wide, strict=True):
        torch.testing.assert_close(one.grad.double(), other.grad, rtol=2e-6, atol=1e-7)


def test_the_composites_pass_gradcheck():
    sides = [side[:, 0].requires_grad_() for side in batch(1, 1, 9, 8, dtype=torch.float64)]
    small = composite.Weighting.of(Windows(window=3))
    assert torch.autograd.gradcheck(lambda *both: composite.scale_terms(*both, 1.0, 2, True, small), sides)
    assert torch.autograd.gradcheck(composite.pixel_errors, [side.flatten(1) for side in sides])


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")  # which opcheck asks of copies of its own
@pytest.mark.parametrize("scales", [1, 2])
def test_opcheck(scales):
    sides = [side[:, 0] for side in batch(2, 1, 23, 25)]
    sides[0].requires_grad_()
    how = (1.0, scales, scales > 1, *UNIFORM.values())
    torch.library.opcheck(operators.plain_scale_terms, (sides[0].detach(), sides[1], *how))
    torch.library.opcheck(operators.scale_terms_and_gradients, (*sides, *how))
    torch.library.opcheck(operators.pixel_errors, tuple(side.detach().flatten(1).requires_grad_() for side in sides))


def test_what_is_not_float32_on_the_cpu_has_no_loops():
    single, double = torch.zeros(1), torch.zeros(1, dtype=torch.float64)
    assert operators.applies(single, single)
    assert not operators.applies(single, double)
    assert not operators.applies(torch.zeros(1, device="meta"))
