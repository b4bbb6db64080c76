"""Tests that compare with a peer do so through the one table: no bound of their own, and no equal bits of floats."""

import ast
from pathlib import Path

import numpy as np
import pytest
from support.tolerances import CEILINGS, PARITY, Bound, agree

TESTS = Path(__file__).parents[1]
PEERS = (
    "cleanfid", "cpbd", "dlib", "face_alignment", "facenet_pytorch", "lpips", "models.twins", "open_clip", "piq",
    "python_speech_features", "pytorch_fid", "pytorch_msssim", "scenedetect", "skimage.feature", "skimage.metrics",
    "skimage.transform", "support.dlib_itself", "timm", "torchmetrics", "torchvision.models",
)  # fmt: skip
PRESENCE = {"dlib", "lpips", "open_clip"}
"""Asked for by tests that only need them installed; they count where they are imported."""
EXACT = {
    "test_dlib_finds_what_dlib_finds": "boxes are whole px, of the same integers",
    "test_squares_are_those_of_the_package": "OpenCV's resizing of bytes is integer arithmetic",
    "test_tokens_are_open_clips": "tokens are integers",
    "test_cuts_are_those_of_pyscenedetect": "numbers of frames",
    "test_equals_the_twin": "s3fd's boxes are chosen among our own",
    "test_crops_equal_the_originals_to_the_pixel": "OpenCV's resizing of bytes is integer arithmetic",
    "test_reads_nvidias_torchscript_layout": "weights are carried over as they are",
}
"""Tests beside a peer that may ask for equality, and why."""
EQUAL = {"array_equal", "assert_array_equal", "equal", "tobytes"}
BOUNDS = {"rel", "abs", "atol", "rtol"}
LOADERS = {"importorskip", "peer", "quiet_import"}


def is_peer(name: str) -> bool:
    return any(name == peer or name.startswith(f"{peer}.") for peer in PEERS)


def peers_in(node: ast.AST) -> set[str]:
    """Names that a statement binds to a peer, or the peers it loads without a name."""
    found = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Import):
            found |= {alias.asname or alias.name.partition(".")[0] for alias in part.names if is_peer(alias.name)}
        elif isinstance(part, ast.ImportFrom) and part.module:
            found |= {
                alias.asname or alias.name
                for alias in part.names
                if is_peer(part.module) or is_peer(f"{part.module}.{alias.name}")
            }
        elif isinstance(part, ast.Assign) and any(is_peer(name) for name in loaded(part.value)):
            found |= {name.id for name in ast.walk(part.targets[0]) if isinstance(name, ast.Name)}
        else:
            found |= {name for name in loaded(part) if is_peer(name) and name not in PRESENCE}
    return found


def loaded(node: ast.AST) -> set[str]:
    """The modules that a call loads, by whatever way a test has of doing so."""
    if not isinstance(node, ast.Call) or getattr(node.func, "attr", getattr(node.func, "id", "")) not in LOADERS:
        return set()
    return {said.value for said in node.args[:1] if isinstance(said, ast.Constant) and isinstance(said.value, str)}


def beside_peers(module: ast.Module) -> list[ast.FunctionDef]:
    """The functions that use a peer: themselves, through a fixture or through another function of the file."""
    functions = {part.name: part for part in module.body if isinstance(part, ast.FunctionDef)}
    outside = [part for part in module.body if not isinstance(part, (ast.FunctionDef, ast.ClassDef))]
    known = set().union(*(peers_in(part) for part in outside))
    used = {
        name: {part.id for part in ast.walk(function) if isinstance(part, ast.Name)}
        | {argument.arg for argument in function.args.args}
        for name, function in functions.items()
    }
    touched = {name for name, function in functions.items() if peers_in(function) or used[name] & known}
    while more := {name for name in functions if name not in touched and used[name] & touched}:
        touched |= more
    return [functions[name] for name in sorted(touched)]


def own_bounds(function: ast.FunctionDef) -> list[str]:
    """What a function says of closeness by itself."""
    said = []
    for part in ast.walk(function):
        if isinstance(part, ast.keyword) and part.arg in BOUNDS and isinstance(part.value, ast.Constant):
            said.append(f"{part.arg}={part.value.value}")
        elif isinstance(part, ast.Compare) and isinstance(part.ops[0], (ast.Lt, ast.LtE)):
            last = part.comparators[-1]
            if isinstance(last, ast.Constant) and isinstance(last.value, float) and 0 < last.value < 0.01:
                said.append(f"< {last.value}")
        elif isinstance(part, ast.Attribute) and part.attr in EQUAL and function.name not in EXACT:
            said.append(part.attr)
    return said


def test_no_test_beside_a_peer_has_a_bound_of_its_own():
    found, seen = [], set()
    for path in sorted(TESTS.rglob("test_*.py")):
        for function in beside_peers(ast.parse(path.read_text(encoding="utf-8"))):
            seen.add(function.name)
            found += [f"{path.relative_to(TESTS)}: {function.name}: {said}" for said in own_bounds(function)]
    assert not found
    assert len(seen) > 50
    assert set(EXACT) <= seen


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import piq\ndef test(): assert np.array_equal(a, piq.b)", ["array_equal"]),
        ("def test():\n piq = pytest.importorskip('piq')\n assert a == pytest.approx(piq.b, rel=1e-6)", ["rel=1e-06"]),
        ("import piq\n@f\ndef peer(): return piq.b\ndef test(peer): assert abs(a - peer) < 2e-5", ["< 2e-05"]),
        ("import piq\ndef test(): agree(a, piq.b, 'psnr')", []),
        ("def test(): assert np.array_equal(a, b)", []),
    ],
)
def test_bounds_are_seen(source, said):
    assert [text for function in beside_peers(ast.parse(source)) for text in own_bounds(function)] == said


def test_no_name_stands_for_two_bounds():
    assert not set(CEILINGS) & set(PARITY)


def test_every_row_is_used():
    texts = "".join(path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py"))
    assert [name for name in PARITY if f'"{name}"' not in texts] == []


@pytest.mark.parametrize(
    ("bound", "ours", "theirs", "apart"),
    [
        (Bound("absolute", 1), [1.0, 2.0], [1.0, 4.0], 2.0),
        (Bound("relative", 1), [1.0, 2.0], [1.0, 4.0], 0.5),
        (Bound("relative", 1), [0.0, 0.0], [0.0, 0.0], 0.0),
        (Bound("share", 1), [1, 2, 3, 4], [1, 2, 3, 5], 0.25),
    ],
)
def test_bounds_measure(bound, ours, theirs, apart):
    assert bound.of(np.array(ours), np.array(theirs)) == apart


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [([1.0], [1.1]), ([np.nan], [1.0]), ([1.0], [np.nan]), ([1.0, 1.0], [1.0]), ([], []), ([1], [np.inf])],
)
def test_what_disagrees_is_refused(ours, theirs):
    agree([1.0, np.nan], [1.0, np.nan], "mtcnn")
    with pytest.raises(AssertionError):
        agree(ours, theirs, "mtcnn")
