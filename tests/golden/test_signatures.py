"""Keys, aliases and protocol parts are those of the files beside this one, byte for byte."""

import importlib.util
from pathlib import Path

import pytest

CURE = "; if a metric's version went up, write them anew: python tests/golden/signatures.py"


def golden():
    spec = importlib.util.spec_from_file_location("golden_signatures", Path(__file__).with_name("signatures.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("file", "written"), [("PARTS", "parts"), ("NAMES", "aliases")])
def test_nothing_changed_unnoticed(file, written):
    module = golden()
    kept = getattr(module, file).read_text(encoding="utf-8").splitlines()
    now = getattr(module, written)().splitlines()
    changed = [line for line in kept if line not in now] + [line for line in now if line not in kept]
    assert not changed, f"{getattr(module, file).name} differs{CURE}"
    assert kept == now, f"{getattr(module, file).name} has another order{CURE}"
