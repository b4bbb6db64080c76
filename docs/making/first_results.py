"""Tables of the first results: the committed entries of reference generators."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from making.markdown import table
from thgeval_leaderboard.board import Head, Row, Table, boards
from thgeval_leaderboard.board import table as board_table
from thgeval_leaderboard.entry import read_all

ENTRIES = Path(__file__).parents[2] / "leaderboard" / "entries"
CONTROL = "control"
OF_CONTROLS = (
    *("psnr", "cpbd", "fid-random", "csim/dlib", "lmd", "mouth-correlation"),
    *("sync-lm-conf", "sync-lm-offset", "blinks-per-s"),
)
"""One metric or two of each family; the boards have all."""


def generators(dataset: str) -> str:
    """Every metric that was scored over a data set, one row each; the truth and all generators are columns.

    Generators stand on a board each for what they may see; a column's head says which.
    """
    own = [each for each in _boards() if each.board.dataset == dataset and each.board.setting != CONTROL]
    truth = _truth(dataset)
    columns = [(each, row) for each in own for row in each.section("reference-baseline")]
    heads = ["metric", "truth", *(f"{row.entry.method.name}<br>{each.board.setting}" for each, row in columns)]
    rows = []
    for key in dict.fromkeys(head.key for each in own for head in each.heads):
        cells = [_cell(each, row, key) for each, row in columns]
        if any(cells):
            its = ["" if key == "fps" else _cell(*each, key) for each in truth]  # a copy of a file takes no time
            rows.append([_named(own, key), *its, *(cell or "–" for cell in cells)])
    return table(rows, heads)


def controls(dataset: str) -> str:
    """A row a control under ``OF_CONTROLS``, the truth first: what each of them does to a metric that should notice."""
    own = [each for each in _boards() if each.board.dataset == dataset and each.board.setting == CONTROL]
    rows = [
        [row.entry.method.name, row.entry.method.says, *(_cell(each, row, key) or "–" for key in OF_CONTROLS)]
        for each in own
        for role in ("ground-truth", "control")
        for row in each.section(role)
    ]
    return table(rows, ["control", "is", *(_named(own, key) for key in OF_CONTROLS)])


def _truth(dataset: str) -> list[tuple[Table, Row]]:
    of_controls = [each for each in _boards() if each.board.dataset == dataset and each.board.setting == CONTROL]
    return [(each, row) for each in of_controls for row in each.section("ground-truth")]


@cache
def _boards() -> list[Table]:
    entries, wrong = read_all(ENTRIES)
    assert not wrong, wrong
    return [board_table(own) for own in boards(entries).values()]


def _at(each: Table, key: str) -> int | None:
    return next((at for at, head in enumerate(each.heads) if head.key == key and not head.apart), None)


def _cell(each: Table, row: Row, key: str) -> str:
    at = _at(each, key)
    return "" if at is None or row.cells[at].value is None else row.cells[at].text


def _named(own: Sequence[Table], key: str) -> str:
    """The metric as a link to its page, with its unit and the way it improves."""
    head: Head = next(each.heads[at] for each in own if (at := _at(each, key)) is not None)
    name = key.partition("/")[0].partition(":")[0]
    return f"[{head.title}](metrics/{name}.md) {head.unit} {head.arrow}".replace("  ", " ").strip()
