"""``thgeval leaderboard``: entries, their checks, and the site."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from thgeval.cli.arguments import RESULT
from thgeval.cli.showing import say, show
from thgeval.errors import ProtocolError

if TYPE_CHECKING:
    from thgeval_leaderboard.entry import Entry

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
ENTRY = click.Path(exists=True, dir_okay=False, path_type=Path)
PARADIGMS = ("image", "audio", "video", "text", "2d", "3d", "parameter", "nerf", "diffusion", "anim3d", "none")
MARKS = ("verified", "corrected", "marked-unreliable", "withdrawn")


@click.group("leaderboard")
def command() -> None:
    """Keep a leaderboard: entries as text, checks that recompute them, a static site."""


@command.command("add")
@click.argument("result", type=RESULT, metavar="RUN.json")
@click.argument("entries", type=click.Path(file_okay=False, path_type=Path), metavar="ENTRIES")
@click.option("--method", "name", required=True, help="Name of the method.")
@click.option("--paradigm", required=True, type=click.Choice(PARADIGMS), help="How it makes a talking head.")
@click.option("--dataset", required=True, help="NAME@VERSION of the clips that were generated.")
@click.option("--setting", default="self-audio", show_default=True, help="What the method could see.")
@click.option("--role", default="system", show_default=True, help="system, reference-baseline, control, ground-truth.")
@click.option("--experimental", is_flag=True, help="The clip list is not published: shown, never ranked.")
@click.option("--paper", default="", help="Address of the paper.")
@click.option("--code", default="", help="Address of the code.")
@click.option("--licence", default="", help="Of code and weights.")
@click.option("--method-version", default="", help="Commit or release that was run.")
@click.option("--trained-on", multiple=True, help="A data set that its weights have seen; give all.")
@click.option("--says", default="", help="One sentence about it.")
@click.option("--id", "id", default=None, help="File name; made of method, data set and setting otherwise.")
@click.option("--date", default=None, help="Day of the submission, as 2026-11-28; today otherwise.")
def add(
    result: Path,
    entries: Path,
    name: str,
    paradigm: str,
    dataset: str,
    setting: str,
    role: str,
    experimental: bool,
    paper: str,
    code: str,
    licence: str,
    method_version: str,
    trained_on: tuple[str, ...],
    says: str,
    id: str | None,
    date: str | None,
) -> int:
    """Make an entry of RUN.json in the folder ENTRIES, and check it there."""
    from thgeval.results import Run
    from thgeval_leaderboard.entry import Board, Method, identified, of_run

    run = Run.read(result)
    status = "experimental" if experimental else "official"
    board = Board(dataset, run.protocol["name"], setting, status)
    method = Method(
        name=name,
        paradigm=paradigm,
        version=method_version,
        role=role,
        paper=paper,
        code=code,
        licence=licence,
        trained_on=trained_on,
        says=says,
    )
    entry = of_run(run, id=id or identified(method, board), method=method, board=board, date=date or _today())
    if (entries / f"{entry.id}.json").exists():
        raise ProtocolError(f"{entries} has an entry {entry.id}; correct that one, or give this one another --id")
    return _kept(entry, entries)


@command.command("mark")
@click.argument("path", type=ENTRY, metavar="ENTRY.json")
@click.argument("what", type=click.Choice(MARKS))
@click.option("--why", required=True, help="The reason, or for verified by whom.")
@click.option("--run", "result", type=RESULT, help="corrected: the run that takes the place of the old one.")
@click.option("--date", default=None, help="As 2026-11-28; today otherwise.")
def mark(path: Path, what: str, why: str, result: Path | None, date: str | None) -> int:
    """Add a line to the history of ENTRY.json; nothing is ever taken out of it."""
    from dataclasses import replace

    from thgeval.results import Run
    from thgeval_leaderboard.entry import Event, read

    if (what == "corrected") != (result is not None):
        raise ProtocolError("a correction needs --run with the corrected result, and nothing else takes one")
    entry = read(path).after(Event(date or _today(), what, why))
    if what == "verified":
        entry = replace(entry, verified="rerun")
    elif what == "marked-unreliable":
        entry = replace(entry, unreliable=why)
    elif result is not None:
        entry = replace(entry, run=Run.read(result))
    return _kept(entry, path.parent)


@command.command("check")
@click.argument("entries", type=FOLDER)
@click.option("--against", type=FOLDER, help="The entries as they were: what was taken back since is named.")
def check(entries: Path, against: Path | None) -> int:
    """Recompute every entry of the folder ENTRIES and hold each against the others; exit code 1 if any is refused."""
    from thgeval_leaderboard.check import checked, remarks

    kept, findings = checked(entries, against)
    for finding in findings:
        if finding.refused:
            say(f"refused: {finding}")
    for says, alike in remarks(findings).items():
        say(f"{alike}: {says}")
    refused = {finding.file for finding in findings if finding.refused}
    show(f"{len(kept)} {'entry stands' if len(kept) == 1 else 'entries stand'}, {len(refused)} refused")
    return 1 if refused else 0


@command.command("build")
@click.argument("entries", type=FOLDER)
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
@click.option("--against", type=FOLDER, help="The entries as they were, as for check.")
@click.option("--media", type=FOLDER, help="Holds a folder of clips or pictures for some entries, called by their ids.")
def build(entries: Path, out: Path, against: Path | None, media: Path | None) -> int:
    """Write the site of the entries in the folder ENTRIES to OUT, in one step; refused entries are named and left out.

    The site needs no server: open OUT/index.html. With --media, a method's page shows its worst clips: of clips those
    that were scored, by their hash, and of pictures any that is called as a clip (ID/CLIP.jpg). What is missing or
    broken is said there. The exit code is 1 if an entry was refused.
    """
    from thgeval_leaderboard.check import checked
    from thgeval_leaderboard.site.build import build as built
    from thgeval_leaderboard.site.filmstrips import folders

    kept, findings = checked(entries, against)
    refused = [finding for finding in findings if finding.refused]
    for finding in refused:
        say(f"refused: {finding}")
    shown = {} if media is None else folders(media)
    if unknown := sorted(shown.keys() - {entry.id for entry in kept}):
        say(f"no entry that stands is called as these folders of {media}: {', '.join(unknown)}")
    built(kept, out, shown)
    show(f"{out / 'index.html'}  {len(kept)} entries")
    return 1 if refused else 0


@command.command("serve")
@click.argument("site", type=FOLDER)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
def serve(site: Path, port: int) -> None:
    """Serve a built SITE to this machine alone, for a look at it; Ctrl-C ends it."""
    from functools import partial
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    with ThreadingHTTPServer(("127.0.0.1", port), partial(SimpleHTTPRequestHandler, directory=site)) as server:
        show(f"http://127.0.0.1:{server.server_port}/")
        server.serve_forever()


def _kept(entry: "Entry", folder: Path) -> int:
    """Check an entry, alone and beside those of the folder, and write it if it may stand; the exit code."""
    from thgeval_leaderboard.check import among, of_entry
    from thgeval_leaderboard.entry import read_all, read_bytes

    entry = read_bytes(entry.encoded(), file := f"{entry.id}.json")
    others = [each for each in read_all(folder)[0] if each.id != entry.id]
    beside = (finding for finding in among([*others, entry]) if finding.file == file)
    findings = [*of_entry(entry), *beside]
    for finding in findings:
        say(str(finding))
    if any(finding.refused for finding in findings):
        show("not written")
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    show(str(entry.write(folder)))
    return 0


def _today() -> str:
    from datetime import UTC, datetime

    return datetime.now(UTC).date().isoformat()
