"""Losses: the metrics' numbers with a gradient, and the fifteen of the survey's Table 12."""

import math
import pickle
from itertools import pairwise

import pytest

torch = pytest.importorskip("torch")

from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode
from training.pictures import batch

from thgeval.errors import InputError, ProtocolError
from thgeval.training import losses, operators
from thgeval.training.losses import table12

FRAMEWISE = {
    "psnr": lambda **how: losses.PSNRLoss(**how),
    "l1": lambda **how: losses.L1Loss(**how),
    "mse": lambda **how: losses.MSELoss(**how),
    "ssim": lambda **how: losses.SSIMLoss(window=5, **how),
    "ssim-rgb": lambda **how: losses.SSIMLoss(window=5, colour="rgb", **how),
    "ms-ssim": lambda **how: losses.MSSSIMLoss(window=3, **how),
    "l1-ssim": lambda **how: losses.L1SSIMLoss(window=5, **how),
}


@pytest.fixture(scope="module")
def frames():
    return batch(1, 3, 33, 35)


@pytest.mark.parametrize("name", FRAMEWISE)
def test_a_loss_in_float32_has_the_value_and_gradient_of_float64(frames, name):
    loss = FRAMEWISE[name](data_range=1.0)
    found = []
    for dtype in (torch.float32, torch.float64):
        generated = frames[0].detach().to(dtype, copy=True).requires_grad_()
        value = loss(generated, frames[1].to(dtype))
        value.backward()
        assert value.dtype == dtype
        found.append((value.double(), generated.grad.double()))
    (value, gradient), (right, exact) = found
    assert abs(value - right) <= 2e-6 * max(1, abs(right))
    assert (gradient - exact).abs().max() <= 2e-5 * exact.abs().max()


@pytest.mark.parametrize("name", FRAMEWISE)
def test_gradcheck(name):
    sides = [side.requires_grad_() for side in batch(1, 3, 33, 33, dtype=torch.float64)]
    assert torch.autograd.gradcheck(FRAMEWISE[name](data_range=1.0), sides, fast_mode=True)


@pytest.mark.parametrize("name", FRAMEWISE)
def test_what_is_half_comes_in_and_a_loss_in_float32_comes_out(frames, name):
    loss = FRAMEWISE[name](data_range=1.0)
    for dtype in (torch.float16, torch.bfloat16):
        half = frames[0].detach().to(dtype)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            value = loss(half.requires_grad_(), frames[1])
        value.backward()
        assert value.dtype == torch.float32
        assert half.grad.dtype == dtype
        torch.testing.assert_close(value.detach(), loss(half.detach().float(), frames[1]), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", ["ssim", "l1-ssim", "ms-ssim", "psnr"])
def test_compiled_whole(frames, name):
    loss = FRAMEWISE[name](data_range=1.0)
    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
    found = []
    for function in (loss, compiled):
        generated = frames[0].clone().requires_grad_()
        value = function(generated, frames[1])
        value.backward()
        found.append((value.detach(), generated.grad))
    torch.testing.assert_close(found[0], found[1], rtol=1e-6, atol=1e-9)


def test_the_range_shifts_black():
    generated, reference = batch(1, 3, 33, 35)
    one = losses.L1SSIMLoss(data_range=1.0)(generated, reference)
    two = losses.L1SSIMLoss(data_range=(-1.0, 1.0))(2 * generated - 1, 2 * reference - 1)
    torch.testing.assert_close(one, two, rtol=1e-5, atol=1e-7)


def test_layouts_give_one_number():
    generated, reference = batch(2, 2, 3, 33, 35)
    loss = losses.SSIMLoss(data_range=1.0)
    assert torch.equal(loss(generated, reference), loss(generated.flatten(0, 1), reference.flatten(0, 1)))


def test_opposites_have_a_finite_gradient():
    reference = batch(1, 3, 170, 170)[1]
    generated = (1 - reference).requires_grad_()
    value = losses.MSSSIMLoss(data_range=1.0)(generated, reference)
    value.backward()
    assert 0.9 < value < 1
    assert torch.isfinite(generated.grad).all()


def test_copies_have_a_finite_psnr_and_no_gradient():
    frames = batch(1, 3, 9, 9)[1].requires_grad_()
    value = losses.PSNRLoss(data_range=1.0)(frames, frames.detach())
    value.backward()
    assert value.item() == pytest.approx(-100)
    assert not frames.grad.any()


def test_lpips_looks_through_a_network_that_stays_as_it_is():
    from thgeval_models import lpips

    torch.manual_seed(0)
    network = lpips.LPIPS("squeeze", "0.1")
    loss = losses.LPIPSLoss(data_range=1.0, network=network)
    generated, reference = batch(1, 3, 40, 40)
    value = loss.train()(generated.requires_grad_(), reference)
    value.backward()
    assert generated.grad.any()
    assert not any(parameter.requires_grad for parameter in network.parameters())
    assert not network.training
    with torch.no_grad():
        direct = network(generated=2 * generated - 1, reference=2 * reference - 1)
    assert value.item() == pytest.approx(direct.item())


def test_identity():
    generated, reference = torch.tensor([[1.0, 0.0], [0.0, 2.0]]), torch.tensor([[2.0, 0.0], [3.0, 0.0]])
    assert losses.IdentityLoss()(generated, reference) == pytest.approx(0.5)
    through = losses.IdentityLoss(network=lambda images: images.flatten(1))
    images = torch.rand(2, 3, 4, 4).requires_grad_()
    through(images, torch.rand(2, 3, 4, 4)).backward()
    assert images.grad.any()


def test_arcface_learns_directions():
    loss = losses.ArcFaceLoss(4, 3)
    loss(torch.rand(5, 4), torch.tensor([0, 1, 2, 0, 1])).backward()
    assert loss.directions.grad.any()


@pytest.mark.parametrize("how", [{}, {"points": "face", "scale": "interocular"}, {"distance": "l1", "centred": False}])
def test_landmarks_are_as_far_apart_as_to_the_metric(how):
    from thgeval.metrics.faces.lmd import LMD

    generated, reference = 100 * torch.rand(2, 4, 68, 2, dtype=torch.float64)
    metric = LMD.configured(how)
    right = metric.compared(generated.numpy(), reference.numpy()).mean()
    assert losses.LandmarkLoss(**how)(generated, reference).item() == pytest.approx(right)


def test_faces_without_landmarks_are_left_out():
    generated, reference = torch.rand(2, 3, 68, 2)
    lacking = reference.clone()
    lacking[1] = torch.nan
    loss = losses.LandmarkLoss()
    assert torch.equal(loss(generated, lacking), loss(generated[[0, 2]], reference[[0, 2]]))
    with pytest.raises(InputError, match="no face of the reference has landmarks"):
        loss(generated, torch.full_like(reference, torch.nan))


def test_sync_pulls_to_the_sound_of_the_same_time():
    heard = torch.eye(12) * 20
    right, late = losses.SyncLoss(furthest=3)(heard, heard), losses.SyncLoss(furthest=3)(heard, heard.roll(1, 0))
    assert right < 1e-6 < late
    assert losses.SyncLoss(furthest=3)(torch.zeros(50, 4), torch.zeros(50, 4)) == pytest.approx(math.log(7), rel=0.06)
    moving = heard.clone().requires_grad_()
    losses.SyncLoss(furthest=3)(moving, heard).backward()
    assert torch.isfinite(moving.grad).all()


def test_temporal_warp_is_the_metric_where_the_flow_is_given():
    from thgeval.kernels import warp

    clip = torch.rand(3, 3, 12, 14, dtype=torch.float64)
    flow = torch.randn(2, 12, 14, 2, dtype=torch.float64)
    visible = torch.rand(2, 12, 14) < 0.7
    pixels = clip.permute(0, 2, 3, 1).numpy()
    right = warp.squared_error(previous=pixels[:-1], current=pixels[1:], flow=flow.numpy(), mask=visible.numpy())
    expected = (right.squared / right.pixels / 3).mean()
    assert losses.TemporalWarpLoss(data_range=1.0)(clip, flow, visible).item() == pytest.approx(expected, rel=1e-6)


def test_flicker_forgives_what_stands_still():
    reference = torch.rand(1, 4, 3, 5, 5) * 0.5
    assert losses.FlickerLoss(data_range=1.0)(reference + 0.25, reference) < 1e-6
    blinking = reference + torch.tensor([0, 0.25, 0, 0.25]).view(1, 4, 1, 1, 1)
    assert losses.FlickerLoss(data_range=1.0)(blinking, reference).item() == pytest.approx(0.25)


def test_table_12_has_fifteen():
    assert len(table12.TABLE_12) == 15


def test_values_of_table_12_by_hand():
    x, y = torch.tensor([[0.0, 2.0]]), torch.tensor([[0.5, 0.0]])
    assert table12.square(x, y).item() == pytest.approx((0.25 + 4) / 2)
    assert table12.absolute(x, y).item() == pytest.approx(1.25)
    assert table12.epsilon_insensitive(x, y, epsilon=0.75).item() == pytest.approx(1.25 / 2)
    assert table12.smooth_l1(x, y).item() == pytest.approx((0.125 + 1.5) / 2)
    assert table12.reconstruction(x, y).item() == pytest.approx(4.25)
    assert table12.negative_variance(torch.tensor([[1.0], [3.0]])).item() == pytest.approx(-1)
    assert table12.center(x, torch.tensor([1]), torch.tensor([[9.0, 9.0], [0.0, 1.0]])).item() == pytest.approx(0.5)
    far = torch.tensor([True]), torch.tensor([False])
    assert table12.contrastive(x, y, far[1]).item() == pytest.approx(4.25 / 2)
    assert table12.contrastive(x, y, far[0], margin=3).item() == pytest.approx((3 - math.sqrt(4.25)) ** 2 / 2)
    assert table12.triplet(x, y, x, margin=0.1).item() == pytest.approx(4.35)


def test_boxes():
    one, other = torch.tensor([[0.0, 0.0, 2.0, 2.0]]), torch.tensor([[1.0, 1.0, 3.0, 3.0]])
    assert table12.iou(one, other).item() == pytest.approx(1 - 1 / 7)
    assert table12.generalized_iou(one, other).item() == pytest.approx(1 - 1 / 7 + 2 / 9)
    apart = torch.tensor([[4.0, 4.0, 5.0, 5.0]], requires_grad=True)
    table12.generalized_iou(apart, one).backward()
    assert apart.grad.any()  # where IoU has none
    with pytest.raises(InputError, match="each with an area"):
        table12.iou(one, one.flip(1))


def test_focal_is_cross_entropy_without_focus():
    logits, labels = torch.tensor([0.3, -2.0, 4.0]), torch.tensor([1, 0, 0])
    right = functional.binary_cross_entropy_with_logits(logits, labels.float())
    assert table12.focal(logits, labels, gamma=0, alpha=0.5).item() == pytest.approx(right.item() / 2)
    assert table12.focal(logits, labels, gamma=2).item() < right.item()


def test_margins_make_it_harder_and_none_is_softmax():
    torch.manual_seed(0)
    features, weights, labels = torch.randn(6, 8), torch.randn(4, 8), torch.tensor([0, 1, 2, 3, 0, 1])
    cosines = functional.linear(functional.normalize(features), functional.normalize(weights))
    plain = functional.cross_entropy(10 * cosines, labels)
    for loss in (table12.arcface, table12.am_softmax):
        assert loss(features, weights, labels, scale=10, margin=0).item() == pytest.approx(plain.item(), rel=1e-4)
        assert loss(features, weights, labels, scale=10, margin=0.3) > plain
    lengths = features.norm(dim=1, keepdim=True)
    plain = functional.cross_entropy(lengths * cosines, labels)
    assert table12.angular_softmax(features, weights, labels, margin=1).item() == pytest.approx(plain.item(), rel=1e-4)
    assert table12.angular_softmax(features, weights, labels, margin=4) > plain


def test_the_right_logit_of_margins_falls_all_the_way_to_the_opposite():
    weights = torch.tensor([[1.0, 0.0], [0.0, 0.0]])  # the other logit stays 0
    angles = torch.linspace(0.01, math.pi - 0.01, 40)
    for loss in (table12.arcface, table12.angular_softmax):
        found = [loss(torch.tensor([[a.cos(), a.sin()]]), weights, torch.tensor([0])).item() for a in angles]
        assert min(later - earlier for earlier, later in pairwise(found)) > -1e-4


@pytest.mark.parametrize("name", ["square", "absolute", "contrastive", "triplet"])
def test_other_shapes_are_refused(name):
    extra = {"contrastive": [torch.tensor([True])], "triplet": [torch.zeros(1, 3)]}.get(name, [])
    with pytest.raises(InputError, match="bring both to one shape"):
        table12.TABLE_12[name](torch.zeros(1, 2), torch.zeros(1, 3), *extra)


def test_refusals():
    with pytest.raises(ProtocolError, match="can't be differentiated"):
        losses.PSNRLoss(data_range=1.0, colour="grey")
    with pytest.raises(ProtocolError, match="has no parameter windw"):
        losses.SSIMLoss(data_range=1.0, windw=7)
    with pytest.raises(InputError, match="need their range"):
        losses.L1Loss()(*batch(1, 3, 4, 4))
    with pytest.raises(InputError, match="too small"):
        losses.SSIMLoss(data_range=1.0)(*batch(1, 3, 8, 40))


@pytest.mark.parametrize("name", FRAMEWISE)
def test_losses_go_to_other_processes(frames, name):
    loss = FRAMEWISE[name](data_range=1.0)
    again = pickle.loads(pickle.dumps(loss))
    sides = [side.detach() for side in frames]
    assert torch.equal(again(*sides), loss(*sides))


def test_lpips_is_the_metric_where_the_files_are_given(tmp_path):
    import thgeval
    from thgeval.features.frames.perceptual import trainable
    from thgeval_models import lpips

    torch.manual_seed(0)
    network = lpips.LPIPS("squeeze", "0.1").eval()
    held = network.state_dict()
    trunk, heads = tmp_path / "trunk.pth", tmp_path / "heads.pth"
    torch.save({name: value for name, value in held.items() if name.startswith("features.")}, trunk)
    torch.save({name: value.abs() for name, value in held.items() if name.startswith("lin")}, heads)
    generated, reference = batch(2, 3, 40, 40)
    loss = losses.LPIPSLoss(data_range=1.0, trunk="squeeze", weights=(trunk, heads))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("thgeval.features.frames.perceptual.lpips_network", lambda *how: trainable(*how, (trunk, heads)))
        patch.setattr("thgeval.engine.plan.uninstalled", lambda metric: None)
        run = thgeval.score(generated, reference, metrics=["lpips/squeeze"], peak=1.0)
    assert loss(generated, reference).item() == pytest.approx(run["lpips/squeeze"].value, rel=1e-5)


ROWS = (torch.linspace(-300, 300, 6 * 40).reshape(6, 40), torch.linspace(200, -250, 6 * 40).reshape(6, 40).cos() * 90)
BOXES = (torch.tensor([[10.0, 20.0, 300.0, 410.0]]), torch.tensor([[20.0, 30.0, 310.0, 380.0]]))
LABELS = torch.arange(6) % 2
OF_TABLE_12 = {
    "iou": BOXES,
    "generalized-iou": BOXES,
    "focal": (ROWS[0] / 60, ROWS[1] > 0),
    "contrastive": (*ROWS, LABELS),
    "triplet": (*ROWS, -ROWS[0]),
    "center": (ROWS[0], LABELS, ROWS[1]),
    "angular-softmax": (ROWS[0], ROWS[1], LABELS),
    "am-softmax": (ROWS[0], ROWS[1], LABELS),
    "arcface": (ROWS[0], ROWS[1], LABELS),
    "negative-variance": ROWS[:1],
}


def halved(tensors, dtype):
    return [side.to(dtype) if side.is_floating_point() else side for side in tensors]


@pytest.mark.parametrize("name", table12.TABLE_12)
def test_table_12_of_halves_is_that_of_the_same_numbers_in_float32(name):
    loss, given = table12.TABLE_12[name], OF_TABLE_12.get(name, ROWS)
    for dtype in (torch.float16, torch.bfloat16):
        half = halved(given, dtype)
        right = loss(*halved(half, torch.float32))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = loss(*half)
        assert found.dtype == torch.float32
        assert torch.equal(found, right)
        assert right.isfinite()


@pytest.mark.parametrize("name", table12.TABLE_12)
def test_table_12_is_compiled_whole(name):
    loss, given = table12.TABLE_12[name], OF_TABLE_12.get(name, ROWS)
    torch._dynamo.reset()
    compiled = torch.compile(loss, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(*given), loss(*given))


def test_landmarks_and_lips_are_compared_in_float32_and_compiled_whole():
    points, others = 400 * torch.rand(2, 3, 68, 2), 400 * torch.rand(3, 68, 2)
    others[1] = torch.nan
    whole = losses.LandmarkLoss(centred=False, scale="interocular")
    compiled = torch.compile(whole, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(points[0], others), whole(points[0], others))
    assert compiled(points[0], torch.full_like(others, torch.nan)).isnan()
    for loss, sides in ((losses.LandmarkLoss(centred=False), points), (losses.SyncLoss(furthest=3), points.flatten(2))):
        for dtype in (torch.float16, torch.bfloat16):
            half = [side.to(dtype) for side in sides]
            assert torch.equal(loss(*half), loss(*(side.float() for side in half)))


@pytest.mark.parametrize("name", ["ssim", "ms-ssim", "l1-ssim"])
def test_nothing_is_convolved_where_there_are_no_loops(frames, name, monkeypatch):
    """Cards convolve and multiply matrices in fewer digits than a variance needs, by default and under autocast."""
    monkeypatch.setattr(operators, "DEVICES", set())
    called = []

    class Watched(TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            called.append(str(function))
            return function(*args, **(kwargs or {}))

    loss = FRAMEWISE[name](data_range=1.0)
    generated = frames[0].clone().requires_grad_()
    with Watched():
        loss(generated, frames[1]).backward()
    assert not [one for one in called if "conv" in one or "mm" in one.split(".")[1]]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(loss(*frames), loss(generated, frames[1]).detach())


@pytest.mark.parametrize("made", [losses.SSIMLoss, losses.L1SSIMLoss, losses.FlickerLoss, losses.TemporalWarpLoss])
def test_what_is_no_range_is_refused_at_once(made):
    with pytest.raises(ProtocolError, match="data_range is the value of white"):
        made(data_range=(0, 1, 2))
