"""The page of people's opinions: talkers as people rank them, what papers print of them, and graded distortions."""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from itertools import combinations, pairwise
from typing import Any

from markupsafe import Markup

from thgeval.metric import Better
from thgeval.report.axes import Axis, axis
from thgeval.report.text import number
from thgeval_leaderboard.board import Cell, Head, Row, Table
from thgeval_leaderboard.site.drawing import WIDTH, Figure, bounds, grid, label, levels, svg
from thgeval_leaderboard.survey import data, directed

ADDRESS = "opinions.html"

IN_SURVEY = {
    "sadtalker": "sadtalker",
    "makeittalk": "makeittalk",
    "eat": "eat",
    "dreamtalk": "dreamtalk",
    "audio2head": "audio2head",
    "wavlip": "wav2lip",
}
"""Talkers of which the survey's tables have rows, by their ids there; the others have none."""

SYNC = ("sync-conf", "lse-d", "sync-lm-conf", "mouth-correlation", "lmd")
QUALITY = ("fid", "lpips", "ssim", "psnr", "cpbd")
PANEL = (300, 164)
"""Width and height of one metric's curve."""


@dataclass(frozen=True)
class Graded:
    """One axis of graded distortions: how it is called here, its unit, and our controls at its levels.

    ``metrics`` are shown of the controls in this order; ``says`` what the levels are, and whose unit that is.
    """

    name: str
    title: str
    unit: str
    says: str
    controls: Mapping[float, str] = field(default_factory=dict)
    metrics: tuple[str, ...] = (*SYNC, *QUALITY)


AXES = (
    Graded(
        "video_lead",
        "The picture before its sound",
        "s",
        "Levels are seconds, of the data set as of our controls.",
        {0.5: "ctl-videolead-500ms", 1: "ctl-videolead-1s"},
    ),
    Graded(
        "audio_lead",
        "The sound before its picture",
        "s",
        "Levels are seconds, of the data set as of our controls.",
        {0.5: "ctl-audiolead-500ms", 1: "ctl-audiolead-1s"},
    ),
    Graded(
        "pause_start",
        "A pause at the start",
        "level",
        "The data set states no unit. Seconds of a held picture are our reading, of our controls alone.",
        {1: "ctl-pause-start-1s", 2: "ctl-pause-start-2s"},
    ),
    Graded(
        "pause_middle",
        "A pause in the middle",
        "level",
        "The data set states no unit. Seconds of a held picture are our reading, of our controls alone.",
        {1: "ctl-pause-middle-1s", 2: "ctl-pause-middle-2s"},
    ),
    Graded(
        "qp_level",
        "Geometry quantised",
        "level",
        "The data set states no unit; bits presumably. No control of ours is on this axis: a video has no mesh.",
    ),
    Graded(
        "qt_level",
        "Texture coordinates quantised",
        "level",
        "The data set states no unit; bits presumably. Bits are our reading: our controls round the places at which "
        "colours are read to so many.",
        {bits: f"ctl-coarse{bits}" for bits in (4, 5, 6, 7)},
        (*QUALITY, *SYNC),
    ),
    Graded(
        "stream_level",
        "Streamed at several qualities",
        "level",
        "The data set states no unit, so no control of ours is at its levels; ctl-drop10, 30 and 60 drop frames in "
        "its place.",
    ),
)
"""The graded distortions of THQA-3D. Controls change the picture or the sound of a video, not a mesh."""


@cache
def aggregates() -> dict[str, Any]:
    """What is kept of THQA-NTIRE: means, intervals and counts."""
    text = files("thgeval_leaderboard").joinpath("opinions", "data", "thqa_ntire.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def pages(page: Callable[..., str], tables: Mapping[str, Table]) -> Iterator[tuple[str, str]]:
    """The page, as address and HTML; ``page`` renders a template at an address, ``tables`` are those of all boards."""
    kept = aggregates()
    talkers = [row for row in kept["talkers"] if row["part"] == "THQA-10K"]
    other = {row["talker"]: row for row in kept["talkers"] if row["part"] == "THQA"}
    yield (
        ADDRESS,
        page(
            "opinions.html.j2",
            ADDRESS,
            kept=kept,
            ranking=ranking(talkers),
            talkers=[
                (place, row, other.get(row["talker"])) for place, row in zip(places(talkers), talkers, strict=True)
            ],
            printed=list(printed([row["talker"] for row in talkers])),
            unprinted=[row["talker"] for row in talkers if row["talker"] not in IN_SURVEY],
            graded=[(graded, list(curves(graded, kept["levels"], tables)), lacking(graded, tables)) for graded in AXES],
        ),
    )


def places(talkers: Sequence[Mapping[str, Any]]) -> list[str]:
    """Places of talkers in their order; those that no test parts from the one before share its place."""
    found: list[int] = []
    for at, row in enumerate(talkers, 1):
        found.append(at if row["below"] or not found else found[-1])
    return [f"{place}{'=' if found.count(place) > 1 else ''}" for place in found]


def ranking(talkers: Sequence[Mapping[str, Any]]) -> Figure:
    """Talkers with their mean opinions and intervals, the best first."""
    across = Axis(0, 5, 120, WIDTH - 16)
    parts = grid(across, 14, 22 + 20 * len(talkers))
    for line, row in enumerate(talkers):
        y = 28 + 20 * line
        parts.append(label(112, y + 4, row["talker"], "name", "end"))
        low, high = map(across, row["interval"])
        parts.append(Markup('<path class="bar" d="M{} {}H{}"/>').format(low, y, high))
        parts.append(Markup('<circle class="score" cx="{}" cy="{}" r="3"/>').format(across(row["mean"]), y))
    title, says = (
        "Mean opinion by talker",
        "Mean opinion, 0 to 5, higher is better; lines are 95 % intervals over clips.",
    )
    return Figure(title, svg(parts, 40 + 20 * len(talkers), title, says), says)


@dataclass(frozen=True)
class Printed:
    """One metric in one table of the survey: talkers with what is printed, in people's order, and how far it agrees.

    ``alike`` of ``pairs`` pairs of talkers that differ in the metric are in the order in which people put them.
    """

    table: int
    dataset: str
    metric: str
    values: tuple[tuple[str, str], ...]
    alike: int
    pairs: int


def printed(talkers: Sequence[str]) -> Iterator[Printed]:
    """What the survey's literature tables print of at least two talkers, given best first by people.

    Values that the audit doubts are left out; a direction that it corrects is taken as it reads it.
    """
    named = {IN_SURVEY[name]: name for name in talkers if name in IN_SURVEY}
    for table in data("tables"):
        if table["kind"] != "literature":
            continue
        for at, (metric, _, arrow) in enumerate(table["columns"]):
            by_dataset: dict[str, dict[str, dict[str, Any]]] = {}
            for row in table["rows"]:
                cell = row["cells"][at]
                if row["method_id"] in named and cell["status"] == "ok":
                    by_dataset.setdefault(row["dataset"] or "", {})[named[row["method_id"]]] = cell
            for dataset, cells in by_dataset.items():
                order = [name for name in talkers if name in cells]
                way = next(iter(cells.values())).get("suggested", {}).get("arrow", arrow)
                if len(order) < 2 or way is None:
                    continue
                sign = 1 if way == "up" else -1
                gaps = [
                    sign * (cells[first]["value"] - cells[later]["value"]) for first, later in combinations(order, 2)
                ]
                yield Printed(
                    table["table"],
                    dataset,
                    directed(metric, way),
                    tuple((name, cells[name]["raw"]) for name in order),
                    sum(gap > 0 for gap in gaps),
                    sum(gap != 0 for gap in gaps),
                )


Point = tuple[float, float, tuple[float, ...]]
"""A level, a value there, and the ends of its interval."""


@dataclass(frozen=True)
class Panel:
    """One metric of a board's controls at the levels of an axis; ``cells`` are in the order of its levels."""

    head: Head
    cells: tuple[Cell, ...]
    points: tuple[Point, ...]

    @property
    def called(self) -> str:
        """Its title and direction."""
        return f"{self.head.title}\N{NO-BREAK SPACE}{self.head.arrow}".strip()


def curves(graded: Graded, rows: Sequence[Mapping[str, Any]], tables: Mapping[str, Table]) -> Iterator[Figure]:
    """People's curve of one axis, and for each board with controls at its levels the curves of their metrics."""
    own = [row for row in rows if row["axis"] == graded.name]
    people = {row["level"]: row["mean"] for row in own}
    points = [(row["level"], row["mean"], tuple(row["interval"])) for row in own]
    says = f"Mean opinion, 0 to 5, of {own[0]['clips']} clips a level; lines are 95 % intervals over clips."
    heads = ("Level", "Mean opinion", "95 % interval", "Clips")
    cells = tuple(
        (f"{row['level']:g}", f"{row['mean']:.2f}", bounds(row["interval"]), str(row["clips"])) for row in own
    )
    title = f"{graded.title}: people"
    yield Figure(
        title, _panels([curve(points, "Mean opinion", graded.unit, title, Axis(0, 5, 130, 24))]), says, heads, cells
    )
    for each in tables.values():
        if panels := beside(graded, each):
            yield _of_controls(graded, each, panels, people)


def _of_controls(graded: Graded, each: Table, panels: Sequence[Panel], people: Mapping[float, float]) -> Figure:
    title = f"{graded.title}: controls on {each.board.dataset}, protocol {each.board.protocol}"
    drawn = [
        curve(panel.points, panel.called, graded.unit, f"{title}: {panel.head.title}", _upright(panel))
        for panel in panels
        if panel.points
    ]
    levels_of = [(level, name) for level, name in graded.controls.items() if name in _controls(each)]
    lines = tuple(
        (
            f"{level:g}",
            name,
            f"{people[level]:.2f}",
            *(
                f"{panel.cells[at].text}{' ±' + panel.cells[at].reach if panel.cells[at].reach else ''}"
                for panel in panels
            ),
        )
        for at, (level, name) in enumerate(levels_of)
    )
    says = "Lines are 95 % intervals over clips, and up is better in each. " + _orders(panels, people)
    return Figure(
        title, _panels(drawn), says, ("Level", "Control", "People", *(panel.called for panel in panels)), lines
    )


def _panels(drawn: Sequence[Markup]) -> Markup:
    return Markup('<div class="panels">') + Markup("").join(drawn) + Markup("</div>")


def _upright(panel: Panel) -> Axis:
    """An axis on which up is better."""
    ends = [end for *_, ends in panel.points for end in ends]
    return axis(ends, 24, 130) if panel.head.better is Better.LOWER else axis(ends, 130, 24)


def _orders(panels: Sequence[Panel], people: Mapping[float, float]) -> str:
    """Which metrics put the levels in people's order, and which don't."""
    found: dict[bool, list[str]] = {True: [], False: []}
    for panel in panels:
        if len(panel.points) > 1:
            sign = -1 if panel.head.better is Better.LOWER else 1
            order = [sign * value for _, value, _ in sorted(panel.points, key=lambda point: people[point[0]])]
            found[all(low < high for low, high in pairwise(order))].append(panel.head.title)
    said = ((True, "In people's order of the levels"), (False, "In another order"))
    return " ".join(f"{words}: {', '.join(found[alike])}." for alike, words in said if found[alike])


def beside(graded: Graded, table: Table) -> list[Panel]:
    """What a board's own controls score at the levels of an axis, one panel a metric; empty if it has none of them."""
    at = {head.key: place for place, head in enumerate(table.heads) if not head.apart}
    rows = [(level, _controls(table)[name]) for level, name in graded.controls.items() if name in _controls(table)]
    if not rows:
        return []
    return [
        Panel(
            table.heads[place],
            tuple(row.cells[place] for _, row in rows),
            tuple(_point(level, row, table, place) for level, row in rows if _is_finite(row.cells[place])),
        )
        for key in graded.metrics
        if (place := at.get(key)) is not None
    ]


def _controls(table: Table) -> dict[str, Row]:
    """A board's own controls by name; those that other boards show too are theirs alone."""
    return {
        row.entry.method.name: row
        for row in table.rows
        if row.entry.method.role == "control" and row.entry.board.id == table.board.id and not row.entry.withdrawn
    }


def lacking(graded: Graded, tables: Mapping[str, Table]) -> list[str]:
    """The controls of an axis of which no board has an entry."""
    there = {name for each in tables.values() for name in _controls(each)}
    return [name for name in graded.controls.values() if name not in there]


def _is_finite(cell: Cell) -> bool:
    return cell.value is not None and math.isfinite(cell.value)


def _point(level: float, row: Row, table: Table, place: int) -> Point:
    value = row.cells[place].value or 0.0
    found = table.columns[place].scores[row.entry.id].interval
    return level, value, tuple(found) if found is not None and all(map(math.isfinite, found)) else (value, value)


def curve(points: Sequence[Point], called: str, unit: str, title: str, up: Axis) -> Markup:
    """Values with their intervals over the levels of an axis, as one panel."""
    width, height = PANEL
    across = axis([level for level, *_ in points], 52, width - 22)
    parts = [*levels(up, 40, width - 8), label(0, 10, called, "name")]
    path = "L".join(f"{across(level)} {up(value)}" for level, value, _ in points)
    parts.append(Markup('<path class="curve" d="M{}"/>').format(path))
    for level, value, (low, high) in points:
        x = across(level)
        if low < high:
            parts.append(Markup('<path class="bar" d="M{} {}V{}"/>').format(x, up(low), up(high)))
        parts.append(
            Markup('<circle class="dot" cx="{}" cy="{}" r="4"><title>{}: {}</title></circle>').format(
                x, up(value), f"{level:g}", number(value)
            )
        )
        parts.append(label(x, height - 16, f"{level:g}", "tick", "middle"))
    parts.append(label(width - 8, height - 2, unit, "tick", "end"))
    said = "; ".join(f"{number(value)} at {level:g}" for level, value, _ in points)
    return svg(parts, height, title, f"{called}: {said}.", width)
