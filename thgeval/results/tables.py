"""Scores as text: a table for people, and the forms that papers and scripts take."""

import csv
import io
import math
from collections.abc import Sequence

from tabulate import tabulate

from thgeval.printable import printable
from thgeval.results import Run, Score, latex, usual_note
from thgeval.schema import encoded

STYLES = {"table": "simple", "markdown": "github"}
COLUMNS = ("metric", "", "score", "95 % interval", "unit", "reference", "clips", "left out")


def scores_text(run: Run, *, form: str, digits: int, brief: bool) -> str:
    """All scores of a run as json, csv, table or markdown; ``brief`` prints the bare numbers, one a line."""
    if form == "json":
        return encoded(run.to_dict()).decode().rstrip("\n")
    if brief:
        return "\n".join(score_text(score.value, digits) for score in run.scores.values())
    rows = [_row(score, run, digits) for score in run.scores.values()]
    if form == "csv":
        return as_csv(("metric", "direction", *COLUMNS[2:], "signature"), _with_signatures(rows, run))
    return "\n\n".join(filter(None, (as_table(COLUMNS, rows, form), _interval_notes(run), _signatures(run))))


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
    if score.note is not None:
        reasons = f"{reasons}; {score.note}" if reasons else score.note
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


def _interval_notes(run: Run) -> str:
    """What to know of intervals, once each."""
    usual = usual_note(run)
    keys: dict[str, list[str]] = {}
    for score in run.scores.values():
        if score.interval_note is not None:
            keys.setdefault(score.interval_note, []).append(score.key)
    others = [f"{note} ({', '.join(found)})" for note, found in keys.items() if note != usual]
    said = "unless something else is said: " if others else ""
    return "\n".join([*([said + usual] if usual else []), *others])


def _with_signatures(rows: Sequence[list[str]], run: Run) -> list[list[str]]:
    scores = run.scores.values()
    return [[row[0], score.better.value, *row[2:], score.signature] for row, score in zip(rows, scores, strict=True)]


def _signatures(run: Run) -> str:
    return "\n".join(score.signature for score in run.scores.values() if score.value is not None)
