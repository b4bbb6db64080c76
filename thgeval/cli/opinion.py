"""``thgeval opinion``: what people said of clips, and how far metrics agree with them."""

from pathlib import Path

import click

from thgeval.cli.arguments import OUTPUT
from thgeval.cli.showing import show
from thgeval.errors import ProtocolError

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
