"""Figures of the site: SVG drawn once, with a title, a description and the same numbers as a table beneath.

Coordinates are rounded to a tenth, so that equal entries make equal bytes.
"""

import math
from collections.abc import Mapping, Sequence

from markupsafe import Markup
from scipy.stats import spearmanr

from thgeval.metric import Better
from thgeval.report.axes import Axis, axis
from thgeval.report.ranking import worst_clips
from thgeval.report.text import number
from thgeval.results import Run, Score
from thgeval_leaderboard.board import Head, Row, Table
from thgeval_leaderboard.entry import Entry
from thgeval_leaderboard.ranking import Column, places
from thgeval_leaderboard.site.drawing import WIDTH, Figure, bounds, grid, label, levels, short, svg

MOST_LINES = 40
MOST_POINTS = 200
"""Lines and points drawn in one figure and listed beneath; a board's CSV has all."""

MOST_NAMED = 12
"""Lines that are called by their names where they end."""

STRONG = 0.55
"""From here on a correlation's colour is so full that its number is written in the paper's."""

WORST = 3
"""Clips that are named as the worst of a metric."""

DOT = Markup('<circle class="%s" cx="%s" cy="%s" r="4.5"><title>%s: %s</title></circle>')

BETWEEN = "From the worst control (0) to the truth (1)"

KINDS = {"control": "control", "ground-truth": "truth"}


def intervals(
    column: Column, head: Head, entries: Mapping[str, Entry], title: str, between: Mapping[str, float] | None = None
) -> Figure | None:
    """Every score of a column with its interval, the best first; None where none is finite.

    ``between`` are the same scores between the worst control and the truth, which the table beneath lists.
    """
    scored = {
        id: score for id, score in column.scores.items() if score.value is not None and math.isfinite(score.value)
    }
    if not scored:
        return None
    order = sorted(scored, key=lambda id: (_badness(scored[id]), id))
    drawn = order[:MOST_LINES]
    ends = [bound for id in drawn for bound in (scored[id].interval or (scored[id].value,)) if bound is not None]
    across = axis([*ends, *(scored[id].value or 0.0 for id in drawn)], 190, WIDTH - 16)
    parts = grid(across, 14, 22 + 20 * len(drawn))
    for line, id in enumerate(drawn):
        y, value, kind = 28 + 20 * line, scored[id].value or 0.0, KINDS.get(entries[id].method.role, "")
        parts.append(label(182, y + 4, short(entries[id].method.name), f"name {kind}", "end"))
        if found := scored[id].interval:
            low, high = (min(max(across(bound), 190), WIDTH - 16) for bound in found)
            parts.append(Markup('<path class="bar {}" d="M{} {}H{}"/>').format(kind, low, y, high))
        parts.append(Markup('<circle class="score {}" cx="{}" cy="{}" r="4"/>').format(kind, across(value), y))
    rows = tuple(
        (
            entries[id].method.name,
            number(scored[id].value or 0.0),
            bounds(scored[id].interval),
            *([f"{between[id]:.2f}" if id in between else ""] if between else []),
        )
        for id in drawn
    )
    more = f" The best {MOST_LINES} of {len(order)} are drawn." if len(order) > MOST_LINES else ""
    says = f"{head.title}, {SAYS[column.better]}; lines are 95 % intervals over clips.{more}"
    heads = ("Method", f"{head.title} {head.unit}".strip(), "95 % interval", *([BETWEEN] if between else []))
    return Figure(title, svg(parts, 40 + 20 * len(drawn), title, says), says, heads, rows)


SAYS = {
    Better.HIGHER: "higher is better",
    Better.LOWER: "lower is better",
    Better.CLOSER_TO_ZERO: "closer to 0 is better",
    Better.CLOSER_TO_REFERENCE: "closer to the reference's own value is better",
    Better.NONE: "no direction is better",
}


def against(table: Table, across_keys: Sequence[str], up_keys: Sequence[str], title: str) -> Figure | None:
    """One metric against another over the entries that have both; None if fewer than three do."""
    found = {head.key: at for at, head in enumerate(table.heads) if not head.apart}
    x_at = next((found[key] for key in across_keys if key in found), None)
    y_at = next((found[key] for key in up_keys if key in found), None)
    if x_at is None or y_at is None:
        return None
    points = [
        (row, x, y)
        for row in table.rows
        if (x := _finite(row, x_at)) is not None and (y := _finite(row, y_at)) is not None
    ]
    if len(points) < 3:
        return None
    points = points[:MOST_POINTS]
    across, up = axis([x for _, x, _ in points], 56, WIDTH - 16), axis([y for _, _, y in points], 300, 14)
    parts = grid(across, 14, 300) + levels(up, 56, WIDTH - 16)
    for row, x, y in points:
        kind = KINDS.get(row.entry.method.role, "")
        name = row.entry.method.name
        parts.append(
            Markup('<circle class="dot {}" cx="{}" cy="{}" r="5"><title>{}: {}, {}</title></circle>').format(
                kind, across(x), up(y), name, number(x), number(y)
            )
        )
        if len(points) <= 16:
            parts.append(label(across(x) + 8, up(y) + 4, short(name), f"name {kind}"))
    x_head, y_head = table.heads[x_at], table.heads[y_at]
    parts.append(label(WIDTH - 16, 334, f"{x_head.title} {x_head.arrow}", "name", "end"))
    parts.append(label(8, 10, f"{y_head.title} {y_head.arrow}", "name"))
    says = f"{y_head.title} ({SAYS[y_head.better]}) against {x_head.title} ({SAYS[x_head.better]})."
    rows = tuple((row.entry.method.name, number(x), number(y)) for row, x, y in points)
    return Figure(title, svg(parts, 342, title, says), says, ("Method", x_head.title, y_head.title), rows)


def correlation(table: Table) -> Figure | None:
    """How alike the columns that are shown order the entries, as Spearman's rank correlation; None for under five."""
    wanted = [at for at in table.shown if _differs(table, at)]
    if len(wanted) < 2:
        return None
    values = {(i, j): _rank_correlation(table, i, j) for i in wanted for j in wanted}
    size, left, top = 34, 170, 26
    parts = []
    for line, i in enumerate(wanted):
        parts.append(label(left - 8, top + size * line + 21, short(table.heads[i].title), "name", "end"))
        parts.append(label(left + size * line + 17, top - 8, str(line + 1), "name", "middle"))
        parts.append(label(left - 160, top + size * line + 21, str(line + 1), "name"))
        for place, j in enumerate(wanted):
            value = values[i, j]
            if value is None:
                continue
            x, y = left + size * place, top + size * line
            parts.append(
                Markup('<rect class="{}" fill-opacity="{}" x="{}" y="{}" width="32" height="32" rx="3"/>').format(
                    "with" if value >= 0 else "against", round(abs(value), 2), x, y
                )
            )
            parts.append(
                label(x + 16, y + 20, _without_zero(value), "name on" if abs(value) > STRONG else "name", "middle")
            )
    title, says = (
        "Do the metrics agree?",
        "Spearman's rank correlation over the entries, signs turned so that 1 is agreement.",
    )
    heads = ("", *(table.heads[j].title for j in wanted))
    rows = tuple(
        (table.heads[i].title, *("" if values[i, j] is None else f"{values[i, j]:.2f}" for j in wanted)) for i in wanted
    )
    return Figure(title, svg(parts, top + size * len(wanted) + 6, title, says), says, heads, rows)


def _without_zero(value: float) -> str:
    """``.70`` and ``1``, as correlations are written where room is short."""
    return f"{value:.2f}".replace("0.", ".", 1).replace("1.00", "1")


def parallel(table: Table) -> Figure | None:
    """Every system across the columns that are shown, the best of each column on top; None for under two systems."""
    rows = [row for row in table.rows if row.entry.ranked or row.entry.method.role == "ground-truth"][:MOST_LINES]
    wanted = [at for at in table.shown if sum(_finite(row, at) is not None for row in rows) >= 2]
    if len(rows) < 2 or len(wanted) < 2:
        return None
    named = len(rows) <= MOST_NAMED
    step = (WIDTH - 90 - (130 if named else 0)) / (len(wanted) - 1)
    scales: dict[int, Axis] = {}
    ends: list[tuple[float, float, Row]] = []
    for at in wanted:
        bad = [_bad(table, row, at) for row in rows if _finite(row, at) is not None]
        scales[at] = axis(bad, 24, 250)
    parts = []
    for place, at in enumerate(wanted):
        x = round(45 + step * place, 1)
        parts.append(Markup('<line class="edge" x1="{0}" x2="{0}" y1="18" y2="256"/>').format(x))
        name = Markup('<text class="name" text-anchor="end" transform="translate({} 272) rotate(-35)">{}</text>')
        parts.append(name.format(round(x + 4, 1), short(table.heads[at].title)))
    for row in rows:
        points = [
            f"{round(45 + step * place, 1)} {scales[at](_bad(table, row, at))}"
            for place, at in enumerate(wanted)
            if _finite(row, at) is not None
        ]
        kind = KINDS.get(row.entry.method.role, "")
        name = Markup('<path class="line {}" d="M{}"><title>{}</title></path>')
        parts.append(name.format(kind, "L".join(points), row.entry.method.name))
        if named and points:
            x, y = (float(part) for part in points[-1].split(" "))
            ends.append((y, x, row))
    floor = 0.0
    for y, x, row in sorted(ends, key=lambda end: end[0]):
        floor = max(y + 4, floor + 12)
        said = f"name {KINDS.get(row.entry.method.role, '')}"
        parts.append(label(x + 8, floor, short(row.entry.method.name), said))
    title, says = (
        "Across the metrics",
        "One line a system; the best of each column is on top, columns are not comparable.",
    )
    heads = ("Method", *(table.heads[at].title for at in wanted))
    cells = tuple((row.entry.method.name, *(row.cells[at].text for at in wanted)) for row in rows)
    return Figure(title, svg(parts, 352, title, says), says, heads, cells)


def best_so_far(column: Column, head: Head, entries: Mapping[str, Entry]) -> Figure | None:
    """The best score by day of submission; None if all came on one day."""
    placed = places(column, entries)
    dated = sorted((entries[id].history[0].date, id) for id in placed)
    if len({date for date, _ in dated}) < 2:
        return None
    steps: list[tuple[str, str, float]] = []
    for date, id in dated:
        value = column.scores[id].value or 0.0
        if not steps or _badness(column.scores[id]) < _badness(column.scores[steps[-1][1]]):
            steps.append((date, id, value))
    days = axis([_day(date) for date, *_ in (*steps, (dated[-1][0], "", 0.0))], 56, WIDTH - 16)
    up = axis([value for *_, value in steps], 200, 20)
    parts = levels(up, 56, WIDTH - 16)
    path = f"M{days(_day(steps[0][0]))} {up(steps[0][2])}"
    for date, _, value in steps[1:]:
        path += f"H{days(_day(date))}V{up(value)}"
    parts.append(Markup('<path class="curve" d="{}H{}"/>').format(path, days(_day(dated[-1][0]))))
    for date, id, value in steps:
        x, y = days(_day(date)), up(value)
        parts.append(Markup('<circle class="dot" cx="{}" cy="{}" r="4"/>').format(x, y))
        parts.append(label(min(x + 6, WIDTH - 120), y - 6, short(entries[id].method.name), "name"))
        parts.append(label(x, 218, date, "tick", "middle"))
    title, says = f"The best so far: {head.title}", f"{head.title}, {SAYS[column.better]}, by day of submission."
    rows = tuple((date, entries[id].method.name, number(value)) for date, id, value in steps)
    return Figure(title, svg(parts, 226, title, says), says, ("Date", "Method", head.title), rows)


def clips(run: Run, column: Column, head: Head) -> Figure | None:
    """The score of every clip of one entry, with the worst named; None where clips have none of their own."""
    values = values_of(run, column.key)
    if len(values) < 2:
        return None
    worst = worst_of(run, column)
    across = axis(list(values.values()), 16, WIDTH - 16)
    parts = grid(across, 10, 70)
    for at, id in enumerate(sorted(values)):
        kind = "dot worst" if id in worst else "dot"
        parts.append(DOT % (kind, across(values[id]), 24 + 13 * (at % 3), id, number(values[id])))
    says = f"Worst: {', '.join(f'{id} ({number(values[id])})' for id in worst)}." if worst else ""
    title = f"{head.title} {head.arrow}"
    order = [*worst, *(id for id in sorted(values) if id not in worst)]
    rows = tuple((id, number(values[id])) for id in order)
    return Figure(title, svg(parts, 92, title, f"{len(values)} clips. {says}"), says, ("Clip", head.title), rows)


def values_of(run: Run, key: str) -> dict[str, float]:
    """The finite scores of a run's clips by one metric."""
    return {
        clip.id: value for clip in run.clips if (value := clip.scores.get(key)) is not None and math.isfinite(value)
    }


def worst_of(run: Run, column: Column) -> list[str]:
    """The worst clips of a run by a column's metric, the worst first."""
    marks = {clip.id: row for clip in run.clips if (row := clip.reference_contributions.get(column.key)) and row[1]}
    own = {id: row[0] / row[1] for id, row in marks.items()}
    return worst_clips(values_of(run, column.key), WORST, better=column.better, own=own)


def _badness(score: Score) -> float:
    """How bad a score is, for the order of a figure; where that can't be told, the score itself."""
    value = score.value or 0.0
    own = None if score.reference is None else score.reference.value
    bad = score.better.badness(value, own)
    return value if bad is None else bad


def _bad(table: Table, row: Row, at: int) -> float:
    return _badness(table.columns[at].scores[row.entry.id])


def _finite(row: Row, at: int) -> float | None:
    value = row.cells[at].value
    return value if value is not None and math.isfinite(value) and not row.entry.withdrawn else None


def _differs(table: Table, at: int) -> bool:
    """Whether five or more entries have a score in a column, and not all the same."""
    found = [value for row in table.rows if (value := _finite(row, at)) is not None]
    return len(found) >= 5 and len(set(found)) > 1


def _rank_correlation(table: Table, i: int, j: int) -> float | None:
    pairs = [
        (_bad(table, row, i), _bad(table, row, j))
        for row in table.rows
        if _finite(row, i) is not None and _finite(row, j) is not None
    ]
    first, second = [x for x, _ in pairs], [y for _, y in pairs]
    if len(pairs) < 5 or len(set(first)) < 2 or len(set(second)) < 2:
        return None
    return round(float(spearmanr(first, second).statistic), 6)


def _day(date: str) -> float:
    from datetime import date as day

    return float(day.fromisoformat(date).toordinal())
