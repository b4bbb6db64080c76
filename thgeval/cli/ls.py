"""``thgeval ls``: what there is."""

import json
import textwrap
from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from functools import partial
from typing import Any

import click

from thgeval.cli.showing import show
from thgeval.errors import ProtocolError
from thgeval.metrics import GROUPS

KINDS = ("metrics", "presets", "protocols", "datasets", "weights", "examples")
WIDTH, NAME, TITLE = 80, 21, 22
"""How wide the list of metrics is, and two of its columns."""

BY_LINE = ("parameters", "layouts", "sources", "list")
"""What is shown with every item on a line of its own."""
BRIEFLY = {"weights": ("state", "size", "weight_licence"), "examples": ("state", "size", "licence")}
"""By kind, what a list without names says of each; of other kinds what each ``is``."""


@click.command("ls")
@click.argument("kind", type=click.Choice(KINDS), default="metrics")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("-f", "--format", "form", type=click.Choice(("table", "json")), default="table", show_default=True)
@click.option("--all", "whole", is_flag=True, help="Also experimental protocols, which are never ranked.")
def command(kind: str, names: tuple[str, ...], form: str, *, whole: bool) -> None:
    """List metrics, presets, protocols, data sets, weight files or examples of networks.

    All of a kind come with a line or two each, metrics with what they lack on this machine; NAMES with all there is.

    \b
    thgeval ls                      metrics by family, and what is ready here
    thgeval ls metrics ssim lse-c   definition, range, parameters, presets, source
    thgeval ls protocols
    thgeval ls protocols hdtf-gagavatar19@1
    """
    if kind == "metrics" and not names and form == "table":
        show("\n".join(_overview()))
        return
    ways: dict[str, Callable[[], list[dict[str, Any]]]] = {
        "metrics": _metrics,
        "presets": _presets,
        "protocols": partial(_protocols, whole=whole),
        "datasets": _datasets,
        "weights": _weights,
        "examples": _examples,
    }
    rows = _chosen(ways[kind](), names, kind)
    if form == "json":
        show(json.dumps(rows, indent=1))
        return
    if not names:
        show("\n".join(_brief(rows, kind)))
        return
    indent = max(10, *map(len, rows[0]))
    for row in rows:
        show(click.style(row.pop("name"), bold=True))
        for label, value in row.items():
            if value and not isinstance(value, int):  # numbers are for JSON; people get them as text
                lines = value if label in BY_LINE else [", ".join(value) if isinstance(value, list) else value]
                for number, line in enumerate(lines):
                    show(f"    {'' if number else label.replace('_', ' '):<{indent}} {line}")
        show("")


def _chosen(rows: list[dict[str, Any]], names: Sequence[str], kind: str) -> list[dict[str, Any]]:
    """Rows of these names, in their order; of metrics by any name that they go by. All where none is given."""
    if not names:
        return rows
    if kind == "metrics":
        from thgeval.registry import metric_class

        names = [metric_class(name.partition("/")[0]).name for name in names]
    held = {row["name"]: row for row in rows}
    if unknown := [name for name in names if name not in held]:
        near = get_close_matches(unknown[0], held, n=1)
        raise ProtocolError(f"{unknown[0]} is none of the {kind}{f'; did you mean {near[0]}?' if near else ''}")
    return [held[name] for name in dict.fromkeys(names)]


def _brief(rows: Sequence[dict[str, Any]], kind: str) -> Iterator[str]:
    """Each name with the little that tells it from its neighbours below it, and how to be told more."""
    for row in rows:
        yield click.style(row["name"], bold=True)
        said = ", ".join(filter(None, (row[label] for label in BRIEFLY.get(kind, ("is",)))))
        yield from textwrap.wrap(said, WIDTH, initial_indent="    ", subsequent_indent="    ")
    yield f"\nthgeval ls {kind} NAME says all that is known of one."


def _overview() -> Iterator[str]:
    """A line a metric by family: key, direction and unit, title, and what brings what it lacks here."""
    from thgeval.about.families import FAMILIES, members

    found = members()
    for name, family in FAMILIES.items():
        yield click.style(family.title, bold=True)
        for cls in found[name]:
            yield _line(cls.name)
        yield ""
    yield from _plugged_in()
    said = (
        "thgeval ls metrics NAME says more of one, thgeval ls presets lists variants. What is ready as another form "
        f"lacks weights for its own. thgeval score -m takes names and {', '.join(GROUPS)}."
    )
    yield textwrap.fill(said, WIDTH)


def _line(name: str) -> str:
    from thgeval.about.availability import beside_clips, where_ready
    from thgeval.about.families import title
    from thgeval.registry import metric

    found = metric(name).metric
    form, lacks = where_ready(name)
    files = beside_clips(found)
    ready = f"ready with {files[0]}" if files else "ready"
    state = ready if form == name else f"as {form}" if form else lacks
    named = f"  {name:<{NAME - 1}} {found.better.arrow}"
    whole = f"{named} {title(name):<{TITLE}} {state}"
    return whole if len(whole) <= WIDTH else f"{named} {state}"


def _plugged_in() -> Iterator[str]:
    from thgeval.metrics import METRICS
    from thgeval.registry import table, unloadable

    broken = unloadable()
    if own := [name for name in table() if name not in METRICS]:
        yield click.style("Of installed packages", bold=True)
        yield from (f"  {name}: {broken[name]}" if name in broken else _line(name) for name in own)
        yield ""


def _metrics() -> list[dict[str, Any]]:
    from thgeval.about.docstrings import described
    from thgeval.registry import metric_class, table, unloadable

    broken = unloadable()
    whole = [described(metric_class(name)) for name in table() if name not in broken]
    return [*whole, *({"name": name, "is": f"not there: {said}"} for name, said in broken.items())]


def _presets() -> list[dict[str, str]]:
    from thgeval.about.comparability import comparable
    from thgeval.registry import metric_class, table, unloadable
    from thgeval.signature import text_of

    broken = unloadable()
    return [
        {
            "name": f"{name}/{preset}",
            "is": meaning.says,
            "fields": ", ".join(f"{field}={text_of(value)}" for field, value in meaning.fields.items()),
            "compare": comparable(name, preset) or "",
        }
        for name in table()
        if name not in broken
        for preset, meaning in metric_class(name).presets.items()
    ]


def _protocols(*, whole: bool) -> list[dict[str, Any]]:
    from thgeval.protocol import Protocol, protocols

    def about(label: str, protocol: Protocol) -> dict[str, Any]:
        said = protocol.benchmark
        listing = said.listing
        draw = said.draw
        return {
            "name": label,
            "is": protocol.says,
            "status": said.status if protocol.ranked else f"{said.status}, experimental",
            "fields": "|".join(protocol.tokens()),
            "dataset": said.dataset,
            "setting": said.setting if said.selects else "",
            "clips": ", ".join(protocol.clips or ()) or str(protocol.count or ""),
            "people": list(said.people),
            "list": [] if listing is None else [f"{listing.file}: {listing.where}", f"sha256 {listing.sha256 or '?'}"],
            "draw": "" if draw is None else f"{draw.clips} of {draw.of}, by sha256 behind {draw.salt!r}",
            "driver": said.driver,
            "cross": said.cross,
            "reported": list(said.reports),
            "not_scored": said.unscorable,
            "unverified": list(said.unverified),
            "sources": [f"{fact}: {source}" for fact, source in said.sources.items()],
        }

    return [about(label, found) for label, found in protocols().items() if whole or found.ranked]


def _datasets() -> list[dict[str, Any]]:
    from thgeval.protocols.datasets import datasets

    return [
        {
            "name": name,
            "is": f"{found.title}: {found.says}",
            "layouts": [layout.says for layout in found.layouts],
            "person": found.person,
            "clips": found.clips or 0,
            "people": found.people or 0,
            "split": found.split,
            "licence": found.licence,
            "home": found.home,
            "unverified": list(found.unverified),
            "sources": [f"{fact}: {source}" for fact, source in found.sources.items()],
        }
        for name, found in datasets().items()
    ]


def _weights() -> list[dict[str, Any]]:
    from thgeval.requirements.obtaining import index_package, size_text
    from thgeval.requirements.weights import is_computed, located, standing
    from thgeval_models.manifest import manifest

    rows: list[dict[str, Any]] = []
    for name, entry in manifest().items():
        file = located(entry)
        size = entry.bytes if file is None else file.stat().st_size
        rows.append(
            {
                "name": name,
                "state": standing(name),
                "tier": entry.tier,
                "file": "" if is_computed(entry) else str(file or entry.file),
                "bytes": size,
                "size": size_text(size) if size else "",
                "code_licence": entry.code_licence,
                "weight_licence": entry.weight_licence,
                "commercial_use": entry.commercial_use,
                "used_by": list(entry.used_by),
                "origin": entry.origin,
                "origin_note": entry.origin_note,
                "packaged": f"{index_package(entry)}: {entry.packaged.path}"
                if entry.packaged and index_package(entry)
                else "",
            }
        )
    return rows


def _examples() -> list[dict[str, Any]]:
    from thgeval.requirements.obtaining import index_package, size_text
    from thgeval.requirements.weights import located, standing
    from thgeval_models.manifest import examples

    return [
        {
            "name": name,
            "state": standing(name),
            "file": str(located(entry) or entry.file),
            "bytes": entry.bytes,
            "size": size_text(entry.bytes),
            "licence": entry.weight_licence,
            "origin": entry.origin,
            "packaged": f"{index_package(entry)}: {entry.packaged.path}" if entry.packaged else "",
        }
        for name, entry in examples().items()
    ]
