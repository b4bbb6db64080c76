"""``thgeval plan``: what scoring many clips will cost, before it is begun."""

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from thgeval.cli.arguments import ANY_PLACE, metric_names, metric_requests
from thgeval.cli.showing import say_instead, show

if TYPE_CHECKING:
    from thgeval.engine.forecast import Forecast

GIGABYTE = 1e9


@click.command("plan")
@click.argument("pred_dir", type=ANY_PLACE)
@click.argument("gt_dir", type=ANY_PLACE, required=False)
@click.option("-m", "--metrics", multiple=True, metavar="NAME", shell_complete=metric_names, help="As for `score`.")
@click.option("--protocol", default="native", show_default=True, help="As for `score`.")
@click.option("--recursive", is_flag=True, help="Clips of subfolders too.")
@click.option("--machines", type=click.IntRange(1), default=1, show_default=True, help="How many share the clips.")
@click.option("--cores", type=click.IntRange(1), help="Of each machine [default: as many as this one has].")
@click.option("--clips", type=click.IntRange(1), help="As if there were so many clips like these.")
@click.option("--sample", type=click.IntRange(1), default=12, show_default=True, help="Clips that are measured now.")
@click.option(
    "--mtbf", type=float, default=1000.0, show_default=True, help="Hours until a machine goes down, on average."
)
def command(**given: Any) -> None:
    """Score a few of the clips, and say how long all of them take, and what else they cost.

    \b
    thgeval plan ours/ gt/ -m embedded
    thgeval plan ours/ gt/ -m all --machines 64 --cores 16 --clips 1000000
    """
    from thgeval.engine.execution import protocol_of
    from thgeval.engine.forecast import Fleet, forecast
    from thgeval.engine.workers import available
    from thgeval.metrics import DEFAULT
    from thgeval.pairing.benchmark import of_protocol
    from thgeval.pairing.elsewhere import at_hand
    from thgeval.pairing.naming import Naming

    naming = Naming(recursive=given["recursive"])
    fleet = Fleet(given["machines"], given["cores"] or available(), given["mtbf"])
    with ExitStack() as stack:
        sides = stack.enter_context(at_hand(given["pred_dir"], given["gt_dir"], recursive=naming.recursive))
        say_instead(sides.mirrors.addresses.items())
        chosen, pairing = of_protocol(sides.generated, sides.reference, protocol_of(given["protocol"]), naming)
        found = forecast(
            pairing.mirroring(sides.mirrors),
            metric_requests(given["metrics"]) or DEFAULT,
            chosen,
            fleet,
            clips=given["clips"],
            sample=given["sample"],
        )
    show(_text(found))


def _text(found: "Forecast") -> str:
    """A forecast as lines."""
    lines = [f"{found.clips} clips, of which {found.sampled} were measured: processor seconds a clip"]
    for stage, seconds in sorted(found.stages.items(), key=lambda item: -item[1]):
        share = seconds / found.cpu_seconds if found.cpu_seconds else 0.0
        lines.append(f"  {stage:<10} {seconds / found.clips:9.4f}  {share:4.0%}")
    machines = f"{found.machines} machine{'s' * (found.machines > 1)} of {found.cores} core{'s' * (found.cores > 1)}"
    known = f", and {found.failed_known} without a partner" if found.failed_known else ""
    of_states, of_results = found.state_bytes / GIGABYTE, found.result_bytes / GIGABYTE
    failures = f"{found.failed_expected:.3g} clips (19 of 20 times below {found.failed_95:.3g}){known}"
    lines += [
        f"  {'all':<10} {found.cpu_seconds / found.clips:9.4f}  {found.cpu_seconds / 3600:.3g} core hours in all",
        f"time       {found.hours:.3g} h on {machines}; 19 of 20 runs below {found.hours_95:.3g} h",
        f"storage    {of_states:.3g} GB of states, {of_results:.3g} GB of results",
        f"failures   {failures}; machines go down {found.machine_failures:.3g} times",
    ]
    return "\n".join(lines)
