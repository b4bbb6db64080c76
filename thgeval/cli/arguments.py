"""What several commands read from the command line in the same way."""

from pathlib import Path

import click

from thgeval.metrics import meant

FORMATS = ("table", "json", "csv", "latex", "markdown")

RESULT = click.Path(exists=True, dir_okay=False, path_type=Path)
OUTPUT = click.Path(dir_okay=False, path_type=Path)


def gathered(arguments: list[str]) -> list[str]:
    """Allow ``-m psnr ssim PRED GT``: every metric name after ``-m`` gets a ``-m`` of its own."""
    result: list[str] = []
    listing = False
    for position, argument in enumerate(arguments):
        if argument == "--":
            return result + arguments[position:]
        if argument in ("-m", "--metrics"):
            listing = True
        elif listing and (result[-1] in ("-m", "--metrics") or _names_metric(argument)):
            result += [] if result[-1] in ("-m", "--metrics") else ["-m"]
        else:
            listing = False
        result.append(argument)
    return result


def _names_metric(argument: str) -> bool:
    """Whether a text names a metric; ``--fps`` is an option, however names of metrics are spelled."""
    if argument.startswith("-"):
        return False
    name = argument.partition(",")[0].partition(":")[0].partition("/")[0]
    return meant(name) is not None or name.lower() == "all"


def metric_requests(texts: tuple[str, ...]) -> list[str]:
    """``("psnr,ssim:window=7,sigma=2", "cpbd")`` as single requests: ``sigma=2`` belongs to the one before it."""
    requests: list[str] = []
    for text in texts:
        for piece in filter(None, (part.strip() for part in text.replace(" ", ",").split(","))):
            if "=" in piece and ":" not in piece and requests:
                requests[-1] += "," + piece
            else:
                requests.append(piece)
    return requests
