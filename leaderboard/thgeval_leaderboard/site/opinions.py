"""The page of people's opinions: talkers as people rank them, what papers print of them, and graded distortions."""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from itertools import combinations
from typing import Any

from markupsafe import Markup

from thgeval.report.axes import Axis, axis
from thgeval.report.text import number
from thgeval_leaderboard.board import Cell, Table
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
MOST_METRICS = 4
"""Metrics of controls shown beside opinions: so many, those first that are made for what an axis changes."""


@dataclass(frozen=True)
class Graded:
    """One axis of graded distortions: how it is called here, its unit, and our controls at its levels.

    ``metrics`` are shown of the controls in this order; ``without`` says why there are no controls.
    """

    name: str
    title: str
    unit: str
    controls: Mapping[float, str] = field(default_factory=dict)
    metrics: tuple[str, ...] = (*SYNC, *QUALITY)
    without: str = ""


AXES = (
    Graded("video_lead", "The picture before its sound", "s", {0.5: "ctl-videolead-500ms", 1: "ctl-videolead-1s"}),
    Graded("audio_lead", "The sound before its picture", "s", {0.5: "ctl-audiolead-500ms", 1: "ctl-audiolead-1s"}),
    Graded(
        "pause_start",
        "A pause at the start",
        "unit not stated; controls: s",
        {1: "ctl-pause-start-1s", 2: "ctl-pause-start-2s"},
    ),
    Graded(
        "pause_middle",
        "A pause in the middle",
        "unit not stated; controls: s",
        {1: "ctl-pause-middle-1s", 2: "ctl-pause-middle-2s"},
    ),
    Graded(
        "qp_level",
        "Geometry quantised",
        "level, bits presumably",
        without="No control of ours is on this axis: a video has no mesh.",
    ),
    Graded(
        "qt_level",
        "Texture coordinates quantised",
        "level, bits presumably; controls: bits",
        {bits: f"ctl-coarse{bits}" for bits in (4, 5, 6, 7)},
        (*QUALITY, *SYNC),
    ),
    Graded(
        "stream_level",
        "Streamed at several qualities",
        "level, unit not stated",
        without="Its levels have no unit, so no control is at them; ctl-drop10, 30 and 60 drop frames in its place.",
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
            graded=[(graded, list(curves(graded, kept["levels"], tables))) for graded in AXES],
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


@dataclass(frozen=True)
class Beside:
    """A board's controls at an axis's levels: heads of its metrics, and cells by level.

    ``points`` are level, score and interval of the first metric, where they are finite.
    """

    board: str
    dataset: str
    heads: tuple[str, ...]
    rows: tuple[tuple[float, str, tuple[Cell, ...]], ...]
    points: tuple[tuple[float, float, tuple[float, ...]], ...]


def curves(graded: Graded, rows: Sequence[Mapping[str, Any]], tables: Mapping[str, Table]) -> Iterator[Figure]:
    """People's curve of one axis, and for each board with controls at its levels the curve of one metric."""
    own = [row for row in rows if row["axis"] == graded.name]
    points = [(row["level"], row["mean"], tuple(row["interval"])) for row in own]
    says = f"Mean opinion, 0 to 5, of {own[0]['clips']} clips a level; lines are 95 % intervals over clips."
    heads = ("Level", "Mean opinion", "95 % interval", "Clips")
    cells = tuple(
        (f"{row['level']:g}", f"{row['mean']:.2f}", bounds(row["interval"]), str(row["clips"])) for row in own
    )
    yield Figure(
        f"{graded.title}: people", curve(points, graded, "people", says, Axis(0, 5, 170, 14)), says, heads, cells
    )
    for each in tables.values():
        found = beside(graded, each)
        if found is None:
            continue
        says = f"{found.heads[0]} of our controls at the same levels, on {found.dataset}; lines are 95 % intervals."
        title = f"{graded.title}: controls on {found.dataset}"
        picture = (
            curve(found.points, graded, title, says, axis([end for *_, ends in found.points for end in ends], 170, 14))
            if found.points
            else Markup()
        )
        lines = tuple(
            (f"{level:g}", name, *(f"{cell.text}{' ±' + cell.reach if cell.reach else ''}" for cell in cells))
            for level, name, cells in found.rows
        )
        yield Figure(title, picture, says, ("Level", "Control", *found.heads), lines)


def beside(graded: Graded, table: Table) -> Beside | None:
    """A board's controls at the levels of an axis; None if it has none of them."""
    at = {head.key: place for place, head in enumerate(table.heads) if not head.apart}
    wanted = [at[key] for key in graded.metrics if key in at][:MOST_METRICS]
    named = {row.entry.method.name: row for row in table.rows if row.entry.method.role == "control"}
    rows = tuple(
        (level, name, tuple(named[name].cells[place] for place in wanted))
        for level, name in graded.controls.items()
        if name in named and not named[name].entry.withdrawn
    )
    if not rows or not wanted:
        return None
    heads = tuple(f"{table.heads[place].title}\N{NO-BREAK SPACE}{table.heads[place].arrow}".strip() for place in wanted)
    scores = table.columns[wanted[0]].scores
    points = []
    for level, name, (first, *_) in rows:
        if first.value is not None and math.isfinite(first.value):
            found = scores[named[name].entry.id].interval
            ends = found if found is not None and all(map(math.isfinite, found)) else (first.value, first.value)
            points.append((level, first.value, tuple(ends)))
    return Beside(table.board.id, table.board.dataset, heads, rows, tuple(points))


def curve(
    points: Sequence[tuple[float, float, tuple[float, ...]]], graded: Graded, title: str, says: str, up: Axis
) -> Markup:
    """Means with their intervals over the levels of an axis."""
    across = axis([level for level, *_ in points], 56, WIDTH - 24)
    parts = levels(up, 56, WIDTH - 16)
    path = "L".join(f"{across(level)} {up(mean)}" for level, mean, _ in points)
    parts.append(Markup('<path class="curve" d="M{}"/>').format(path))
    for level, mean, (low, high) in points:
        x = across(level)
        if low < high:
            parts.append(Markup('<path class="bar" d="M{} {}V{}"/>').format(x, up(low), up(high)))
        parts.append(
            Markup('<circle class="dot" cx="{}" cy="{}" r="4"><title>{}: {}</title></circle>').format(
                x, up(mean), f"{level:g}", number(mean)
            )
        )
        parts.append(label(x, 190, f"{level:g}", "tick", "middle"))
    parts.append(label(WIDTH - 16, 208, graded.unit, "name", "end"))
    return svg(parts, 214, f"{graded.title}: {title}" if title == "people" else title, says)
