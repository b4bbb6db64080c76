"""Metric objects for training loops: ``torchmetrics.Metric`` classes of the metrics that the command line has.

    from thgeval.training import SSIM
    ssim = SSIM(data_range=1.0)
    ssim.update(generated, reference)         # BCHW, TCHW or BTCHW
    ssim.compute()

There is one class for each row of the table of metrics, under the name that the literature writes, made when it is
asked for; its keywords are the metric's fields. It measures by the metric's own ``measure``, on the CPU; where frames
lie on another device and the metric's number can be computed there (``values``), it is, and ``update`` waits for
nothing.

What is remembered: two sums of pairs of float64 and four counts, whatever the number of clips, for metrics whose score
is a fraction of sums; per-frame values of clips that have names; and for metrics of sets rows, up to ``cap``.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from hashlib import sha256
from typing import Any, ClassVar

import torch
from torch import Tensor
from torchmetrics import Metric as Parent
from torchmetrics.utilities.distributed import gather_all_tensors

from thgeval.errors import InputError, ProtocolError
from thgeval.meter import CAP
from thgeval.meter.batch import Batch
from thgeval.meter.runs import pins, result
from thgeval.meter.tally import Exact, Sums, Tally, is_sum, sums_of, tally
from thgeval.metric import Better
from thgeval.metrics import METRICS
from thgeval.protocol import Protocol
from thgeval.registry import Named, key, metric_class
from thgeval.results import ClipResult, Run
from thgeval.signature import protocol_part
from thgeval.training import records
from thgeval.training.reading import BatchReader, GivenTensors, Network, ReadFrames
from thgeval.training.rows import SetRows
from thgeval.training.tensors import DataRange, out_of_range
from thgeval.training.values import FRAME_VALUES, per_frame, state_of, sums_there

OF_PARENT = (
    *("compute_on_cpu", "dist_sync_on_step", "process_group", "dist_sync_fn", "distributed_available_fn"),
    *("sync_on_compute", "compute_with_cache"),
)
"""Keywords that are torchmetrics' own."""


WRONG = 3
"""Of the counts, the one of batches that left their range."""


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
        self.features, self.cap = features, cap
        self.reader = BatchReader(self.named.metric, data_range, layout, features, extract, size_px, fps)
        own = sha256(repr((self.named.key, data_range, layout, features)).encode()).hexdigest()[:8]
        self._sums, self._counts = f"sums_{own}", f"counts_{own}"
        self.add_state(self._sums, torch.zeros(2, 2, dtype=torch.float64), _added, persistent=True)
        self.add_state(self._counts, torch.zeros(4, dtype=torch.int64), "sum", persistent=True)
        self._clear()

    def _clear(self) -> None:
        self.tally: Tally = tally(self.named, cap=self.cap, features=self.features)
        self.rows = SetRows(self.cap, self.named.key)
        self._there: list[tuple[str, Tensor]] = []
        self._merged: Tally | None = None

    def update(
        self,
        generated: GivenTensors,
        reference: GivenTensors | None = None,
        *,
        clips: str | Sequence[str] | None = None,
    ) -> None:
        """Count one batch; ``clips`` names its clips, which gives the result intervals.

        InputError for what can't be measured, and then nothing of the batch counts.
        """
        read = self.reader.read(generated, reference)
        names = read.names(clips)
        self.tally.check(names, read.frames)
        if isinstance(read.given, ReadFrames):
            self._count_there(read.given, names)
        elif isinstance(read.given, Batch):
            self._count_here(read.given, names)
        else:
            self.rows.add(*read.given, names)
        self.tally.nameless = names is None

    def _count_here(self, batch: Batch, names: list[str] | None) -> None:
        """By the metric's own ``measure``."""
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
            getattr(self, self._counts)[WRONG] += seen.outside
            self._there += zip(names, numbers, strict=True)

    def _add(self, sums: Sums, wrong: Any) -> None:
        held = getattr(self, self._sums)
        total = _plus(held, _tensor(sums, held))
        counts = [torch.as_tensor(count, device=self.device) for count in (*sums[2:], wrong)]
        setattr(self, self._sums, total)
        setattr(self, self._counts, getattr(self, self._counts) + torch.stack([count.long() for count in counts]))

    def compute(self) -> Tensor:
        """The score of all that was counted, on all processes: a float64 scalar; NaN where there is none."""
        return torch.tensor(self.counted().value(), dtype=torch.float64, device=self.device)

    def counted(self) -> Tally:
        """All that was counted, here or, while synced, by all processes; InputError if frames left their range."""
        clips, frames, infinite, wrong = getattr(self, self._counts).tolist()
        if wrong:
            raise out_of_range()
        above, below = (Exact(*pair) for pair in getattr(self, self._sums).tolist())
        tally = self._merged or self._local()
        return replace(tally, sums=Sums(above, below, clips, frames, infinite))

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
        alone = self._alike()
        alone.update(*args, **kwargs)
        value: Tensor = alone.compute()
        self._forward_cache: Any = value
        return value

    def _alike(self) -> "TrainingMetric":
        """An empty one of the same settings, which asks other processes only if told to at every step."""
        other = object.__new__(type(self))
        other.__setstate__({**self.__getstate__(), "_modules": {}, "_is_synced": False, "_cache": None})
        other._to_sync = self.dist_sync_on_step
        other.reset()
        return other

    def _sync_dist(self, dist_sync_fn: Any = gather_all_tensors, process_group: Any = None) -> None:
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
    device = objects[0].device.type if objects else "cpu"
    features = {metric.named.key: metric.features for metric in objects}
    return result(tallies, features=features, device=device, clips=clips)


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
