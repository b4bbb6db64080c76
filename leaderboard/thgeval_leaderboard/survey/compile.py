"""Facts of the survey's tables, made small: ``python -m thgeval_leaderboard.survey.compile FOLDER``.

FOLDER holds the extraction: ``results.json``, ``audit.json``, ``methods.json``, ``datasets.json`` and
``manifest.json``. Values, names and notes are kept; what the survey says in its own words is not.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

CELL = ("raw", "value", "std", "status", "flags", "notes", "suggested")
METHOD = ("table", "paradigm", "method", "ref", "arch", "dataset", "n_shot", "flags")
DATASET = ("dataset", "ref", "year", "hours", "speakers", "sentences", "env", "view", "fps", "resolution", "flags")
NOTE = ("id", "table", "where", "kind", "evidence", "confidence", "severity", "verification")


def compiled(folder: Path) -> dict[str, Any]:
    """What is kept, by the name of its file."""
    manifest, results, audit, methods, datasets = (
        json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("manifest", "results", "audit", "methods", "datasets")
    )
    return {
        "document": {name: manifest["document"][name] for name in ("title", "authors", "date", "text_sha256")},
        "tables": [_table([cell for cell in results if cell["table"] == at]) for at in range(14, 40)],
        "notes": [_note(note) for note in audit],
        "methods": [{name: row[name] for name in METHOD} for row in methods],
        "datasets": [{name: row[name] for name in DATASET} for row in datasets],
    }


def _table(cells: Sequence[dict[str, Any]]) -> dict[str, Any]:
    first = cells[0]
    rows: dict[int, list[dict[str, Any]]] = {}
    for cell in cells:
        rows.setdefault(cell["row"], []).append(cell)
    return {
        **{name: first[name] for name in ("table", "section", "kind", "caption")},
        "columns": [[cell["metric"], cell["metric_id"], cell["arrow"]] for cell in rows[first["row"]]],
        "rows": [
            {
                **{
                    name: row[0][name]
                    for name in ("dataset", "dataset_id", "method", "method_ref", "method_id", "line")
                },
                "cells": [{name: cell[name] for name in CELL if cell.get(name) not in (None, [], {})} for cell in row],
            }
            for row in rows.values()
        ],
    }


def _note(note: dict[str, Any]) -> dict[str, Any]:
    table = note["table"]
    sources = [[at["title"], at["url"]] for at in note.get("sources", ()) if (at.get("url") or "").startswith("https")]
    kept = {name: note[name] for name in NOTE}
    return kept | {"table": table if isinstance(table, list) else [table] if table else [], "sources": sources}


def main(folder: Path, out: Path) -> None:
    """Write every file, one line a record, so that a change shows as a change of a line."""
    for name, data in compiled(folder).items():
        rows = data if isinstance(data, list) else [data]
        lines = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
        (out / f"{name}.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(__file__).with_name("data"))
