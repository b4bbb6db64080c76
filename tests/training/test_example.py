"""The example trains, at the smallest size at which all of its parts run."""

import importlib.util
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("torchmetrics")
pytest.importorskip("skimage")

from thgeval.report import page
from thgeval.results import Run

EXAMPLE = Path(__file__).parents[2] / "examples" / "train_tiny.py"


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("train_tiny", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_example_ends_in_a_curve_and_run_files(example, tmp_path, capsys):
    example.train(tmp_path, steps=4, every=2, people=2, seconds=1.0, size=32)
    assert [path.name for path in sorted(tmp_path.glob("step-*.json"))] == [f"step-{at:08d}.json" for at in (0, 2, 4)]
    run = Run.read(tmp_path / "step-00000004.json")
    assert run.expected == run["ssim"].clips == 4
    assert run["ssim"].interval is not None
    assert "s1-e05-pose" in page(run)
    assert (tmp_path / "ssim.svg").read_text(encoding="utf-8").count("<circle") == 3
    assert (tmp_path / "checks.csv").read_text().count("\n") == 1 + 3 * 3
    assert capsys.readouterr().out.startswith("step    0  ssim 0.")
