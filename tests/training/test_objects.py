"""Metric objects: what they remember, share, save and refuse."""

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("torchmetrics")

from torchmetrics import Metric, MetricCollection
from torchmetrics.wrappers import Running
from training.pictures import batch

import thgeval
from thgeval import training
from thgeval.errors import InputError, ProtocolError, UnmetNeed
from thgeval.training import (
    CPBD,
    CSIM,
    FID,
    FMSE,
    L1,
    LMD,
    LSED,
    MSE,
    MSSSIM,
    PSNR,
    SSIM,
    RandomFID,
    functional,
    operators,
    recent,
)
from thgeval.training.values import per_frame, state_of, sums_there


@pytest.fixture
def frames():
    return batch(2, 3, 3, 24, 26)


def test_they_are_torchmetrics_under_the_literatures_names():
    assert issubclass(SSIM, Metric)
    assert (SSIM.__name__, PSNR.higher_is_better, L1.higher_is_better, FMSE.higher_is_better) == (
        "SSIM",
        True,
        False,
        None,
    )
    assert (MSSSIM.is_differentiable, CPBD.is_differentiable) == (True, False)
    assert {"SSIM", "FID", "LSED", "losses", "run_of"} <= set(dir(training))
    assert {"ssim", "ms_ssim", "lse_d"} <= set(dir(functional))
    with pytest.raises(AttributeError, match="no attribute 'SIM'"):
        _ = training.SIM


def test_update_and_compute_go_on(frames):
    metric = PSNR(data_range=1.0)
    metric.update(frames[0][:1], frames[1][:1])
    first = metric.compute()
    metric.update(frames[0][1:], frames[1][1:])
    whole = PSNR(data_range=1.0)
    whole.update(*frames)
    assert metric.compute() == whole.compute() != first
    metric.reset()
    metric.update(frames[0][:1], frames[1][:1])
    assert metric.compute() == first


def test_forward_gives_the_batch_and_counts_it(frames):
    metric, alone = SSIM(data_range=1.0), SSIM(data_range=1.0)
    metric.update(frames[0][:1], frames[1][:1])
    alone.update(frames[0][1:], frames[1][1:])
    assert metric(frames[0][1:], frames[1][1:]) == alone.compute()
    whole = SSIM(data_range=1.0)
    whole.update(*frames)
    assert metric.compute() == whole.compute()


def test_what_is_remembered_is_of_fixed_size(frames):
    metric = SSIM(data_range=1.0)
    sizes = []
    for _ in range(3):
        metric.update(*frames)
        sizes.append(sum(state.numel() for state in metric.metric_state.values()))
        assert not any(state.requires_grad for state in metric.metric_state.values())
    assert len(set(sizes)) == 1
    assert sizes[0] < 20
    assert not metric.tally.records.frames


def test_layouts(frames):
    found = []
    for sides, layout in ((frames, None), ([side[0] for side in frames], "TCHW"), ([side[0] for side in frames], None)):
        metric = PSNR(data_range=1.0, layout=layout)
        metric.update(*sides)
        found.append((metric.compute().item(), int(metric.result()["psnr"].clips)))
    assert found[1][0] == pytest.approx(found[2][0], rel=1e-15)
    assert [clips for _, clips in found] == [2, 1, 3]


def test_halves_become_float32(frames):
    metric, single = SSIM(data_range=1.0), SSIM(data_range=1.0)
    half = frames[0].bfloat16()
    metric.update(half, frames[1])
    single.update(half.float(), frames[1])
    assert metric.compute() == single.compute()


def test_black_may_be_minus_one(frames):
    metric, plain = PSNR(data_range=(-1.0, 1.0)), PSNR(data_range=1.0)
    metric.update(*(2 * side - 1 for side in frames))
    plain.update(*frames)
    assert metric.compute().item() == pytest.approx(plain.compute().item(), rel=1e-6)


def test_grey_is_every_colour(frames):
    grey = [side[:, :, :1] for side in frames]
    metric, colour = SSIM(data_range=1.0, colour="rgb"), SSIM(data_range=1.0, colour="rgb")
    metric.update(*grey)
    colour.update(*(side.expand(-1, -1, 3, -1, -1) for side in grey))
    assert metric.compute() == colour.compute()


def test_copies_are_infinite_and_nothing_is_nan(frames):
    metric = PSNR(data_range=1.0)
    metric.update(frames[1], frames[1].clone())
    assert metric.compute() == torch.inf
    metric.update(*frames)
    alone = PSNR(data_range=1.0)
    alone.update(*frames)
    assert metric.compute() == alone.compute()


@pytest.mark.filterwarnings("ignore:The ``compute`` method of metric")
def test_nothing_has_no_score():
    metric = SSIM(data_range=1.0)
    assert metric.compute().isnan()
    assert metric.result()["ssim"].unscored == "there was no clip to score"


def test_a_collection_shares_features_and_never_states(frames):
    copies = frames[1].clone()
    made = MetricCollection([PSNR(data_range=1.0), SSIM(data_range=1.0), L1(data_range=1.0), MSE(data_range=1.0)])
    made.update(copies, frames[1])  # equal states, which torchmetrics would take for equal metrics
    made.update(*frames)
    found = made.compute()
    for name, cls in (("SSIM", SSIM), ("L1", L1), ("MSE", MSE)):
        alone = cls(data_range=1.0)
        alone.update(copies, frames[1])
        alone.update(*frames)
        assert found[name] == alone.compute()
    assert all(len(group) == 1 for group in made.compute_groups.values())


def named_batches(metrics, frames):
    """Two batches of clips with names, of which the second is worse."""
    metrics.update(*frames, clips=["a", "b"])
    metrics.update(frames[0] * 0.5, frames[1], clips=["c", "d"])


def test_equal_metrics_of_a_collection_are_both_counted(frames):
    first, alone = SSIM(data_range=1.0), SSIM(data_range=1.0)
    made = MetricCollection({"first": first, "second": SSIM(data_range=1.0), "copy": first.clone()})
    named_batches(made, frames)
    named_batches(alone, frames)
    assert {value.item() for value in made.compute().values()} == {alone.compute().item()}
    sets = MetricCollection({"one": FID(features="x"), "other": FID(features="x", cap=90)})
    for number in range(2):
        sets.update(*torch.rand(2, 20, 3, generator=torch.Generator().manual_seed(number)))
    assert sets["one"].compute() == sets["other"].compute() == sets.compute()["other"]


def test_states_of_another_metric_are_refused(frames):
    made = MetricCollection([PSNR(data_range=1.0), SSIM(data_range=1.0)], compute_groups=[["PSNR", "SSIM"]])
    made.update(*frames)
    with pytest.raises(ProtocolError, match="ssim was handed the states of another metric; give MetricCollection no"):
        made.compute()


def test_a_window_over_batches_survives_a_copy(frames):
    window = Running(PSNR(data_range=1.0), window=2)
    for _ in range(3):
        window.update(*frames)
    assert window.clone().compute() == window.compute() == PSNR(data_range=1.0)(*frames)


def test_autocast_changes_no_number(frames, monkeypatch):
    monkeypatch.setattr(operators, "DEVICES", set())  # as on a card, where torch's own operations are autocast
    shown = {"data_range": 1.0, "extract": lambda images: images.flatten(1)[:, :8] @ torch.ones(8, 5), "features": "x"}
    for metric in (SSIM(data_range=1.0), FID(**shown)):
        metric.update(*frames)
        right = metric.compute()
        metric.reset()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            metric.update(*frames)
            assert metric.compute() == right


def test_what_is_clamped_to_a_range_lies_in_it():
    drawn = torch.Generator().manual_seed(0)
    for _ in range(40):
        low, width = (round(torch.rand((), generator=drawn).item(), 2) for _ in range(2))
        for ends in ((low - 1, low + width), (0.0, low + width + 0.01)):
            for dtype in (torch.float32, torch.float64):
                frames = (9 * torch.rand(1, 3, 4, 4, generator=drawn, dtype=dtype) - 4).clamp(*ends)
                PSNR(data_range=ends).update(frames, frames.flip(0, 1))


def test_a_range_that_looks_wrong_is_named(frames):
    for data_range in (255.0, (-1.0, 1.0)):
        metric = PSNR(data_range=data_range)
        metric.update(*frames)
        with pytest.warns(UserWarning, match=r"psnr: all values lie between 0 and 1, and data_range=.* was stated"):
            metric.compute()
    metric.update(2 * frames[0] - 1, frames[1])  # one batch that uses the range is enough
    metric.compute()


@pytest.mark.parametrize("names", [None, ["a", "b", "c"]])
def test_clips_without_a_value_do_not_vanish(names):
    sides = torch.randn(2, 3, 4, 5)
    sides[0, 1] = torch.nan  # no face in any frame
    metric = CSIM(network="npz")
    metric.update(*sides, clips=names)
    found = metric.result()["csim:network=npz"]
    assert (found.clips, list(found.left_out.values())) == (2, [1])
    assert "|n:2/3|" in found.signature


def test_a_signature_says_where_numbers_were_made(frames):
    metric = PSNR(data_range=1.0)
    assert metric.measured_on.type == "cpu"
    metric.to("meta")
    assert (metric.measured_on.type, CPBD(data_range=1.0).to("meta").measured_on.type) == ("meta", "cpu")
    metric._measured_here = True
    assert metric.measured_on.type == "cpu"


def test_one_batch_is_read_once(frames, monkeypatch):
    from thgeval.kernels import difference

    calls = []
    real = difference.errors
    monkeypatch.setattr(difference, "errors", lambda **sides: calls.append(1) or real(**sides))
    for metric in (PSNR(data_range=1.0), L1(data_range=1.0), MSE(data_range=1.0)):
        metric.update(*frames)
    assert len(calls) == 1
    frames[0].mul_(0.5)
    PSNR(data_range=1.0).update(*frames)
    assert len(calls) == 2


def test_a_batch_is_forgotten_with_its_tensors():
    sides = batch(1, 3, 16, 16)
    PSNR(data_range=1.0).update(*sides)
    assert recent._last.value is not None
    del sides
    assert recent._last.value is None


def test_one_run_of_several(frames, tmp_path):
    made = MetricCollection([PSNR(data_range=1.0), SSIM(data_range=1.0), FMSE(data_range=1.0)])
    made.update(*frames, clips=["a", "b"])
    run = training.run_of(made)
    run.write(tmp_path / "run.json")
    read = thgeval.Run.read(tmp_path / "run.json")
    assert read["ssim"] == run["ssim"]
    assert [clip.id for clip in read.clips] == ["a", "b"]
    assert read.clips[0].scores.keys() == {"psnr", "ssim", "f-mse"}
    assert read["f-mse"].reference is not None
    assert "|device:cpu" in read["ssim"].signature


def test_a_clip_may_come_in_pieces(frames):
    whole, pieces = SSIM(data_range=1.0), SSIM(data_range=1.0)
    whole.update(*frames, clips=["a", "b"])
    for frame in range(3):
        pieces.update(*(side[:, frame] for side in frames), clips=["a", "b"])
    assert pieces.result()["ssim"].interval == whole.result()["ssim"].interval
    temporal = FMSE(data_range=1.0)
    temporal.update(*frames, clips=["a", "b"])
    with pytest.raises(InputError, match="clip 'a' came before, and f-mse looks at whole clips"):
        temporal.update(*frames, clips=["a", "b"])


def test_saved_and_loaded(frames, tmp_path):
    for named in (None, ["a", "b"]):
        metric = SSIM(data_range=1.0)
        metric.update(*frames, clips=named)
        torch.save(metric.state_dict(), tmp_path / "metric.pt")
        other = SSIM(data_range=1.0)
        other.load_state_dict(torch.load(tmp_path / "metric.pt", weights_only=True))
        assert other.compute() == metric.compute()
        assert other.result()["ssim"] == metric.result()["ssim"]
        for twin in (pickle.loads(pickle.dumps(metric)), copy.deepcopy(metric), metric.clone()):
            twin.update(*frames, clips=named and ["c", "d"])
            assert twin.compute() == pytest.approx(metric.compute().item(), rel=1e-15)


def test_a_checkpoint_of_another_metric_or_version_is_refused(frames, monkeypatch):
    metric = SSIM(data_range=1.0)
    metric.update(*frames)
    held = metric.state_dict()
    with pytest.raises(
        ProtocolError, match=r"the checkpoint holds 'ssim@1\|.*window:11.*and this is 'ssim@1.*window:7"
    ):
        SSIM(data_range=1.0, window=7).load_state_dict(held)
    monkeypatch.setattr(type(metric.named.metric), "version", 2)
    with pytest.raises(ProtocolError, match=r"the checkpoint holds 'ssim@1.*and this is 'ssim@2"):
        SSIM(data_range=1.0).load_state_dict(held)


def test_rows_have_a_cap():
    metric = FID(features="x", cap=8)
    metric.update(torch.rand(5, 3), torch.rand(5, 3))
    before = metric.compute()
    with pytest.raises(InputError, match=r"keeps 8 rows and would need 10; make room with cap=10"):
        metric.update(torch.rand(5, 3), torch.rand(5, 3))
    assert metric.compute() == before
    with pytest.raises(InputError, match="keeps 2 rows and would need 3"):
        RandomFID(cap=2).update(*(torch.zeros(3, 3, 32, 32, dtype=torch.uint8) for _ in range(2)))


def test_sets_of_different_sizes_have_no_names():
    metric = FID(features="x")
    with pytest.raises(InputError, match="sets of different sizes have no names"):
        metric.update(torch.rand(5, 3), torch.rand(4, 3), clips="a")
    metric.update(torch.rand(5, 3), torch.rand(4, 3))
    metric.update(torch.rand(5, 3))
    assert metric.compute() > 0


REFUSED = {
    "unstated range": (lambda g, r: PSNR().update(g, r), "float frames need their range: data_range=1.0"),
    "wrong range": (lambda g, r: PSNR(data_range=1.0).update(255 * g, r), "values outside data_range"),
    "NaN": (lambda g, r: PSNR(data_range=1.0).update(g / 0 * 0, r), "frames hold NaN"),
    "infinity": (lambda g, r: PSNR(data_range=1.0).update(g + torch.inf, r), "frames hold NaN, infinity"),
    "range of bytes": (
        lambda g, r: PSNR(data_range=1.0).update(g.byte(), r.byte()),
        "uint8 frames range from 0 to 255",
    ),
    "no range": (lambda g, r: PSNR(data_range=(1.0, 0.0)).update(g, r), "data_range is the value of white"),
    "mixed types": (lambda g, r: PSNR(data_range=1.0).update(g.double(), r), "bring both to one type"),
    "whole numbers": (lambda g, r: PSNR().update(g.int(), r.int()), "give uint8 or floats"),
    "mixed devices": (lambda g, r: PSNR(data_range=1.0).update(g.to("meta"), r), "move one to the other"),
    "other shapes": (lambda g, r: PSNR(data_range=1.0).update(g[:1], r), "differ in shape"),
    "other layout": (lambda g, r: PSNR(data_range=1.0).update(g[0, 0], r[0, 0]), "images are BCHW, one clip is TCHW"),
    "channels last": (
        lambda g, r: PSNR(data_range=1.0).update(g.movedim(2, -1), r.movedim(2, -1)),
        "not BTCHW with 1 or 3 channels",
    ),
    "empty": (lambda g, r: PSNR(data_range=1.0).update(g[:0], r[:0]), "holds no frames"),
    "arrays": (lambda g, r: PSNR(data_range=1.0).update(g.numpy(), r), "thgeval.Meter reads arrays"),
    "one side": (lambda g, r: PSNR(data_range=1.0).update(g), "psnr compares with a reference; give both sides"),
    "images over time": (lambda g, r: FMSE(data_range=1.0).update(g[0], r[0]), "looks at frames beside each other"),
    "names": (lambda g, r: PSNR(data_range=1.0).update(g, r, clips=["a"]), "a batch of 2 clips needs as many names"),
    "mappings": (lambda g, r: PSNR(data_range=1.0).update({"frames": g}, r), "is handed frames, as one tensor a side"),
    "other arrays": (
        lambda g, r: CSIM(network="npz").update({"pose": torch.rand(3, 3)}, torch.rand(3, 3)),
        "nothing here reads 'pose'; there are frames, embeddings",
    ),
    "no size": (
        lambda g, r: LMD(landmarks="npz").update(torch.rand(3, 68, 2), torch.rand(3, 68, 2)),
        "lmd needs size_px on that side",
    ),
    "axes": (lambda g, r: CSIM(network="npz").update(torch.rand(3), torch.rand(3)), "have 2 axes in one clip"),
    "rows": (lambda g, r: FID(features="x").update(torch.rand(3), torch.rand(3)), "rows are floats"),
    "dimensions": (lambda g, r: FID(features="x").update(torch.rand(3, 2), torch.rand(3, 4)), "of other clips or"),
    "keyword": (lambda g, r: PSNR(datarange=1.0), "psnr has no parameter 'datarange'; it has region, colour"),
    "preset": (lambda g, r: PSNR(preset="gray"), "psnr has no preset 'gray'; it has grey"),
    "needless range": (lambda g, r: CSIM(network="npz", data_range=1.0), "data_range is of frames"),
    "needless extract": (lambda g, r: PSNR(extract=abs), "extract is for metrics of sets"),
    "layout": (lambda g, r: PSNR(data_range=1.0, layout="HWC"), "layout is one of BCHW"),
    "three ends": (
        lambda g, r: PSNR(data_range=(0, 1, 2)),
        r"data_range is the value of white, or (black, white), not",
    ),
    "a range in words": (lambda g, r: SSIM(data_range="1"), "data_range is the value of white"),
    "distributed": (lambda g, r: PSNR(data_range=1.0).update(distributed(g), r), "hand over its full_tensor()"),
    "sparse": (lambda g, r: PSNR(data_range=1.0).update(g.to_sparse(), r), "make it dense"),
    "needless features": (
        lambda g, r: PSNR(features="x"),
        "features names a network whose rows are handed over, and psnr",
    ),
    "cap": (lambda g, r: FID(features="x", cap="5"), "cap is how many rows"),
    "size": (lambda g, r: LMD(landmarks="npz", size_px=(0, 4)), "size_px is width and height"),
    "rate": (lambda g, r: FMSE(data_range=1.0, fps=-3), "fps must be a positive number"),
    "rows that are none": (lambda g, r: FID(features="x").update(torch.rand(3, 2) / 0, torch.rand(3, 2)), "NaN or inf"),
    "rows of other images": (
        lambda g, r: FID(features="x", extract=lambda images: images.flatten(1)[:1], data_range=1.0).update(g, r),
        "extract gives one row an image, (6, dimensions), and gave a tensor of the shape (1, ",
    ),
    "no tensor of rows": (
        lambda g, r: FID(features="x", extract=lambda images: images.numpy(), data_range=1.0).update(g, r),
        "and gave a ndarray",
    ),
    "embeddings that are none": (
        lambda g, r: LSED(features="x").update({"seen": torch.rand(40, 2), "heard": torch.rand(40, 2).log().log()}),
        "heard hold NaN",
    ),
    "embeddings of two lengths": (
        lambda g, r: LSED(features="x").update({"seen": torch.rand(40, 2), "heard": torch.rand(40, 3)}),
        "seen and heard are (windows, dimensions) alike",
    ),
    "67 landmarks": (
        lambda g, r: LMD(landmarks="npz", size_px=(9, 9)).update(torch.rand(3, 67, 2), torch.rand(3, 67, 2)),
        "landmarks_px must be (frames, 68, 2), not (3, 67, 2)",
    ),
    "landmarks in part": (
        lambda g, r: LMD(landmarks="npz", size_px=(9, 9)).update(holed(torch.rand(3, 68, 2)), torch.rand(3, 68, 2)),
        "landmarks_px is NaN in part of a row",
    ),
}


def distributed(tensor):
    """One that says that it is a DTensor, which a single process can't have."""
    return tensor.as_subclass(type("DTensor", (torch.Tensor,), {"full_tensor": None}))


def holed(tensor):
    tensor[1, 5] = torch.nan
    return tensor


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_a_sentence_and_not_counted(case, frames):
    does, says = REFUSED[case]
    with pytest.raises((InputError, ProtocolError)) as refused:
        does(*frames)
    said = str(refused.value)
    assert says in said
    assert "\n" not in said


def test_what_is_refused_counts_in_no_metric(frames):
    metric = PSNR(data_range=1.0)
    metric.update(*frames)
    before = metric.compute()
    with pytest.raises(InputError):
        metric.update(2 * frames[0], frames[1])
    assert metric.compute() == before


def test_names_for_all_or_none(frames):
    metric = PSNR(data_range=1.0)
    metric.update(*frames)
    with pytest.raises(InputError, match="name all of them or none"):
        metric.update(*frames, clips=["a", "b"])
    metric.reset()
    metric.update(*frames, clips=["a", "b"])
    with pytest.raises(InputError, match="earlier clips had names"):
        metric.update(*frames)


def test_what_no_tensor_stands_for_is_said():
    with pytest.raises(UnmetNeed, match="wer needs transcript of a clip, which arrays don't have"):
        training.WER()
    with pytest.raises(UnmetNeed, match="say in features what computed seen and heard"):
        training.LSED()


DEVICE = [PSNR, L1, MSE, SSIM, MSSSIM]


@pytest.mark.parametrize("cls", DEVICE)
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.float64])
def test_numbers_made_on_a_device_are_the_metrics(cls, dtype):
    """What runs where frames lie elsewhere, by its composites in float64 and by its loops: no device is needed."""
    how = {"window": 3} if cls is MSSSIM else {}
    sides = batch(2, 2, 3, 40, 41)
    sides = [(255 * side).round().to(torch.uint8) if dtype is torch.uint8 else side.to(dtype) for side in sides]
    metric = cls(data_range=None if dtype is torch.uint8 else 1.0, **how)
    metric.update(*sides)
    pair = metric.reader.read(*sides)
    assert pair.clips == 2
    own = metric.named.metric
    looked = training.reading.both_sides(*sides, metric.reader.data_range)
    numbers = per_frame(own)(*looked.of_frames(), looked.peak).reshape(2, 2)
    sums = sums_there(own, numbers)
    assert (sums.above.sum / sums.below.sum).item() == pytest.approx(metric.compute().item(), rel=2e-5)
    state = state_of(own, "a", numbers[0])
    assert own.score(state) == pytest.approx(numbers[0].mean().item())


def test_luma_of_bytes_is_the_kernels():
    from thgeval.kernels.luma import luma

    levels = torch.randint(0, 256, (2, 3, 50, 60), dtype=torch.uint8)
    right = luma(levels.permute(0, 2, 3, 1).numpy(), rule="bt601-rounded", peak=255)
    assert (training.values.luma(levels)[:, 0].numpy() == right).all()


def test_functions_give_a_number_per_frame(frames):
    found = functional.ssim(*frames, data_range=1.0)
    assert (found.shape, found.dtype) == ((2, 3), torch.float64)
    metric = SSIM(data_range=1.0)
    metric.update(*frames)
    assert found.mean().item() == pytest.approx(metric.compute().item())
    assert functional.cpbd(torch.zeros(2, 3, 64, 64, dtype=torch.uint8)).isnan().all()
    assert functional.psnr(frames[1], frames[1].clone(), data_range=1.0).isinf().all()
    scalar = functional.f_mse(frames[0], data_range=1.0)
    temporal = FMSE(data_range=1.0)
    temporal.update(frames[0])
    assert (scalar.shape, scalar) == ((), temporal.compute())
    assert functional.fid(torch.rand(9, 3), torch.rand(9, 3), features="x").ndim == 0
    with pytest.raises(AttributeError, match="no attribute 'simm'"):
        _ = functional.simm


def test_functions_have_a_gradient_where_it_is_asked_for(frames):
    generated = frames[0].clone().requires_grad_()
    functional.ssim(generated, frames[1], data_range=1.0).mean().backward()
    assert generated.grad.any()
    with pytest.raises(ProtocolError, match="fsim has no gradient"):
        functional.fsim(generated, frames[1], data_range=1.0)


def test_a_device_waits_for_nothing(frames, monkeypatch):
    """Frames elsewhere are counted by operators alone, and what is wrong with them is said by ``compute``."""
    metric = PSNR(data_range=1.0)
    reader = metric.reader

    class Elsewhere:
        of_rows = False

        def read(self, generated, reference):
            looked = training.reading.ReadFrames(training.reading.both_sides(generated, reference, 1.0), None)
            return training.reading.Read(looked, 2, 3)

    metric.reader = Elsewhere()
    metric.update(*frames)
    plain = PSNR(data_range=1.0)
    plain.update(*frames)
    assert metric.compute().item() == pytest.approx(plain.compute().item(), rel=1e-12)
    metric.update(2 * frames[0], frames[1])
    with pytest.raises(InputError, match="values outside data_range"):
        metric.compute()
    metric.reset()
    metric.update(*frames, clips=["a", "b"])
    metric.reader = reader
    plain.reset()
    plain.update(*frames, clips=["a", "b"])
    assert metric.result()["psnr"].value == pytest.approx(plain.result()["psnr"].value, rel=1e-12)
    assert np.allclose(metric.result()["psnr"].interval, plain.result()["psnr"].interval, rtol=1e-9)


def test_a_missing_package_has_its_install_line():
    code = (
        "import importlib.util as util; real = util.find_spec;"
        "util.find_spec = lambda name, *rest: None if name == 'torchmetrics' else real(name, *rest);"
        "import thgeval.training"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "MissingExtra: thgeval.training needs an optional package" in done.stderr
    assert "[training]" in done.stderr
