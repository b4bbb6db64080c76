"""``thgeval explain``: what a signature, a metric or a preset is."""

import shutil
import textwrap

import click

from thgeval.cli.arguments import metric_names
from thgeval.cli.showing import show
from thgeval.printable import printable


@click.command("explain", short_help="Say what a signature, metric or preset is.")
@click.argument("texts", nargs=-1, required=True, metavar="TEXT...", shell_complete=metric_names)
def command(texts: tuple[str, ...]) -> None:
    """Explain signatures, metrics and presets.

    Of a signature: the command that makes such a score, and what differs on this machine. Of a metric or preset:
    definition, where it departs from its source, parameters, presets side by side, and why it is not scored here.

    \b
    thgeval explain lse-c
    thgeval explain 'psnr@1|region:frame|...||n:8/8|...'
    """
    from thgeval.explanation import explained

    width = max(60, shutil.get_terminal_size().columns)
    for text in texts:
        lines = [textwrap.fill(printable(line), width, subsequent_indent=" " * 10) for line in explained(text)]
        show("\n".join([*lines, ""]))
