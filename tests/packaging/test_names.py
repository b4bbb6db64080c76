"""A public name stands for one thing in the whole package, so that it can be searched for and talked about."""

import ast
from collections import defaultdict
from pathlib import Path

import thgeval

PACKAGE = Path(thgeval.__file__).parent
ALIASES_OF_OTHERS = {"Frame", "Frames", "Mark", "Picture", "Row", "Rows"}
"""Classes after which some modules still call an array of theirs. May shrink, must not grow."""

COMPILED = {"Weights"}
"""Classes that compiled loops take: numba can't read what it kept of an earlier install if one is called otherwise."""


def public_names(kinds):
    """Names at the top of modules, without those that begin with an underscore, and where each stands."""
    found = defaultdict(list)
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, kinds) and (name := name_of(node)) and not name.startswith("_"):
                found[name].append(path.relative_to(PACKAGE).as_posix())
    return found


def name_of(node):
    if isinstance(node, ast.ClassDef):
        return node.name
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    name = targets[0].id if isinstance(targets[0], ast.Name) else ""
    return name if name[:1].isupper() and not name.isupper() else ""  # Array = ..., but neither FPS nor array


def test_no_two_classes_have_one_name():
    twice = {name: places for name, places in public_names(ast.ClassDef).items() if len(places) > 1}
    assert twice.keys() == COMPILED, "call one of them otherwise"


def test_no_type_is_called_as_a_class_elsewhere():
    classes = public_names(ast.ClassDef)
    both = {name for name in public_names((ast.Assign, ast.AnnAssign)) if name in classes}
    assert both <= ALIASES_OF_OTHERS, "call the class or the type otherwise"
    assert both >= ALIASES_OF_OTHERS, "what is mended goes from the list"
