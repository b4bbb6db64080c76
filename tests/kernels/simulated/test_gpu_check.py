"""The check for cards itself: what it compares, what it writes, and what it says where there is no card."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from thgeval.errors import ProtocolError

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def gpu_check():
    spec = importlib.util.spec_from_file_location("gpu_check", ROOT / "benchmarks" / "gpu_check.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CHEAP = ["difference of bytes", "luma bt601-rounded", "scaled luma", "downsampling", "visible", "landmarks"]


def test_a_run_is_written_and_held(gpu_check, tmp_path, capsys):
    out = tmp_path / "gpu.json"
    assert gpu_check.main(["--only", ",".join(CHEAP), "--out", str(out)]) == 0
    result = json.loads(out.read_text())
    assert (result["card"], result["compiler"], result["held"]) == ("simulator", "simulator", True)
    assert [row["case"] for row in result["parity"]] == CHEAP
    assert "all of it held" in capsys.readouterr().out


def test_what_differs_is_said_and_fails(gpu_check, tmp_path, monkeypatch, capsys):
    calls = iter([[np.ones(2)], [np.array([1.0, 1.5])]])
    monkeypatch.setitem(gpu_check.CASES, "visible", gpu_check.Case(gpu_check.GREY, lambda a, b: next(calls), 0.1))
    out = tmp_path / "gpu.json"
    assert gpu_check.main(["--only", "visible", "--out", str(out)]) == 1
    assert not json.loads(out.read_text())["held"]
    assert "visible: 0.5 apart, bound 0.1" in capsys.readouterr().out


def test_nan_on_one_side_alone_is_far_apart(gpu_check):
    one, other = np.array([1.0, np.nan]), np.array([1.0, 2.0])
    assert gpu_check._apart(one, one) == 0
    assert gpu_check._apart(one, other) == gpu_check._apart(other, one) == np.inf


def test_no_card_is_one_sentence(gpu_check, monkeypatch, capsys):
    def none(device):
        raise ProtocolError("the device cuda can't be used: torch sees none")

    monkeypatch.setattr("thgeval.networks.devices.token", none)
    assert gpu_check.main([]) == gpu_check.NO_CARD
    assert capsys.readouterr().err == "gpu-check: the device cuda can't be used: torch sees none\n"


def test_what_a_training_loop_calls_is_checked(gpu_check, monkeypatch):
    """On the processor, in torch's own operations as on a card, as no card is there."""
    operators = pytest.importorskip("thgeval.training.operators")
    monkeypatch.setattr(operators, "DEVICES", set())
    monkeypatch.setattr(gpu_check, "UPDATES", 2)
    monkeypatch.setattr(gpu_check, "LARGE", gpu_check.Sizes(1, 176, 7, 5, 500))
    found = gpu_check.training("cpu")
    assert found["held"], found
    assert {"PSNR", "SSIM", "MSSSIMLoss"} <= found["apart"].keys()


def test_a_part_that_fails_is_a_row_of_the_result(gpu_check, monkeypatch):
    def broken():
        raise RuntimeError("CUDA error: an illegal instruction was encountered")

    monkeypatch.setitem(gpu_check.PARTS, "waiting", broken)
    found = gpu_check.checked([], ["waiting"], gpu_check.TINY)
    assert not found["held"]
    assert "illegal instruction" in found["waiting"]["error"]
