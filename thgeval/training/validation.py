"""Validation while a model trains: its clips scored every so many steps, and tested against the best so far.

    validation = Validation(model, clips, data_range=1.0, every_steps=500, patience=5, folder="runs/mine")
    for step, batch in enumerate(loader):
        if (checked := validation.step(step)) and checked.should_stop:
            break
        ...                                       # training goes on as if nobody had looked, to the last bit

Each check is a run like any other, in a file of its own. The processes of a group share the clips, all of them call
``step``, and all get the same answer. A clip that can't be generated or measured is recorded with its reason, in the
run and as a warning; training goes on.
"""

import warnings
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from numbers import Integral
from operator import index
from pathlib import Path
from time import perf_counter
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.utils.data import default_collate

from thgeval import schema
from thgeval.comparison import Compared, compared_runs
from thgeval.errors import Failure, InputError, OutputError, ProtocolError
from thgeval.files import write_atomically
from thgeval.metric import Better
from thgeval.protocol import is_positive, is_real
from thgeval.registry import metrics as named_metrics
from thgeval.report.ranking import worst_clips
from thgeval.results import ClipResult, Run
from thgeval.significance import ALPHA, least_by_clips
from thgeval.statistics import Resampling
from thgeval.training.objects import TrainingMetric, metric_of, run_of
from thgeval.training.stills import Still, pair_strip
from thgeval.training.tensors import DataRange, both_sides, in_words, out_of_range, outside, stated
from thgeval.training.undisturbed import Averaged, averaged, no_room, seed_all, undisturbed

FIRST, BETTER, WORSE, CANT_TELL = "first", "better", "worse", "can't tell"

COMPARING = Resampling(draws=10_000)
"""As ``thgeval compare`` draws by default."""

LONGEST = 300
"""How many characters of somebody else's error are told."""

Generate: TypeAlias = Callable[[Any], Tensor]


@dataclass(frozen=True, eq=False)
class Checked:
    """What one check of a model found.

    watched     the key of the metric that decides
    verdict     ``better``, ``worse`` or ``can't tell`` than the best checkpoint so far, or ``first``
    test        the paired test behind the verdict, as ``thgeval compare`` has it; None where there is none
    best_step   the step of the best checkpoint, this one included; None as long as no clip could be scored
    since_best  how many checks ago that was
    worst       the worst clip by the watched metric; None where none is worse than the others
    path        the run's file, or None
    notes       what a reader must know: clips that were left out, batches that were halved, sinks that failed
    """

    step: int
    run: Run
    watched: str
    verdict: str
    test: Compared | None
    best_step: int | None
    since_best: int
    should_stop: bool
    worst: Still | None
    path: Path | None
    seconds: float
    notes: tuple[str, ...] = ()

    @property
    def scores(self) -> dict[str, float]:
        """The value of every metric by its key, on every process the same keys; NaN where there is none."""
        return {key: float("nan") if one.value is None else one.value for key, one in self.run.scores.items()}

    @property
    def coverage(self) -> tuple[int, int]:
        """How many clips were looked at without a failure, and how many there are."""
        return self.run.expected - len(self.run.failures), self.run.expected

    @property
    def partial(self) -> bool:
        """Whether some clips are missing, so that the scores are those of fewer."""
        return bool(self.run.failures)


class Sink(Protocol):
    """Whatever takes what a check found: a function, or one of ``thgeval.training.sinks``."""

    def __call__(self, checked: Checked, /) -> Any:
        """Take it; what is returned is not looked at."""
        ...


@dataclass
class Share:
    """What became of the clips of one process: entries of a run by name, strips as files, and sentences."""

    entries: dict[str, ClipResult] = field(default_factory=dict)
    strips: dict[str, bytes] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def fail(self, name: str, failure: Failure) -> None:
        """Record that a clip is left out, and why."""
        self.entries[name] = ClipResult(name, failure=failure)


class Validation:
    """A model's clips, scored every so many steps; ``step`` in a loop, ``check`` at any time.

    model          what is trained, or several modules of which the first is; all are put in evaluation mode
    clips          by name, what the generator takes and the reference, (frames, channels, height, width); a mapping
                   that loads a clip when asked for it will do
    generate       from inputs with an axis of clips in front to frames (clips, frames, channels, height, width); the
                   model itself unless given
    metrics        names as ``thgeval score`` takes them, or objects of ``thgeval.training``
    data_range     that of float frames, as of metric objects; a generator's frames must lie in it
    watch          the key of the metric that decides what is better; the first unless given
    every_steps    how often ``step`` checks, also where it is called at other steps; never of itself if None
    run_at_start   whether ``step(0)`` checks
    batch_clips    how many clips are generated at once, of one shape; halved, and said so, where memory runs out
    seed           of the random numbers of each batch, the same at every check
    ema            averaged weights to check in place of the model's own: by name, a module, or a function that returns
                   a context
    time_budget_s  after so long no further batch is begun; the clips left are recorded as not reached
    patience       after so many checks in a row that were not better, ``should_stop`` is true; never if None
    folder         where every run is written, ``step-00000500.json``, and a strip of its worst clip
    sinks          called with what was found, on the first process: functions, or ``thgeval.training.sinks``

    Raises ProtocolError for metrics that frames can't serve, a watched metric without a direction, no clips.
    """

    def __init__(
        self,
        model: nn.Module | Sequence[nn.Module],
        clips: Mapping[str, tuple[Any, Tensor]],
        generate: Generate | None = None,
        *,
        metrics: Sequence[str | TrainingMetric] = ("psnr", "ssim"),
        data_range: DataRange = None,
        watch: str = "",
        every_steps: int | None = None,
        run_at_start: bool = True,
        batch_clips: int = 1,
        seed: int = 0,
        ema: Averaged = None,
        time_budget_s: float | None = None,
        patience: int | None = None,
        folder: str | Path | None = None,
        sinks: Sequence[Sink] = (),
    ) -> None:
        check_settings(
            {"model": model, "generate": generate, "every_steps": every_steps, "batch_clips": batch_clips, "seed": seed}
            | {"ema": ema, "time_budget_s": time_budget_s, "patience": patience, "sinks": sinks}
        )
        check_clips(clips)
        given = [model] if isinstance(model, nn.Module) else list(model)
        self.wrappers, self.modules = given, [unwrapped(one) for one in given]
        self.clips, self.generate = clips, generate or self.modules[0]
        self.metrics = objects_of(metrics, data_range)
        self.data_range, self.watch = stated(data_range), watched(self.metrics, watch)
        self.every_steps, self.run_at_start = every_steps, run_at_start
        self.batch_clips, self.seed, self.ema = batch_clips, seed, ema
        self.time_budget_s, self.patience = time_budget_s, patience
        if patience is not None and not (self._sets or least_by_clips(len(clips), COMPARING) < ALPHA):
            raise ProtocolError(
                f"with {len(clips)} clips no difference, however large, is significant, so that patience would always "
                "run out; give six clips or more"
            )
        self.folder, self.sinks = None if folder is None else Path(folder), list(sinks)
        self._best: Run | None = None
        self._best_step: int | None = None
        self._last_step: int | None = None
        self._seen_step: int | None = None
        self._since_best = 0

    @property
    def _sets(self) -> bool:
        return any(metric.named.key == self.watch and metric.named.metric.sets for metric in self.metrics)

    def step(self, step: int) -> Checked | None:
        """Check the model if it is time to, at most once a step; ``step`` counts steps of training, from 0.

        It is time at every multiple of ``every_steps``, and when one was passed since the last call.
        """
        before, self._seen_step = self._seen_step, whole_step(step)
        return self.check(step) if self._is_due(self._seen_step, before) and step != self._last_step else None

    def _is_due(self, step: int, before: int | None) -> bool:
        if step == 0 or self.every_steps is None:
            return step == 0 and self.run_at_start
        passed = before is not None and step // self.every_steps > before // self.every_steps
        return passed or step % self.every_steps == 0

    def check(self, step: int) -> Checked:
        """Check the model as it is; in a process group every process must call it."""
        step = whole_step(step)
        began = perf_counter()
        with undisturbed(self.modules, self.wrappers):
            share, run = self._looked(began)
            verdict, test, notes = compared_with(self._best, run, self.watch)
            if verdict in (FIRST, BETTER):
                self._best, self._best_step, self._since_best = run, step, 0
            elif self._best is not None:
                self._since_best += 1
            self._last_step = step
            checked = Checked(
                step=step,
                run=replace(run, record={"seconds": round(perf_counter() - began, 3)}),
                watched=self.watch,
                verdict=verdict,
                test=test,
                best_step=self._best_step,
                since_best=self._since_best,
                should_stop=self.patience is not None and self._since_best >= self.patience,
                worst=worst_of(run, self.watch, share.strips),
                path=None if self.folder is None else self.folder / file_name(step),
                seconds=perf_counter() - began,
                notes=(*share.notes, *notes),
            )
            if place()[0] == 0:
                checked = replace(checked, notes=(*checked.notes, *self._handed_on(checked)))
        if place()[0] == 0:
            for note in checked.notes:
                warnings.warn(f"validation at step {step}: {note}", stacklevel=2)
        return checked

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint must hold so that the best is known when training is taken up again: plain values."""
        best = None if self._best is None else schema.encoded(self._best.to_dict()).decode()
        return {"best": best, "best_step": self._best_step, "last_step": self._last_step, "since": self._since_best}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """The inverse; ProtocolError for what is no such state."""
        if missing := {"best", "best_step", "last_step", "since"} - state.keys():
            raise ProtocolError(f"this is no state of a validation: it lacks {', '.join(sorted(missing))}")
        self._best = None if state["best"] is None else Run.of_bytes(state["best"].encode())
        self._best_step, self._last_step = state["best_step"], state["last_step"]
        self._since_best = state["since"]

    def _looked(self, began: float) -> tuple[Share, Run]:
        """What became of all clips, of all processes, and their run."""
        device = device_of(self.modules[0])
        try:
            for metric in self.metrics:
                metric.to(device)
            with averaged(self.modules[0], self.ema):
                share = gathered(self._own_share(began, device))
            share.notes.extend(left_out(share.entries.values()))
            return share, run_of(self.metrics, clips=[share.entries[name] for name in sorted(share.entries)])
        finally:
            for metric in self.metrics:
                metric.reset()

    def _own_share(self, began: float, device: torch.device) -> Share:
        """This process's clips, generated and counted."""
        rank, ranks = place()
        share, waiting = Share(), deque(list(enumerate(self.clips))[rank::ranks])
        while waiting:
            if share.entries and self.time_budget_s is not None and perf_counter() - began >= self.time_budget_s:
                late = Failure("not reached", f"the time budget of {self.time_budget_s:g} s ended before this clip")
                for _, name in waiting:
                    share.fail(name, late)
                break
            batch = self._next(waiting, share, device)
            for clip, made in zip(batch, self._generated(batch, share), strict=True):
                self._count(clip, made, share)
        return share

    def _next(self, waiting: deque[tuple[int, str]], share: Share, device: torch.device) -> list["_Loaded"]:
        """The next clips of one shape, as many as are generated at once; what can't be loaded is recorded."""
        batch: list[_Loaded] = []
        while waiting and len(batch) < self.batch_clips:
            number, name = waiting[0]
            try:
                inputs, reference = self.clips[name]
                check_reference(name, reference)
                reference = reference.to(device)
            except Exception as error:
                share.fail(name, failure_of(error, "can't be loaded", name))
                waiting.popleft()
                continue
            if batch and reference.shape != batch[0].reference.shape:
                break
            batch.append(_Loaded(number, name, inputs, reference))
            waiting.popleft()
        return batch

    def _generated(self, batch: Sequence["_Loaded"], share: Share) -> list[Tensor | Failure]:
        """Frames of each clip of a batch, or why there are none; a batch that fails is tried in parts."""
        if not batch:
            return []
        try:
            seed_all(self.seed + batch[0].number)
            inputs = moved(default_collate([clip.inputs for clip in batch]), batch[0].reference.device)
            made = self.generate(inputs)
            check_made(made, batch)
            return list(made.detach())
        except Exception as error:
            failure = failure_of(error, "can't be generated", batch[0].name)
            full = no_room(error)
        # Here the error is gone, and with it what its frames held in memory.
        torch.cuda.empty_cache()
        if len(batch) == 1:
            return [failure]
        part = (len(batch) + 1) // 2 if full else 1
        if full:
            self.batch_clips = part
            share.notes.append(f"memory ran out with {len(batch)} clips at once; from now on there are {part}")
        return [one for at in range(0, len(batch), part) for one in self._generated(batch[at : at + part], share)]

    def _count(self, clip: "_Loaded", made: Tensor | Failure, share: Share) -> None:
        """One clip's frames, by every metric that can measure them."""
        if isinstance(made, Failure):
            share.fail(clip.name, made)
            return
        generated, reference = made[None], clip.reference[None]
        try:
            pair = both_sides(generated, reference, self.data_range)
            if outside(pair):
                raise out_of_range()
        except InputError as error:
            share.fail(clip.name, Failure.of(error))
            return
        failed: dict[str, Failure] = {}
        for metric in self.metrics:
            try:
                metric.update(generated, reference, clips=[clip.name])
            except Exception as error:  # whatever it is, other processes are waiting for the rest of this one's clips
                failed[metric.named.key] = failure_of(error, "can't be measured", clip.name)
        share.entries[clip.name] = ClipResult(clip.name, failed=failed)
        share.strips[clip.name] = pair_strip(pair)

    def _handed_on(self, checked: Checked) -> list[str]:
        """Write the run, call the sinks; sentences about those that failed."""
        said = []
        for sink in [partial(_write, self.folder), *self.sinks] if self.folder else self.sinks:
            try:
                sink(checked)
            except OutputError as error:
                said.append(str(error))
            except Exception as error:
                said.append(f"a sink failed, and got nothing of this check: {_worded(error)}")
        return said


@dataclass(frozen=True, eq=False)
class _Loaded:
    """A clip to be generated; ``number`` is its place among all."""

    number: int
    name: str
    inputs: Any
    reference: Tensor


def compared_with(best: Run | None, run: Run, key: str) -> tuple[str, Compared | None, list[str]]:
    """The verdict on a run against the best so far, the test behind it, and what to know of it."""
    if best is None:
        return (FIRST if run[key].value is not None else CANT_TELL), None, []
    found = compared_runs({"the best": best, "this checkpoint": run}, COMPARING, keys=[key])
    if not found.rows:
        return CANT_TELL, None, [f"no test against the best: {why}" for why in found.skipped.values()]
    (row,) = found.rows
    return (row.verdict if row.verdict in (BETTER, WORSE) else CANT_TELL), row, []


def worst_of(run: Run, key: str, strips: Mapping[str, bytes]) -> Still | None:
    """The worst clip by a metric, with its strip; None where none is worse than the others."""
    values = {clip.id: value for clip in run.clips if (value := clip.scores.get(key)) is not None}
    held = {clip.id: clip.reference_contributions.get(key) for clip in run.clips}
    own = {name: row[0] / row[1] for name, row in held.items() if row and row[1] > 0}
    worst = worst_clips(values, 1, better=run[key].better, own=own)
    return Still(worst[0], key, values[worst[0]], strips[worst[0]]) if worst else None


def objects_of(metrics: Sequence[str | TrainingMetric], data_range: DataRange) -> list[TrainingMetric]:
    """Metric objects, by their names if they aren't objects yet; ProtocolError for those that frames can't serve."""
    if isinstance(metrics, str):
        metrics = [metrics]
    found: list[TrainingMetric] = []
    for asked in metrics:
        if isinstance(asked, TrainingMetric):
            found.append(asked.emptied())  # what its owner counts with it stays counted
            continue
        for named in named_metrics([asked]):
            of_frames = metric_of(named.metric.name)
            found.append(of_frames(data_range=data_range, **named.metric.settings()))
    keys = [metric.named.key for metric in found]
    if not found or len(set(keys)) < len(keys):
        raise ProtocolError(f"metrics are asked for once each, and at least one, not {', '.join(keys) or 'none'}")
    if lacking := [metric.named.key for metric in found if not metric.reader.of_frames]:
        raise ProtocolError(f"{lacking[0]} is not measured on frames alone, which is all that validation has")
    return found


def watched(metrics: Sequence[TrainingMetric], key: str) -> str:
    """The key of the metric that decides; ProtocolError if it isn't there, or has no direction."""
    found = {metric.named.key: metric.named.metric for metric in metrics}
    key = key or next(iter(found))
    if key not in found:
        raise ProtocolError(f"watch is the key of one of the metrics, {', '.join(found)}, not {key!r}")
    if found[key].better is Better.NONE:
        raise ProtocolError(f"neither way is better by {key}; watch another metric")
    return key


def unwrapped(model: nn.Module) -> nn.Module:
    """The module inside a wrapper that synchronises gradients, which processes may call unevenly often.

    Raises ProtocolError for a model whose weights are sharded, as every call of it waits for all processes.
    """
    if isinstance(model, nn.parallel.DistributedDataParallel | nn.DataParallel):
        return unwrapped(model.module)
    if {"FullyShardedDataParallel", "FSDPModule"} & {cls.__name__ for cls in type(model).__mro__}:
        raise ProtocolError(
            "the model's weights are sharded, and processes that validate call it unevenly often; gather them into a "
            "copy, and validate that"
        )
    return model


def place() -> tuple[int, int]:
    """The number of this process, and how many there are."""
    there = dist.is_available() and dist.is_initialized()
    return (dist.get_rank(), dist.get_world_size()) if there else (0, 1)


def gathered(own: Share) -> Share:
    """The shares of all processes as one."""
    shares: list[Any] = [own]
    if (ranks := place()[1]) > 1:
        shares = [None] * ranks
        dist.all_gather_object(shares, own)
    whole = Share()
    for share in shares:
        whole.entries |= share.entries
        whole.strips |= share.strips
        whole.notes += share.notes
    return whole


def left_out(entries: Any) -> list[str]:
    """One sentence a reason: how many clips are left out, and what was said of the first."""
    reasons: dict[str, list[Failure]] = {}
    for entry in entries:
        failures = [entry.failure] if entry.failure else entry.failed.values()
        for reason, failure in {failure.reason: failure for failure in failures}.items():
            reasons.setdefault(reason, []).append(failure)
    return [
        f"{len(found)} of {len(entries)} clips left out, {reason}: {found[0].message}"
        for reason, found in reasons.items()
    ]


def check_clips(clips: Any) -> None:
    """Refuse what are no clips by name: ProtocolError."""
    if not (hasattr(clips, "keys") and hasattr(clips, "__getitem__") and hasattr(clips, "__len__")):
        raise ProtocolError(f"clips are a mapping, from names to inputs and reference, not {in_words(clips)}")
    if not len(clips):
        raise ProtocolError("there are no clips to validate on")
    if nameless := [name for name in clips if not isinstance(name, str) or not name]:
        raise ProtocolError(f"clips are called by texts, not {nameless[0]!r}")


def check_settings(settings: Mapping[str, Any]) -> None:
    """Refuse settings of another kind than they have: ProtocolError."""
    for name, value in settings.items():
        fits, says = SETTINGS[name]
        if not fits(value):
            raise ProtocolError(f"{name} is {says}, not {in_words(value)}")


def is_count(value: Any) -> bool:
    """Whether something is a whole number above 0."""
    return isinstance(value, Integral) and is_positive(value)


def _is_module_or_several(value: Any) -> bool:
    several = value if isinstance(value, Sequence) else [value]
    return bool(several) and all(isinstance(one, nn.Module) for one in several)


SETTINGS: Mapping[str, tuple[Callable[[Any], bool], str]] = MappingProxyType(
    {
        "model": (_is_module_or_several, "a module, or several"),
        "generate": (lambda value: value is None or callable(value), "a function"),
        "every_steps": (lambda value: value is None or is_count(value), "a whole number, at least 1"),
        "batch_clips": (is_count, "a whole number, at least 1"),
        "patience": (lambda value: value is None or is_count(value), "a whole number, at least 1"),
        "seed": (lambda value: isinstance(value, Integral), "a whole number"),
        "time_budget_s": (lambda value: value is None or (is_real(value) and value >= 0), "a number of seconds"),
        "ema": (
            lambda value: isinstance(value, Mapping | None) or callable(value),
            "tensors by name, a module, or a function that returns a context",
        ),
        "sinks": (lambda value: isinstance(value, Sequence) and all(map(callable, value)), "a list of functions"),
    }
)
"""Whether a value is one of a setting of ``Validation``, and what it must be."""


def whole_step(step: Any) -> int:
    """A number of steps; ProtocolError for what is none."""
    try:
        number = index(step)
    except TypeError:
        number = -1
    if number < 0:
        raise ProtocolError(f"steps are counted from 0 in whole numbers, and {step!r} is none")
    return number


def check_reference(name: str, reference: Any) -> None:
    """Refuse what is no clip: InputError."""
    if not isinstance(reference, Tensor) or reference.ndim != 4 or not reference.numel():
        raise InputError(
            f"the reference of {name} must be a tensor (frames, channels, height, width), not {in_words(reference)}",
            reason="wrong shape",
        )


def check_made(made: Any, batch: Sequence[_Loaded]) -> None:
    """Refuse what doesn't fit the references: InputError."""
    wanted = (len(batch), *batch[0].reference.shape)
    if not isinstance(made, Tensor) or tuple(made.shape) != wanted:
        raise InputError(
            f"the generator made {in_words(made)} of {batch[0].name}, and its reference asks for {wanted}",
            reason="shape mismatch",
        )


def failure_of(error: Exception, reason: str, name: str) -> Failure:
    """An error as what is recorded of a clip."""
    if isinstance(error, InputError):
        return Failure.of(error)
    if no_room(error):
        return Failure("out of memory", f"memory ran out with {name} alone")
    return Failure(reason, f"{name} {reason}: {_worded(error)}")


def _worded(error: Exception) -> str:
    first = str(error).partition("\n")[0][:LONGEST]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def device_of(module: nn.Module) -> torch.device:
    """Where a module's weights are; the CPU if it has none."""
    first = next(iter([*module.parameters(), *module.buffers()]), None)
    return torch.device("cpu") if first is None else first.device


def moved(inputs: Any, device: torch.device) -> Any:
    """Tensors on a device, within mappings and sequences."""
    if isinstance(inputs, Tensor):
        return inputs.to(device)
    if isinstance(inputs, Mapping):
        return {name: moved(value, device) for name, value in inputs.items()}
    return [moved(value, device) for value in inputs] if isinstance(inputs, list | tuple) else inputs


def file_name(step: int) -> str:
    """What the run of a step is called, so that names sort as steps do."""
    return f"step-{step:08d}.json"


def runs_in(folder: str | Path) -> dict[int, Run]:
    """The runs that a validation has written, by their steps; ProtocolError for a file that is none."""
    return {int(path.stem.partition("-")[2]): Run.read(path) for path in sorted(Path(folder).glob("step-*.json"))}


def _write(folder: Path, checked: Checked) -> None:
    path = folder / file_name(checked.step)
    checked.run.write(path)
    if checked.worst is not None:
        write_atomically(path.with_suffix(".worst.webp"), checked.worst.content)
