"""``thgeval merge``: shards of one evaluation as one result."""

from pathlib import Path

import click

from thgeval.cli.arguments import OUTPUT, RESULT
from thgeval.cli.showing import say, show


@click.command("merge", short_help="Merge results of different clips.")
@click.argument("results", nargs=-1, required=True, type=RESULT, metavar="RUN.json...")
@click.option("-o", "--out", type=OUTPUT, required=True, help="The merged result file.")
def command(results: tuple[Path, ...], out: Path) -> None:
    """Merge results of different clips, scored in the same way, into one.

    Scores and intervals are those of a single run over all clips. The folders of states beside the results are read.
    """
    from thgeval.engine.merging import merged
    from thgeval.results import Run
    from thgeval.tables import run_text

    run = merged(results, out)
    run.write(out)
    if any(score.controls for path in results for score in Run.read(path).scores.values()):
        say("what copies of the references scored is left out; thgeval score --controls over all clips scores them")
    show(run_text(run, form="table", digits=4))
