"""The site's plain files: data that machines read at stable addresses, and what its scripts load on demand."""

import csv
import io
import json
from collections.abc import Iterator
from importlib.resources import files

from thgeval.report.text import number
from thgeval.results import Run
from thgeval.results.score import to_json
from thgeval_leaderboard.board import TIERS, Table
from thgeval_leaderboard.entry import Entry
from thgeval_leaderboard.site.badges import badge
from thgeval_leaderboard.site.exports import bibtex, every_eval_ever, hub_results, hub_tasks, is_model
from thgeval_leaderboard.site.pages import Site

API = "api/v1"


def plain_files(site: Site) -> Iterator[tuple[str, bytes]]:
    """Every file that is no page: its address from the root of the site, and its bytes."""
    package = files("thgeval_leaderboard")
    report = files("thgeval.report").joinpath("style.css").read_bytes()
    yield "static/site.css", report + package.joinpath("site/static/board.css").read_bytes()
    for script in ("board.js", "compare.js", "survey.js"):
        yield f"static/{script}", package.joinpath("site/static", script).read_bytes()
    yield f"{API}/schema.json", package.joinpath("entry.schema.json").read_bytes()
    for name in ("document", "tables", "notes", "methods", "datasets"):
        yield f"{API}/survey/{name}.json", package.joinpath("survey/data", f"{name}.json").read_bytes()
    yield f"{API}/opinions.json", package.joinpath("opinions/data/thqa_ntire.json").read_bytes()
    yield f"{API}/index.json", _json(_index(site))
    for entry in site.entries:
        yield f"{API}/entries/{entry.id}.json", entry.encoded()
        yield f"{API}/entries/{entry.id}.bib", bibtex(entry).encode()
        if entry.run is not None:
            if is_model(entry):
                yield f"{API}/results/{entry.id}.yaml", hub_results(entry, entry.run).encode()
                yield f"{API}/every_eval_ever/{entry.id}.json", _json(every_eval_ever(entry, entry.run))
            yield f"data/entries/{entry.id}.js", _script("thgevalEntry", entry.id, _clips_of(site, entry, entry.run))
    for worst in site.worst.values():
        yield from ((item.address, item.strip.picture) for item in worst if item.address)
    for each in site.tables.values():
        yield f"boards/{each.board.id}.csv", _csv(each)
        yield f"{API}/boards/{each.board.id}.csv", _csv(each)
        yield f"{API}/boards/{each.board.id}.eval.yaml", hub_tasks(each).encode()
        for family, numbers in each.groups.items():
            columns = {str(at): _column(each, at) for at in numbers}
            yield f"data/{each.board.id}/{family}.js", _script("thgevalColumns", family, columns)
        if each.sums_of_places:
            yield f"data/{each.board.id}/ranks.js", _script("thgevalColumns", "ranks", {"ranks": _ranks(each)})
        for row in each.rows:
            for at in each.shown:
                cell, head = row.cells[at], each.heads[at]
                if cell.place is not None:
                    key = head.key.replace("/", ".")
                    yield (
                        f"badges/{row.entry.id}/{key}.svg",
                        badge(head.title, f"{cell.text} (place {cell.place.rank})"),
                    )


def _index(site: Site) -> dict[str, object]:
    return {
        "schema": "thgeval.index/1",
        "boards": [
            {
                "id": each.board.id,
                "dataset": each.board.dataset,
                "protocol": each.board.protocol,
                "setting": each.board.setting,
                "table": f"{API}/boards/{each.board.id}.csv",
                "entries": [row.entry.id for row in each.rows],
            }
            for each in site.tables.values()
        ],
        "entries": [{"id": entry.id, "json": f"{API}/entries/{entry.id}.json"} for entry in site.entries],
    }


def _json(data: object) -> bytes:
    """In one line: Python's encoder is several times as fast without indentation."""
    return (json.dumps(data, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _script(function: str, name: str, data: object) -> bytes:
    """A classic script that hands data over; ``<`` is escaped, so that it can stand wherever a script may."""
    said = ",".join(json.dumps(item, separators=(",", ":"), ensure_ascii=False) for item in (name, data))
    return f"{function}({said});\n".replace("<", "\\u003c").replace("\u2028", "\\u2028").encode()


def _column(each: Table, at: int) -> dict[str, object]:
    head = each.heads[at]
    cells = {
        row.entry.id: [row.cells[at].text, to_json(row.cells[at].value)] for row in each.rows if row.cells[at].text
    }
    return {
        "title": head.title,
        "arrow": head.arrow,
        "unit": head.unit,
        "better": head.better.value,
        "own": head.own,
        "tier": head.tier or TIERS[0],
        "cells": cells,
    }


def _ranks(each: Table) -> dict[str, object]:
    """The sums of places as one more column."""
    cells = {id: [f"{total:g}", total] for id, total in each.sums_of_places.items()}
    return {
        "title": "Sum of places",
        "arrow": "↓",
        "unit": "",
        "better": "lower",
        "own": None,
        "tier": "",
        "cells": cells,
    }


def _clips_of(site: Site, entry: Entry, run: Run) -> dict[str, object]:
    """What the compare page needs of one entry: what each clip adds to each score, and the reference's own marks."""
    heads = {head.key: head for head in site.tables[entry.board.id].heads}
    metrics: dict[str, object] = {}
    for key, score in run.scores.items():
        rows, marks = {}, {}
        for clip in run.clips:
            if (row := clip.contributions.get(key)) is not None and row[1] > 0:
                rows[clip.id] = row
            if (row := clip.reference_contributions.get(key)) is not None and row[1] > 0:
                marks[clip.id] = row[0] / row[1]
        metrics[key] = {
            "title": heads[key].title,
            "arrow": heads[key].arrow,
            "better": score.better.value,
            "part": score.protocol_part,
            "value": to_json(score.value),
            "rows": rows,
            "marks": marks,
        }
    return {"name": entry.method.name, "metrics": metrics}


def _csv(each: Table) -> bytes:
    """Every column of a board, with intervals and places: one line an entry."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    heads = []
    for head in each.heads:
        name = head.key + (f" ({head.apart})" if head.apart else "")
        heads += [name, f"{name} low", f"{name} high", f"{name} place"]
    writer.writerow(["id", "method", "paradigm", "role", "verified", "withdrawn", *heads])
    for row in each.rows:
        entry = row.entry
        cells: list[str] = []
        for cell, column in zip(row.cells, each.columns, strict=True):
            score = column.scores.get(entry.id)
            bounds = score.interval if score and score.interval else None
            cells.append("" if cell.value is None else repr(cell.value))
            cells += ["", ""] if bounds is None else [number(bound) for bound in bounds]
            cells.append("" if cell.place is None else str(cell.place.rank))
        named = (entry.id, entry.method.name, entry.method.paradigm, entry.method.role, entry.verified, entry.withdrawn)
        writer.writerow([*(_harmless(item) for item in named), *cells])
    return text.getvalue().encode()


def _harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in tuple("=+-@\t\r") else text
