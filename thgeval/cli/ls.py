"""``thgeval ls``: what there is."""

import json

import click

KINDS = ("metrics", "presets", "protocols")


@click.command("ls")
@click.argument("kind", type=click.Choice(KINDS))
@click.option("-f", "--format", "form", type=click.Choice(("table", "json")), default="table", show_default=True)
def command(kind: str, form: str) -> None:
    """List metrics, presets or protocols, with what they mean."""
    rows = {"metrics": _metrics, "presets": _presets, "protocols": _protocols}[kind]()
    if form == "json":
        click.echo(json.dumps(rows, indent=1))
        return
    for row in rows:
        click.echo(click.style(row.pop("name"), bold=True))
        for label, text in row.items():
            if text:
                click.echo(f"    {label:<10} {text}")
        click.echo()


def _metrics() -> list[dict[str, str]]:
    from thgeval.description import described
    from thgeval.registry import metric_class, table

    return [described(metric_class(name)) for name in table()]


def _presets() -> list[dict[str, str]]:
    from thgeval.registry import metric_class, table
    from thgeval.signature import text_of

    return [
        {
            "name": f"{name}/{preset}",
            "is": meaning.says,
            "fields": ", ".join(f"{field}={text_of(value)}" for field, value in meaning.fields.items()),
        }
        for name in table()
        for preset, meaning in metric_class(name).presets.items()
    ]


def _protocols() -> list[dict[str, str]]:
    from thgeval.protocol import protocols

    return [
        {
            "name": label,
            "is": protocol.says,
            "fields": "|".join(protocol.tokens()),
            "clips": ", ".join(protocol.clips or ()),
        }
        for label, protocol in protocols().items()
    ]
