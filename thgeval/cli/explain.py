"""``thgeval explain``: what a signature, a metric or a preset is."""

import re
import shutil
import textwrap

import click

from thgeval.cli.arguments import check_names, metric_names
from thgeval.cli.showing import show
from thgeval.errors import ProtocolError
from thgeval.printable import printable

SHORT_FORM = re.compile(r"[0-9a-f]{8}")


@click.command("explain")
@click.argument("texts", nargs=-1, required=True, metavar="TEXT...", shell_complete=metric_names)
def command(texts: tuple[str, ...]) -> None:
    """Explain signatures, metrics and presets.

    Of a signature: the command that makes such a score, and what differs on this machine. Of a metric or preset:
    definition, where it departs from its source, parameters, presets side by side, and why it is not scored here.

    \b
    thgeval explain lse-c
    thgeval explain 'psnr@1|region:frame|...||n:8/8|...'
    """
    if short := next(filter(SHORT_FORM.fullmatch, texts), None):
        raise ProtocolError(f"{short} is the short form of a signature; the result file has it whole")
    check_names(text for text in texts if "@" not in text)
    from thgeval.about.explanation import explained

    width = max(60, shutil.get_terminal_size().columns)
    for text in texts:
        lines = [textwrap.fill(printable(line), width, subsequent_indent=" " * 10) for line in explained(text)]
        show("\n".join([*lines, ""]))
