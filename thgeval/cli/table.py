"""``thgeval table``: systems beside each other, as a paper's table has them."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from thgeval.cli.arguments import OUTPUT, check_names, metric_names, metric_requests, named_results
from thgeval.cli.showing import say, show

if TYPE_CHECKING:
    from thgeval.results import Run

TABLE_FORMS = ("text", "markdown", "latex", "csv", "html")
INTERVALS = ("none", "range", "half-width")


@click.command("table")
@click.argument("results", nargs=-1, required=True, metavar="[NAME=]RUN.json...")
@click.option(
    "--control",
    "controls",
    multiple=True,
    metavar="[NAME=]RUN.json|COPY",
    help="Below the systems; never best. A COPY, such as still, is what `thgeval score --controls` scored.",
)
@click.option(
    "-m",
    "--metrics",
    multiple=True,
    metavar="NAME",
    shell_complete=metric_names,
    help="These columns, in this order [default: all].",
)
@click.option("-f", "--format", "form", type=click.Choice(TABLE_FORMS), default="text", show_default=True)
@click.option("-w", "--width", "digits", type=click.IntRange(0, 15), default=3, show_default=True, help="Digits.")
@click.option("--intervals", type=click.Choice(INTERVALS), default="none", show_default=True, help="Beside each score.")
@click.option(
    "--signatures/--no-signatures", default=None, help="How columns were made [default: in latex, html, csv]."
)
@click.option("--tests/--no-tests", default=True, show_default=True, help="Mark what can't be told from the best.")
@click.option("--draws", type=click.IntRange(100, 1_000_000), default=10_000, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=12345, show_default=True)
@click.option("-o", "--out", type=OUTPUT, help="Write the table there instead of printing it.")
def command(
    results: tuple[str, ...],
    controls: tuple[str, ...],
    metrics: tuple[str, ...],
    form: str,
    digits: int,
    intervals: str,
    signatures: bool | None,
    tests: bool,
    draws: int,
    seed: int,
    out: Path | None,
) -> None:
    """One row a system, one column a metric: the best bold, the second underlined, signatures below.

    Scores made in different ways get columns of their own. Systems that paired tests over their shared clips can't tell
    from the best are marked; every two are tested as `thgeval compare` does.

    \b
    thgeval table ours.json wav2lip.json sadtalker.json
    thgeval table Ours=ours.json Wav2Lip=w2l.json --control Still=still.json -f latex -o table.tex
    """
    requests = metric_requests(metrics)
    check_names(requests)
    systems = named_results(results)
    from thgeval.controls import CONTROLS
    from thgeval.files import write_atomically
    from thgeval.registry import metric
    from thgeval.statistics import Resampling
    from thgeval.tables import systems_table, table_text

    keys = [metric(request).key for request in requests]
    sampling = Resampling(draws, seed) if tests else None
    copies = [text for text in controls if text in CONTROLS and not Path(text).is_file()]
    others = named_results(text for text in controls if text not in copies)
    table = systems_table(_read(systems), _read(others), keys=keys, copies=copies, resampling=sampling)
    signed = form == "latex" if signatures is None else signatures
    text = table_text(table, form, digits=digits, intervals=intervals, signatures=signed)
    if out is None:
        show(text)
        return
    write_atomically(out, f"{text}\n".encode())
    say(f"{len(table.rows)} rows in {out}")


def _read(named: Mapping[str, Path]) -> "dict[str, Run]":
    """Results by the names of their systems."""
    from thgeval.results import Run

    return {name: Run.read(path) for name, path in named.items()}
