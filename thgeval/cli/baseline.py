"""``thgeval baseline``: generators, controls and adapters over a task set."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from thgeval.cli.showing import say, show
from thgeval.errors import ProtocolError
from thgeval.printable import printable

if TYPE_CHECKING:
    from thgeval_baselines.catalogue import Places
    from thgeval_baselines.running.plan import Options
    from thgeval_baselines.running.record import Record
    from thgeval_baselines.running.runner import Outcome, Watcher
    from thgeval_baselines.systems import System
    from thgeval_baselines.tasks.items import Item, TaskSet

MIB = 1 << 20
SHOWN = 5
"""Failures and remarks that are said before the rest is counted."""
TASKSET = click.Path(exists=True, path_type=Path)


@click.group("baseline")
def command() -> None:
    """Generate: reference generators, controls, official repositories, or your own, over a task set.

    \b
    thgeval synth synth3d-v1 SET                       a task set with exact truth
    thgeval baseline list                              what there is
    thgeval baseline run SET -g ref-2d,ctl-blur3       videos, and the command that scores them
    """


def places(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say where adapters find what isn't ours."""
    for option in (
        click.option("--device", default="cpu", show_default=True, help="What adapters run on: cpu or cuda."),
        click.option("--python", "pythons", multiple=True, metavar="[NAME=]FILE", help="Its own interpreter."),
        click.option("--weights", multiple=True, metavar="[NAME=]DIR", help="Its weights, if not in the checkout."),
        click.option("--checkout", "checkouts", multiple=True, metavar="[NAME=]DIR", help="An adapter's repository."),
    ):
        function = option(function)
    return function


def generators(function: Callable[..., Any]) -> Callable[..., Any]:
    """The option that names generators."""
    return click.option(
        "-g",
        "--generators",
        "names",
        multiple=True,
        required=True,
        metavar="NAME,...",
        help="`thgeval baseline list` shows all; all, controls, FILE.py:Class, FILE.yaml, NAME=FOLDER of videos.",
    )(function)


def running(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of whatever runs."""
    for option in (
        click.option("-q", "--quiet", is_flag=True, help="No progress on stderr."),
        click.option("--fits", type=click.Path(file_okay=False, path_type=Path), help="Where fits are kept."),
        click.option("--disk", type=click.IntRange(1), default=4096, show_default=True, help="MiB for one item."),
        click.option("--memory", type=click.IntRange(64), help="MiB for all; by default 3/4 of what is free."),
        click.option("--timeout", type=click.FloatRange(1), help="Seconds for one item."),
        click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="Of each process."),
        click.option("--workers", type=click.IntRange(1), help="Processes at a time; by default every core."),
        click.option("--seed", type=click.IntRange(0), default=0, show_default=True),
        click.option("--limit", type=click.IntRange(1), help="Only the first N items."),
        click.option("--item", "ids", multiple=True, metavar="ID,...", help="Only these items."),
        click.option("--split", help="Only items of this split."),
        click.option("--setting", help="What generators may see; chosen by what each needs otherwise."),
    ):
        function = option(function)
    return function


@command.command("list")
@places
def listing(**where: Any) -> None:
    """List reference generators, controls, adapters and names of systems whose videos you can bring."""
    from thgeval_baselines.catalogue import listed

    for title, rows in listed(_places(where, [])).items():
        show(click.style(title, bold=True))
        for row in rows:
            show(printable(f"    {row.id:<22} {row.paradigm:<10} {row.says}"))
            for label, text in (("needs", row.needs), ("lacks", row.lacks)):
                if text:
                    show(printable(f"    {'':<22} {label:<10} {text}"))
        show("")


@command.command("doctor")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@places
def doctor(names: tuple[str, ...], **where: Any) -> int:
    """Say exactly what NAMEs need that isn't here. Exits with 1 if anything is missing; nothing is fetched or run."""
    from thgeval_baselines.catalogue import ALL, systems

    asked = [name for text in names or (ALL,) for name in text.split(",")]
    missing = 0
    for system in systems(asked, _places(where, asked)):
        problems = system.problems()
        missing += bool(problems)
        mark = click.style("ready", fg="green") if not problems else click.style("not ready", fg="red")
        show(printable(f"{system.id}: ") + mark)
        for line in (*problems, *(f"note: {note}" for note in system.notes())):
            show(printable(f"    {line}"))
    return 1 if missing else 0


@command.command("fit")
@click.argument("taskset", type=TASKSET)
@generators
@places
@running
def fit(taskset: Path, names: tuple[str, ...], **asked: Any) -> int:
    """Fit generators to the people of TASKSET, and keep what they learnt for `run`."""
    from thgeval_baselines.running.runner import fitted

    tasks, items, systems, options = _request(taskset, names, asked)
    failed = 0
    for system, folder, seconds, problem in fitted(tasks, systems, options=options, items=items):
        failed += bool(problem)
        say(f"{system}: {problem}") if problem else show(printable(f"{system}: {folder} ({seconds:.1f} s)"))
    return 1 if failed else 0


@command.command("run")
@click.argument("taskset", type=TASKSET)
@generators
@click.option("-o", "--out", type=click.Path(file_okay=False, path_type=Path), help="By default ID-runs.")
@click.option("--retry", is_flag=True, help="Try what failed or timed out again.")
@places
@running
def run_(taskset: Path, names: tuple[str, ...], out: Path | None, retry: bool, **asked: Any) -> int:
    """Make every item of TASKSET with every generator; the same command goes on where it stopped.

    Exits with 1 if an item failed. Failures are kept with the tail of their log and count as missing when scored.
    """
    from dataclasses import replace

    from thgeval_baselines.running.runner import run

    tasks, items, systems, options = _request(taskset, names, asked)
    place = out or Path(f"{tasks.id}-runs")
    with _watching(quiet=asked["quiet"]) as watcher:
        outcome = run(tasks, systems, place, options=replace(options, retry=retry), items=items, watcher=watcher)
    _tell(outcome)
    return 1 if outcome.count("failed") + outcome.count("timeout") else 0


@command.command("import")
@click.argument("kind")
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Root of a list's names.")
@click.option("--id", "id", help="Of the task set; OUT's name otherwise.")
@click.option("--limit", type=click.IntRange(1), help="Only the first N clips.")
def import_(kind: str, source: Path, out: Path, data: Path | None, id: str | None, limit: int | None) -> None:
    """Make a task set in OUT from SOURCE.

    \b
    KIND     folder      a folder of videos: the first frame is the portrait, the own sound is the speech
             wav2lip     a file list of Wav2Lip's evaluation: `AUDIO VIDEO` a line, below --data
             voxceleb    VoxCeleb's folders: ID/VIDEO/CLIP.mp4
             hdtf        HDTF's folder of clips: NAME.mp4, named after the person
    """
    from thgeval_baselines.tasks.importing import imported

    tasks, left_out = imported(kind, source, out, data=data, id=id, limit=limit)
    for reason in left_out[:SHOWN]:
        say(reason)
    if left_out[SHOWN:]:
        say(f"and {len(left_out) - SHOWN} more")
    show(printable(f"{out}: {len(tasks)} items, {len(left_out)} left out"))
    show(printable(f"next: thgeval baseline run {out} -g all"))


def _request(
    taskset: Path, names: Sequence[str], asked: dict[str, Any]
) -> "tuple[TaskSet, list[Item], list[System], Options]":
    from thgeval_baselines.catalogue import systems
    from thgeval_baselines.running.plan import Options
    from thgeval_baselines.tasks.files import read_taskset
    from thgeval_baselines.tasks.settings import setting

    tasks = read_taskset(taskset)
    wanted = [name for text in names for name in text.split(",") if name]
    found = systems(wanted, _places(asked, wanted))
    given: dict[str, Any] = {"seed": asked["seed"], "threads": asked["threads"], "disk_bytes": asked["disk"] * MIB}
    if asked["setting"] is not None:
        given["setting"] = setting(asked["setting"])
    for name, key in (("workers", "workers"), ("timeout", "timeout_s"), ("fits", "fits")):
        if asked[name] is not None:
            given[key] = asked[name]
    if asked["memory"] is not None:
        given["memory_bytes"] = asked["memory"] * MIB
    return tasks, _chosen(tasks, asked), found, Options(**given)


def _chosen(tasks: "TaskSet", asked: dict[str, Any]) -> "list[Item]":
    ids = [id for text in asked["ids"] for id in text.split(",") if id]
    items = [tasks[id] for id in ids] if ids else list(tasks)
    items = [item for item in items if asked["split"] in (None, item.split)]
    if not items:
        raise ProtocolError(f"{tasks.id} has no item of the split {asked['split']!r}")
    return items[: asked["limit"]]


def _places(asked: dict[str, Any], names: Sequence[str]) -> "Places":
    from thgeval_baselines.catalogue import Places

    def by_name(texts: Sequence[str], option: str) -> dict[str, str]:
        found = {}
        for text in texts:
            name, equals, value = text.partition("=")
            if not equals:
                if len(names) != 1:
                    raise ProtocolError(f"--{option} {text} could be anybody's; write --{option} NAME={text}")
                name, value = names[0], text
            found[name] = value
        return found

    return Places(
        checkouts={name: Path(text) for name, text in by_name(asked["checkouts"], "checkout").items()},
        weights={name: Path(text) for name, text in by_name(asked["weights"], "weights").items()},
        pythons=by_name(asked["pythons"], "python"),
        device=asked["device"],
    )


@contextmanager
def _watching(*, quiet: bool) -> "Iterator[Watcher]":
    """A line on stderr while items are made, if that is a terminal."""
    from thgeval_baselines.running.runner import Watcher

    if quiet or not sys.stderr.isatty():
        yield Watcher()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("items"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[said]}"))
    times = (TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, *times, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("items", total=None, said="")

        def ends(record: "Record", fresh: bool) -> None:
            bar.update(task, advance=1, said=f"{record.system['id']} {record.item} {record.status}")

        yield Watcher(begins=lambda jobs: bar.update(task, total=jobs), ends=ends)


def _tell(outcome: "Outcome") -> None:
    """What was made, what wasn't and why, what to know of it, and what to do next."""
    bad = [record for record in outcome.records if record.status in ("failed", "timeout")]
    for record in bad[:SHOWN]:
        say(f"{record.system['id']} {record.item}: {record.reason}: {record.message}")
    if bad[SHOWN:]:
        say(f"and {len(bad) - SHOWN} more; each run.json and log.txt has the whole story")
    unable = dict.fromkeys(
        f"{record.system['id']}: {record.message}" for record in outcome.records if record.status == "skipped"
    )
    for said in list(unable)[:SHOWN]:
        say(f"skipped {said}")
    if list(unable)[SHOWN:]:
        say(f"and {len(unable) - SHOWN} more reasons; summary.json has them")
    for said in dict.fromkeys(said for record in outcome.records for said in record.contamination):
        say(f"note: {said}")
    for id, folder in outcome.folders.items():
        records = [record for record in outcome.records if record.system["id"] == id]
        made = sum(record.done for record in records)
        show(printable(f"{folder}: {made} of {len(records)} made"))
    scored = [folder for folder in outcome.folders.values() if (folder / "pairs.txt").exists()]
    alone = [folder for folder in outcome.folders.values() if folder not in scored and (folder / "clips").is_dir()]
    for folder in scored:
        show(printable(f"next: thgeval score --list {folder / 'pairs.txt'} -m all -o {folder / 'result.json'}"))
    for folder in alone:
        show(printable(f"next: thgeval score {folder / 'clips'} -m all -o {folder / 'result.json'}"))
