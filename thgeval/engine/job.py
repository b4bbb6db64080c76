"""The clips of one run, measured on as many threads as there are cores: what is known is looked up, what is new kept.

A clip that can't be scored is recorded with its reason, whatever it is, and the run goes on.
"""

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from hashlib import sha256
from pathlib import Path
from threading import BoundedSemaphore, Event

from thgeval.clip import Pair
from thgeval.engine.measure import UNFORESEEN, Measured, measured, unforeseen, unmet
from thgeval.engine.plan import Plan
from thgeval.engine.provenance import decoder
from thgeval.engine.records import before, clip_result
from thgeval.engine.scoring import Contribution
from thgeval.engine.workers import Cores, started
from thgeval.errors import Failure, InputError, OutputError, ThgevalError
from thgeval.licences import remind
from thgeval.limits import VARIABLE
from thgeval.media import file_fingerprint, fingerprint, probe
from thgeval.pairing import Pairing
from thgeval.pairing.packed import Sample
from thgeval.protocol import Protocol
from thgeval.registry import Named
from thgeval.remote.mirror import NONE, Mirrors
from thgeval.results import ClipResult
from thgeval.seen import Seen
from thgeval.signature import protocol_part
from thgeval.stages import OTHER, STATES, WRITE, stage
from thgeval.states.checkpoint import Checkpoint, Kept, Refused
from thgeval.states.store import Known, Store, has_rows
from thgeval.version import __version__


@dataclass(frozen=True)
class Watcher:
    """Called as a run goes on.

    With the number of clips at the start, the frames of each chunk, each clip done, and what the user should know;
    before all that with the metrics that will be measured, for the terms of what they read. ``expects`` is told about
    how many frames there are in all, which takes looking at some clips, and ``skips`` how many need not be measured.
    ``phase`` is told what is done from now on, where that isn't measuring the clips.
    """

    begins: Callable[[int], None] = lambda clips: None
    expects: Callable[[int], None] | None = None
    frames: Callable[[int], None] = lambda frames: None
    skips: Callable[[int], None] = lambda frames: None
    clip: Callable[[str], None] = lambda clip: None
    warns: Callable[[str], None] = lambda sentence: None
    plans: Callable[[Sequence[Named]], None] = remind
    phase: Callable[[str], None] = lambda what: None


LOOKED_AT = 32
"""Clips whose headers say about how many frames there are."""

PASSING = (
    *(UNFORESEEN, "unmet need", "unreadable", "missing", "changed", "no file"),
    *("unreachable", "worker lost", "checkout failed", "checkout timed out", "no OpenFace", "OpenFace failed"),
)
"""Reasons that may be gone the next time though the content is the same: such failures are measured again."""


MORE_AHEAD = 2
"""Clips from elsewhere are fetched while others are measured: as many as there are cores, and so many more."""


class _Stopped(BaseException):
    """Ends a measuring thread after the run was interrupted."""


@dataclass(frozen=True)
class Job:
    """Measures the pairs of one run, looking up what is known and keeping what is new.

    ``carried`` are metrics that the result file has from earlier runs: looked up, never measured.
    """

    plan: Plan
    protocol: Protocol
    store: Store
    watcher: Watcher
    devices: Mapping[str, str]
    cores: int
    chunk: int = 0
    carried: tuple[Named, ...] = ()
    places: Mapping[str, Path] = field(default_factory=dict)
    seen: Seen | None = None
    mirrors: Mirrors = NONE
    stop: Event = field(default_factory=Event)
    counts: Counter[str] = field(default_factory=Counter)

    def contributions(self, pairing: Pairing) -> list[Contribution]:
        """What every pair adds, and every clip without a partner."""
        unpaired = {item.id: item for item in pairing.unpaired}
        problems = {id: item.failure for id, item in unpaired.items()}
        alone = [Contribution(unpaired[id]) for id in unpaired.keys() - {pair.id for pair in pairing.pairs}]
        self.watcher.begins(len(pairing.pairs))
        expects = None if self.mirrors.mirrors else self.watcher.expects  # elsewhere, headers are not looked at
        if expects is not None and (frames := expected_frames(pairing.pairs, self.protocol)):
            expects(frames)
        ahead = self.cores + MORE_AHEAD if self.mirrors.mirrors else 0
        with Cores(self.cores) as cores, ThreadPoolExecutor(self.cores + ahead) as threads:
            futures = [
                started(threads, partial(self.at_hand, pair, problems.get(pair.id), cores)) for pair in pairing.pairs
            ]
            try:
                done = []
                for future in as_completed(futures):
                    done.append(future.result())
                    self.watcher.clip(done[-1].clip.id)
            except BaseException:
                self.stop.set()
                threads.shutdown(wait=True, cancel_futures=True)
                raise
        return alone + done

    def streamed(self, samples: Iterable[Sample]) -> list[Contribution]:
        """What every pair of a stream adds; a few are under way at a time, and their files go when they are done."""
        room = BoundedSemaphore(self.cores + MORE_AHEAD)
        done: list[Contribution] = []
        futures: list[Future[Contribution]] = []

        def measured_once(pair: Pair, sample: Sample, cores: Cores) -> Contribution:
            try:
                return cores.occupy(self.contribution, pair, None, cores)
            finally:
                sample.drop()
                room.release()
                self.watcher.clip(pair.id)

        with Cores(self.cores) as cores, ThreadPoolExecutor(self.cores) as threads:
            try:
                for count, sample in enumerate(samples, 1):
                    self.watcher.begins(count)
                    if sample.pair is not None:
                        room.acquire()
                        futures.append(started(threads, partial(measured_once, sample.pair, sample, cores)))
                    elif sample.failed is not None:
                        done.append(Contribution(sample.failed))
                        self.watcher.clip(sample.failed.id)
                    futures, ended = _parted(futures)
                    done += [future.result() for future in ended]
                done += [future.result() for future in futures]
            except BaseException:
                self.stop.set()
                threads.shutdown(wait=True, cancel_futures=True)
                raise
        return done

    def at_hand(self, pair: Pair, problem: Failure | None, cores: Cores) -> Contribution:
        """What one pair adds, once its files are here; they come while no core is taken."""
        if not self.mirrors.mirrors:
            return cores.occupy(self.contribution, pair, problem, cores)
        try:
            with self.mirrors.use(files_of(pair)):
                return cores.occupy(self.contribution, pair, problem, cores)
        except InputError as error:
            if self.stop.is_set():
                raise _Stopped from None
            failed = refused(self.plan, Failure.of(error)).saying(self.mirrors.told)
            return Contribution(clip_result(pair, failed, ClipResult(pair.id), self.places))

    def contribution(self, pair: Pair, problem: Failure | None, cores: Cores) -> Contribution:
        """What one pair adds; ``problem`` is why it could not be paired, where it is scored all the same.

        The last resort: what nobody foresaw is this clip's failure, and the run goes on.
        """
        try:
            with stage(OTHER):
                return self._contribution(pair, problem, cores)
        except ThgevalError:
            raise
        except Exception as error:
            broken = _broken(pair, self.plan, error).saying(self.mirrors.told)
            return Contribution(clip_result(pair, broken, ClipResult(pair.id), {}))

    def _contribution(self, pair: Pair, problem: Failure | None, cores: Cores) -> Contribution:
        plan = self.plan.of_references() if pair.side == "reference" else self.plan
        wanted = self.wanted(pair.side)
        companions = pair.companions if self.store.used else {}
        with stage(STATES):
            marks = _marks(pair)
            content = self._content(pair, companions)
        nothing = Known(Checkpoint(pair.id, {}, "", {}))
        known, complete = self.store.find(pair.id, content, decoder(), wanted, self.devices) if content else nothing
        beside = self.mirrors.told(_beside(pair, companions))
        asked = {key: sha256(f"{beside}|{part}".encode()).hexdigest() for key, part in wanted.items()}
        refused = {key: item for key, item in known.refused.items() if item.asked == asked.get(key)}
        lacks = unmet(pair, plan)
        remaining = plan.without(known.kept.keys() | refused.keys() | (lacks.keys() if complete else set()))
        outcome = Measured()
        self.counts["measured" if remaining.metrics else "recalled"] += 1
        if remaining.metrics:
            try:
                outcome = measured(pair, remaining, self.protocol, cores, self._progress, self.chunk, self.seen)
            except ThgevalError:
                raise
            except Exception as error:
                outcome = _broken(pair, remaining, error)
            if content and _marks(pair) != marks and self._content(pair, companions) != content:
                outcome = _changed(pair, remaining)
            outcome.saying(self.mirrors.told)
        refused |= _lasting(outcome, asked)
        _recall_failures(outcome, refused, lacks, plan, known.kept)
        if not remaining.metrics:
            self.watcher.skips(before(known).frames)
        if problem is not None:
            outcome.failure = problem
            outcome.failed = {
                key: problem if failure.reason == "unmet need" else failure for key, failure in outcome.failed.items()
            }
        if pair.side == "reference":  # a reference's own value then rests on fewer clips, which is counted
            sets = {key for key, metric in plan.metrics if metric.sets}
            outcome.failed = {key: failure for key, failure in outcome.failed.items() if key in sets}
        recalled = before(known)
        clip = clip_result(pair, outcome, recalled, self.places)
        lost = {key for key, _ in self.carried if key not in known.kept}
        failed = {**clip.failed, **{key: failure for key, failure in recalled.failed.items() if key in lost}}
        failed = dict(sorted(failed.items()))  # in one order, whether measured or recalled
        clip = replace(clip, content=content, failed=failed)
        kept = dict(known.kept) | {
            key: Kept(wanted[key], state, outcome.reference_states.get(key), self.devices.get(key, "cpu"))
            for key, state in outcome.states.items()
        }
        if remaining.metrics or not complete:
            with stage(WRITE):
                kept = self._kept(Checkpoint(pair.id, content, decoder(), kept, clip.to_dict(), refused))
        return Contribution.of_kept(clip, {key: item for key, item in kept.items() if key in wanted})

    def wanted(self, side: str) -> dict[str, str]:
        """The protocol parts of everything that is looked up for a pair, or a clip of one side, by metric key."""
        return self._wanted_of_references if side == "reference" else self._wanted

    @cached_property
    def _wanted(self) -> dict[str, str]:
        """The protocol parts of the signatures of everything that is looked up, by metric key."""
        return self._parts(self.plan)

    @cached_property
    def _wanted_of_references(self) -> dict[str, str]:
        return self._parts(self.plan.of_references())

    def _parts(self, plan: Plan) -> dict[str, str]:
        return {
            key: protocol_part(metric, self.protocol, self.plan.pins) for key, metric in (*plan.metrics, *self.carried)
        }

    def _content(self, pair: Pair, companions: Mapping[str, Path]) -> dict[str, str]:
        """Fingerprints of everything a pair's states depend on; empty where nothing is kept or read."""
        if not self.store.used:
            return {}
        try:
            content = {"generated": fingerprint(pair.generated)}
            if pair.reference is not None:
                content["reference"] = fingerprint(pair.reference)
            for name, path in companions.items():
                content[name] = file_fingerprint(path, "clip_bytes" if name == "audio" else "companion_bytes")
            if isinstance(pair.transcript, str):
                content["words"] = sha256(pair.transcript.encode()).hexdigest()
        except InputError:
            return {}
        return content

    def _progress(self, frames: int) -> None:
        if self.stop.is_set():
            raise _Stopped
        self.watcher.frames(frames)

    def _kept(self, checkpoint: Checkpoint) -> dict[str, Kept]:
        """The states of a checkpoint after it was written, with their rows on disk; as they are where it can't be."""
        if not checkpoint.content and not has_rows(checkpoint.kept.values()):
            return dict(checkpoint.kept)
        try:
            return dict(self.store.save(checkpoint).kept)
        except OutputError as error:
            self.watcher.warns(f"this run can't be resumed from clip {checkpoint.pair}: {error}")
            return dict(checkpoint.kept)


def _parted(futures: list["Future[Contribution]"]) -> tuple[list["Future[Contribution]"], list["Future[Contribution]"]]:
    """Those that go on, and those that have ended."""
    ended = [future for future in futures if future.done()]
    return [future for future in futures if not future.done()] if ended else futures, ended


def expected_frames(pairs: Sequence[Pair], protocol: Protocol) -> int:
    """About how many frames these clips have in all, by the headers of some of them; 0 where nothing says it."""
    step = max(1, len(pairs) // LOOKED_AT)
    found = [frames for pair in pairs[::step][:LOOKED_AT] if (frames := _frames_of(pair, protocol))]
    return round(sum(found) / len(found) * len(pairs)) if found else 0


def _frames_of(pair: Pair, protocol: Protocol) -> float:
    try:
        info = probe(pair.generated)
    except (InputError, OSError):
        return 0.0
    frames = float(info.frames or 0)
    if not frames and info.duration_s and info.fps:
        frames = info.duration_s * float(info.fps)
    return frames * float(protocol.fps / info.fps) if protocol.fps and info.fps else frames


def _beside(pair: Pair, companions: Mapping[str, Path]) -> str:
    """What a refusal of a pair depends on beside its content and the metric: the names it says, limits, the version."""
    clips = (pair.generated, *(() if pair.reference is None else (pair.reference,)))
    files = [clip.name for clip in clips] + [f"{what} {path}" for what, path in companions.items()]
    return repr((files, pair.side, os.environ.get(VARIABLE), __version__))


def _lasting(outcome: Measured, asked: Mapping[str, str]) -> dict[str, Refused]:
    """The failures that the same content would have again, to be kept beside the states."""
    return {
        key: Refused(asked[key], failure, failure == outcome.failure)
        for key, failure in outcome.failed.items()
        if failure.reason not in PASSING
    }


def _recall_failures(
    outcome: Measured, refused: Mapping[str, Refused], lacks: Mapping[str, Failure], plan: Plan, kept: Collection[str]
) -> None:
    """Let a pair's metrics fail as they did when they were measured."""
    for named in plan.metrics:
        if named.key in outcome.failed or named.key in outcome.states or named.key in kept:
            continue
        if (item := refused.get(named.key)) is not None:
            outcome.failed[named.key] = item.failure
            if item.whole and outcome.failure is None:
                outcome.failure = outcome.failed[named.key]
        elif named.key in lacks:
            outcome.failed[named.key] = lacks[named.key]


def _broken(pair: Pair, plan: Plan, error: Exception) -> Measured:
    return refused(plan, unforeseen(pair.id, error))


def _changed(pair: Pair, plan: Plan) -> Measured:
    return refused(plan, Failure("changed", f"{pair.id}: a file of it was changed while it was measured; run again"))


def refused(plan: Plan, failure: Failure) -> Measured:
    """What is known of a pair of which nothing can be measured."""
    return Measured(failure=failure, failed={named.key: failure for named in plan.metrics})


def _marks(pair: Pair) -> list[tuple[int, int, int]]:
    """What tells, for next to nothing, whether any file of a pair may have changed."""
    found = []
    with suppress(OSError, ValueError):  # whoever reads them says what is wrong
        for place, _ in files_of(pair):
            for path in sorted(place.iterdir()) if place.is_dir() else [place]:
                status = path.stat()
                found.append((status.st_ino, status.st_size, status.st_mtime_ns))
    return found


def files_of(pair: Pair) -> list[tuple[Path, str]]:
    """The files of a pair, and the limit that each must keep to; of folders of frames every file must."""
    clips = (pair.generated, *(() if pair.reference is None else (pair.reference,)))
    own = [clip.source for clip in clips if isinstance(clip.source, Path)]
    sizes = [(path, "image_bytes" if path.is_dir() else "clip_bytes") for path in own]
    beside = pair.companions.items()
    return sizes + [(path, "clip_bytes" if name == "audio" else "companion_bytes") for name, path in beside]
