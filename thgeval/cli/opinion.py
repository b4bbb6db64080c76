"""``thgeval opinion``: what people said of clips, and how far metrics agree with them."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from thgeval.cli.arguments import FORMATS, OUTPUT, RESULT
from thgeval.cli.showing import say, show
from thgeval.errors import ProtocolError

if TYPE_CHECKING:
    from thgeval_leaderboard.opinions.agreement import Agreement

COLUMNS = ("metric", "level", "SRCC", "95 % interval", "PLCC", "95 % interval", "KRCC", "95 % interval")
COUNTS = ("clips", "methods", "left out")
PATH = click.Path(exists=True, path_type=Path)


@click.group("opinion")
def command() -> None:
    """Hold scores against what people said of the same clips."""


@command.command("import")
@click.argument("kind", type=click.Choice(("csv", "thqa-ntire")))
@click.argument("tables", type=PATH, metavar="TABLE.csv|DIR")
@click.argument("out", type=OUTPUT, metavar="OPINIONS.json")
@click.option("--scale", type=(float, float), default=None, metavar="LOW HIGH", help="csv: the ends of the scale.")
def import_(kind: str, tables: Path, out: Path, scale: tuple[float, float] | None) -> None:
    """Make a file of opinions of a table.

    csv is a table with the columns clip and score, and perhaps rater, method and labels of your own; higher is better.
    thqa-ntire is the folder with the three tables of that data set.
    """
    from thgeval_leaderboard.opinions.tables import of_csv, of_thqa

    if kind == "thqa-ntire" and scale:
        raise ProtocolError("thqa-ntire has a scale of its own, 0 to 5; leave --scale out")
    found = of_csv(tables, scale=scale) if kind == "csv" else of_thqa(tables)
    found.write(out)
    methods = len({each.method for each in found.clips} - {""})
    show(f"{out}  {len(found.clips)} clips, {methods} methods")


@command.command("correlate")
@click.argument("opinions", type=RESULT, metavar="OPINIONS.json")
@click.argument("results", nargs=-1, required=True, type=RESULT, metavar="RUN.json...")
@click.option("-f", "--format", "form", type=click.Choice(FORMATS), default="table", show_default=True)
@click.option("-w", "--width", "digits", type=click.IntRange(0, 15), default=3, show_default=True, help="Digits.")
@click.option("--draws", type=click.IntRange(100, 10_000), default=1000, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=12345, show_default=True)
def correlate(opinions: Path, results: tuple[Path, ...], form: str, digits: int, draws: int, seed: int) -> None:
    """Say how far every metric of some results agrees with people's opinions of the same clips.

    A clip meets the opinion of the same clip id; where the result's file is named after a method that has opinions, of
    that method alone. SRCC and KRCC are positive where a metric's better is people's better; PLCC is
    that after a logistic fit of four parameters (VQEG), and never negative. Intervals are bootstrapped: over clips
    within methods for the levels pooled and within, over methods for across.
    """
    from thgeval.results import Run
    from thgeval.results.tables import as_csv, as_table
    from thgeval.statistics import Resampling
    from thgeval_leaderboard.opinions import Opinions
    from thgeval_leaderboard.opinions.agreement import agreements

    if len({path.stem for path in results}) < len(results):
        raise ProtocolError("two result files have one name; a result is known by the name of its file")
    runs = {path.stem: Run.read(path) for path in results}
    found = agreements(Opinions.read(opinions), runs, Resampling(draws, seed))
    for note in found.notes:
        say(note)
    for what, why in found.refused.items():
        say(f"{what}: not correlated: {why}")
    if form == "json":
        rows = [asdict(row) for row in found.found]
        show(json.dumps({"found": rows, "refused": found.refused, "notes": found.notes}, indent=1))
        return
    table = [_row(row, digits) for row in found.found]
    columns = (*COLUMNS, *COUNTS)
    show(as_csv(columns, table) if form == "csv" else as_table(columns, table, form))


def _row(row: "Agreement", digits: int) -> list[str]:
    from thgeval.report.text import reasons
    from thgeval.results.tables import score_text

    cells = [row.metric, row.level]
    for estimate in row.estimates.values():
        cells.append(score_text(estimate.value, digits))
        bounds = estimate.interval
        cells.append(estimate.why if bounds is None else " .. ".join(score_text(bound, digits) for bound in bounds))
    out = [reasons(row.left_out, "clip"), *(f"{name}: {why}" for name, why in row.without.items())]
    return [*cells, str(row.clips), str(row.methods), "; ".join(filter(None, out))]
