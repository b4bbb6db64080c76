"""``thgeval ls``: what there is."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import click

from thgeval.cli.showing import show

KINDS = ("metrics", "presets", "protocols", "datasets", "weights", "examples")

BY_LINE = ("parameters", "layouts", "sources", "list")
"""What is shown with every item on a line of its own."""


@click.command("ls")
@click.argument("kind", type=click.Choice(KINDS))
@click.option("-f", "--format", "form", type=click.Choice(("table", "json")), default="table", show_default=True)
@click.option("--all", "whole", is_flag=True, help="Also experimental protocols, which are never ranked.")
def command(kind: str, form: str, *, whole: bool) -> None:
    """List metrics, presets, protocols, data sets, weight files or examples of networks, with what they mean."""
    ways: dict[str, Callable[[], list[dict[str, Any]]]] = {
        "metrics": _metrics,
        "presets": _presets,
        "protocols": partial(_protocols, whole=whole),
        "datasets": _datasets,
        "weights": _weights,
        "examples": _examples,
    }
    rows = ways[kind]()
    if form == "json":
        show(json.dumps(rows, indent=1))
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


def _metrics() -> list[dict[str, Any]]:
    from thgeval.docstrings import described
    from thgeval.registry import metric_class, table, unloadable

    broken = unloadable()
    whole = [described(metric_class(name)) for name in table() if name not in broken]
    return [*whole, *({"name": name, "is": f"not there: {said}"} for name, said in broken.items())]


def _presets() -> list[dict[str, str]]:
    from thgeval.registry import metric_class, table, unloadable
    from thgeval.signature import text_of

    broken = unloadable()
    return [
        {
            "name": f"{name}/{preset}",
            "is": meaning.says,
            "fields": ", ".join(f"{field}={text_of(value)}" for field, value in meaning.fields.items()),
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
