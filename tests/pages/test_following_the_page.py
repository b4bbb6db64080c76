"""The page on adding a metric, followed step by step in a copy of the clone, and every mistake answered with its cure.

The page's own code is written into the copy, file by file; then conformance, ``make docs`` and the golden signatures
are what anybody would run. The mistakes are made in copies of the three metrics, measured together.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import pytest
from pages.examples import FENCE

pytest.importorskip("dlib")
pytest.importorskip("skimage")

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "adding-a-metric.md").read_text(encoding="utf-8")
HEAD = re.compile(r"# (thgeval/\S+?\.py)(?:, in (\w+))?\n")
NAMES = ("gmsd", "lip-opening", "fid-colour")
COPIED = ("thgeval", "docs", "tests", "changelog.d", "README.md", "mkdocs.yml", "pyproject.toml")
SHARED = ("baselines", "reference_models", "leaderboard")
pytestmark = pytest.mark.timeout(900)


class Step(NamedTuple):
    """A block of the page: what it adds, to which file, and to which table of that; no table makes a file."""

    file: str
    table: str
    text: str


def steps():
    """What each part of the page has one write, by the metric's name."""
    found = {}
    for part in re.split(r"^## ", PAGE, flags=re.MULTILINE):
        written = []
        for block in FENCE.finditer(part):
            if block["language"] == "bibtex":
                written.append(Step("thgeval/about/references.bib", "", block["text"]))
            elif head := HEAD.match(block["text"]):
                written.append(Step(head[1], head[2] or "", block["text"].partition("\n")[2]))
        if names := [re.match('"([^"]+)"', step.text)[1] for step in written if step.table == "METRICS"]:
            found[names[0]] = written
    return found


def write(step, clone):
    """One step, as somebody with an editor takes it."""
    path = clone / step.file
    if step.table:
        opening = f"\n{step.table} = {{\n"
        assert path.read_text().count(opening) == 1
        path.write_text(path.read_text().replace(opening, f"{opening}    {step.text}"))
    elif path.suffix == ".bib":
        path.write_text(f"{path.read_text()}\n{step.text}")
    else:
        assert not path.exists()
        path.write_text(step.text)


def copied(folder):
    """A clone without its history, of which what is written to is a copy, and with what is compiled already."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name)
        else:
            shutil.copy(source, folder / name)
    for name in (*SHARED, "benchmarks"):
        (folder / name).symlink_to(ROOT / name, target_is_directory=True)
    return folder


def ran(clone, *words):
    """A Python program in a clone: what it says, and whether it is content."""
    path = [str(clone), *(str(clone / name) for name in SHARED)]
    apart = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    return subprocess.run(
        [sys.executable, *words],
        cwd=clone,
        env=apart | {"PYTHONPATH": os.pathsep.join(path)},
        capture_output=True,
        text=True,
        check=False,
    )


def conformance(clone, names):
    """The failures of conformance tests by metric: {metric: {test: message}}."""
    options = [word for name in names for word in ("--metric", name)]
    words = ["-m", "pytest", "tests/conformance", "-q", "-p", "no:cacheprovider", "--junitxml=told.xml", *options]
    done = ran(clone, *words)
    assert (clone / "told.xml").exists(), done.stdout + done.stderr
    told = {name: {} for name in names}
    for case in ElementTree.parse(clone / "told.xml").iter("testcase"):
        test, about = case.get("name"), case.get("name").partition("[")[2]
        for failure in case.iter("failure"):
            message = failure.get("message").removeprefix("AssertionError: ")
            if (one := about.rstrip("]").partition("/")[0]) in told:
                told[one][test] = message
            else:  # a test of all metrics has a line for each at fault
                for one, fault in re.findall(r"^ *([a-z-]+)(?:/\S+)?: (.*)", message, re.MULTILINE):
                    told.setdefault(one, {})[test] = fault
        assert not [*case.iter("error")], f"{test}: {[error.text for error in case.iter('error')]}"
    return told


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    """A clone in which the page was followed, and the files that each metric touched."""
    clone, touched = copied(tmp_path_factory.mktemp("followed")), {}
    for name, written in steps().items():
        touched[name] = {step.file for step in written}
        for step in written:
            write(step, clone)
    return clone, touched


def test_three_metrics_touch_three_files_each_at_most(followed):
    _, touched = followed
    assert tuple(touched) == NAMES
    assert {name: len(files) for name, files in touched.items()} == {"gmsd": 3, "lip-opening": 2, "fid-colour": 3}


MAKING = """
import sys
sys.path.insert(0, "docs")
import generate
for words in (["--check"], [], ["--check"]):
    sys.argv[1:] = words
    print(generate.main())
"""
"""What `make check`, `make docs` and `make check` again do to the pages, in one process, as reading entries is slow."""


def test_what_is_made_is_made_by_the_two_commands_of_the_page(followed):
    clone, _ = followed
    done = ran(clone, "tests/golden/signatures.py")
    assert done.returncode == 0, done.stderr
    made = ran(clone, "-c", MAKING)
    assert made.stdout.split() == ["1", "0", "0"], made.stderr
    assert "docs/metrics/gmsd.md is not what the code says: run make docs" in made.stderr
    assert (clone / "docs" / "metrics" / "gmsd.md").read_text().partition("\n\n")[2].startswith("# GMSD\n")
    assert '"FID (colours)": metrics/fid-colour.md' in (clone / "mkdocs.yml").read_text()
    assert all(f"`{name}`" in (clone / "README.md").read_text() for name in NAMES)
    golden = ran(clone, "-m", "pytest", "tests/golden/test_signatures.py", "tests/pages/test_making.py", "-q")
    assert golden.returncode == 0, golden.stdout


class Mistake(NamedTuple):
    """A copy of one of the metrics in which something is wrong: what is put for what, and what failures must say."""

    of: str
    changes: Mapping[str, str]
    cures: tuple[str, ...]


def gmsd(*cures, **changes):
    """What is wrong with GMSD."""
    return Mistake("gmsd", {PIECES[piece]: text for piece, text in changes.items()}, cures)


PIECES = {
    "opening": "How unevenly edges are lost over each frame: the spread of the likeness of gradients.",
    "departs": "    Departs  nothing that is known; pixels beyond the border count as their mirror image\n",
    "explanation": '"keeps the fractions stable, where white is 255", ',
    "cites": '("xue2014gmsd",)',
    "better": "Better.LOWER",
    "product": "np.where(first == second, first, np.sqrt(first) * np.sqrt(second))",
    "range": "(0.0, 0.5)",
    "needs": "of_both(self.planes)",
    "start": ", start=view.start",
    "read": "        generated, reference =",
    "end": "start=view.start))\n",
}
"""What the mistakes below replace in GMSD."""

SCORING = '''start=view.start))

    def score(self, state: ClipMean) -> float:
        """Another score than what its state says."""
        return {}
'''

MISTAKES = {
    "unsaid": gmsd(
        "its docstring says nothing under Departs: begin a line with that and say it",
        "declare constant as parameter(default, what it is)",
        "references.bib has no entry xue2013gmsd: add it, or name another key in cites",
        departs="",
        explanation="",
        cites='("xue2013gmsd",)',
    ),
    "unheaded": gmsd(
        "its docstring must begin with one sentence that ends with a full stop",
        "cites nothing: name the key of its paper in cites",
        opening="How unevenly edges are lost",
        cites="()",
    ),
    "backwards": gmsd(
        "copies must give exactly the best value, 0.5 where higher is better, not 0.0",
        "equal clips have the best value, 0.5",
        better="Better.HIGHER",
    ),
    "undirected": gmsd("compares clips: better must be HIGHER, LOWER or CLOSER_TO_ZERO", better="Better.NONE"),
    "inexact": gmsd(
        "copies must give exactly the best value, 0 where lower is better, not",
        product="np.sqrt(first * second + 1e-9)",
    ),
    "narrow": gmsd("lies outside of 0 .. 1e-06: mend range, or the formula", range="(0.0, 1e-6)"),
    "undeclared": gmsd("without declaring it in its needs", "mend measure", needs="Needs(generated=(self.planes,))"),
    "unplaced": gmsd("say start=view.start", start=""),
    "careless": gmsd(
        "or raise InputError with a reason if there is nothing to see",
        read="        1 / (len(view.generated[self.planes].pixels) - 1)\n        generated, reference =",
    ),
    "unasked": gmsd("score must be NaN where nothing was", end=SCORING.format("state.value if state.scored else 0.0")),
    "adding": gmsd("a clip and its copy must score", end=SCORING.format("state.value * max(len(state.scored), 1)")),
    "blind": Mistake(
        "lip-opening", {"abs(first - second)": "first * 0"}, ("a worse clip has the best value: mend what measure",)
    ),
    "colourless": Mistake(
        "fid-colour",
        {"Better.LOWER": "Better.HIGHER"},
        ("a set and its copy must have the best value, 1 where higher", "or better, if it says the wrong way"),
    ),
}


def mistaken(clone, name, mistake, written):
    """Write a copy of a metric with the mistake, under a name of its own."""
    source = next(step for step in written[mistake.of] if not step.table and "metrics" in step.file)
    assert all(old in source.text for old in mistake.changes), f"{name}: the page says something else now"
    plain = re.sub(r"    presets: .*\n", "", source.text)
    own = plain.replace(f'name = "{mistake.of}"', f'name = "{name}"')
    for old, new in mistake.changes.items():
        own = own.replace(old, new)
    path = Path(source.file).with_name(f"{name}.py")
    write(Step(str(path), "", own), clone)
    cls = re.search(r"^class (\w+)", own, re.MULTILINE)[1]
    write(Step("thgeval/metrics/__init__.py", "METRICS", f'"{name}": "{path.parent.name}.{name}:{cls}",\n'), clone)


@pytest.fixture(scope="module")
def failures(tmp_path_factory):
    """What conformance says of the page's metrics and of each mistake, all measured together in a clone of its own."""
    clone, written = copied(tmp_path_factory.mktemp("mistaken")), steps()
    for step in [step for each in written.values() for step in each]:
        write(step, clone)
    for name, mistake in MISTAKES.items():
        mistaken(clone, name, mistake, written)
    return conformance(clone, (*NAMES, *MISTAKES))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_metrics_of_the_page_conform(name, failures):
    assert failures[name] == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", MISTAKES)
def test_every_failure_names_its_cure(name, failures):
    """Whatever fails for a mistake says what to do, and together they say what is expected of this one."""
    told = failures[name]
    assert told, f"{name}: no conformance test finds this mistake"
    for cure in MISTAKES[name].cures:
        assert any(cure in message for message in told.values()), told
    for test, message in told.items():
        assert re.search(CURE, message), f"{test} says of {name} only: {message}"


CURE = r"(?:mend|declare|say|add|give|use|hand|name|begin|raise|return|must be|must begin|must score|ask)\b"
