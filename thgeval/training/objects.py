"""Metric objects for training loops: ``torchmetrics.Metric`` classes of the metrics that the command line has.

    from thgeval.training import SSIM
    ssim = SSIM(data_range=1.0)
    ssim.update(generated, reference)         # BCHW, TCHW or BTCHW
    ssim.compute()

There is one class for each row of the table of metrics, under the name that the literature writes, made when it is
asked for; its keywords are the metric's fields. It measures by the metric's own ``measure``, on the CPU; where frames
lie on another device and the metric's number can be computed there (``values``), it is, and ``update`` waits for
nothing.

What is remembered: two sums of pairs of float64 and a few counts, whatever the number of clips, for metrics whose score
is a fraction of sums; per-frame values of clips that have names; and for metrics of sets rows, up to ``cap``.
"""

import warnings
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from hashlib import sha256
from itertools import count
from typing import Any, ClassVar

import torch
from torch import Tensor
from torchmetrics import Metric as Parent
from torchmetrics.utilities.distributed import gather_all_tensors

from thgeval.errors import InputError, ProtocolError
from thgeval.meter import CAP, checked_cap, range_looks_wrong
from thgeval.meter.batch import Batch
from thgeval.meter.runs import pins, result
from thgeval.meter.tally import Exact, Sums, Tally, is_sum, sums_of, tally
from thgeval.metric import Better
from thgeval.metrics import METRICS
from thgeval.networks.devices import token
from thgeval.protocol import Protocol
from thgeval.registry import Named, key, metric_class
from thgeval.results import ClipResult, Run
from thgeval.signature import protocol_part
from thgeval.training import records
from thgeval.training.reading import BatchReader, GivenTensors, Network, ReadFrames
from thgeval.training.rows import SetRows, not_finite
from thgeval.training.tensors import DataRange, out_of_range, stated
from thgeval.training.values import FRAME_VALUES, differentiable, per_frame, state_of, sums_there

OF_PARENT = (
    *("compute_on_cpu", "dist_sync_on_step", "process_group", "dist_sync_fn", "distributed_available_fn"),
    *("sync_on_compute", "compute_with_cache"),
)
"""Keywords that are torchmetrics' own."""


WRONG, WITHIN, BEYOND = 4, 5, 6
"""Of the counts, those of batches that left their range, and that lay in [0, 1], or not, where the range is wider."""

COUNTS = 7
"""How many counts there are: those of ``Sums``, and these. Marks of the object follow, so that no two objects ever hold
equal states: torchmetrics takes metrics that do for one, and would update only the first of them."""

OBJECTS = count()


class TrainingMetric(Parent):
    """A metric of the table, as an object of torchmetrics; subclasses are made by ``metric_object``.

    data_range   the range of float frames: white where black is 0, or (black, white); uint8 has its own
    layout       ``BCHW`` (images), ``TCHW`` (one clip) or ``BTCHW``; four axes are ``BCHW`` unless told
    preset       a named set of fields; other keywords are the metric's fields, and torchmetrics' own
    features     the name of what computed the features that are handed over in place of frames
    extract      what computes them here: from images in [0, 1], (images, 3, height, width), to rows; needs ``features``
    size_px      width and height of the frames that landmarks in px are of
    fps          frames a second, for what is counted in seconds
    cap          how many rows a metric of sets may keep

    Raises ProtocolError for other keywords and values, UnmetNeed for a metric that tensors can't serve.
    """

    key_name: ClassVar[str]
    full_state_update = False

    def __init__(
        self,
        *,
        data_range: DataRange = None,
        layout: str | None = None,
        preset: str = "",
        features: str = "",
        extract: Network | None = None,
        size_px: tuple[int, int] | None = None,
        fps: float | None = None,
        cap: int = CAP,
        **keywords: Any,
    ) -> None:
        super().__init__(**{name: keywords.pop(name) for name in OF_PARENT if name in keywords})
        self.named = named(self.key_name, preset, keywords)
        self.features, self.cap = features, checked_cap(cap)
        self.reader = BatchReader(self.named.metric, stated(data_range), layout, features, extract, size_px, fps)
        self.sums: Tensor
        self.counts: Tensor
        self._marks = self._new_marks()
        self.add_state("sums", torch.zeros(2, 2, dtype=torch.float64), _added, persistent=True)
        self.add_state("counts", torch.tensor([0] * COUNTS + self._marks), "sum", persistent=True)
        self._clear()

    def _clear(self) -> None:
        self.tally: Tally = tally(self.named, cap=self.cap, features=self.features)
        self.rows = SetRows(self.cap, self.named.key)
        self._there: list[tuple[str, Tensor]] = []
        self._merged: Tally | None = None
        self._measured_here = False

    @property
    def measured_on(self) -> torch.device:
        """Where numbers were made: the metric's own device if they can be and frames lay there, else the CPU."""
        there = differentiable(self.named.metric) and not self._measured_here
        return self.device if there else torch.device("cpu")

    def update(
        self,
        generated: GivenTensors,
        reference: GivenTensors | None = None,
        *,
        clips: str | Sequence[str] | None = None,
    ) -> None:
        """Count one batch; ``clips`` names its clips, which gives the result intervals.

        Under autocast too, numbers are those of whole precision. InputError for what can't be measured, and then
        nothing of the batch counts.
        """
        with ExitStack() as whole:
            for device in filter(torch.amp.is_autocast_available, {"cpu", self.device.type}):
                whole.enter_context(torch.autocast(device, enabled=False))
            self._update(generated, reference, clips)

    def _update(
        self, generated: GivenTensors, reference: GivenTensors | None, clips: str | Sequence[str] | None
    ) -> None:
        read = self.reader.read(generated, reference)
        names = read.names(clips)
        self.tally.check(names, read.frames)
        if isinstance(read.given, ReadFrames):
            self._count_there(read.given, names)
        elif isinstance(read.given, Batch):
            self._count_here(read.given, names)
        else:
            self.rows.add(*read.given, names)
            if read.strange is not None:
                self._count({WRONG: read.strange})
        self.tally.nameless = names is None
        if read.within_one is not None:
            self._count({WITHIN: read.within_one, BEYOND: ~read.within_one})

    def _count_here(self, batch: Batch, names: list[str] | None) -> None:
        """By the metric's own ``measure``."""
        self._measured_here = True
        seen = self.tally.seen(batch)
        if names is None and is_sum(seen.state):
            self._add(sums_of(self.named.metric, seen.state), wrong=0)
        else:
            self.tally.count(seen, names)

    def _count_there(self, seen: ReadFrames, names: list[str] | None) -> None:
        """On the device where the frames are, without waiting for it."""
        pair = seen.pair
        if pair.generated.device != self.device:
            raise InputError(
                f"frames are on {pair.generated.device} and the metric on {self.device}; move one to the other",
                reason="device differs",
            )
        clips = pair.generated.shape[0]
        numbers = per_frame(self.named.metric)(*pair.of_frames(), pair.peak).reshape(clips, -1)
        if names is None:
            self._add(sums_there(self.named.metric, numbers), wrong=seen.outside)
        else:
            self._count({WRONG: seen.outside})
            self._there += zip(names, numbers, strict=True)

    def _add(self, sums: Sums, wrong: Any) -> None:
        self.sums = _plus(self.sums, _tensor(sums, self.sums))
        self._count(dict(enumerate((*sums[2:], wrong))))

    def _count(self, more: Mapping[int, Any]) -> None:
        """Add to counts, numbers or what nothing waits for."""
        added = torch.zeros_like(self.counts)
        for which, number in more.items():
            added[which] = number
        self.counts = self.counts + added

    def compute(self) -> Tensor:
        """The score of all that was counted, on all processes: a float64 scalar; NaN where there is none."""
        return torch.tensor(self.counted().value(), dtype=torch.float64, device=self.device)

    def counted(self) -> Tally:
        """All that was counted, here or, while synced, by all processes; InputError if frames left their range."""
        clips, frames, infinite, lost, wrong, within, beyond, *_ = self._own_counts()
        if wrong:
            raise not_finite() if self.reader.of_rows else out_of_range()
        if within and not beyond:
            ends = self.reader.data_range
            said = f"data_range=({ends.black:g}, {ends.white:g})" if ends else "another range"
            warnings.warn(f"{self.named.key}: {range_looks_wrong(said, 'data_range=1.0')}", stacklevel=2)
        above, below = (Exact(*pair) for pair in self.sums.tolist())
        tally = self._merged or self._local()
        return replace(tally, sums=Sums(above, below, clips, frames, infinite, lost))

    def _own_counts(self) -> list[int]:
        """The counts; ProtocolError if they are another metric's, as in groups that were declared to torchmetrics."""
        counts: list[int] = self.counts.tolist()
        times = counts[-1]
        *its_object, its_metric, _ = (mark * times for mark in self._marks)
        own = counts[COUNTS:-2] == its_object
        alike = counts[-2] == its_metric and not self.tally.records.frames and not len(self.rows)
        if not (self._is_synced or own or alike):
            raise ProtocolError(
                f"{self.named.key} was handed the states of another metric; give MetricCollection no compute_groups, "
                "as these metrics share their work without"
            )
        return counts

    def _local(self) -> Tally:
        """The records of this process, after what waits on a device has been fetched."""
        metric = self.named.metric
        for name, numbers in self._there:
            self.tally.count_alone(state_of(metric, "0", numbers), name)
        self._there = []
        return self.rows.counted(self.tally)

    def result(self) -> Run:
        """The score with its signature, and its interval where clips have names: a run like any other."""
        return run_of([self])

    def reset(self) -> None:
        """Forget everything."""
        super().reset()
        self._clear()

    def forward(self, *args: Any, **kwargs: Any) -> Tensor:
        """Count one batch, and give the score of it alone."""
        self.update(*args, **kwargs)
        alone = self.emptied()
        alone._to_sync = self.dist_sync_on_step  # others are asked at every step only if told to
        alone.update(*args, **kwargs)
        value: Tensor = alone.compute()
        self._forward_cache: Any = value
        return value

    def emptied(self) -> "TrainingMetric":
        """Another object of the same settings that has counted nothing."""
        other = object.__new__(type(self))
        other.__setstate__({**self.__getstate__(), "_modules": {}, "_is_synced": False, "_cache": None})
        other.reset()
        return other

    def _sync_dist(self, dist_sync_fn: Any = gather_all_tensors, process_group: Any = None) -> None:
        self._own_counts()
        super()._sync_dist(dist_sync_fn, process_group)
        own = self._local()
        gathered = dist_sync_fn(records.packed(own).to(self.device), process_group or self.process_group)
        every = [records.unpacked(content.cpu(), own) for content in gathered]
        self._merged = every[0].merged(every[1:])

    def unsync(self, should_unsync: bool = True) -> None:
        """Back to what this process has counted."""
        super().unsync(should_unsync)
        if should_unsync:
            self._merged = None

    def get_extra_state(self) -> dict[str, Any]:
        """What a checkpoint holds beside the sums: which metric this is, and the records of clips."""
        return {"metric": self._identity(), "records": records.plain(self._local())}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """The inverse; ProtocolError for a checkpoint of another metric, or of another version of it."""
        self.tally = records.restored(state["records"], self.tally)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        held = state_dict.get(f"{prefix}_extra_state", {}).get("metric")
        if held is not None and held != self._identity():
            raise ProtocolError(f"the checkpoint holds {held!r}, and this is {self._identity()!r}")
        self._clear()
        super()._load_from_state_dict(state_dict, prefix, *rest)
        self._computed, self._update_count = None, 1
        self.counts = self._marked(self.counts)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """A copy, whose states are marked as its own."""
        super().__setstate__(state)
        self._marks = self._new_marks()
        self._defaults = {**self._defaults, "counts": self._marked(torch.zeros_like(self.counts))}
        self.counts = self._marked(self.counts)

    def _new_marks(self) -> list[int]:
        """The object's number, in parts that torchmetrics can tell apart, its metric's, and how often: once."""
        number = next(OBJECTS)
        metric = int.from_bytes(sha256(self._identity().encode()).digest()[:4])
        return [1 + number // 1000, 1 + number % 1000, metric, 1]

    def _marked(self, counts: Tensor) -> Tensor:
        return torch.cat([counts[:COUNTS], counts.new_tensor(self._marks)])

    def _identity(self) -> str:
        metric = self.named.metric
        return protocol_part(metric, Protocol(), pins(metric, self.features))


def named(name: str, preset: str, fields: dict[str, Any]) -> Named:
    """A metric with a preset's fields, and others by name; ProtocolError for those that it doesn't have."""
    cls = metric_class(name)
    if preset and preset not in cls.presets:
        raise ProtocolError(f"{name} has no preset {preset!r}; it has {', '.join(cls.presets) or 'none'}")
    if unknown := sorted(fields.keys() - cls.parameters().keys()):
        raise ProtocolError(f"{name} has no parameter {unknown[0]!r}; it has {', '.join(cls.parameters()) or 'none'}")
    metric = cls.configured({**(cls.presets[preset].fields if preset else {}), **fields})
    return Named(key(metric), metric)


def run_of(metrics: Any, *, clips: Sequence[ClipResult] = ()) -> Run:
    """Metric objects, or a collection of them, as one run; in a process group every process must call it.

    Where clips have names, the run has them, with what each metric says of each. ``clips`` are entries of clips that
    ought to be in it, of all processes: of those that couldn't be measured, why.
    """
    objects: list[TrainingMetric] = list(metrics.values() if hasattr(metrics, "values") else metrics)
    tallies = []
    for metric in objects:
        with metric.sync_context(metric.dist_sync_fn, should_sync=metric._to_sync):
            tallies.append(metric.counted())
    devices = {metric.named.key: device_token(metric.measured_on) for metric in objects}
    features = {metric.named.key: metric.features for metric in objects}
    return result(tallies, features=features, devices=devices, clips=clips)


def device_token(device: torch.device) -> str:
    """What stands for a device in signatures."""
    return token(str(device)) if device.type in ("cpu", "cuda") else device.type


def _added(stacked: Tensor) -> Tensor:
    """Sums of several processes, (processes, 2, 2), in their order."""
    total = stacked[0]
    for other in stacked[1:]:
        total = _plus(total, other)
    return total


def _plus(first: Tensor, second: Tensor) -> Tensor:
    return torch.stack(Exact(*first.T).plus(Exact(*second.T)), dim=1)


def _tensor(sums: Sums, like: Tensor) -> Tensor:
    """What is above and below as (2, 2)."""
    numbers = [torch.as_tensor(number, dtype=like.dtype, device=like.device) for number in (*sums.above, *sums.below)]
    return torch.stack(numbers).view(2, 2)


CLASSES = {where.partition(":")[2]: name for name, where in METRICS.items()}
"""Metric names by the names of their classes."""


def metric_object(class_name: str) -> type[TrainingMetric]:
    """The class of that name, as ``SSIM``; AttributeError if no metric is called so."""
    if class_name not in CLASSES:
        raise AttributeError(f"module 'thgeval.training' has no attribute {class_name!r}")
    return metric_of(CLASSES[class_name])


@cache
def metric_of(name: str) -> type[TrainingMetric]:
    """The class of the metric of that name."""
    cls = metric_class(name)
    facts = {
        "__doc__": f"``{name}``: {(cls.__doc__ or '').partition(chr(10))[0]} See ``TrainingMetric``.",
        "__module__": "thgeval.training",
        "key_name": name,
        "higher_is_better": {Better.HIGHER: True, Better.LOWER: False}.get(cls.better),
        "is_differentiable": name in FRAME_VALUES,
    }
    return type(cls.__name__, (TrainingMetric,), facts)
