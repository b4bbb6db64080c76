"""A name that one module hands to others stands for one thing throughout its package.

Exported is what another module imports. A reader who meets ``shown`` or ``Track`` in a file should not have to look up
from where it came; a name that nobody else imports is its module's own affair. Things are the same if they are defined
in one place, or in the same words.
"""

import ast
from collections import defaultdict
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

PACKAGES = ("thgeval", "thgeval_baselines", "thgeval_leaderboard")
ALLOWED = {
    "detected": "the one function of each detector's module, which tables of detectors name by module",
}
"""Names that mean the same job in several modules, and why they may."""


@cache
def modules(package):
    """The source of a package's modules, parsed, by dotted name."""
    root = Path(find_spec(package).origin).parent
    found = {}
    for path in root.rglob("*.py"):
        parts = (package, *path.relative_to(root).with_suffix("").parts)
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def definitions(tree, taken):
    """What a module defines at its top, of names that somebody takes, and in which words."""
    found = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            if node.name in taken:
                found[node.name] = ast.dump(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Name) and target.id in taken:
                    found[target.id] = ast.dump(node.value)
    return found


def imported(tree):
    """What a module takes from others by name: (module, name) pairs."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node.module, alias.name) for alias in node.names)


def exported(trees):
    """Names that other modules import: name -> words of the definition -> modules that hold one in these words."""
    takes = {module: list(imported(tree)) for module, tree in trees.items()}
    taken = {name for pairs in takes.values() for _, name in pairs}
    own = {module: definitions(tree, taken) for module, tree in trees.items()}
    passed = {module: {name: source for source, name in pairs} for module, pairs in takes.items()}
    found = defaultdict(lambda: defaultdict(set))
    for pairs in takes.values():
        for module, name in pairs:
            seen = set()
            while module in own and name not in own[module] and name in passed[module] and module not in seen:
                seen.add(module)
                module = passed[module][name]
            if module in own and name in own[module]:
                found[name][own[module][name]].add(module)
    return found


def twice(trees):
    """Names that stand for several things, with where they are defined."""
    return {
        name: sorted(module for modules in things.values() for module in modules)
        for name, things in exported(trees).items()
        if len(things) > 1
    }


@cache
def twice_in(package):
    return twice(modules(package))


@pytest.mark.parametrize("package", PACKAGES)
def test_no_name_is_exported_for_two_things(package):
    found = twice_in(package)
    assert not {name: where for name, where in found.items() if name not in ALLOWED}


def test_every_exception_is_still_one():
    found = {name for package in PACKAGES for name in twice_in(package)}
    assert ALLOWED.keys() <= found


def test_two_things_under_one_name_are_found():
    trees = {
        "p.a": ast.parse("SIDE = 3\nRATE = 16000\ndef shown(): return 1"),
        "p.b": ast.parse("SIDE = 4\nRATE = 16000\ndef shown(): return 2"),
        "p.c": ast.parse("from p.a import shown, RATE\nfrom p.d import SIDE"),
        "p.d": ast.parse("from p.b import shown as other, RATE\nfrom p.a import SIDE"),
    }
    assert twice(trees) == {"shown": ["p.a", "p.b"]}
