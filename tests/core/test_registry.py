"""What users type, and how they are helped when it is wrong."""

import re

import pytest

from thgeval import registry
from thgeval.cli.arguments import gathered, metric_requests
from thgeval.errors import ProtocolError
from thgeval.metrics import ALIASES, ELSEWHERE
from thgeval.requirements import weights
from thgeval.signature import files


def test_parameters_and_presets_make_the_shortest_key():
    assert registry.metric("ssim:window=11").key == "ssim"
    assert registry.metric("ssim:colour=rgb").key == "ssim/pytorch-msssim"
    assert registry.metric("ssim:window=7,sigma=2").key == "ssim:window=7,sigma=2.0"


def test_asked_for_twice_is_scored_once():
    assert [named.key for named in registry.metrics(["psnr", "psnr", "psnr:pool=frame"])] == ["psnr"]


def test_all_is_every_metric_and_its_embedded_form():
    keys = [named.key for named in registry.metrics(["all"])]
    forms = {registry.embedded(name) for name in registry.table()} - {None}
    assert set(keys) == set(registry.table()) | forms
    assert len(keys) == len(set(keys))


def test_embedded_is_what_needs_nothing_to_be_fetched():
    named = registry.metrics(["embedded"])
    needed = {item for _, metric in named for item in files(metric)}
    assert {"psnr", "fid-random"} <= {key for key, _ in named}
    assert "fid" not in {key for key, _ in named}
    assert {weights.entry(item).tier for item in needed} == {"embedded"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sim", "no metric is called 'sim'; did you mean"),
        ("sync-lm", "'sync-lm'; did you mean sync-lm-conf, sync-lm-dist or sync-lm-offset?"),
        ("blink", "did you mean blinks-per-s or blink-duration?"),
        ("ssim/nope", "ssim has no preset 'nope'; it has skimage-rgb"),
        ("ssim:windw=7", "ssim has no parameter 'windw'; it has region, window"),
        ("ssim:window=wide", "ssim: window must be a number like 11, not 'wide'"),
        ("ssim:window=8", "ssim: window must be odd and at least 3, not 8"),
        ("ms-ssim:sigma=0", "ms-ssim: sigma must be above 0, not 0.0"),
        ("psnr:colour=blue", "colour must be one of rgb, grey, y"),
    ],
)
def test_mistakes_are_explained(text, said):
    with pytest.raises(ProtocolError, match=said):
        registry.metric(text)


def test_names_are_blind_to_case_and_to_the_kind_of_hyphen():
    for name in registry.table():
        for written in (name.upper(), name.title(), name.replace("-", "_")):
            assert registry.metric(written).key == name
    bare = [name.replace("-", "") for name in registry.table()]
    once = [name for name in registry.table() if bare.count(name.replace("-", "")) == 1]
    assert {registry.metric(name.replace("-", "")).key for name in once} == set(once)
    assert registry.table().keys() - set(once) == {"fsim", "f-sim"}
    assert registry.metric("FID/Clean").key == "fid/clean"
    assert [named.key for named in registry.metrics(["PSNR", "Psnr"])] == ["psnr"]


@pytest.mark.parametrize(
    ("alias", "key"),
    [
        *(("LSE-C", "sync-conf"), ("lse_c", "sync-conf"), ("Sync-D", "lse-d"), ("av-off", "av-offset")),
        *(("clipscore", "clipsim/clipscore"), ("CLIP-Score", "clipsim/clipscore"), ("hyperIQA", "iqa")),
        *(("F-LD", "f-lmd"), ("mld", "m-lmd"), ("F-LVD", "lvd/face"), ("M-LVD", "lvd"), ("FMSE", "f-mse")),
        *(("blink-rate", "blinks-per-s"), ("warp_error", "temporal-warp-error"), ("E_FID", "e-fid")),
    ],
)
def test_aliases(alias, key):
    assert registry.metric(alias).key == key


def test_every_alias_stands_for_a_metric_that_is_there():
    for alias in ALIASES:
        registry.metric(alias)
        assert alias not in registry.table()
    assert not ELSEWHERE.keys() & {*registry.table(), *ALIASES}


def test_an_alias_of_a_preset_takes_parameters_but_no_other_preset():
    assert registry.metric("clipscore:scale=1").metric.form == "photo"
    with pytest.raises(ProtocolError, match="names two presets of clipsim"):
        registry.metric("clipscore/max")


@pytest.mark.parametrize(
    ("name", "offered"),
    [
        ("aed", {"aed-euclid", "aed-3dmm"}),
        ("AED", {"aed-euclid", "aed-3dmm"}),
        ("mae", {"l1", "l1-255"}),
        ("sync", {"sync-conf", "lse-d", "av-offset"}),
        *((name, set()) for name in ("fvmd", "kvd", "nme", "ape", "aeu", "lpd", "ssd")),
        ("q-align", {"q-align-iqa", "q-align-ase"}),
        ("psnrr", {"psnr"}),
        ("temporal-warp-eror", {"temporal-warp-error"}),
    ],
)
def test_hints_name_no_other_quantity(name, offered):
    with pytest.raises(ProtocolError) as caught:
        registry.metric(name)
    _, meant, after = str(caught.value).partition("did you mean ")
    words = set(re.findall(r"[a-z0-9-]+", after.partition("?")[0] if meant else ""))
    assert words & {*registry.table(), *ALIASES} == offered


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["score", "-m", "PSNR", "LSE-C", "a", "b"], ["score", "-m", "PSNR", "-m", "LSE-C", "a", "b"]),
        (["score", "-m", "psnr", "ssim", "a", "b"], ["score", "-m", "psnr", "-m", "ssim", "a", "b"]),
        (["score", "a", "b", "-m", "psnr", "ssim:window=7", "-o", "x"],
         ["score", "a", "b", "-m", "psnr", "-m", "ssim:window=7", "-o", "x"]),
        (["score", "-m", "psnr", "-m", "ssim", "a"], ["score", "-m", "psnr", "-m", "ssim", "a"]),
        (["score", "-m", "psnr", "--", "ssim", "b"], ["score", "-m", "psnr", "--", "ssim", "b"]),
        (["score", "-m", "psnr", "--fps", "25"], ["score", "-m", "psnr", "--fps", "25"]),  # fps is a metric too
        (["ls", "metrics"], ["ls", "metrics"]),
    ],
)  # fmt: skip
def test_a_list_of_metrics_may_follow_one_flag(given, expected):
    assert gathered(given) == expected


def test_commas_separate_metrics_and_parameters():
    assert metric_requests(("psnr,ssim:window=7,sigma=2,cpbd", "l1")) == ["psnr", "ssim:window=7,sigma=2", "cpbd", "l1"]
