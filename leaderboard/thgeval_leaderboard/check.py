"""Whether entries may stand: every number recomputed from the values per clip, every claim held against the others.

A *refusal* keeps an entry off the board; a *note* is shown beside it. Each names the file and the field.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from thgeval.engine.verification import from_clips
from thgeval.errors import ThgevalError
from thgeval.protocol import protocols
from thgeval.registry import metric_class, table
from thgeval.results import Run, Score
from thgeval.signature import parse
from thgeval_leaderboard.entry import Entry, read_all
from thgeval_leaderboard.ranking import columns
from thgeval_leaderboard.untrusted import fault_of_link, mixed_scripts


@dataclass(frozen=True)
class Finding:
    """What is wrong, or must be known: in which file, at which field, in one sentence; ``refused`` keeps it off."""

    file: str
    field: str
    says: str
    refused: bool = True

    def __str__(self) -> str:
        return f"{self.file}: {self.field + ': ' if self.field else ''}{self.says}"


def checked(folder: Path, before: Path | None = None) -> tuple[list[Entry], list[Finding]]:
    """Every entry of a folder that may stand, and all findings; with ``before``, also that history only grew."""
    entries, wrong = read_all(folder)
    findings = [Finding(error.file, error.field, error.says) for error in wrong]
    for entry in entries:
        findings += of_entry(entry)
    findings += among(entries)
    if before is not None:
        findings += since(read_all(before)[0], entries)
    refused = {finding.file for finding in findings if finding.refused}
    return [entry for entry in entries if f"{entry.id}.json" not in refused], findings


def remarks(findings: Iterable[Finding]) -> dict[str, str]:
    """What must be known and refuses nothing, once each: where it holds, a field of one entry or fields of several."""
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        if not finding.refused:
            found.setdefault(finding.says, []).append(finding)
    return {says: _places(alike) for says, alike in found.items()}


def _places(findings: Sequence[Finding]) -> str:
    files = list(dict.fromkeys(finding.file for finding in findings))
    fields = list(dict.fromkeys(finding.field.removeprefix("run.scores.") for finding in findings if finding.field))
    whose = files[0] if len(files) == 1 else f"{len(files)} entries"
    return f"{', '.join(fields)} of {whose}" if fields else whose


def of_entry(entry: Entry) -> list[Finding]:
    """What is wrong with one entry by itself."""
    found = [*_words(entry), *_dates(entry)]
    found += _run(entry, entry.run) if entry.run else _without_run(entry)
    return [Finding(f"{entry.id}.json", field, says, refused) for field, says, refused in found]


Said = tuple[str, str, bool]


def _words(entry: Entry) -> Iterator[Said]:
    method = entry.method
    if scripts := mixed_scripts(method.name):
        yield "method.name", f"{method.name!r} mixes letters of {scripts}, which look alike", True
    for field, link in (("method.paper", method.paper), ("method.code", method.code)):
        if link and (fault := fault_of_link(link)):
            yield field, fault, True
    for at, item in enumerate(entry.reported):
        if fault := fault_of_link(item.source):
            yield f"reported[{at}].source", fault, True
    if method.role == "system" and not (method.paper or method.code):
        yield "method", "neither a paper nor code is named, so nobody can tell what it is", False
    if entry.verified == "rerun" and not any(event.what == "verified" for event in entry.history):
        yield "verified", "it says rerun, and its history does not say when and by whom", True


def _dates(entry: Entry) -> Iterator[Said]:
    dates = [event.date for event in entry.history]
    for at, said in enumerate(dates):
        if not _is_day(said):
            yield f"history[{at}].date", f"{said} is no day of the calendar", True
    if dates != sorted(dates):
        yield "history", "its dates don't follow one another", True
    if entry.history[0].what != "added":
        yield "history[0].what", "a history begins with added", True
    for at, event in enumerate(entry.history):
        if event.what not in ("added", "verified") and not event.why:
            yield f"history[{at}].why", f"{event.what} needs a reason", True
    if entry.unreliable and not any(event.what == "marked-unreliable" for event in entry.history):
        yield "unreliable", "its history does not say since when", True


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _without_run(entry: Entry) -> Iterator[Said]:
    if not entry.reported:
        yield "run", "it has neither a run nor reported numbers", True
    if entry.method.role != "system":
        yield "method.role", f"a {entry.method.role} is measured, not reported", True


def _run(entry: Entry, run: Run) -> Iterator[Said]:
    if entry.reported:
        yield "reported", "a measured entry carries no reported numbers; send them as an entry of their own", True
    for name in ("limit", "shard"):
        if run.options.get(name) is not None:
            yield f"run.options.{name}", f"it holds {run.part}", True
    if run.protocol["name"].endswith("!"):
        yield "run.protocol.name", f"{run.protocol['name']} deviates from the protocol of that name", True
    elif run.protocol["name"] != entry.board.protocol:
        yield "run.protocol.name", f"scored under {run.protocol['name']}, not {entry.board.protocol}", True
    yield from _protocol(entry, run)
    if not entry.official:
        yield "board.status", "an experimental protocol is shown and never ranked", False
    paired = [clip for clip in run.clips if clip.side != "reference"]
    if len(paired) != run.expected:
        yield "run.expected", f"{run.expected} clips were expected and {len(paired)} are recorded", True
    if len({clip.id for clip in paired}) != len(paired):
        yield "run.clips", "a clip is there twice", True
    if run.failures:
        yield "run.clips", f"{len(run.failures)} of {run.expected} clips could not be scored", False
    means = from_clips(run)
    for said in means.differs:
        yield f"run.scores.{said.partition(' ')[0]}.value", said, True
    for key, score in run.scores.items():
        for field, says, refused in _score(run, key, score):
            yield f"run.scores.{key}{field}", says, refused


def _protocol(entry: Entry, run: Run) -> Iterator[Said]:
    """Whether the protocol is what it is called, covers the clips that it names, and may be ranked at all."""
    label = run.protocol["name"].removesuffix("!")
    known = protocols().get(label)
    if known is None:
        if entry.official:
            yield "board.status", f"{label} does not ship with thgeval, so it is never ranked; say experimental", True
        return
    if not known.ranked and entry.official:
        yield "board.status", f"{label} is experimental ({known.benchmark.status}) and never ranked; say so", True
    if not run.protocol["name"].endswith("!") and tuple(run.protocol["fields"]) != known.tokens():
        yield "run.protocol.fields", f"{label} prepares clips as {' '.join(known.tokens())}", True
    count = known.count
    if count is not None and run.expected != count:
        yield "run.expected", f"{label} is of {count} clips, not {run.expected}", True


def _score(run: Run, key: str, score: Score) -> Iterator[Said]:
    part = score.protocol_part
    name = key.partition("/")[0].partition(":")[0]
    if name not in table():
        yield "", "no metric of this version is called so", True
        return
    if part.partition("@")[0] != name:
        yield ".signature", f"it signs {part.partition('@')[0]}, not {name}", True
    if not set(run.protocol["fields"]) <= set(part.split("|")):
        yield ".signature", "it names another preparation of the clips than the run's protocol", True
    if (count := f"n:{score.clips}/{run.expected}") not in score.run_tokens and score.reference_clips is None:
        yield ".clips", f"its signature does not say {count}", True
    if score.value is not None and score.clips + sum(score.left_out.values()) != run.expected:
        yield ".left_out", f"{score.clips} clips scored and {sum(score.left_out.values())} left out are not all", True
    yield from _described(score)
    if score.value is None:
        return
    low, high = score.range
    if not low <= score.value <= high:
        yield ".value", f"{score.value} is outside [{low}, {high}]", True
    if score.interval and not score.interval.low <= score.value <= score.interval.high:
        yield ".interval", f"[{score.interval.low}, {score.interval.high}] does not hold {score.value}", True
    if score.groups:
        yield "", "a metric of sets: thgeval verify recomputes it from states", False
        if not all(math.isfinite(group.without) for group in score.groups):
            yield ".groups", "a score without some clips is not finite", True


def _described(score: Score) -> Iterator[Said]:
    """Whether unit and range are those of the metric that was signed, as far as this version knows it."""
    try:
        metric = parse(score.signature, metric_class).metric
    except (ThgevalError, ValueError):
        return  # it shares no column with what can be read, and a note says so
    if score.unit != metric.unit:
        yield ".unit", f"it is said to be in {score.unit!r} and is in {metric.unit!r}", True
    if tuple(score.range) != tuple(metric.range):
        yield ".range", f"it is said to be {list(score.range)} and is {list(metric.range)}", True


def among(entries: Sequence[Entry]) -> Iterator[Finding]:
    """What is wrong with entries beside one another: equal clips under two names, other signatures in one column.

    Of two entries with the same clips the one that was added later is refused, whatever its name.
    """
    shown: dict[tuple[str, tuple[str, ...]], str] = {}
    for entry in sorted(entries, key=lambda each: each.history[0].date if each.history else ""):
        made = tuple(sorted(_generated(entry.run))) if entry.run else ()
        if not made or entry.method.role in ("control", "ground-truth"):
            continue
        first = shown.setdefault((entry.board.id, made), entry.id)
        if first != entry.id:
            yield Finding(f"{entry.id}.json", "run.clips", f"the very clips of {first}")
    boards: dict[str, list[Entry]] = {}
    for entry in entries:
        boards.setdefault(entry.board.id, []).append(entry)
    for board in boards.values():
        for column in columns(board):
            ours, theirs = column.also
            if ours or theirs:
                says = f"a column of its own: {' '.join(ours) or '-'} where others have {' '.join(theirs) or '-'}"
                for id in column.scores:
                    yield Finding(f"{id}.json", f"run.scores.{column.key}.signature", says, refused=False)


def _generated(run: Run) -> Iterator[str]:
    for clip in run.clips:
        if hashed := clip.content.get("generated"):
            yield f"{clip.id} {hashed}"


def since(before: Sequence[Entry], now: Sequence[Entry]) -> Iterator[Finding]:
    """What was taken back between two states of the board: entries, lines of history, or numbers without a word."""
    there = {entry.id: entry for entry in now}
    for old in before:
        file = f"{old.id}.json"
        new = there.get(old.id)
        if new is None:
            yield Finding(file, "", "it was taken away; an entry is withdrawn with a reason, and stays")
            continue
        if new.history[: len(old.history)] != old.history:
            yield Finding(file, "history", "a line that was there is gone or changed")
        said = {event.what for event in new.history[len(old.history) :]}
        if _numbers(new) != _numbers(old) and "corrected" not in said:
            yield Finding(file, "run", "numbers changed, and no line of history says corrected and why")


def _numbers(entry: Entry) -> Mapping[str, Any]:
    scores = entry.run.scores if entry.run else {}
    return {
        **{key: (score.value, score.interval, score.protocol_part) for key, score in scores.items()},
        **{f"reported {at}": item for at, item in enumerate(entry.reported)},
    }
