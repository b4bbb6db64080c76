"""``thgeval selftest``: known answers on this machine, and published ones of the networks that are here."""

from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import click

from thgeval.cli.showing import show

if TYPE_CHECKING:
    from thgeval.selftest.networks import RowOutcome

COLOURS = {
    "as published": "green",
    "not as published": "red",
    "fails": "red",
    "runs": "cyan",
    "not here": "bright_black",
}


@click.command("selftest")
@click.option("--networks", is_flag=True, help="Run every network that is here on its published example instead.")
@click.option(
    "--examples",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="With --networks: look for example files below this folder, too. `thgeval fetch examples` brings them.",
)
def command(networks: bool, examples: Path | None) -> int:
    """Compute known answers with every kernel and the decoder. Exits with 1 if one is wrong.

    With --networks, compare what each network that is here gives for an example with what its authors publish. Weights
    without a published hash are run, too. Nothing is fetched.
    """
    if examples is not None and not networks:
        raise click.UsageError("--examples goes with --networks")
    return _networks(examples) if networks else _kernels()


def _kernels() -> int:
    from thgeval.selftest import outcomes

    began = perf_counter()
    failed = 0
    for outcome in outcomes():
        failed += not outcome.passed
        mark = click.style("ok", fg="green") if outcome.passed else click.style("WRONG", fg="red")
        said = "" if outcome.passed else f": {outcome.found!r} instead of {outcome.check.expected!r}"
        show(f"{mark:<5} {outcome.check.name}{said}")
    show(f"{failed or 'no'} wrong answer{'' if failed == 1 else 's'}, {perf_counter() - began:.1f} s")
    return 1 if failed else 0


def _networks(examples: Path | None) -> int:
    from thgeval.selftest.networks import network_outcomes, rows

    found = []
    for outcome in network_outcomes(rows(), examples=examples):
        found.append(outcome)
        for line in _lines(outcome):
            show(line)
    counts = {verdict: sum(each.verdict == verdict for each in found) for verdict in COLOURS}
    show(", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count))
    return 1 if any(outcome.wrong for outcome in found) else 0


def _lines(outcome: "RowOutcome") -> list[str]:
    """The verdict on one network, then a line for each value, and where it is published."""
    from thgeval.requirements import programs, weights

    row = outcome.row
    said = {
        "as published": f", within {outcome.worst:.2g}" if outcome.worst == outcome.worst else "",
        "runs": f"; {row.note}",
    }.get(outcome.verdict, f": {outcome.why}" if outcome.why else "")
    mark = click.style(outcome.verdict, fg=COLOURS[outcome.verdict])
    lines = [f"{row.name}: {mark}{said}"]
    if outcome.verdict == "not here":
        return lines
    used = [f"{name} {weights.token(name)}" for name in row.weights] + [
        f"{name} {programs.token(name)}" for name in row.checkouts
    ]
    lines.append(f"    {'weights':<24} {', '.join(used)}")
    for name, value in outcome.found.items():
        known = row.values.get(name)
        beside = "" if known is None else f"   published {known}" + ("" if known.met(value) else "   <- differs")
        lines.append(f"    {name:<24} {value:.6g}{beside}")
    if row.source:
        lines.append(f"    {'source':<24} {row.source}" + (f"; {row.note}" if row.note else ""))
    return lines
