"""``thgeval cite``: the papers behind metrics."""

import click

from thgeval.cli.arguments import metric_requests
from thgeval.cli.showing import show


@click.command("cite")
@click.argument("metrics", nargs=-1, required=True, metavar="METRIC...")
def command(metrics: tuple[str, ...]) -> None:
    """Print BibTeX for the definitions of metrics (or of `all`)."""
    from thgeval import registry
    from thgeval.about.bibliography import entry

    named = registry.metrics(metric_requests(metrics))
    keys = dict.fromkeys(key for item in named for key in item.metric.cites)
    show("\n\n".join(entry(key) for key in keys))
