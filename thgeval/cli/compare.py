"""``thgeval compare``: paired significance tests between systems."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from thgeval.cli.arguments import FORMATS, RESULT

if TYPE_CHECKING:
    from thgeval.comparison import Comparison

COLUMNS = (
    "metric",
    "",
    "system",
    "baseline",
    "score",
    "difference",
    "95 % interval",
    "p",
    "p Holm",
    "verdict",
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

    Paired randomisation over clips, exact for few of them, and the jackknife for metrics of sets; Holm's correction
    over all pairs of systems under all metrics. Systems in one group do not differ significantly from the group's best.
    """
    from thgeval.cli.tables import as_csv, as_table
    from thgeval.comparison import compared
    from thgeval.statistics import Resampling

    found = compared(results, Resampling(draws, seed))
    for key, why in found.skipped.items():
        click.echo(f"thgeval: {key} is not compared: {why}", err=True)
    for note in (*found.notes, *_explained(found)):
        click.echo(f"thgeval: {note}", err=True)
    if form == "json":
        rows = [asdict(row) | {"significant": row.significant, "verdict": row.verdict} for row in found.rows]
        said = {"baseline": found.baseline, "tests": found.tests, "rows": rows, "groups": found.groups}
        click.echo(json.dumps(said | {"skipped": found.skipped, "notes": found.notes}, indent=1))
        return
    table = _table(found, digits)
    click.echo(as_csv(COLUMNS, table) if form == "csv" else as_table(COLUMNS, table, form))


def _table(found: "Comparison", digits: int) -> list[list[str]]:
    from thgeval.cli.tables import score_text
    from thgeval.metric import Better

    return [
        [
            row.metric,
            Better(row.direction).arrow,
            row.system,
            score_text(row.baseline_score, digits),
            score_text(row.score, digits),
            f"{row.difference:+.{digits}f}",
            "" if row.interval is None else " .. ".join(score_text(bound, digits) for bound in row.interval),
            _p(row.p),
            _p(row.corrected_p),
            row.verdict,
            str(found.groups.get(row.metric, {}).get(row.system, "")),
            str(row.clips) if row.clips == row.of_clips else f"{row.clips}/{row.of_clips}",
        ]
        for row in found.rows
    ]


def _p(value: float) -> str:
    return f"{value:.4f}" if value >= 1e-4 else "<0.0001"


def _explained(found: "Comparison") -> list[str]:
    """What is compared where it isn't the score."""
    said = {"distance to reference": "from the reference's own value", "distance to zero": "from zero"}
    return [
        f"difference and interval are of the mean distance of clips {where}: {', '.join(keys)}"
        for compares, where in said.items()
        if (keys := list(dict.fromkeys(row.metric for row in found.rows if row.compares == compares)))
    ]
