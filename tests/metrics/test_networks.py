"""Metrics that look through networks: offline, in any chunks, on any number of workers, and only when asked for."""

import socket
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from thgeval.networks import memory
from thgeval.requirements import pinned

torch = pytest.importorskip("torch")
from support import random_weights

from thgeval import networks, registry
from thgeval.clip import Clip, Memory, Pair
from thgeval.engine.measure import measured
from thgeval.engine.plan import plan
from thgeval.engine.workers import Cores
from thgeval.features.frames import random_embedding
from thgeval.protocol import Protocol
from thgeval.requirements import weights

REQUESTS = [
    "lpips",
    "lpips/map",
    "lpips/disco",
    "lpips/squeeze",
    "fid",
    "fid/legacy-tensorflow",  # the other resizings go through the same network: conformance has them
    "kid",
    "prdc",
    "fvd:length=9",
    "clipsim",
    "clipsim/max",
    "clipsim/relative",
    "iqa:crops=2",
    "fid-random",
    "fvd-random:length=9",
]
WINDOWS = [request for request in REQUESTS if request.startswith("fvd")]
FRAMES, HEIGHT, WIDTH = 9, 72, 88  # the shortest window; less is enough for networks that see frames
FEW = 2


@pytest.fixture(scope="module")
def home():
    pytest.importorskip("lpips")
    pytest.importorskip("open_clip")
    with random_weights.installed([name for name in random_weights.KEYS if name != "i3d-kinetics400"]) as folder:
        yield folder


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    rng = np.random.default_rng(3)
    frames = rng.integers(0, 256, size=(FRAMES, HEIGHT // 4, WIDTH // 4, 3)).repeat(4, axis=1).repeat(4, axis=2)
    noisy = np.clip(frames + rng.normal(0, 12, size=frames.shape), 0, 255)
    prompt = tmp_path_factory.mktemp("prompt") / "a.prompt.txt"
    prompt.write_text("A woman with red hair\nspeaks.\n")
    generated, reference = (Memory(side.astype(np.uint8), 255.0) for side in (noisy, frames))
    rate = Fraction(25)
    return Pair("a", Clip("a", generated, rate), Clip("a", reference, rate), prompt=prompt)


def states(pair, *, chunk, workers):
    """Of windows from the whole clips, of frames from their beginning."""
    found = {}
    for asked, seen in ((WINDOWS, pair), ([item for item in REQUESTS if item not in WINDOWS], beginning(pair))):
        planned = plan(registry.metrics(asked), [seen])
        assert not planned.unscored
        with Cores(workers) as cores:
            outcome = cores.occupy(measured, seen, planned, Protocol(), cores, lambda frames: None, chunk)
        assert not outcome.failed, outcome.failed
        found |= outcome.states
    return found


def beginning(pair):
    def cut(clip):
        return replace(clip, source=Memory(clip.source.frames[:FEW], 255.0))

    return replace(pair, generated=cut(pair.generated), reference=cut(pair.reference))


@pytest.fixture(scope="module")
def whole(home, pair):
    """All states, measured in one piece on one thread, with no way out of the machine."""

    def refused(*args, **kwargs):
        raise AssertionError("something tried to open a connection")

    with pytest.MonkeyPatch.context() as patch, memory.apart():
        patch.setattr(socket, "socket", refused)
        patch.setattr(socket, "create_connection", refused)
        return states(pair, chunk=FRAMES, workers=1)


@pytest.mark.slow
def test_every_network_works_offline(whole):
    assert whole.keys() == {registry.metric(request).key for request in REQUESTS}
    for key, state in whole.items():
        values = state.record("a").values
        assert np.isfinite(values).all(), key
        assert values.any(), key


@pytest.mark.slow
def test_chunks_and_workers_do_not_change_a_bit(whole, pair):
    for key, state in states(pair, chunk=1, workers=4).items():
        assert state.record("a").values.tobytes() == whole[key].record("a").values.tobytes(), key


@pytest.mark.slow
def test_networks_are_loaded_once(whole, monkeypatch):
    monkeypatch.setattr("thgeval_models.networks.load_tensors", None)
    assert networks.published("inception-fid") is networks.published("inception-fid")


def test_the_callers_threads_come_back(request):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    request.addfinalizer(lambda: torch.set_num_threads(before))  # or all tests after this one had two
    with networks.alone():
        assert torch.get_num_threads() == 1
        with networks.alone():
            assert torch.is_inference_mode_enabled()
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2
    assert not torch.is_inference_mode_enabled()


def test_unverified_weights_are_marked_in_the_feature(home):
    feature = registry.metric("fid").metric.rows
    assert feature.identity(pinned(feature.requires)).startswith("inception@1:pytorch-fid,bilinear,unverified-")


@pytest.mark.parametrize(
    ("request_", "name"),
    [("fid", "inception-fid"), ("fvd", "i3d-torchscript"), ("clipsim", "clip-vit-b32"), ("iqa", "hyperiqa")],
)
def test_without_weights_the_metric_is_unscored_with_what_helps(tmp_path, monkeypatch, pair, request_, name):
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path))
    planned = plan(registry.metrics([request_]), [pair])
    assert not planned.metrics
    assert f"thgeval fetch {name}" in planned.unscored[request_]


def test_without_a_prompt_it_says_which_file_is_missing(home, pair):
    alone = Pair("a", pair.generated, pair.reference)
    said = plan(registry.metrics(["clipsim"]), [alone]).unscored["clipsim"]
    assert said == (
        "clipsim needs prompt (clipsim <- clip-text <- prompt); a has no prompt (a CLIP.prompt.txt beside it)"
    )


def test_torch_is_not_imported_before_a_network_is_used():
    program = (
        "import sys; from thgeval import registry; from thgeval.engine.plan import plan; "
        "from thgeval.requirements import weights; "
        "[registry.metric(name).metric.needs for name in registry.table()]; plan(registry.metrics(['all']), []); "
        "assert 'torch' not in sys.modules and 'open_clip' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_seed_of_the_shipped_random_network_is_that_of_its_hash():
    from thgeval_models import random_features

    assert random_embedding.SEED == random_features.SEED
    assert random_embedding.DIMENSIONS == random_features.DIMENSIONS
    for kind, name in (("image", "random-vgg16"), ("clip", "random-vgg16-3d")):
        assert random_features.fingerprint(random_features.build(kind)).startswith(weights.token(name))
    assert registry.metric("fid-random:seed=5").metric.rows.requires == (networks.TORCH,)
