"""Several systems in one call of ``thgeval score``: scored one after the other, and put side by side in one table."""

import re
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from thgeval.cli.score import FORM_OF, RESULT_SUFFIX, measured_run, paired_clips, verdict, write_results
from thgeval.cli.showing import say, show
from thgeval.errors import ProtocolError
from thgeval.protocol import Protocol

FORMS = {"table": "text", "markdown": "markdown", "latex": "latex", "csv": "csv"}
"""The forms of ``thgeval score`` as tables of systems have them."""


def score_systems(systems: Mapping[str, Any], given: dict[str, Any], requests: list[str], chosen: Protocol) -> int:
    """Score folders by the names of their systems and show one table; the exit code is the worst of theirs.

    Where nothing of a system can be scored, the others are not tried: what helps it will help them.
    """
    folder, tables = _outputs(given["outputs"])
    form = FORMS.get(given["form"])
    if form is None or given["score_only"]:
        raise click.UsageError("several systems come out as a table; -o RUNS/ keeps the result file of each")
    for asked in ("per_clip", "per_frame"):
        if given[asked] and folder is None:
            option = f"--{asked.replace('_', '-')}"
            raise click.UsageError(f"{option} writes beside the result files: name their folder with -o RUNS/")
    from thgeval.files import write_atomically
    from thgeval.seen import Seen
    from thgeval.statistics import Resampling
    from thgeval.tables import systems_table, table_text

    places = {name: None if folder is None else folder / file for name, file in _file_names(systems).items()}
    given["seen"], worst = Seen(), 0
    runs: dict[str, Any] = {}
    for name, place in systems.items():
        given["pred_dir"] = place
        with ExitStack() as stack:
            prepared, pairing = paired_clips(given, chosen, stack)
            run = runs[name] = measured_run(given, requests, prepared, pairing, places[name])
        write_results(run, places[name], {}, given)
        if run.failures or any(clip.failed or clip.notes for clip in run.clips):
            say(f"of {name}:")
        worst = max(worst, verdict(run, requests, allow_missing=given["allow_missing"]))
        if all(score.value is None for score in run.scores.values()):
            if left := [other for other in systems if other not in runs]:
                say(f"not tried after that: {', '.join(left)}")
            return worst or 1
    table = systems_table(runs, resampling=Resampling(draws=10_000))
    for path, kind in tables.items():
        text = table_text(table, FORMS[kind], digits=given["digits"], signatures=kind == "latex")
        write_atomically(path, f"{text}\n".encode())
    show(table_text(table, form, digits=given["digits"], signatures=given["signatures"]))
    return worst


def _outputs(paths: tuple[Any, ...]) -> tuple[Path | None, dict[Path, str]]:
    """The folder of the result files, and the form of each table; ProtocolError for what is neither."""
    from thgeval.files import replaceable

    if elsewhere := [place for place in paths if not isinstance(place, Path)]:
        raise ProtocolError(f"what several systems give is written on this machine, not to {elsewhere[0]}")
    tables = {path: FORM_OF[path.suffix.lower()] for path in paths if path.suffix.lower() in FORM_OF}
    for path in tables:
        replaceable(path)
    folders = [path for path in paths if path not in tables]
    if wrong := [path for path in folders if path.suffix.lower() == RESULT_SUFFIX or path.is_file()]:
        raise ProtocolError(f"several systems have a result file each: name a folder, -o RUNS/, not {wrong[0]}")
    if len(folders) > 1:
        raise ProtocolError(f"result files lie in one folder, not in {len(folders)}")
    return next(iter(folders), None), tables


def _file_names(systems: Mapping[str, Any]) -> dict[str, str]:
    """The name of each system's result file: readable, and no path whatever the system is called.

    ProtocolError if two would have one.
    """
    names = {name: re.sub(r"[^\w.() -]+", "_", name).strip(". ") or "system" for name in systems}
    if twice := [name for name, file in names.items() if list(names.values()).count(file) > 1]:
        raise ProtocolError(
            f"the results of {' and '.join(twice)} would have one name; call one otherwise, NAME=FOLDER"
        )
    return {name: f"{file}{RESULT_SUFFIX}" for name, file in names.items()}
