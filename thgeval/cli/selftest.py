"""``thgeval selftest``: known answers on this machine."""

from time import perf_counter

import click


@click.command("selftest")
def command() -> int:
    """Compute known answers with every kernel and the decoder. Exits with 1 if one is wrong."""
    from thgeval.selftest import outcomes

    began = perf_counter()
    failed = 0
    for outcome in outcomes():
        failed += not outcome.passed
        mark = click.style("ok", fg="green") if outcome.passed else click.style("WRONG", fg="red")
        said = "" if outcome.passed else f": {outcome.found!r} instead of {outcome.check.expected!r}"
        click.echo(f"{mark:<5} {outcome.check.name}{said}")
    click.echo(f"{failed or 'no'} wrong answer{'' if failed == 1 else 's'}, {perf_counter() - began:.1f} s")
    return 1 if failed else 0
