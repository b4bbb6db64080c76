"""``thgeval report``: a run as one HTML page."""

from pathlib import Path

import click

from thgeval.cli.arguments import OUTPUT, RESULT
from thgeval.cli.showing import show
from thgeval.printable import printable


@click.command("report", short_help="Show a run as one HTML page.")
@click.argument("result", type=RESULT, metavar="RUN.json")
@click.option(
    "-o", "--out", type=OUTPUT, metavar="PATH", help="Where the page goes [default: RUN.html beside RUN.json]."
)
@click.option(
    "--worst",
    type=click.IntRange(min=0),
    default=6,
    show_default=True,
    metavar="N",
    help="Frames to show per metric, at most two of one clip.",
)
@click.option(
    "--clips",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    multiple=True,
    metavar="DIR",
    help="A further folder whose clips may be opened for pictures; may be repeated.",
)
def command(result: Path, out: Path | None, worst: int, clips: tuple[Path, ...]) -> None:
    """Show a run as one self-contained HTML page: scores, coverage, distributions, curves, worst frames.

    Values per frame come from the states beside RUN.json; pictures from the clips, as long as they lie where the run
    found them, below the folder of RUN.json or one named with --clips. Nothing else is opened, whatever RUN.json says.
    """
    from thgeval.report import write

    show(printable(str(write(result, out, worst=worst, clips=clips))))
