"""``thgeval export``: the values of a result as tables for other programs."""

from pathlib import Path

import click

from thgeval.cli.arguments import RESULT
from thgeval.cli.showing import show
from thgeval.printable import printable

NAMES = ("clips", "frames")


@click.command("export")
@click.argument("result", type=RESULT, metavar="RUN.json")
@click.option("-t", "--table", "names", type=click.Choice(NAMES), multiple=True, help="Which [default: both].")
@click.option("-f", "--format", "form", type=click.Choice(("csv", "parquet")), default="csv", show_default=True)
def command(result: Path, names: tuple[str, ...], form: str) -> None:
    """Write the values of RUN.json beside it, to RUN.clips.csv and RUN.frames.csv, or as Parquet.

    One row for each clip, or frame, and metric. Values per frame come from the states beside RUN.json. Parquet needs
    the extra frame, and carries the signatures of all scores.
    """
    from thgeval.engine.value_tables import write_values

    for name in names or NAMES:
        show(printable(str(write_values(result, name, form))))
