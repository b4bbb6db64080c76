"""Which conformance tests run when some metrics are asked for: by exact name, or by what differs from a branch."""

import ast
import subprocess
from functools import cache
from pathlib import Path

import pytest

from support.programs import program
from thgeval import registry
from thgeval.errors import ProtocolError

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("thgeval/metrics", "thgeval/features", "thgeval/kernels")
"""Where a change may change a metric; what all rest on has tests of its own."""
TABLE = "thgeval/metrics/__init__.py"
"""Names every metric, so that a line of it changes none."""


def asked_for(config):
    """The requests that ``--metric`` and ``--changed`` name; None if neither is given."""
    names, changed = config.getoption("metric"), config.getoption("changed")
    if not (names or changed):
        return None
    return {request for name in [*names, *(touched(differing()) if changed else ())] for request in requests(name)}


def chosen(items, asked):
    """The tests of conformance that are about one of some requests, or all of them; and all other tests."""
    kept = [item for item in items if about(item) in asked or (asked and about_all(item))]
    return kept, [item for item in items if item not in kept]


def about_all(item):
    """Whether a test is about all metrics that are listed, together."""
    return about(item) is None and "listed" in getattr(item, "fixturenames", ())


def about(item):
    """The metric or preset that a test of conformance is about, or None."""
    parameters = item.callspec.params if hasattr(item, "callspec") and item.path.parent.name == "conformance" else {}
    return parameters.get("request_") or parameters.get("name")


def requests(name):
    """A metric with all its presets, or the one preset that is named."""
    try:
        key = registry.metric(name).key
    except ProtocolError as problem:
        raise pytest.UsageError(f"--metric: {problem}") from None
    presets = () if "/" in key else registry.metric_class(key).presets
    return [key, *(f"{key}/{preset}" for preset in presets)]


def differing(branch="main", root=ROOT):
    """Files that differ from where this branch left another, or that git doesn't know yet."""

    def git(*words):
        command = [program("git"), "-c", f"safe.directory={root}", *words]
        return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)

    base = git("merge-base", "HEAD", branch)
    if base.returncode:
        raise pytest.UsageError(f"--changed compares with the branch {branch}, which isn't here; name a --metric")
    listed = git("diff", "--name-only", base.stdout.strip()).stdout
    return (listed + git("ls-files", "--others", "--exclude-standard").stdout).splitlines()


def touched(files):
    """Names of metrics whose module is one of these files, or imports one of them, directly or not."""
    edited = {module(name) for name in files if name.startswith(SOURCES) and name.endswith(".py") and name != TABLE}
    homes = {name: where.partition(":")[0] for name, where in registry.table().items()}
    return [name for name, home in homes.items() if edited & reach(home)]


def module(file):
    """The dotted name of a file of the package."""
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@cache
def reach(start):
    """A module and all modules of metrics, features and kernels that it imports, directly or not."""
    seen, left = set(), [start]
    while left:
        name = left.pop()
        if name not in seen and name.startswith(tuple(module(folder) for folder in SOURCES)):
            seen.add(name)
            left += imported(name)
    return frozenset(seen)


@cache
def imported(name):
    """The modules that a module imports, and what may be a module among the names that it takes from one."""
    file = ROOT / (name.replace(".", "/") + ".py")
    file = file if file.is_file() else ROOT / name.replace(".", "/") / "__init__.py"
    if not file.is_file():
        return ()
    found = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return tuple(found)
