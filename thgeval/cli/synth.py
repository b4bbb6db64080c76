"""``thgeval synth``: sets of synthetic clips whose truth is known, rendered here."""

import inspect
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from thgeval.cli.showing import show
from thgeval.errors import ProtocolError
from thgeval.printable import printable


@click.command("synth")
@click.argument("name", metavar="SET")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--seed", type=int, help="Other faces, other motion, other speech.")
@click.option("--people", type=click.IntRange(1), help="How many.")
@click.option("--clips", type=click.IntRange(1), help="How many.")
@click.option("--seconds", type=float, help="Length of each clip.")
@click.option("--size", type=int, help="Height and width in pixels.")
@click.option("--fps", type=int, help="Frames per second.")
@click.option(
    "--portrait", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Whose face: one, frontal."
)
def command(name: str, out: Path, **asked: Any) -> None:
    """Render SET into the folder OUT: a task set, references, and everything that is known about each frame.

    `thgeval synth list -` names the sets. What isn't asked for is as the set's own definition has it, so that two
    people who name the same set and ask for nothing have the same one.
    """
    from thgeval_baselines.sets import SETS

    if name == "list":
        show("\n".join(SETS))
        return
    if name not in SETS:
        raise ProtocolError(f"there is no set called {name!r}; there are {', '.join(SETS)}")
    module, _, function = SETS[name].partition(":")
    make = getattr(import_module(module), function)
    given = {option: value for option, value in asked.items() if value is not None}
    takes = inspect.signature(make).parameters
    if unknown := [option for option in given if option not in takes]:
        options = ", ".join(f"--{option}" for option in asked if option in takes)
        raise ProtocolError(f"{name} takes no --{unknown[0]}; it takes {options}")
    if "seconds" in given:
        given["seconds"] = float(given["seconds"])
    make(out, **given)
    show(printable(f"{out}: {name}"))
    if (out / "taskset.yaml").exists():
        show(printable(f"next: thgeval baseline run {out} -g all"))
