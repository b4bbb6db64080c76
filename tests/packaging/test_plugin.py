"""A metric of another package, built as a wheel and installed: found, listed, signed and scored like one of ours."""

import json
import os
import subprocess
import sys

import pytest

PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "brightness-of-frames"
version = "1.0"

[project.entry-points."thgeval.metrics"]
brightness-gap = "brightness:BrightnessGap"
gone = "brightness.nowhere:Gone"
thing = "brightness:WHITE"
unversioned = "brightness:Unversioned"

[tool.hatch.build.targets.wheel]
packages = ["brightness"]
"""
MODULE = '''
"""How bright frames are."""

from dataclasses import dataclass

from thgeval.features.frames.frames import luma
from thgeval.metric import Better, Metric, of_both
from thgeval.states import ClipMean

WHITE = 255


@dataclass(frozen=True)
class BrightnessGap(Metric[ClipMean]):
    """How far apart the mean brightness of two clips is, frame by frame.

    Reads    luma of both clips
    Returns  absolute difference of means, mean over frames, then clips: in [0, 255], no unit, 0 if identical
    Source   this package
    Departs  from nothing
    """

    name = "brightness-gap"
    version = 3
    range = (0.0, 255.0)
    better = Better.LOWER
    cites = ()

    @property
    def needs(self):
        return of_both(luma())

    def measure(self, view):
        one, other = (side[luma()].pixels.mean(axis=(1, 2)) for side in (view.generated, view.reference))
        return ClipMean.of(view.clip, abs(one - other), start=view.start)

    def score(self, state):
        return state.value


@dataclass(frozen=True)
class Unversioned(BrightnessGap):
    """The same without a version."""

    name = "unversioned"
    version = None
'''
SCORED = """
import json, numpy, thgeval
dark, light = (numpy.full((2, 192, 192, 3), level, "uint8") for level in (100, 150))
run = thgeval.score(dark, light, metrics=["brightness-gap", "psnr"])
print(json.dumps([run["brightness-gap"].value, run["brightness-gap"].signature]))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """What processes must have in their environment to see the package."""
    pytest.importorskip("hatchling")
    source, place = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("site")
    (source / "pyproject.toml").write_text(PROJECT)
    (source / "brightness").mkdir()
    (source / "brightness" / "__init__.py").write_text(MODULE.lstrip())
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--no-build-isolation", "--target", place, source]
    subprocess.run(command, check=True, capture_output=True)
    path = os.pathsep.join(filter(None, [str(place), os.environ.get("PYTHONPATH", "")]))
    return os.environ | {"PYTHONPATH": path}


def ran(environment, *words):
    return subprocess.run([sys.executable, *words], env=environment, capture_output=True, text=True, check=False)


def thgeval(environment, *words):
    return ran(environment, "-m", "thgeval.cli.main", *words)


def test_python_scores_with_it(installed):
    done = ran(installed, "-c", SCORED)
    assert done.returncode == 0, done.stderr
    value, signature = json.loads(done.stdout)
    assert value == pytest.approx(50, abs=0.5)
    assert signature.startswith("brightness-gap@3|")


def test_the_command_scores_with_it(installed, tmp_path):
    from support.clips import moving, write_clip

    for name, noise in (("a.mp4", 5.0), ("b.mp4", 0.0)):
        write_clip(tmp_path / name, moving(4, 64, noise=noise))
    done = thgeval(installed, "score", tmp_path / "a.mp4", tmp_path / "b.mp4", "-m", "brightness-gap", "-f", "json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["scores"]["brightness-gap"]["value"] >= 0


def test_one_that_cannot_be_imported_is_named_and_in_nobodys_way(installed):
    rows = {row["name"]: row["is"] for row in json.loads(thgeval(installed, "ls", "metrics", "-f", "json").stdout)}
    assert rows["brightness-gap"].startswith("How far apart the mean brightness")
    assert "psnr" in rows
    assert rows["gone"] == (
        "not there: gone is the metric brightness.nowhere:Gone of an installed plugin, which can't be imported "
        "(ModuleNotFoundError: No module named 'brightness.nowhere'); mend or uninstall its package"
    )
    assert rows["thing"].endswith("no subclass of thgeval.metric.Metric; mend or uninstall its package")
    assert rows["unversioned"] == (
        "not there: unversioned is brightness:Unversioned of an installed plugin, which has no version: say version = "
        "1 in it, and more whenever its numbers change; mend or uninstall its package"
    )
    found = ran(installed, "-c", "from thgeval import registry; print(len(registry.metrics(['all'])) > 50)")
    assert found.stdout.strip() == "True"
    assert sorted(line.partition(" is ")[0] for line in found.stderr.splitlines()) == [
        "left out: gone",
        "left out: thing",
        "left out: unversioned",
    ]


def test_it_is_refused_when_asked_for(installed, tmp_path):
    from support.clips import moving, write_clip

    clip = write_clip(tmp_path / "a.mp4", moving(2, 64))
    done = thgeval(installed, "score", clip, clip, "-m", "gone")
    assert done.returncode == 2
    assert "gone is the metric brightness.nowhere:Gone of an installed plugin" in done.stderr
