"""What commands print is what was looked at, at 80 and at 160 columns, and never wider than the terminal."""

import pytest
from golden.captures import CAPTURES, PLACE, WIDTHS, captured, results


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("results")
    results(made)
    return made


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", CAPTURES)
def test_commands_print_what_was_looked_at(name, width, folder):
    shown = captured(CAPTURES[name], folder, width)
    assert shown == (PLACE / f"{name}-{width}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", [name for name in CAPTURES if name != "signatures"])
def test_no_line_is_wider_than_its_terminal(name, width):
    text = (PLACE / f"{name}-{width}.txt").read_text(encoding="utf-8")
    assert max(len(line) for line in text.splitlines() if not line.startswith("2> ")) <= width


def test_every_capture_has_its_command():
    assert {path.stem.rpartition("-")[0] for path in PLACE.glob("*.txt")} == CAPTURES.keys()
