"""A run as a notebook shows it."""

from html import escape

from thgeval.printable import printable
from thgeval.results import Run
from thgeval.results.terminal import COLUMN_HEADS, interval_notes, listed_scores

RIGHT = ("score", "ref.")


def notebook_table(run: Run, *, digits: int) -> str:
    """A table by families with its notes below: plain HTML that takes the notebook's own style, everything escaped."""
    found = listed_scores(run, digits)
    head = "".join(f"<th>{title}</th>" for title in COLUMN_HEADS)
    body = "".join(
        f'<tr><th colspan="{len(COLUMN_HEADS)}" style="text-align:left">{escape(family)}</th></tr>'
        + "".join(f"<tr>{''.join(map(_cell, COLUMN_HEADS, line))}</tr>" for line in lines)
        for family, lines in found.families.items()
    )
    notes = [f"[{number}] {note}" for number, note in enumerate(found.notes, 1)]
    if unscored := [score.key for score in run.scores.values() if score.value is None]:
        notes.append(f"not scored: {', '.join(unscored)}")
    below = "".join(f"<div>{escape(printable(note))}</div>" for note in (*notes, *interval_notes(run)))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><small>{below}</small>"


def _cell(head: str, text: str) -> str:
    return f'<td style="text-align:{"right" if head in RIGHT else "left"}">{escape(text)}</td>'
