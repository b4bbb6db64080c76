"""Score hostile inputs among good clips, and name everything that did not hold."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any

from attack import beside
from attack.cases import Case, Kind, Sides, video
from attack.claims import Claim, laid_out
from thgeval.engine.provenance import peak_bytes
from thgeval.schema import decoded

GOOD = ("good0", "good1", "good2")
PEAK_BYTES = 2_000_000_000
STOPPED_BYTES = 6_000_000_000
ENDED = {0, 1, 2, 3, 4}
"""Exit codes that say something; see ``thgeval.cli.main``."""
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
MODES = ((), ("-o", "out/run.json"), ("--cache", "read-write"), ("-o", "out/run.json", "--cache", "read-write"))


@dataclass
class Tally:
    """What was tried, what held, and every finding as a sentence."""

    tried: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    findings: dict[str, list[str]] = field(default_factory=dict)
    peak_bytes: dict[str, int] = field(default_factory=dict)
    cpu_s: Counter[str] = field(default_factory=Counter)

    def count(self, kind: str, tried: int, peak: int, cpu_s: float = 0.0) -> None:
        """Inputs of a kind, and what they cost."""
        self.tried[kind] += tried
        self.peak_bytes[kind] = max(peak, self.peak_bytes.get(kind, 0))
        self.cpu_s[kind] += cpu_s
        if peak > PEAK_BYTES:
            self.found(kind, f"{peak / 1e9:.1f} GB of memory")

    def found(self, kind: str, finding: str) -> None:
        """Something that did not hold."""
        self.findings.setdefault(kind, []).append(finding)


@dataclass(frozen=True)
class Ended:
    """How a process ended: exit code, or minus a signal; None if it was stopped as it hung or swelled.

    ``peak`` is in bytes, and no less than what this process held when it began the other: Linux counts on from there.
    """

    code: int | None
    out: str
    err: str
    peak: int
    cpu_s: float


def environment(work: Path) -> dict[str, str]:
    """Variables that keep a run to its folder."""
    (work / "home").mkdir(exist_ok=True)
    (work / "tmp").mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("THGEVAL")}
    kept["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parents[1]), kept.get("PYTHONPATH", "")])
    return {**kept, "THGEVAL_HOME": str(work / "home"), "TMPDIR": str(work / "tmp")}


def ran(arguments: Sequence[str], work: Path, hang_s: float) -> Ended:
    """A command of ``thgeval`` in a process of its own, stopped when it hangs or swells."""
    logs = [work.with_name(f"{work.name}.{name}") for name in ("out", "err")]
    with logs[0].open("wb") as out, logs[1].open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "thgeval.cli.main", *arguments],
            cwd=work, env=environment(work), stdin=subprocess.DEVNULL, stdout=out, stderr=err,
        )  # fmt: skip
        stopped, over = Event(), Event()
        seen: list[int] = []
        watch = Thread(target=_watch, args=(process.pid, hang_s, stopped, over, seen), daemon=True)
        watch.start()
        inherited = peak_bytes() or 0
        _, status, usage = os.wait4(process.pid, 0)
        over.set()
        watch.join()
        process.returncode = os.waitstatus_to_exitcode(status)
    most = usage.ru_maxrss * 1024  # of this process too, which it was copied from
    peak = most if most > inherited else max(seen, default=0)
    texts = [log.read_text(encoding="utf-8", errors="surrogateescape") for log in logs]
    for log in logs:
        log.unlink()
    code = None if stopped.is_set() else process.returncode
    return Ended(code, *texts, peak, usage.ru_utime + usage.ru_stime)


def _watch(pid: int, hang_s: float, stopped: Event, over: Event, seen: list[int] | None = None) -> None:
    """Stop a process after some seconds, or where it holds more memory than the machine may spare; note it."""
    for _ in range(int(hang_s * 5)):
        if over.wait(0.2):
            return
        try:
            held = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
        except (OSError, ValueError, IndexError):
            continue
        if seen is not None:
            seen.append(held)
        if held > STOPPED_BYTES:
            break
    if not over.is_set():
        stopped.set()
        os.kill(pid, signal.SIGKILL)


def told(err: str) -> Iterator[str]:
    """What no run may say."""
    if "Traceback (most recent call last)" in err:
        yield "a traceback: " + err.strip().splitlines()[-1][:200]
    if "failed inside thgeval" in err:
        yield next(line for line in err.splitlines() if "failed inside thgeval" in line)[-300:]
    if CONTROLS.search(err):
        yield f"raw control characters: {CONTROLS.search(err)}"


def snapshot(work: Path) -> dict[str, tuple[int, ...]]:
    """Everything in a folder but what a run may write, by what it is, how large, and when it was changed."""
    found = {}
    for place, folders, files in os.walk(os.fsencode(work)):
        if place == os.fsencode(work):
            folders[:] = [name for name in folders if name not in (b"out", b"home")]
        for name in (*folders, *files):
            status = os.lstat(os.path.join(place, name))  # noqa: PTH118 (names that are no text)
            kept = (0, 0) if name in folders else (status.st_size, status.st_mtime_ns)  # what is in it stands by itself
            found[repr(os.path.join(place, name))] = (status.st_mode, *kept)  # noqa: PTH118
    return found


def folders(work: Path, kind: Kind) -> Sides:
    """A folder for a run, with the good clips."""
    sides = Sides(work / "pred", work / "gt")
    for side, seed in ((sides.pred, 2), (sides.gt, 1)):
        side.mkdir(parents=True)
        for number, name in enumerate(GOOD):
            shutil.copyfile(video(".mp4", seed + 10 * (number + 1)), side / f"{name}.mp4")
            for suffix, content in kind.beside:
                (side / f"{name}{suffix}").write_bytes(content)
    for name in ("out", "home", "tmp"):
        (work / name).mkdir()
    return sides


def asked(kind: Kind) -> list[str]:
    """The arguments that name metrics."""
    return [argument for metric in kind.metrics for argument in ("-m", metric)]


def records(out: str) -> dict[str, dict[str, Any]]:
    """The good clips' entries in a result, but for the hashes that a run without ``-o`` doesn't take."""
    apart = ("content", "states")
    clips = {clip["id"]: clip for clip in decoded(out.encode("utf-8", "surrogateescape"))["clips"]}
    return {name: {key: value for key, value in clips[name].items() if key not in apart} for name in GOOD}


def alone(work: Path, kind: Kind, hang_s: float) -> dict[str, dict[str, Any]]:
    """The good clips' entries in a run without hostile inputs."""
    folders(work, kind)
    ended = ran(["score", "pred", "gt", *asked(kind), "-f", "json", "-q"], work, hang_s)
    if ended.code != 0:
        raise AssertionError(f"good clips alone: {ended.code}: {ended.err}")
    return records(ended.out)


def scored(
    work: Path,
    name: str,
    kind: Kind,
    cases: Sequence[Case],
    mode: Sequence[str],
    good: object,
    hang_s: float,
    tally: Tally,
) -> None:
    """One run over hostile inputs among good clips."""
    sides = folders(work, kind)
    for number, case in enumerate(cases):
        id = case.id or f"case{number:03}"
        case.make(sides, id)
        for suffix, content in () if case.id else kind.beside:
            (sides.gt / f"{id}{suffix}").write_bytes(content)
    ids = {beside.expected_id(case, f"case{number:03}"): case for number, case in enumerate(cases)}
    before = snapshot(work)
    ended = ran(["score", "pred", "gt", *asked(kind), "-f", "json", "-q", *mode], work, hang_s)
    tally.count(name, len(cases), ended.peak, ended.cpu_s)
    tally.ended[str(ended.code)] += 1
    labels = ", ".join(case.label for case in cases)
    for finding in told(ended.err):
        tally.found(name, finding)
    if ended.code not in {0, 1, 3} or not ended.out:
        tally.found(name, f"ended with {ended.code} on one of: {labels}: {ended.err[-300:]}")
        return
    for changed in sorted(dict(before.items() ^ snapshot(work).items())):
        tally.found(name, f"outside its output {changed} was changed by one of: {labels}")
    for lost in unaccounted(ended.out, ids):
        tally.found(name, lost)
    if records(ended.out) != good:
        tally.found(name, f"good clips were scored otherwise beside: {labels}")


def unaccounted(out: str, ids: dict[str, Case]) -> Iterator[str]:
    """Clips that are neither scored nor named with a reason, and scores whose counts don't add up."""
    run = decoded(out.encode("utf-8", "surrogateescape"))
    clips = {clip["id"]: clip for clip in run["clips"]}
    for id, case in ids.items():
        if id not in clips:
            yield f"{case.label}: the clip {id!r} is not in the result"
    for id, clip in clips.items():
        for key, score in run["scores"].items():
            reasons = (clip["failure"], clip["failed"].get(key), clip["scores"].get(key), score["unscored"])
            left_out = score["left_out"] if clip["scores"].get(key) is None else ()
            if all(reason is None for reason in reasons) and not left_out:
                yield f"{id!r} has neither a score nor a reason under {key}"
    for key, score in run["scores"].items():
        if score["unscored"] is None and score["clips"] + sum(score["left_out"].values()) != run["expected"]:
            yield f"{key}: {score['clips']} clips and {score['left_out']} are not {run['expected']}"


class Commands:
    """A process that runs one command line after another, replaced where one hangs or ends it."""

    def __init__(self, work: Path) -> None:
        self._work = work
        self._process: subprocess.Popen[str] | None = None
        self._answers: Any = None

    def run(self, arguments: Sequence[str], hang_s: float) -> dict[str, Any]:
        """How a command ended: its code, None if it had to be stopped; what it said; the most memory so far."""
        process = self._started()
        stopped, over = Event(), Event()
        watch = Thread(target=_watch, args=(process.pid, hang_s, stopped, over), daemon=True)
        watch.start()
        assert process.stdin is not None
        process.stdin.write(json.dumps(list(arguments)) + "\n")
        process.stdin.flush()
        line = self._answers.readline()
        over.set()
        watch.join()
        if line:
            return dict(json.loads(line))
        self.close()
        return {"code": None, "err": "", "peak": 0}

    def _started(self) -> "subprocess.Popen[str]":
        if self._process is None:
            reads, writes = os.pipe()
            program = f"import os; os.dup2({writes}, 3); from attack.commands import main; main()"
            self._process = subprocess.Popen(
                [sys.executable, "-c", program],
                cwd=self._work,
                env=environment(self._work),
                pass_fds=(writes,),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            os.close(writes)
            self._answers = os.fdopen(reads)
        return self._process

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._answers.close()
            self._process = None


def claimed(
    work: Path, name: str, claims: Sequence[Claim], goods: tuple[Path, Path], hang_s: float, tally: Tally
) -> None:
    """Commands that read hostile results, states, lists and protocols."""
    commands = Commands(work)
    try:
        for number, claim in enumerate(claims):
            run = laid_out(goods[0], work / f"claim{number}")
            claim.change(run)
            stands = {
                "RUN.tsv": f"{run}.tsv",
                "RUN.toml": f"{run}.toml",
                "RUN": str(run),
                "OTHER": str(goods[1]),
                "OUT": str(run.parent / "out"),
            }
            stands |= {"PRED": str(work / "pred"), "GT": str(work / "gt")}
            for command in claim.commands:
                arguments = [_instead(argument, stands) for argument in command]
                ended = commands.run(arguments, hang_s)
                if ended["code"] not in ENDED:
                    tally.found(name, f"{claim.label}: {command[0]} ended with {ended['code']}: {ended['err'][-300:]}")
                for finding in told(ended["err"]):
                    tally.found(name, f"{claim.label}: {command[0]}: {finding}")
                tally.ended[str(ended["code"])] += 1
                tally.count(name, 0, ended["peak"])
            tally.count(name, 1, 0)
            shutil.rmtree(run.parent)
    finally:
        commands.close()


def _instead(argument: str, stands: dict[str, str]) -> str:
    for word, text in stands.items():
        if argument == word or argument.startswith(f"{word}/"):
            return text + argument.removeprefix(word)
    return argument
