"""A run on a terminal: scores by family in few columns, and below what must be known of them, once each."""

import shutil
import textwrap
from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import pairwise
from typing import NamedTuple

from thgeval.metrics import FAMILY_NAMES, OTHERS, family_of
from thgeval.metrics.theval import TRUTH, final_score
from thgeval.printable import printable
from thgeval.results import Run, Score, usual_note
from thgeval.results.equivalents import beaten_by, equivalent, warning
from thgeval.results.tables import score_text

NARROWEST = 60
COLUMN_HEADS = ("metric", "score", "unit", "95 % interval", "ref.", "clips")
SIDES = ("<", ">", "<", "<", ">", "<")
UNIT = COLUMN_HEADS.index("unit")
LONGEST = 32
"""Names that are longer have a line of their own."""
EQUIVALENTS = "beside copies of the references (! where a still or a frozen mouth would win):"
MOST_REASONS = 3
"""Why metrics are not scored is said of so many reasons at most; of more, the metrics are named alone."""
HASHED = 8
"""Hexadecimal digits of a signature's short form."""


def terminal_text(run: Run, *, digits: int, signatures: bool = False, width: int | None = None) -> str:
    """The scores of a run in lines of ``width`` characters, by default as many as the terminal has.

    ``signatures`` adds the whole signature of each score; else there is the short form of its protocol part, equal
    where scores may be compared.
    """
    width = max(NARROWEST, width or shutil.get_terminal_size().columns)
    found = listed_scores(run, digits)
    rows: list[Sequence[str]] = []
    for family, lines in found.families.items():
        rows += [[family]] if len(run.scores) > 1 else []
        for name, *cells in lines:
            rows += [[name, *cells]] if len(name) <= LONGEST else [[name], ["", *cells]]
    table, units = _table(rows, width)
    below = [f"[{number}] {note}" for number, note in enumerate(found.notes, 1)]
    below += [*units, *_final_scores(run), *_unscored(run, width), *interval_notes(run)]
    parts = [table] if rows else []
    if below:
        parts.append("\n".join(wrapped(line, width) for line in below))
    if beside := _equivalents(run, digits):
        parts.append("\n".join(wrapped(line, width) for line in beside))
    if rows:
        parts.append(_signatures(run) if signatures else wrapped(_short_forms(run), width))
    return "\n\n".join(parts)


class ListedScores(NamedTuple):
    """Lines of cells under ``COLUMN_HEADS`` by the title of their family, and the notes that they number."""

    families: dict[str, list[list[str]]]
    notes: list[str]


def listed_scores(run: Run, digits: int) -> ListedScores:
    """What a table of a run has in its lines, and what must be known of them."""
    notes: list[str] = []
    families = {
        family.capitalize(): [_row(score, run, digits, notes) for score in scores]
        for family, scores in _by_family(run).items()
    }
    return ListedScores(families, notes)


def wrapped(line: str, width: int) -> str:
    """A line of words as lines of that width; what is longer than a line and has no space stays whole."""
    return textwrap.fill(printable(line), width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def short_form(part: str) -> str:
    """The short form of a protocol part: equal where scores may be compared, and as good as never elsewhere."""
    return sha256(part.encode()).hexdigest()[:HASHED]


def _by_family(run: Run) -> dict[str, list[Score]]:
    """The scores that have a value, by the package of their metric."""
    found: dict[str, list[Score]] = {name: [] for name in (*FAMILY_NAMES, OTHERS)}
    for score in run.scores.values():
        if score.value is not None:
            found[family_of(score.metric)].append(score)
    return {name: scores for name, scores in found.items() if scores}


def _row(score: Score, run: Run, digits: int, notes: list[str]) -> list[str]:
    """A score's cells; what must be known of it goes to the notes."""
    said = "; ".join(_said(score, run))
    if said and said not in notes:
        notes.append(said)
    mark = f" [{notes.index(said) + 1}]" if said else ""
    return [
        f"{printable(score.key)} {score.better.arrow}",
        score_text(score.value, digits),
        score.unit,
        "" if score.interval is None else "..".join(score_text(bound, digits) for bound in score.interval),
        "" if score.reference is None else score_text(score.reference.value, digits),
        f"{score.clips}/{run.expected}{mark}",
    ]


def _said(score: Score, run: Run) -> Iterator[str]:
    if score.left_out:
        yield "left out: " + ", ".join(f"{reason}: {count}" for reason, count in score.left_out.items())
    if score.reference_clips is not None:
        yield f"{score.reference_clips}/{run.expected_references} reference clips"
    if score.frames_left_out:
        yield "; ".join(f"{count} frames {reason}" for reason, count in score.frames_left_out.items())
    if score.reference_share:
        yield f"the reference's value is of {score.reference_share} clips"
    if score.note is not None:
        yield score.note
    if said := warning(score):
        yield said


def _table(rows: Sequence[Sequence[str]], width: int) -> tuple[str, list[str]]:
    """The columns that hold something, as far apart as the width allows, and a line of units if it has no room."""
    lines = [COLUMN_HEADS, *rows]
    used = [at for at in range(len(COLUMN_HEADS)) if not at or any(row[at] for row in rows if len(row) > 1)]
    widths = {at: max(len(line[at]) for line in lines if len(line) > 1) for at in used}
    units = []
    if sum(widths.values()) + len(used) - 1 > width and UNIT in used:
        used.remove(UNIT)
        named = [row if len(row) == 1 or row[0] else [above[0], *row[1:]] for above, row in pairwise([[""], *rows])]
        units = ["units: " + ", ".join(f"{row[0][:-2]} {row[UNIT]}" for row in named if len(row) > 1 and row[UNIT])]
    gap = "  " if sum(widths[at] for at in used) + 2 * len(used) - 2 <= width else " "
    shown = [
        gap.join(f"{line[at]:{SIDES[at]}{widths[at]}}" for at in used).rstrip() if len(line) > 1 else line[0]
        for line in lines
    ]
    return "\n".join(shown), units


def _unscored(run: Run, width: int) -> list[str]:
    """What has no score, in one line, and why, where that is not a long story."""
    reasons: dict[str, list[str]] = {}
    for score in run.scores.values():
        if score.value is None:
            reasons.setdefault(str(score.unscored), []).append(score.key)
    if not reasons:
        return []
    said = "not scored: " + "; ".join(f"{', '.join(keys)}: {reason}" for reason, keys in reasons.items())
    if len(reasons) <= MOST_REASONS and len(said) < MOST_REASONS * width:
        return [said]
    keys = ", ".join(key for keys in reasons.values() for key in keys)
    return [f"not scored: {keys} (thgeval explain NAME says what each lacks)"]


def _final_scores(run: Run) -> list[str]:
    """THEval's final score, where each of its eight metrics has one score."""
    found = [score for score in run.scores.values() if score.metric in TRUTH and score.value is not None]
    values = {score.metric: score.value for score in found if score.value is not None}
    if len(found) != len(TRUTH) or len(values) != len(TRUTH):
        return []
    said = f"THEval's final score: {final_score(values):.4f} against its real videos"
    own = {score.metric: score.reference.value for score in found if score.reference and score.reference.value}
    if len(own) == len(TRUTH):
        said += f", {final_score(values, own):.4f} against these references"
    return [said]


def _equivalents(run: Run, digits: int) -> list[str]:
    """What each score is worth beside copies of the references, where they were scored: a line a metric."""
    found = [
        f"{'!' if beaten_by(score) else ' '} {score.key} {score_text(score.value, digits)}: {said}"
        for score in run.scores.values()
        if (said := equivalent(score))
    ]
    return [EQUIVALENTS, *found] if found else []


def interval_notes(run: Run) -> list[str]:
    """What to know of intervals, once each."""
    usual = usual_note(run)
    keys: dict[str, list[str]] = {}
    for score in run.scores.values():
        if score.interval_note is not None and score.value is not None:
            keys.setdefault(score.interval_note, []).append(score.key)
    others = [f"{note} ({', '.join(found)})" for note, found in keys.items() if note != usual]
    said = "unless something else is said: " if others else ""
    return [*([said + usual] if usual else []), *others]


def _short_forms(run: Run) -> str:
    """Protocol, version and marks that scores share, and the short form of each."""
    scores = [score for score in run.scores.values() if score.value is not None]
    shared = [token for token in scores[0].run_tokens if token.startswith(("protocol:", "thgeval:", "!"))]
    forms = ", ".join(f"{score.key} {short_form(score.protocol_part)}" for score in scores)
    return f"signatures ({', '.join(shared)}): {forms}" if shared else f"signatures: {forms}"


def _signatures(run: Run) -> str:
    return "\n".join(score.signature for score in run.scores.values() if score.value is not None)
