"""Systems beside each other, as a paper's table has them: a row a system, a column a metric.

    table = systems_table({"ours": Run.read("ours.json"), "wav2lip": Run.read("wav2lip.json")})
    print(table_text(table, "latex", digits=3))

Scores share a column only if their protocol parts are equal; a metric that results made differently has a column for
each way, and a footnote that says by what they differ. In each column the best system and the second are marked, and
systems whose clips can't tell them from the best. Controls and the references' own values stand below, and win nothing.
"""

from thgeval.results import Run
from thgeval.results.tables import scores_text
from thgeval.results.terminal import terminal_text
from thgeval.tables.forms import TABLE_FORMS, table_text
from thgeval.tables.systems import Column, Place, Role, SystemRow, SystemScore, SystemsTable, systems_table

__all__ = [
    "TABLE_FORMS",
    "Column",
    "Place",
    "Role",
    "SystemRow",
    "SystemScore",
    "SystemsTable",
    "run_text",
    "systems_table",
    "table_text",
]


def run_text(run: Run, *, form: str, digits: int, brief: bool = False, signatures: bool = False) -> str:
    """One run in any form of ``thgeval score``: in LaTeX the row of a single system, else a row a metric.

    ``signatures`` adds them whole to the form for terminals; all others have them.
    """
    if form == "table" and not brief:
        return terminal_text(run, digits=digits, signatures=signatures)
    if form == "latex" and not brief:
        place = run.places.get("generated")
        name = run.path.stem if run.path is not None else place.name if place is not None else ""
        return table_text(systems_table({name or "scores": run}), "latex", digits=digits, signatures=True)
    return scores_text(run, form=form, digits=digits, brief=brief)
