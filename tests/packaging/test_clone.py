"""What a clone carries: nothing of the machine it was made on, and the versions it was tested with."""

import os
import re
import subprocess
import tomllib
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from support.programs import DEBIAN, program

ROOT = Path(__file__).resolve().parents[2]
CONSTRAINTS = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
PINNED = {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in CONSTRAINTS)}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ASKED = [
    Requirement(text)
    for group in (
        PROJECT["project"]["dependencies"],
        *(PROJECT["project"]["optional-dependencies"][name] for name in ("demo", "frame", "faces", "mediapipe")),
        *(PROJECT["project"]["optional-dependencies"][name] for name in ("sync", "models", "speech")),
        *(PROJECT["dependency-groups"][name] for name in ("test", "check", "docs")),
    )
    for text in group
]
"""What ``make setup`` installs by name."""

PATHS = re.compile(r"(?<![\w.}*/-])/(?:" + "|".join(("root", "work", "opt", "mnt", "home/(?!me/)")) + r")/?\b[\w./-]*")
HOSTS = re.compile(
    "|".join(("pypi", "pythonhosted", "debian", "npmjs", "conda", "anaconda")).join(("(?:", ")"))
    + r"\.(?:org|com)|(?:index|find)-(?:url|links)|file:/"
    + r"//opt"
)


def committed() -> list[Path]:
    """All files that git holds or would hold."""
    if not (ROOT / ".git").exists():
        pytest.skip("looks at the files that git holds, and this is no clone")
    command = [
        program("git"),
        "-c",
        f"safe.directory={ROOT}",
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
        "-z",
    ]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def test_no_file_names_a_machine_or_a_registry():
    files, found = committed(), []
    assert len(files) > 300
    for path in files:
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:  # a picture, sound or weights
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if said := PATHS.search(line) or HOSTS.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {said.group()}")
    assert found == []


@pytest.mark.parametrize(
    "line", ["cd :work:main", "':home:ann:x'", ":root:.cache", "a@b pypi,org:simple", "--index_url x"]
)
def test_they_would_be_seen(line):
    """Written with other signs, or this file would be found too."""
    line = line.translate(str.maketrans(":,_", "/.-"))
    assert PATHS.search(line) or HOSTS.search(line)


@pytest.mark.parametrize("line", ["frames:work:x", ":home:me:checkout", "github.com:x:opt", "a:root", "mnt"])
def test_other_words_are_not(line):
    line = line.replace(":", "/")
    assert not PATHS.search(line)
    assert not HOSTS.search(line)


def test_constraints_are_versions_and_nothing_else():
    assert len(CONSTRAINTS) > 100
    assert [line for line in CONSTRAINTS if not re.fullmatch(r"[A-Za-z0-9._-]+==\d[A-Za-z0-9.!]*", line)] == []
    assert len(PINNED) == len(CONSTRAINTS)


@pytest.mark.parametrize("asked", ASKED, ids=str)
def test_constraints_hold_what_the_project_asks_for(asked):
    assert asked.specifier.contains(PINNED[canonicalize_name(asked.name)])


def test_constraints_suit_the_oldest_python_in_use():
    """Debian 12 has Python 3.11.2; a version for later ones alone would keep its users from ``make``."""
    held = [found for found in distributions() if PINNED.get(canonicalize_name(found.name)) == found.version]
    asked = {found.name: SpecifierSet(found.metadata.get("Requires-Python") or "") for found in held}
    assert len(asked) > 20
    assert [name for name, pythons in asked.items() if "3.11.2" not in pythons] == []


def test_only_make_reads_the_constraints():
    """A version that is gone, or a later Python, must not keep anybody from installing the package."""
    assert "constraints" not in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert "CONSTRAINTS ?= constraints.txt" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_ci_brings_the_programs_that_tests_drive():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert (
        dict(line.split() for line in script.partition("<<'PROGRAMS'\n")[2].partition("PROGRAMS")[0].splitlines())
        == DEBIAN
    )


@pytest.mark.skipif(os.environ.get("CI") != "true", reason="outside CI packages may be missing, and their tests skip")
def test_ci_has_every_package():
    def lacks(name):
        try:
            return not version(name)
        except PackageNotFoundError:
            return True

    assert [asked.name for asked in ASKED if lacks(asked.name)] == []
