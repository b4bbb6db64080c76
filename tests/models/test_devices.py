"""Networks in batches, as on a device other than the CPU, tried out on the CPU itself; and what names of devices do."""

import builtins
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from support import random_weights
from support.clips import moving, write_clip
from support.tolerances import agree

import thgeval
from thgeval import networks
from thgeval.engine.merging import merged
from thgeval.engine.run import Options, evaluate
from thgeval.engine.workers import started
from thgeval.errors import MissingExtra, ProtocolError
from thgeval.kernels import places
from thgeval.networks import devices
from thgeval.signature import parse

METRIC = "fid-random:side_px=32"


def images(count, seed=0, side=32):
    return torch.from_numpy(np.random.default_rng(seed).random((count, 3, side, side), dtype=np.float32))


@pytest.fixture
def on_cpu(monkeypatch):
    """A device like any other, that is the CPU; batches hold few samples."""
    monkeypatch.setattr(devices, "BATCH_NUMBERS", 8 * 3 * 32 * 32)
    gather = devices.in_batches
    monkeypatch.setattr(devices, "in_batches", lambda device, *rest: gather("cpu", *rest))
    with devices.at("cuda"):
        yield


@pytest.fixture
def pretended(monkeypatch):
    """``--device cuda`` as if it were there: the CPU under the name of a card."""
    gather = devices.in_batches
    monkeypatch.setattr(devices, "in_batches", lambda device, *rest: gather("cpu", *rest))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", "NVIDIA Model {} (40GB)".format)
    monkeypatch.setattr(places, "lack", lambda: MissingExtra("kernels", extra="cuda"))


def embedding(seed=1):
    from thgeval.features.frames.random_embedding import _network

    return _network("image", seed)


@pytest.mark.parametrize("count", [1, 7, 8, 21])
def test_batches_equal_samples_alone(request, count):
    samples = images(count)
    alone = networks.rows(embedding(), samples)
    request.getfixturevalue("on_cpu")
    together = networks.rows(embedding(), samples)
    assert together.dtype == alone.dtype
    agree(together, alone, "batches")


def test_only_the_sample_itself_changes_what_comes_out(on_cpu):
    """Not its place in the batch, nor its neighbours, nor how the last batch was filled up."""
    samples = images(20)
    whole = networks.rows(embedding(), samples)
    for start in (1, 5, 13, 19):
        assert networks.rows(embedding(), samples[start:]).tobytes() == whole[start:].tobytes()
    shuffled = torch.from_numpy(np.random.default_rng(1).permutation(20))
    assert networks.rows(embedding(), samples[shuffled]).tobytes() == whole[shuffled.numpy()].tobytes()


def test_threads_get_what_is_theirs(on_cpu):
    calls = [
        (embedding(seed), images(1 + number % 5, number, side))
        for number in range(12)
        for seed, side in ((1, 32), (2, 48))
    ]
    with ThreadPoolExecutor(6) as threads:
        found = [started(threads, partial(networks.rows, *call)) for call in calls]
    for (network, samples), rows in zip(calls, found, strict=True):
        assert rows.result().tobytes() == networks.rows(network, samples).tobytes()


def test_methods_and_named_arguments_reach_the_copy_on_the_device(on_cpu):
    with random_weights.installed(["squeezenet"]):
        from thgeval.features.frames.perceptual import lpips_network

        lpips = lpips_network("squeeze", "0.1")
        named = {"generated": images(3, 1, 64), "reference": images(3, 2, 64)}
        for method in (lpips, lpips.map_mean):
            with networks.alone():
                expected = method(**named).numpy()
            agree(networks.rows(method, **named), expected, "batches")
        assert lpips.training is False


def test_an_error_inside_a_network_reaches_who_asked(on_cpu):
    from thgeval_models.errors import InputShapeError

    with random_weights.installed(["squeezenet"]):
        from thgeval.features.frames.perceptual import lpips_network

        network = lpips_network("squeeze", "0.1")
    with pytest.raises(InputShapeError):
        networks.rows(network, generated=images(2, 1, 8), reference=images(2, 2, 8))
    assert len(networks.rows(embedding(), images(2))) == 2


@pytest.mark.parametrize(
    ("shape", "batch"), [((3, 299, 299), 64), ((3, 16, 224, 224), 7), ((3, 2160, 3840), 1), ((), 64)]
)
def test_the_size_of_batches_follows_from_the_shape_alone(shape, batch):
    assert devices.kind(None, (), [torch.empty((5, *shape), device="meta")]).batch == batch


def test_float32_stays_float32_and_flags_come_back():
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, cudnn.allow_tf32, cudnn.deterministic, cudnn.benchmark
    with devices._repeatable():
        assert (matmul.allow_tf32, cudnn.allow_tf32, cudnn.deterministic, cudnn.benchmark) == (
            False,
            False,
            True,
            False,
        )
    assert (matmul.allow_tf32, cudnn.allow_tf32, cudnn.deterministic, cudnn.benchmark) == before


def test_a_batch_without_room_is_halved_and_said(monkeypatch):
    """The network refuses more than two samples, as a card without memory would; results stay in order."""
    monkeypatch.setattr(devices, "BATCH_NUMBERS", 8 * 3 * 32 * 32)
    gather, said = devices.in_batches, []
    monkeypatch.setattr(devices, "in_batches", lambda device, *rest: gather("cpu", *rest))

    class Small(torch.nn.Module):
        def forward(self, samples):
            if len(samples) > 2:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
            return samples.mean(dim=(2, 3))

    samples = images(7)
    with devices.at("cuda", said.append):
        found = networks.rows(Small(), samples)
    np.testing.assert_allclose(found, samples.mean(dim=(2, 3)).numpy(), rtol=1e-5)
    assert said == [
        f"cpu has no room for {size} samples at a time; networks take half as many from now on" for size in (8, 4)
    ]


@pytest.fixture
def folders(tmp_path):
    for name in "abc":
        for side, noise in (("pred", 6.0), ("gt", 0.0)):
            (tmp_path / side).mkdir(exist_ok=True)
            write_clip(tmp_path / side / f"{name}.mp4", moving(seed=ord(name), noise=noise))
    return tmp_path / "pred", tmp_path / "gt"


def test_a_run_names_the_device_of_networks_alone(pretended, folders, tmp_path, monkeypatch):
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path / "home"))
    here = evaluate(*folders, metrics=[METRIC, "psnr"], options=Options(workers=2, cache="read-write"))
    there = evaluate(
        *folders, metrics=[METRIC, "psnr"], options=Options(workers=2, cache="read-write", device="cuda:1")
    )
    tokens = {key: parse(score.signature, type_of).run["device"] for key, score in there.scores.items()}
    assert tokens == {METRIC: "cuda-NVIDIA-Model-1-40GB", "psnr": "cpu"}
    assert "|device:cpu" in here[METRIC].signature
    agree(there[METRIC].value, here[METRIC].value, "another device")
    assert devices.batches() is None


def type_of(name):
    return thgeval.registry.metric_class(name)


def test_states_of_another_device_are_not_used_again(pretended, folders, tmp_path, monkeypatch):
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path / "home"))
    measured, real = [], thgeval.engine.job.measured
    monkeypatch.setattr(
        thgeval.engine.job,
        "measured",
        lambda pair, plan, *rest: measured.extend(plan.metrics) or real(pair, plan, *rest),
    )
    for device, expected in (("cpu", 6), ("cpu", 0), ("cuda", 3), ("cuda", 0)):
        measured.clear()
        evaluate(*folders, metrics=[METRIC, "psnr"], options=Options(cache="read-write", device=device))
        assert len(measured) == expected, device


def test_results_of_two_devices_are_not_merged(pretended, folders, tmp_path):
    paths = []
    for device, name in (("cpu", "a"), ("cuda", "b")):
        paths.append(tmp_path / f"{name}.json")
        sides = [folder / f"{name}.mp4" for folder in folders]
        evaluate(*sides, metrics=[METRIC], options=Options(device=device, out=paths[-1])).write(paths[-1])
    with pytest.raises(ProtocolError, match=r"computed on cpu in .*a.json and on cuda-NVIDIA-Model-0-40GB in .*b.json"):
        merged(paths, tmp_path / "both.json")


@pytest.mark.parametrize("name", ["", "gpu", "cuda:", "cuda:-1", "cuda:0,1", "CPU"])
def test_a_device_must_have_a_name_that_means_something(name):
    with pytest.raises(ProtocolError, match="the device must be cpu, cuda or cuda:N, not"):
        Options(device=name)


def test_a_device_that_is_not_there_is_said_in_a_sentence(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(
        ProtocolError, match=r"^the device cuda can't be used: torch .* sees none; choose --device cpu, "
    ):
        devices.token("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(ProtocolError, match=r"the device cuda:2 can't be used: torch .* sees 2 of them; "):
        devices.token("cuda:2")
    real = builtins.__import__

    def without_torch(name, *rest):
        if name == "torch":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_torch)
    with pytest.raises(MissingExtra, match=r"the device cuda needs an optional package: pip install '\.\[models\]'"):
        devices.token("cuda")
    assert devices.token("cpu") == "cpu"


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a real CUDA device")
def test_a_card_agrees_with_the_cpu_and_repeats_its_bits():
    samples = images(30)
    alone = networks.rows(embedding(), samples)
    with devices.at("cuda"):
        first, second = networks.rows(embedding(), samples), networks.rows(embedding(), samples[3:])
    agree(first, alone, "another device")
    assert second.tobytes() == first[3:].tobytes()
