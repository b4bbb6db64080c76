"""First results: generators and controls over short clips of both synthetic sets, scored by all that needs no network.

    python -m thgeval_baselines.first_results WORK ENTRIES [--pictures FOLDER] [--set NAME] [-g NAME,...]

``WORK`` holds the sets, the videos and the result files and can be deleted; the same command goes on where it stopped.
Each process holds up to 4 GiB of what it saw in references.
``ENTRIES`` gets one leaderboard entry a system, ``FOLDER`` a contact sheet of each set.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import click

from thgeval.engine.execution import execute, protocol_of
from thgeval.engine.options import Options
from thgeval.engine.workers import available
from thgeval.pairing import listed
from thgeval.results import Run
from thgeval.seen import Seen
from thgeval_baselines.catalogue import ALL, CONTROLS, systems
from thgeval_baselines.contact import sheet
from thgeval_baselines.running.plan import Options as Making
from thgeval_baselines.running.runner import run as made_all
from thgeval_baselines.sets.short import SUBSETS, Subset
from thgeval_baselines.systems import System
from thgeval_baselines.tasks.files import HEAD, read_taskset
from thgeval_leaderboard.entry import Board, Entry, Event, Method, identified, of_run, read

TRUTH = "ctl-gt"
OF_CONTROLS = 6
"""How many of a set's items controls are made of: the first."""
LICENCE = "MIT"
PROTOCOL, UNTIMED = "thg256", "thg256-shorter"
"""How clips are prepared; those of generators that speak themselves end when they end."""
TEXT = "text"
BESIDE_TEXT = (TRUTH, "ctl-still")
"""Controls that are scored as generators under ``text`` are, so that these have something beside them."""


@dataclass(frozen=True)
class Scored:
    """One system's videos of a set, the setting of the board that they stand on, and where the result goes."""

    subset: Subset
    system: System
    clips: Path
    setting: str
    result: Path

    @property
    def protocol(self) -> str:
        """How its clips are prepared."""
        return UNTIMED if self.setting == TEXT else PROTOCOL

    @property
    def failures(self) -> list[str]:
        """Why items were not made, a sentence for each reason with how many there are."""
        said = json.loads((self.clips / "summary.json").read_text(encoding="utf-8"))["failures"]
        counted = Counter(failure["message"] for failure in said)
        return [f"{self.system.id}: {count} clips were not made: {message}" for message, count in counted.items()]


@click.command()
@click.argument("work", type=click.Path(file_okay=False, path_type=Path))
@click.argument("entries", type=click.Path(file_okay=False, path_type=Path))
@click.option("--pictures", type=click.Path(file_okay=False, path_type=Path), help="Folder for contact sheets.")
@click.option("--set", "names", multiple=True, type=click.Choice(list(SUBSETS)), help="By default both.")
@click.option("-g", "--generators", "wanted", default=f"{ALL},{CONTROLS}", show_default=True, metavar="NAME,...")
@click.option("--workers", type=click.IntRange(1), help="Processes at a time; by default every core.")
def main(
    work: Path, entries: Path, pictures: Path | None, names: tuple[str, ...], wanted: str, workers: int | None
) -> None:
    """Make and score everything, and keep it as ENTRIES; what is there already is not made again."""
    chosen = systems(wanted.split(","))
    asked = [scored for name in names or SUBSETS for scored in made_videos(SUBSETS[name], chosen, work, workers)]
    entries.mkdir(parents=True, exist_ok=True)
    for scored in measured(asked, workers or available()):
        path = kept(scored, entries)
        click.echo(f"{scored.subset.name}: {scored.system.id}: {path}")
        for sentence in scored.failures:
            click.echo(sentence, err=True)
    for name in names or SUBSETS if pictures else ():
        _draw([each for each in asked if each.subset.name == name], pictures or Path(), name)


def made_videos(subset: Subset, chosen: Sequence[System], work: Path, workers: int | None = None) -> list[Scored]:
    """Every video of a subset, as far as it isn't there: generators make all items, controls the first few."""
    folder = work / subset.name
    tasks = read_taskset(folder) if (folder / HEAD).is_file() else subset.make(folder)
    items = [tasks[id] for id in subset.items]
    options = Making(workers=workers or available(), fits=work / "fits", retry=True)
    found = []
    for some, systems_ in (
        (items, [each for each in chosen if each.kind != "control" or each.id == TRUTH]),
        (items[:OF_CONTROLS], [each for each in chosen if each.kind == "control" and each.id != TRUTH]),
    ):
        outcome = made_all(tasks, systems_, work / "runs" / subset.name, options=options, items=some)
        for system in systems_:
            clips = outcome.folders[system.id]
            settings = [clips.parent.name, *([TEXT] if system.id in BESIDE_TEXT else [])]
            results = work / "results" / subset.name
            if (clips / "pairs.txt").is_file():
                found += [
                    Scored(subset, system, clips, each, results / each / f"{system.id}.json") for each in settings
                ]
    return found


def measured(asked: Sequence[Scored], workers: int, metrics: Sequence[str] = ("all",)) -> Iterator[Scored]:
    """Score all in processes of their own, each of which finds the references' faces once."""
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        sent = [(each.clips, each.protocol, each.result, metrics) for each in asked]  # systems can't be
        for scored, _ in zip(asked, pool.map(_score_there, *zip(*sent, strict=True)), strict=True):
            yield scored


_SEEN = Seen(4 << 30, large=True)
"""Of one process: both sets' references are scored against by every system."""


def _score_there(clips: Path, protocol: str, result: Path, metrics: Sequence[str]) -> None:
    _score(clips, protocol, result, metrics, Options(workers=1, seen=_SEEN))


def score(scored: Scored, metrics: Sequence[str], options: Options) -> Run:
    """Score a system's videos and write the result file; what it holds already is not measured again."""
    return _score(scored.clips, scored.protocol, scored.result, metrics, options)


def _score(clips: Path, protocol: str, result: Path, metrics: Sequence[str], options: Options) -> Run:
    result.parent.mkdir(parents=True, exist_ok=True)
    run = execute(listed(clips / "pairs.txt"), metrics, protocol_of(protocol), replace(options, out=result))
    run.write(result)
    return run


def kept(scored: Scored, entries: Path, *, today: str | None = None) -> Path:
    """The system's entry in a folder of entries: new, left as it is, or corrected where numbers differ."""
    date = today or datetime.now(UTC).date().isoformat()
    run = Run.read(scored.result)
    method, board = _method(scored.system), Board(scored.subset.dataset, run.protocol["name"], scored.setting)
    entry = replace(of_run(run, id=identified(method, board), method=method, board=board, date=date), cost=cost(scored))
    path = entries / f"{entry.id}.json"
    if path.is_file():
        before = read(path)
        if _numbers(before) == _numbers(entry):
            return path
        entry = replace(entry, history=before.history).after(Event(date, "corrected", "made again with newer code"))
    return entry.write(entries)


def _numbers(entry: Entry) -> dict[str, Any]:
    scores = entry.run.scores if entry.run else {}
    return {key: (score.value, score.interval, score.protocol_part) for key, score in scores.items()}


def _method(system: System) -> Method:
    role = "ground-truth" if system.id == TRUTH else "control" if system.kind == "control" else "reference-baseline"
    return Method(
        name=system.id,
        paradigm="none" if system.paradigm is None else system.paradigm.value,
        version=str(system.version),
        role=role,
        licence=LICENSE_OF[role],
        trained_on=tuple(system.trained_on),
        says=system.says,
    )


LICENSE_OF = {"ground-truth": "", "control": "", "reference-baseline": LICENCE}


def cost(scored: Scored) -> dict[str, Any] | None:
    """Medians over the items' cost cards; None for controls, whose cost says nothing."""
    if scored.system.kind == "control":
        return None
    cards = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(scored.clips.glob("clips/*.timing.json"))]
    found: dict[str, Any] = {}
    for name, of in (
        ("real_time_factor", "real_time_factor"),
        ("first_frame_s", "first_frame_s"),
        ("peak_bytes", "peak_memory_bytes"),
        ("weights_bytes", "weights_bytes"),
    ):
        values = [card[of] for card in cards if card.get(of) is not None]
        if values:
            found[name] = round(median(values), 3) if name.endswith(("factor", "_s")) else int(median(values))
    return found | {"hardware": _hardware(cards)} if found else None


def _hardware(cards: Sequence[dict[str, Any]]) -> str:
    return ", ".join(dict.fromkeys(str(card["device"]).removeprefix("cpu ") for card in cards))[:200]


def _draw(asked: Sequence[Scored], pictures: Path, name: str) -> None:
    """Two sheets of a set: what generators made of its first item, and what controls did to it."""
    pictures.mkdir(parents=True, exist_ok=True)
    for kind, moments, columns in (("generators", 6, 1), ("controls", 2, 4)):
        rows = [
            (each.system.id, each.clips / "clips" / f"{each.subset.items[0]}.mp4")
            for each in asked
            if each.system.id == TRUTH or (each.system.kind == "control") == (kind == "controls")
        ]
        sheet(rows, pictures / f"results-{name}-{kind}.jpg", moments=moments, columns=columns)


if __name__ == "__main__":
    main()
