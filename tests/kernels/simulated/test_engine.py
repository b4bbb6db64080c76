"""``--device cuda`` with the simulator as the card: what runs there, what is said of it, and what comes out."""

import numpy as np
import pytest

import thgeval
from thgeval.clip import Pair
from thgeval.engine import measure
from thgeval.engine.run import Options, Watcher, execute
from thgeval.errors import MissingExtra, ProtocolError
from thgeval.kernels import cuda_target, places
from thgeval.media.objects import HowRead, clip_of
from thgeval.pairing import Pairing
from thgeval.registry import metric_class
from thgeval.signature import parse

ON_CARD = ["psnr", "l1", "ssim:window=3", "f-mse"]


def clips(frames=3, side=8):
    rng = np.random.default_rng(4)
    reference = rng.integers(0, 256, (frames, side, side, 3)).astype(np.uint8)
    return (reference + rng.integers(-9, 10, reference.shape)).clip(0, 255).astype(np.uint8), reference


def scored(device, metrics, **options):
    return thgeval.score(*clips(), metrics=metrics, options=Options(device=device, **options))


def device(score):
    return parse(score.signature, metric_class).run["device"]


@pytest.fixture(scope="module")
def both():
    metrics = [*ON_CARD, "ofm"]
    return scored("cpu", metrics), scored("cuda", metrics)


@pytest.mark.parametrize("key", ON_CARD)
def test_a_card_agrees_and_is_named(both, key):
    here, there = (scores[key] for scores in both)
    assert there.value == pytest.approx(here.value, rel=1e-5)
    protocols = [score.signature.partition("||")[0] for score in (here, there)]
    assert protocols[0] == protocols[1]
    assert [device(here), device(there)] == ["cpu", "cuda-simulator"]


def test_what_has_no_kernel_is_measured_in_memory(both):
    here, there = (scores["ofm"] for scores in both)
    assert there.value == here.value
    assert device(there) == "cpu"


def test_neither_chunks_nor_workers_can_be_seen(both):
    cut = scored("cuda", ["ssim:window=3", "f-mse"], chunk=2, workers=2)
    assert {key: score.value for key, score in cut.scores.items()} == {key: both[1][key].value for key in cut.scores}


def test_what_a_card_has_no_room_for_is_measured_in_halves(both, monkeypatch):
    real = measure.put

    def small(values, device):
        if len(values) > 2:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return real(values, device)

    monkeypatch.setattr(measure, "put", small)
    run = scored("cuda", ["ssim:window=3", "f-mse"])
    assert {key: score.value for key, score in run.scores.items()} == {key: both[1][key].value for key in run.scores}
    assert "the graphics card ran out of memory, so that fewer frames were measured at a time" in run.clips[0].notes


def test_a_card_without_room_for_one_frame_fails_its_metrics(both, monkeypatch):
    def none(values, device):
        raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(measure, "put", none)
    run = scored("cuda", ["psnr", "ofm"])
    (clip,) = run.clips
    assert clip.failed.keys() == {"psnr"}
    assert run["ofm"].value == both[0]["ofm"].value
    assert clip.failed["psnr"].reason == "out of memory"
    assert "has no room for one of its frames; choose --device cpu" in clip.failed["psnr"].message


def test_without_the_extra_kernels_stay_in_memory(both, monkeypatch):
    said = []
    monkeypatch.setattr(places, "lack", lambda: MissingExtra("computing metrics of pixels on a card", extra="cuda"))
    sides = zip(("generated", "reference"), clips(), strict=True)
    pair = Pair("clip", *(clip_of(name, side, HowRead()) for name, side in sides))
    run = execute(Pairing((pair,), ()), ["l1"], "native", Options(device="cuda"), Watcher(warns=said.append))
    assert run["l1"].value == both[0]["l1"].value
    assert device(run["l1"]) == "cpu"
    assert any("pip install '.[cuda]'" in line and "computed on the CPU" in line for line in said)


def test_a_card_on_which_no_kernel_runs_is_refused_in_a_sentence(monkeypatch):
    def refused(values, device):
        raise RuntimeError("[222] Call to cuLinkAddData results in\nCUDA_ERROR_UNSUPPORTED_PTX_VERSION")

    monkeypatch.setattr(cuda_target, "uploaded", refused)
    with pytest.raises(ProtocolError) as caught:
        scored("cuda", ["psnr"])
    assert str(caught.value) == (
        "no kernel runs on the graphics card ([222] Call to cuLinkAddData results in "
        "CUDA_ERROR_UNSUPPORTED_PTX_VERSION); choose --device cpu"
    )
