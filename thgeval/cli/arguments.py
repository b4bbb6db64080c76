"""What several commands read from the command line in the same way."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from thgeval.errors import ProtocolError
from thgeval.metrics import ENTRY_POINTS, GROUPS, METRICS, meant, unknown

FORMATS = ("table", "json", "csv", "latex", "markdown")


class AnyPlace(click.ParamType[Any]):
    """A path, or the address of a place elsewhere, such as ``s3://bucket/clips``; ``suffixed`` ones name a file."""

    name = "place"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Whichever of the two a text is."""
        from thgeval.remote.addresses import location

        return location(value)


ANY_PLACE = AnyPlace()
RESULT = click.Path(exists=True, dir_okay=False, path_type=Path)
OUTPUT = click.Path(dir_okay=False, path_type=Path)


class Grouped(click.Command):
    """A command whose help shows its options under headings: ``groups`` are names of parameters by heading."""

    def __init__(self, *args: Any, groups: Mapping[str, Sequence[str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.groups = groups

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, heading by heading; those of none come last."""
        records = {str(param.name): record for param in self.get_params(ctx) if (record := param.get_help_record(ctx))}
        for heading, names in self.groups.items():
            with formatter.section(heading):
                formatter.write_dl([records.pop(name) for name in names])
        with formatter.section("Other"):
            formatter.write_dl(list(records.values()))


def named_results(given: Iterable[str]) -> dict[str, Path]:
    """Result files by the names of their systems, as ``NAME=RUN.json`` gives them, or else by the files' names.

    ProtocolError if there is no such file, or two have one name.
    """
    named = [(name, Path(place)) for name, place in map(named_place, given)]
    if lost := [path for _, path in named if not path.exists()]:
        raise ProtocolError(f"the result file {lost[0]} can't be read: No such file or directory")
    from thgeval.comparison import names_of

    own = names_of([path for _, path in named])
    names = [name or found for (name, _), found in zip(named, own, strict=True)]
    if twice := [name for name in names if names.count(name) > 1]:
        raise ProtocolError(f"two results are called {twice[0]}; name one: {twice[0]}-2=RUN.json")
    return dict(zip(names, (path for _, path in named), strict=True))


def named_place(text: str) -> tuple[str, str]:
    """``ours=runs/a`` as a name and a place; what is there under such a name, or is an address, is meant itself."""
    name, sign, place = text.partition("=")
    if sign and place and "://" not in name and not Path(text).exists():
        return name, place
    return "", text


def check_names(requests: Iterable[str]) -> None:
    """ProtocolError for what no metric is called, before anything is imported that measures."""
    from importlib.metadata import entry_points

    for request in requests:
        name = request.partition(":")[0].partition("/")[0]
        if request.lower() in GROUPS or meant(name) is not None:
            continue
        plugged = {point.name for point in entry_points(group=ENTRY_POINTS)}
        if meant(name, plugged) is None:
            raise ProtocolError(unknown(name, [*METRICS, *plugged]))


def metric_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """What a shell offers behind ``-m``: names of metrics and of groups, after a comma too."""
    del ctx, param
    before, comma, name = incomplete.rpartition(",")
    return [f"{before}{comma}{each}" for each in (*METRICS, *GROUPS) if each.startswith(name.lower())]


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
    """Whether a text names a metric or several; ``--fps`` is an option, and a folder called ``faces`` a folder."""
    if argument.startswith("-"):
        return False
    name = argument.partition(",")[0].partition(":")[0].partition("/")[0]
    return meant(name) is not None or (name.lower() in GROUPS and not Path(argument).exists())


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
