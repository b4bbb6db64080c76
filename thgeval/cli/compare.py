"""``thgeval compare``: paired significance tests between systems."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from thgeval.cli.arguments import FORMATS, RESULT

COLUMNS = (
    "metric",
    "system",
    "baseline",
    "score",
    "difference",
    "95 % interval",
    "p bootstrap",
    "p randomised",
    "p Holm",
    "",
    "group",
    "clips",
)


@click.command("compare")
@click.argument("results", nargs=-1, required=True, type=RESULT, metavar="BASELINE.json SYSTEM.json...")
@click.option("-f", "--format", "form", type=click.Choice(FORMATS), default="table", show_default=True)
@click.option("-w", "--width", "digits", type=click.IntRange(0, 15), default=4, show_default=True, help="Digits.")
@click.option("--draws", type=click.IntRange(100, 1_000_000), default=10_000, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=12345, show_default=True)
def command(results: tuple[Path, ...], form: str, digits: int, draws: int, seed: int) -> None:
    """Test whether systems differ from the first result, on the clips they share.

    Paired bootstrap and paired approximate randomisation over clips; Holm's correction over all tests of the call.
    Systems in one group do not differ significantly from the group's best.
    """
    from thgeval.cli.tables import as_csv, as_table, number
    from thgeval.comparison import compared
    from thgeval.statistics import Resampling

    found = compared(results, Resampling(draws, seed))
    for key, why in found.skipped.items():
        click.echo(f"thgeval: {key} is not compared: {why}", err=True)
    if form == "json":
        rows = [asdict(row) | {"significant": row.significant} for row in found.rows]
        click.echo(json.dumps({"baseline": found.baseline, "rows": rows, "groups": found.groups}, indent=1))
        return
    table = [
        [
            row.metric,
            row.system,
            number(row.baseline_score, digits),
            number(row.score, digits),
            f"{row.difference:+.{digits}f}",
            " .. ".join(number(bound, digits) for bound in row.interval),
            f"{row.bootstrap_p:.4f}",
            f"{row.randomisation_p:.4f}",
            f"{row.corrected_p:.4f}",
            {1: "better", -1: "worse", 0: "differs"}[row.better] if row.significant else "",
            str(found.groups.get(row.metric, {}).get(row.system, "")),
            str(row.clips),
        ]
        for row in found.rows
    ]
    click.echo(as_csv(COLUMNS, table) if form == "csv" else as_table(COLUMNS, table, form))
