"""Scores as text: a table for people, and the forms that papers and scripts take."""

import csv
import io
import math
from collections.abc import Sequence

from tabulate import tabulate

from thgeval.printable import printable
from thgeval.results import Run, Score, latex
from thgeval.results.equivalents import warning
from thgeval.schema import encoded
from thgeval.statistics import Interval

STYLES = {"table": "simple", "markdown": "github"}
COLUMNS = ("metric", "", "score", "95 % interval", "unit", "reference", "clips", "left out")
MACHINE = (
    *("metric", "direction", "score", "low", "high", "unit", "reference", "reference low", "reference high"),
    *(
        "clips",
        "expected",
        "reference clips",
        "expected references",
        "frames",
        "left out",
        "unscored",
        "note",
        "signature",
    ),
)
"""What a row of CSV has."""


def scores_text(run: Run, *, form: str, digits: int, brief: bool) -> str:
    """All scores of a run as json, csv or markdown; ``brief`` prints the bare numbers, one a line."""
    scores = run.scores.values()
    if form == "json":
        return encoded(run.to_dict()).decode().rstrip("\n")
    if brief:
        return "\n".join(score_text(score.value, digits) for score in scores)
    if form == "csv":
        return as_csv(MACHINE, [_for_machines(score, run) for score in scores])
    signatures = "\n".join(score.signature for score in scores if score.value is not None)
    return "\n\n".join(
        filter(None, (as_table(COLUMNS, [_row(score, run, digits) for score in scores], form), signatures))
    )


def _for_machines(score: Score, run: Run) -> list[str]:
    """A score with all its digits, and nothing where there is nothing."""
    own = score.reference
    return [
        *(score.key, score.better.value, every_digit(score.value), *_bounds(score.interval), score.unit),
        *("" if own is None else every_digit(own.value), *_bounds(None if own is None else own.interval)),
        *(str(score.clips), str(run.expected)),
        str(own.clips) if own is not None else "" if score.reference_clips is None else str(score.reference_clips),
        str(run.expected_references or ""),
        *(str(score.frames), ", ".join(f"{reason}: {count}" for reason, count in score.left_out.items())),
        *(score.unscored or "", score.note or "", "" if score.value is None else score.signature),
    ]


def every_digit(value: float | None) -> str:
    """A number as Python reads it back; empty for none."""
    return "" if value is None else repr(float(value))


def _bounds(found: Interval | None) -> tuple[str, str]:
    return ("", "") if found is None else (every_digit(found[0]), every_digit(found[1]))


def as_table(columns: Sequence[str], rows: Sequence[Sequence[str]], form: str) -> str:
    """Rows of text under headings, as ``table``, ``latex`` or ``markdown``."""
    shown = [[printable(cell) for cell in row] for row in rows]
    if form == "latex":
        return latex.table(columns, shown)
    return tabulate(shown, columns, tablefmt=STYLES[form], disable_numparse=True, stralign="left")


def as_csv(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows of text as comma-separated values."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows([columns, *([printable(cell) for cell in row] for row in rows)])
    return buffer.getvalue().rstrip("\n")


def score_text(value: float | None, digits: int) -> str:
    """A score with that many digits after the point, or as many that count where it is smaller than they show.

    ``inf`` and ``-`` (no value) stay words.
    """
    if value is None:
        return "-"
    if math.isinf(value):
        return str(value)
    return f"{value:.{digits}g}" if 0 < abs(value) < 10.0 ** (1 - digits) else f"{value:.{digits}f}"


def _row(score: Score, run: Run, digits: int) -> list[str]:
    reasons = ", ".join(f"{reason}: {count}" for reason, count in score.left_out.items())
    if score.unscored is not None:
        reasons = f"unscored: {score.unscored}"
    elif score.frames_left_out:
        frames = ", ".join(f"{count} frames {reason}" for reason, count in score.frames_left_out.items())
        reasons = f"{reasons}; {frames}" if reasons else frames
    for said in filter(None, (score.note, warning(score))):
        reasons = f"{reasons}; {said}" if reasons else said
    return [
        score.key,
        score.better.arrow,
        score_text(score.value, digits),
        interval(score, digits),
        score.unit,
        reference(score, digits),
        coverage(score, run),
        reasons,
    ]


def coverage(score: Score, run: Run) -> str:
    """Clips scored of clips expected; of either side where there are no pairs: ``19/20, reference 30/30``."""
    counted = f"{score.clips}/{run.expected}"
    if score.reference_clips is None:
        return counted
    return f"{counted}, reference {score.reference_clips}/{run.expected_references}"


def interval(score: Score, digits: int) -> str:
    """Both ends of the interval, which may lean to one side of the score; empty where there is none."""
    return "" if score.interval is None else " .. ".join(score_text(bound, digits) for bound in score.interval)


def reference(score: Score, digits: int) -> str:
    """The reference's own value, and the share of clips that have one where it isn't all of them."""
    if score.reference is None:
        return ""
    share = score.reference_share
    return score_text(score.reference.value, digits) + (f" ({share} clips)" if share else "")
