"""``thgeval merge``: shards of one evaluation as one result."""

from typing import TYPE_CHECKING

import click

from thgeval.cli.arguments import ANY_PLACE
from thgeval.cli.showing import say, show

if TYPE_CHECKING:
    from thgeval.remote.addresses import Location


@click.command("merge")
@click.argument("results", nargs=-1, required=True, type=ANY_PLACE, metavar="RUN.json...")
@click.option("-o", "--out", type=ANY_PLACE, required=True, help="The merged result file.")
def command(results: "tuple[Location, ...]", out: "Location") -> None:
    """Merge results of different clips, scored in the same way, into one.

    Scores and intervals are those of a single run over all clips. The folders of states beside the results are read.
    All may lie elsewhere: s3://bucket/runs/*.json (in quotes, so that the shell leaves it alone).
    """
    from thgeval.engine.merging import merged
    from thgeval.remote.delivery import delivered, results_at_hand
    from thgeval.results import STATES, Run
    from thgeval.tables import run_text

    with results_at_hand(results, STATES) as paths, delivered([out]) as delivery:
        run = merged(paths, delivery.paths[0])
        run.write(delivery.paths[0])
        copied = any(score.controls for path in paths for score in Run.read(path).scores.values())
    if copied:
        say("what copies of the references scored is left out; thgeval score --controls over all clips scores them")
    show(run_text(run, form="table", digits=4))
