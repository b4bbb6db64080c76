"""``thgeval report``: a run, or several systems, as one HTML page."""

from pathlib import Path

import click

from thgeval.cli.arguments import OUTPUT, named_results
from thgeval.cli.showing import show
from thgeval.printable import printable


@click.command("report")
@click.argument("results", nargs=-1, required=True, metavar="[NAME=]RUN.json...")
@click.option(
    "-o", "--out", type=OUTPUT, metavar="PATH", help="Where the page goes [default: RUN.html beside RUN.json]."
)
@click.option(
    "--worst",
    type=click.IntRange(min=0),
    default=6,
    show_default=True,
    metavar="N",
    help="Moments to show in pictures, at most two of one clip while others have any.",
)
@click.option(
    "--clips",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    multiple=True,
    metavar="DIR",
    help="A further folder whose clips may be opened for pictures; may be repeated.",
)
def command(results: tuple[str, ...], out: Path | None, worst: int, clips: tuple[Path, ...]) -> None:
    """Show a run as one self-contained HTML page: scores, coverage, distributions, curves, the worst moments.

    Several are put side by side, each compared with the first on the clips that both have. Values per frame come from
    the states beside RUN.json; pictures from the clips, as long as they lie where the run found them, below the folder
    of RUN.json or one named with --clips. Nothing else is opened, whatever RUN.json says.

    \b
    thgeval report ours.json
    thgeval report Wav2Lip=w2l.json Ours=ours.json -o both.html
    """
    named = named_results(results)
    from thgeval.report import write, write_systems

    if len(named) == 1:
        (path,) = named.values()
        show(printable(str(write(path, out, worst=worst, clips=clips))))
        return
    show(printable(str(write_systems(named, out, worst=worst, clips=clips))))
