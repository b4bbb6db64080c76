"""Metrics of batches of arrays, without any framework."""

import subprocess
import sys

import numpy as np
import pytest

import thgeval
from thgeval import Meter
from thgeval.errors import InputError, ProtocolError, UnmetNeed
from thgeval.meter.tally import Exact

METRICS = ["psnr", "ssim", "f-mse", "fid-random"]


@pytest.fixture(scope="module")
def clips():
    """Three pairs of clips of four frames: uint8 (3, 4, 40, 44, 3)."""
    rng = np.random.default_rng(0)
    reference = rng.integers(0, 256, (3, 4, 40, 44, 3))
    generated = np.clip(reference + rng.integers(-20, 21, reference.shape), 0, 255)
    return generated.astype(np.uint8), reference.astype(np.uint8)


@pytest.fixture(scope="module")
def folders(clips, tmp_path_factory):
    """The same as folders of files."""
    root = tmp_path_factory.mktemp("clips")
    for name, side in zip(("generated", "reference"), clips, strict=True):
        (root / name).mkdir()
        for index, clip in enumerate(side):
            np.save(root / name / f"{index}.npy", clip)
    return root / "generated", root / "reference"


def test_scores_are_those_of_files(clips, folders):
    right = thgeval.evaluate(*folders, metrics=METRICS)
    meter = Meter(METRICS)
    for index in range(3):
        meter.update(*(side[index] for side in clips), clips=str(index))
    assert meter.compute() == {key: score.value for key, score in right.scores.items()}
    run = meter.result()
    for key in METRICS:
        assert (run[key].interval, run[key].protocol_part) == (right[key].interval, right[key].protocol_part)
        assert run[key].reference == right[key].reference
    assert {clip.id: clip.scores for clip in run.clips} == {clip.id: clip.scores for clip in right.clips}


def test_without_names_sums_are_kept(clips):
    meter, named = Meter(METRICS), Meter(METRICS)
    meter.update(*clips)
    named.update(*clips, clips=["a", "b", "c"])
    assert meter.compute() == pytest.approx(named.compute(), rel=1e-15)
    assert meter.result()["psnr"].interval is None
    meter.reset()
    assert all(np.isnan(value) for value in meter.compute().values())


def test_a_run_is_a_file_like_any_other(clips, tmp_path):
    for name, scale in (("one", 1.0), ("two", 0.9)):
        meter = Meter(["psnr", "ssim"], peak=1.0)
        meter.update(*(side.astype(np.float32) / 255 * scale for side in clips), clips=["a", "b", "c"])
        meter.result().write(tmp_path / f"{name}.json")
    from thgeval.cli.main import code

    assert code(["compare", str(tmp_path / "one.json"), str(tmp_path / "two.json")]) == 0
    assert code(["verify", str(tmp_path / "one.json")]) == 0


def test_what_is_refused_counts_nowhere(clips):
    meter = Meter(["psnr", "f-mse"], peak=1.0)
    sides = [side.astype(np.float32) / 255 for side in clips]
    meter.update(*sides)
    before = meter.compute()
    for generated, reference, says in (
        (sides[0] * 2, sides[1], r"values outside \[0, 1\]"),
        (sides[0] * np.nan, sides[1], "frames hold NaN"),
        (clips[0], sides[1], "on both sides alike, not float32 and uint8"),
        (sides[0][:2], sides[1], "differ in shape"),
        (sides[0][..., :1], sides[1][..., :1], "end in height, width and 3 colours"),
        (sides[0][:0], sides[1][:0], "hold nothing"),
        (sides[0][0, 0], sides[1][0, 0], "have 4 axes in one clip"),
        (sides[0].tolist(), sides[1], "must be a numpy array, not list"),
        (sides[0], None, "psnr compares with a reference"),
    ):
        with pytest.raises(InputError, match=says) as refused:
            meter.update(generated, reference)
        assert "\n" not in str(refused.value)
    assert meter.compute() == before


def test_requests_that_make_no_sense():
    with pytest.raises(UnmetNeed, match="wer needs transcript of a clip"):
        Meter(["wer"])
    with pytest.raises(ProtocolError, match="no metric is called"):
        Meter("nosuchmetric")
    with pytest.raises(ProtocolError, match="peak is the value of white"):
        Meter(peak=-1)
    with pytest.raises(ProtocolError, match="size_px is width and height"):
        Meter(["lmd:landmarks=npz"], size_px=64)
    with pytest.raises(ProtocolError, match="cap is how many rows"):
        Meter(cap=0)
    with pytest.raises(ProtocolError, match="none of these metrics takes any"):
        Meter(["psnr"], features="mine")
    with pytest.raises(InputError, match="float frames need the value of white"):
        Meter(["psnr"]).update(*(np.zeros((1, 8, 8, 3), np.float32) for _ in range(2)))


def test_a_set_without_room_leaves_the_other_metrics_as_they_were(clips):
    meter = Meter(["psnr", "fid-random"], cap=12)
    meter.update(*clips)
    before = meter.compute()
    with pytest.raises(InputError, match="fid-random keeps 12 rows and would need 24"):
        meter.update(clips[0], clips[0])
    assert meter.compute() == before


def test_a_peak_that_looks_wrong_is_named(clips):
    meter = Meter(["psnr"], peak=255.0)
    meter.update(*(side.astype(np.float32) / 255 for side in clips))
    with pytest.warns(UserWarning, match="all values lie between 0 and 1, and peak=255 was stated"):
        meter.compute()
    meter.update(*(side.astype(np.float32) for side in clips))
    assert meter.compute()["psnr"] > 0


def test_what_was_measured_elsewhere_is_checked():
    rows = np.zeros((2, 30, 4))
    meter = Meter(["sync-conf"], features="mine")
    with pytest.raises(InputError, match="seen and heard are"):
        meter.update({"seen": rows, "heard": rows[..., :3]})
    with pytest.raises(InputError, match="heard hold NaN or infinity"):
        meter.update({"seen": rows, "heard": np.full_like(rows, np.nan)})
    joints = np.zeros((3, 18, 2))
    joints[1, 4] = -1  # not there
    joints[1, 5, 0] = np.nan
    with pytest.raises(InputError, match="keypoints_px is NaN in part of a row"):
        Meter(["mkr"]).update(joints, joints)


def test_arrays_of_several_metrics_by_name():
    rng = np.random.default_rng(0)
    sides = [
        {"embeddings": rng.normal(size=(2, 5, 8)), "landmarks_px": rng.uniform(0, 64, (2, 5, 68, 2))} for _ in "ab"
    ]
    meter = Meter(["csim:network=npz", "lmd:landmarks=npz"], size_px=(64, 64))
    meter.update(*sides, clips=["a", "b"])
    first, second = (side["embeddings"] / np.linalg.norm(side["embeddings"], axis=-1, keepdims=True) for side in sides)
    assert meter.compute()["csim:network=npz"] == pytest.approx((first * second).sum(-1).mean())
    with pytest.raises(InputError, match="is several arrays, by name: embeddings, landmarks_px"):
        meter.update(*(side["embeddings"] for side in sides))


def test_a_call_is_few_calls():
    """What a call costs beside its kernel is Python, and that is counted; ``benchmarks`` has its time."""
    meter, made = Meter(["psnr"]), []
    frame = np.zeros((1, 1, 8, 8, 3), np.uint8)
    meter.update(frame, frame + np.uint8(1))
    try:
        sys.setprofile(lambda _frame, event, _argument: made.append(event))
        meter.update(frame, frame + np.uint8(1))
    finally:
        sys.setprofile(None)
    assert made.count("call") < 340


def test_no_framework_is_imported():
    code = (
        "import sys, numpy, thgeval; meter = thgeval.Meter(['psnr', 'ssim']);"
        "frames = numpy.zeros((1, 16, 16, 3), 'uint8'); meter.update(frames, frames); meter.compute();"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "False"


def test_sums_don_t_depend_on_the_order():
    values = np.random.default_rng(0).lognormal(0, 4, 3000)
    forwards = backwards = Exact(0.0, 0.0)
    for value in values:
        forwards = forwards.plus(Exact.of([value]))
    for value in values[::-1]:
        backwards = backwards.plus(Exact.of([value]))
    assert forwards.sum == backwards.sum == pytest.approx(Exact.of(values.tolist()).sum, rel=3e-16)
    assert sum(values.tolist()) != sum(values[::-1].tolist())
