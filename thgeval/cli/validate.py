"""``thgeval validate``: are these clips fit to be scored?"""

from pathlib import Path

import click

from thgeval.cli.showing import show


@click.command("validate")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("-f", "--format", "form", type=click.Choice(("table", "json")), default="table", show_default=True)
def command(path: Path, form: str) -> int:
    """Decode every clip of a folder (or one clip) and report what it holds and what is odd about it."""
    import json

    from thgeval.results.tables import as_table
    from thgeval.validation import validated

    rows = validated(path)
    if form == "json":
        show(json.dumps([row.to_dict() for row in rows], indent=1))
    else:
        columns = ("clip", "frames", "fps", "size", "codec", "colour", "audio", "problems")
        show(as_table(columns, [row.cells() for row in rows], "table"))
    return 1 if any(row.unusable for row in rows) else 0
