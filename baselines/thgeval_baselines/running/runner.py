"""Running systems over a task set: in parallel under a bound of memory, and on from where it stopped.

    OUT/<setting>/<system>/clips/<item>.mp4        what is scored; .timing.json, .txt and .source.png beside it
    OUT/<setting>/<system>/items/<item>/           raw.mp4, out.mp4, run.json, log.txt, evidence/
    OUT/<setting>/<system>/pairs.txt               for ``thgeval score --list``; what failed is counted there as missing
    OUT/<setting>/<system>/summary.json            what the system is, how many were made, why others were not

An item is made again only if something that its video follows from has changed, or ``retry`` asks for what failed.
"""

import json
import shutil
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Condition, Event
from typing import Any

from thgeval.errors import InputError, ThgevalError
from thgeval.files import trouble, write_atomically
from thgeval.files.locking import locked
from thgeval.home import home
from thgeval.media.image import SUFFIXES
from thgeval.pairing import TIMING
from thgeval_baselines.contamination import contaminated
from thgeval_baselines.running.collect import Wanted, linked, normalised
from thgeval_baselines.running.fits import Fits
from thgeval_baselines.running.looking import Expected, Looked, looked
from thgeval_baselines.running.plan import Job, Options, digest, key, planned, relative
from thgeval_baselines.running.process import Ended, Interrupted, ran, tail
from thgeval_baselines.running.record import (
    DONE,
    FAILED,
    LOG,
    OUT,
    RAW,
    RECORD,
    SKIPPED,
    TIMEOUT,
    Cost,
    Record,
    cost_card,
    read_record,
)
from thgeval_baselines.running.record import (
    environment as machine,
)
from thgeval_baselines.running.staging import Stage, hashes, process_environment, staged
from thgeval_baselines.running.worker import EVIDENCE, REPORT
from thgeval_baselines.systems import System, Work
from thgeval_baselines.tasks.items import Item, TaskSet

LONGEST_WAIT_S = 24 * 3600.0
MARGIN = 1.25
"""How much more memory an item may need than the largest of its system so far."""


@dataclass(frozen=True)
class Watcher:
    """Who is told how a run goes on."""

    begins: Callable[[int], None] = lambda jobs: None
    ends: Callable[[Record, bool], None] = lambda record, fresh: None


@dataclass(frozen=True)
class Outcome:
    """All records of a run, and the folder of each system's clips."""

    records: tuple[Record, ...]
    folders: Mapping[str, Path] = field(default_factory=dict)

    def count(self, status: str) -> int:
        """How many items ended so."""
        return sum(record.status == status for record in self.records)


def run(
    tasks: TaskSet,
    systems: Sequence[System],
    out: Path,
    *,
    options: Options,
    items: Sequence[Item] | None = None,
    watcher: Watcher | None = None,
) -> Outcome:
    """Make every item with every system; what fails is recorded and hinders nothing else.

    Raises ProtocolError or OutputError for what concerns the run as a whole; KeyboardInterrupt ends what runs, and the
    same call goes on from there.
    """
    watcher = watcher or Watcher()
    jobs = planned(tasks, systems, options, tasks.items if items is None else items)
    maker = _Maker(out, options)
    watcher.begins(len(jobs))
    records: dict[int, Record] = {}
    pool = ThreadPoolExecutor(max(1, options.workers), thread_name_prefix="thgeval-task")
    try:
        futures = {pool.submit(maker.make, job): number for number, job in enumerate(jobs)}
        for future in as_completed(futures):
            record, fresh = future.result()
            records[futures[future]] = record
            watcher.ends(record, fresh)
    except BaseException:
        maker.stop.set()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    ordered = tuple(records[number] for number in range(len(jobs)))
    folders = {}
    for job in jobs:
        folders[job.system.id] = out / job.setting.name / job.system.id
    for system in systems:
        mine = [(job, record) for job, record in zip(jobs, ordered, strict=True) if job.system is system]
        _write_lists(folders[system.id], system, mine)
    return Outcome(ordered, folders)


def fitted(
    tasks: TaskSet, systems: Sequence[System], *, options: Options, items: Sequence[Item] | None = None
) -> Iterator[tuple[str, Path | None, float, str]]:
    """Make every fit that the items ask for: the system, its folder, seconds, or instead of them what went wrong."""
    jobs = planned(tasks, systems, options, tasks.items if items is None else items)
    maker, seen = _Maker(Path(), options), set()
    for job in jobs:
        if not job.system.fitting:
            continue
        if job.unable:
            yield job.system.id, None, 0.0, job.unable
            continue
        which = maker.fits.key(job)
        if which in seen:
            continue
        seen.add(which)
        with TemporaryDirectory(prefix="thgeval-") as folder:
            log = Path(folder) / LOG
            try:
                fit = maker.fits.of(job, log)
            except InputError as error:
                yield job.system.id, None, 0.0, f"{error}\n{tail(log)}".strip()
            else:
                yield job.system.id, fit.folder, fit.seconds, ""


class _Memory:
    """A bound on what all processes together may hold; whoever asks for more than all of it runs alone."""

    def __init__(self, most: int) -> None:
        self._most, self._used, self._free = most, 0, Condition()
        self.seen: dict[str, int] = defaultdict(int)

    def expected(self, system: System) -> int:
        """What an item of this system is taken to need."""
        seen = self.seen[system.id]
        return min(self._most, int(seen * MARGIN) if seen else system.memory_bytes)

    def take(self, amount: int) -> None:
        """Wait until there is so much."""
        with self._free:
            self._free.wait_for(lambda: not self._used or self._used + amount <= self._most)
            self._used += amount

    def give(self, amount: int) -> None:
        """Give it back."""
        with self._free:
            self._used -= amount
            self._free.notify_all()


class _Maker:
    """Makes one item after the other, on any thread."""

    def __init__(self, out: Path, options: Options) -> None:
        self._out, self._options = out, options
        self._memory = _Memory(options.memory_bytes)
        self.fits = Fits(options, self._perform)
        self.stop = Event()

    def make(self, job: Job) -> tuple[Record, bool]:
        """The record of a job, and whether it was made now."""
        if self.stop.is_set():
            raise Interrupted
        folder = job.folder(self._out)
        inputs = hashes(job.tasks, job.item, job.setting, with_reference=job.system.sees_reference)
        of_key = key(job, inputs, self._options)
        if job.system.fitting:
            of_key = digest({"item": of_key, "fit": self.fits.key(job)})
        blank = Record(
            item=job.item.id,
            system=job.system.facts(),
            taskset=job.tasks.id,
            setting=job.setting.name,
            seed=job.seed,
            threads=self._options.threads,
            key=of_key,
            status=SKIPPED,
            inputs=inputs,
            contamination=tuple(contaminated(job.system.trained_on, job.tasks, job.system.id)),
            environment=machine(),
        )
        before = read_record(folder)
        if before is not None and before.key == of_key and self._stands(before, folder, job):
            return before, False
        _cleared(folder, job, self._out)
        if job.unable:
            record = replace(blank, reason="unable", message=job.unable)
        else:
            record = self._attempt(job, folder, blank)
        record.write(folder)
        return record, True

    def _stands(self, before: Record, folder: Path, job: Job) -> bool:
        """Whether a record of the same key spares the work."""
        if before.done:
            return (folder / OUT).is_file() and (_clips(job, self._out) / f"{job.item.id}.mp4").is_file()
        return before.status in (FAILED, TIMEOUT) and not self._options.retry and not job.unable

    def _attempt(self, job: Job, folder: Path, blank: Record) -> Record:
        """Make it; whatever goes wrong with this item becomes its record."""
        log = folder / LOG
        try:
            folder.mkdir(parents=True, exist_ok=True)
            log.write_bytes(b"")
            return self._made(job, folder, log, blank)
        except _Over as error:
            status = TIMEOUT if error.over == "time" else FAILED
            reason = "timeout" if error.over == "time" else error.over
            return replace(blank, status=status, reason=reason, message=str(error), log_tail=tail(log))
        except InputError as error:
            return replace(blank, status=FAILED, reason=error.reason, message=str(error), log_tail=tail(log))
        except ThgevalError as error:
            return replace(blank, status=FAILED, reason="refused", message=str(error), log_tail=tail(log))
        except OSError as error:
            return replace(blank, status=FAILED, reason="system", message=trouble(error), log_tail=tail(log))

    def _made(self, job: Job, folder: Path, log: Path, blank: Record) -> Record:
        system = job.system
        fit = self.fits.of(job, log) if system.fitting else None
        only = frozenset({"audio", "source_image"}) if system.sees_reference else None
        shown = staged(job.tasks, job.item, job.setting, only=only, with_reference=system.sees_reference)
        with shown as stage:
            began = time.time()
            work = system.work(stage, seed=job.seed, fitted=None if fit is None else fit.folder)
            ended = self._perform(job, stage, work, log)
            if ended.over:
                raise _Over(ended, self._options.bounds(system))
            if ended.code != 0:
                raise system.refusal(stage, ended.code, log)
            if complaint := system.complaint(log):
                raise complaint
            came_out = system.collect(stage, since=began)
            raw = folder / f"{Path(RAW).stem}{came_out.suffix}"
            shutil.move(came_out, raw)
            if (stage.out / EVIDENCE).is_dir():
                shutil.copytree(stage.out / EVIDENCE, folder / EVIDENCE, dirs_exist_ok=True)
            report = _report(stage)
            out = folder / OUT
            sound = None if report.get("spoke") else stage.inputs.audio or stage.inputs.driving_video
            told = (str(report["how"]),) if report.get("how") else ()
            actions = (*work.actions, *told, *normalised(raw, out, Wanted(stage.inputs.fps, sound, system.panel)))
            found = looked(out, _expected(system, stage))
        if system.kind == "precomputed":
            cost = None
        else:
            cost = Cost(
                seconds=float(report.get("seconds") or ended.seconds),
                timed="generator" if "seconds" in report else "whole command",
                first_frame_s=report.get("first_frame_s"),
                fit_s=None if fit is None else fit.seconds,
                peak_memory_bytes=max(ended.peak_bytes, report.get("peak_memory_bytes") or 0) or None,
                weights_bytes=system.weights_bytes(),
            )
        record = replace(
            blank,
            status=DONE,
            actions=actions,
            remarks=(*found.remarks, *_of_framing(system, actions)),
            video={
                "frames": found.frames,
                "fps": None if found.fps is None else str(found.fps),
                "width": found.width,
                "height": found.height,
                "faces": found.faces,
            },
            cost=cost,
        )
        _published(job, self._out, out, record, found)
        return record

    def _perform(self, job: Job, stage: Stage, work: Work, log: Path) -> Ended:
        """Run the steps of a piece of work, within the bounds of one item together."""
        bounds = self._options.bounds(job.system)
        env = process_environment(stage, work.env, threads=self._options.threads)
        seconds, peak, ended = 0.0, 0, Ended(0, 0.0, 0)
        with ExitStack() as held:
            if work.exclusive is not None:
                place = home() / "locks" / digest({"exclusive": work.exclusive})[:20]
                said = f"another process has been using {work.exclusive} for a day"
                held.enter_context(locked(place, held=said, longest_wait_s=LONGEST_WAIT_S))
            amount = self._memory.expected(job.system)
            self._memory.take(amount)
            held.callback(self._memory.give, amount)
            for argv in work.steps:
                try:
                    ended = ran(
                        argv,
                        cwd=work.cwd,
                        env=env,
                        log=log,
                        bounds=replace(bounds, seconds=max(bounds.seconds - seconds, 0.1)),
                        watched=(stage.folder, *work.watched),
                        stopped=self.stop.is_set,
                    )
                except OSError as error:
                    said = f"{argv[0]} can't be run: {error.strerror}"
                    raise InputError(said, reason="can't be run") from None
                seconds, peak = seconds + ended.seconds, max(peak, ended.peak_bytes)
                if ended.over or ended.code:
                    break
        report = _report(stage)
        peak = max(peak, int(report.get("peak_memory_bytes") or 0))
        self._memory.seen[job.system.id] = max(self._memory.seen[job.system.id], peak)
        return replace(ended, seconds=seconds, peak_bytes=peak)


class _Over(InputError):
    """A process met one of its bounds."""

    def __init__(self, ended: Ended, bounds: Any) -> None:
        said = {
            "time": f"it was ended after {bounds.seconds:g} s; --timeout allows more",
            "memory": f"it was ended when it held {bounds.memory_bytes >> 20} MiB; --memory allows more",
            "disk": f"it was ended when it had written {bounds.disk_bytes >> 20} MiB; --disk allows more",
            "log": f"it was ended when it had printed {bounds.log_bytes >> 20} MiB",
        }
        super().__init__(said[ended.over], reason=ended.over)
        self.over = ended.over


def _report(stage: Stage) -> dict[str, Any]:
    try:
        data = json.loads((stage.out / REPORT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def _expected(system: System, stage: Stage) -> Expected:
    inputs = stage.inputs
    could = {"driving_video": inputs.driving_video, "target_video": inputs.target_video, "fit_video": inputs.fit_video}
    return Expected(
        fps=inputs.fps,
        size=inputs.size,
        frames=inputs.frames,
        inputs={} if system.sees_reference else {name: path for name, path in could.items() if path is not None},
        portrait=inputs.source_image if system.same_framing else None,
        must_show_face=not system.sees_reference and system.framing != "mesh",
        same_shape=system.framing == "same",
        any_shape=system.framing == "mesh",
        overlay_is_problem=not system.accepts_overlay,
    )


FRAMINGS = {
    "crop": "its picture is framed otherwise than the reference: what compares pixels or places doesn't hold",
    "mesh": "its picture is a rendered mesh: what compares it with the reference's pixels doesn't hold",
}


def _of_framing(system: System, actions: Sequence[str]) -> list[str]:
    """What to know of a picture that doesn't lie as the reference does."""
    framing = "crop" if any("cut to its face" in action for action in actions) else system.framing
    return [f"framing: {FRAMINGS[framing]}"] if framing in FRAMINGS else []


def _clips(job: Job, out: Path) -> Path:
    return out / job.setting.name / job.system.id / "clips"


def _cleared(folder: Path, job: Job, out: Path) -> None:
    """Take away what an earlier attempt left, the record first, so that nothing old is ever scored as new."""
    for name in (RECORD, OUT, LOG):
        (folder / name).unlink(missing_ok=True)
    for path in folder.glob("raw.*"):
        path.unlink()
    shutil.rmtree(folder / EVIDENCE, ignore_errors=True)
    clips = _clips(job, out)
    for suffix in (".mp4", TIMING, ".txt", *(f".source{each}" for each in SUFFIXES)):
        (clips / f"{job.item.id}{suffix}").unlink(missing_ok=True)


def _published(job: Job, out: Path, video: Path, record: Record, found: Looked) -> None:
    """Put the video where it is scored, with what belongs beside it."""
    clips, id = _clips(job, out), job.item.id
    clips.mkdir(parents=True, exist_ok=True)
    if card := cost_card(record, found, job.system.device):
        write_atomically(clips / f"{id}{TIMING}", (json.dumps(card, indent=1) + "\n").encode())
    if words := job.item.inputs.get("text"):
        write_atomically(clips / f"{id}.txt", f"{words}\n".encode())
    portrait = job.item.inputs.get("source_image")
    if portrait is not None and Path(portrait).suffix.lower() in SUFFIXES and job.tasks.path(portrait).is_file():
        shutil.copyfile(job.tasks.path(portrait), clips / f"{id}.source{Path(portrait).suffix.lower()}")
    linked(video, clips / f"{id}.mp4")


def _write_lists(folder: Path, system: System, made: Sequence[tuple[Job, Record]]) -> None:
    """The list of pairs, and what became of this system's items."""
    lines = []
    for job, record in made:
        if job.item.reference is not None and record.status != SKIPPED:
            fields = [f"clips/{job.item.id}.mp4", relative(job.tasks.path(job.item.reference), folder)]
            lines.append("\t".join(fields))
    if lines:
        write_atomically(folder / "pairs.txt", "".join(f"{line}\n" for line in lines).encode())
    records = [record for _, record in made]
    summary = {
        "schema": "thgeval/run-summary@1",
        "system": system.facts(),
        "taskset": made[0][0].tasks.id if made else None,
        "setting": made[0][0].setting.name if made else None,
        "gives_away": made[0][0].setting.gives_away if made else "",
        "status": dict(Counter(record.status for record in records)),
        "reasons": dict(Counter(record.reason for record in records if not record.done)),
        "failures": [
            {"item": record.item, "status": record.status, "reason": record.reason, "message": record.message}
            for record in records
            if not record.done
        ],
        "remarks": dict(Counter(remark for record in records for remark in record.remarks)),
        "contamination": list(dict.fromkeys(said for record in records for said in record.contamination)),
    }
    write_atomically(folder / "summary.json", (json.dumps(summary, indent=1, ensure_ascii=False) + "\n").encode())
