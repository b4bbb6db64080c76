"""What is printed of installing thgeval: in one place, and true."""

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from thgeval import errors
from thgeval.errors import MissingExtra, install_line
from thgeval.feature import Feature
from thgeval.registry import metric, table
from thgeval.requirements import Package
from thgeval.signature import closure

ROOT = Path(__file__).resolve().parents[2]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
PLACES = ("thgeval", "reference_models", "baselines", "leaderboard", "docs", "benchmarks")
OWN = re.compile(r"pip install (?!--)[^\n]*?\b(thgeval(?![_-]\w))|pip install (?!--)'?\.(?=['\[ ]|$)", re.MULTILINE)


def texts():
    files = [path for place in PLACES for path in (ROOT / place).rglob("*") if path.suffix in TEXT]
    return {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in [*files, *ROOT.glob("*.md")]
    }


TEXT = {".py", ".md", ".toml", ".j2", ".yml", ".yaml", ".json"}


def test_the_pattern_finds_what_it_must():
    for line in (
        "pip install thgeval",
        "pip install 'thgeval[faces]'",
        "pip install '.[faces]'",
        "pip install .",
        "pip install . #",
    ):
        assert OWN.search(line), line
    for line in ("pip install lpips", "pip install --no-deps facenet-pytorch", "pip install open_clip_torch."):
        assert not OWN.search(line), line


COPIES = {"docs/index.md", "docs/first-steps.md"}
"""Pages into which docs/generate.py puts the README's own section."""


def said(text):
    return [line for line in text.splitlines() if OWN.search(line)]


def test_only_the_readme_and_one_function_say_how_to_install():
    found = texts()
    assert {name for name, text in found.items() if OWN.search(text)} == {"README.md", *COPIES}
    assert all(said(found[name]) == said(found["README.md"]) for name in COPIES)


def test_the_readme_says_what_messages_say():
    lines = re.findall(r"^\$ (pip install \S+)", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    named = [re.findall(r"\[(.*)\]", line) for line in lines]
    assert [install_line(*extra).partition(" (")[0] for extra in named] == lines
    assert {extra for names in named for extra in ",".join(names).split(",") if extra} <= EXTRAS.keys()
    assert errors.INSTALLED_HOW.partition(",")[0] in (ROOT / "README.md").read_text(encoding="utf-8").lower()


def lacking():
    """Every extra that a feature behind a metric asks for, at its defaults or in a preset."""
    requests = [f"{name}/{preset}" for name in table() for preset in type(metric(name).metric).presets] + [*table()]
    features: set[Feature] = {feature for request in requests for feature in closure(metric(request).metric)}
    return {item.extra for feature in features for item in feature.requires if isinstance(item, Package)}


def test_every_extra_that_is_asked_for_is_there():
    assert lacking() <= EXTRAS.keys() | errors.INSTALLED_ALONE.keys()
    assert {"faces", "models", "speech"} <= lacking()


@pytest.mark.parametrize("extra", sorted(EXTRAS))
def test_a_message_holds_the_line(extra):
    assert str(MissingExtra("this", extra=extra)) == (
        f"this needs an optional package: pip install '.[{extra}]' "
        "(in a clone of thgeval, or with the path of its wheel in place of the dot)"
    )


@pytest.mark.slow
def test_pip_takes_the_line_in_a_clone():
    """But for what the extra brings, which is not fetched here."""
    _, _, *words = shlex.split(install_line("faces").partition(" (")[0])
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-deps", "--no-build-isolation", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "does not provide the extra" not in done.stderr
