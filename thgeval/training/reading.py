"""From what a loop hands over to what a metric measures: frames or features, where they are."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor

from thgeval.errors import InputError, ProtocolError
from thgeval.features.frames.frames import rgb
from thgeval.meter import check_facts, checked_names, facts_of, material
from thgeval.meter.batch import FRAMES, Batch, Material, framewise
from thgeval.meter.handed import Wanted, takes_features, wanted
from thgeval.metric import Metric
from thgeval.metrics.sets.sets import SetMetric
from thgeval.protocol import rate
from thgeval.training.interleaving import interleaved
from thgeval.training.recent import shared
from thgeval.training.rows import not_finite
from thgeval.training.tensors import (
    FramePair,
    Span,
    both_sides,
    check_strided,
    check_tensors,
    checked_layout,
    in_words,
    out_of_range,
    outside,
    within_one,
)
from thgeval.training.values import differentiable

GivenTensors: TypeAlias = Tensor | Mapping[str, Tensor]
Network: TypeAlias = Callable[[Tensor], Tensor]


class Read(NamedTuple):
    """What was handed over: frames on another device, a batch of arrays, or rows of both sides; how many clips.

    ``within_one`` is that of ``tensors``.
    """

    given: "ReadFrames | Batch | tuple[Tensor, Tensor | None]"
    clips: int
    frames: int
    within_one: Tensor | None = None

    @property
    def strange(self) -> Tensor | None:
        """Whether rows that lie on another device than the CPU hold what is no number; None of all else."""
        if not isinstance(self.given, tuple) or self.given[0].device.type == "cpu":
            return None
        return torch.stack([strange(side) for side in self.given if side is not None]).any()

    def names(self, clips: str | Sequence[str] | None) -> list[str] | None:
        """One name for each clip, if there are any."""
        return checked_names(clips, self.clips)


@dataclass(frozen=True)
class BatchReader:
    """How one metric object reads batches; the fields are those of ``TrainingMetric``."""

    metric: Metric[Any]
    data_range: Span | None
    layout: str | None
    features: str
    extract: Network | None
    size_px: tuple[int, int] | None
    fps: float | None

    def __post_init__(self) -> None:
        if self.extract is not None and not (self.features and self.of_rows):
            raise ProtocolError(f"extract is for metrics of sets, and features says its name, unlike {self.features!r}")
        if self.data_range is not None and not self.of_frames:
            raise ProtocolError(f"{self.metric.name} is handed no frames here, and data_range is of frames")
        if self.features and not takes_features(self.metric):
            raise ProtocolError(
                f"features names a network whose rows are handed over, and {self.metric.name} takes none"
            )
        checked_layout(self.layout)
        check_facts(self.size_px, self.fps)

    @property
    def of_frames(self) -> bool:
        """Whether frames are handed over."""
        return self.extract is not None or rgb in self._wanted.generated

    @property
    def of_rows(self) -> bool:
        """Whether the metric compares rows that others made."""
        return isinstance(self.metric, SetMetric) and bool(self.features)

    def read(self, generated: GivenTensors, reference: GivenTensors | None) -> Read:
        """A batch, checked; InputError if it can't be measured."""
        if self.of_rows:
            return self._rows(generated, reference)
        if not self.of_frames:
            return self._arrays(generated, reference)
        if isinstance(generated, Mapping) or isinstance(reference, Mapping):
            raise InputError(f"{self.metric.name} is handed frames, as one tensor a side", reason="wrong type")
        check_tensors(generated, reference)
        how = (self.data_range, self.layout, self.fps)
        frames = shared((generated, reference), how, lambda: self._frames(generated, reference))
        clips, count = frames.pair.generated.shape[:2]
        if count == 1 and not framewise(self.metric):
            raise InputError(
                f"{self.metric.name} looks at frames beside each other, and images have none; give BTCHW, or "
                'layout="TCHW"',
                reason="too short",
            )
        there = frames.pair.generated.device.type != "cpu" and differentiable(self.metric)
        return Read(frames if there else frames.batch, clips, count, frames.within_one)

    def _frames(self, generated: Tensor, reference: Tensor | None) -> "ReadFrames":
        other = None if reference is None else reference.detach()
        return ReadFrames(both_sides(generated.detach(), other, self.data_range, self.layout), self.fps)

    def _arrays(self, generated: GivenTensors, reference: GivenTensors | None) -> Read:
        """Features other than frames, as arrays."""
        needs = [self._wanted]
        facts = facts_of(self.size_px, self.fps)
        first = material("generated", _numpy(generated), needs, facts)
        second = None if reference is None else material("reference", _numpy(reference), needs, facts)
        return Read(Batch(first, second, fps=self._rate, features=self.features), *first.shape)

    def _rows(self, generated: GivenTensors, reference: GivenTensors | None) -> Read:
        """Rows of both sides, (rows, dimensions) or (clips, rows, dimensions), through the network if there is one."""
        sides = tuple(None if side is None else self._row(side) for side in (generated, reference))
        first, second = sides
        assert first is not None  # noqa: S101 - for the type checker
        if second is not None and first.shape[::2] != second.shape[::2]:
            raise InputError(
                f"generated rows {tuple(first.shape)} and reference rows {tuple(second.shape)} are of other clips or "
                "dimensions",
                reason="shape mismatch",
            )
        return Read((first, second), *first.shape[:2])

    def _row(self, side: GivenTensors) -> Tensor:
        if not isinstance(side, Tensor):
            raise InputError(f"{self.metric.name} is handed one tensor a side", reason="wrong type")
        check_strided("rows", side)
        if self.extract is not None:
            pair = both_sides(side, None, self.data_range, self.layout)
            images = pair.generated.flatten(0, 1)
            with torch.no_grad():
                found = self.extract(images.expand(-1, 3, -1, -1).float() / pair.peak)
            check_rows(found, of_images=len(images))
            side = found if pair.generated.shape[1] == 1 else found.reshape(*pair.generated.shape[:2], -1)
        if side.ndim not in (2, 3) or not side.numel() or not side.is_floating_point():
            raise InputError(
                f"rows are floats, (rows, dimensions) or (clips, rows, dimensions), not {side.dtype} "
                f"{tuple(side.shape)}",
                reason="wrong shape",
            )
        if side.device.type == "cpu" and bool(strange(side)):  # of others ``compute`` says it: asking would wait
            raise not_finite()
        return (side[None] if side.ndim == 2 else side).detach().float()

    @property
    def _wanted(self) -> Wanted:
        return wanted(self.metric, features=self.features)

    @property
    def _rate(self) -> Fraction | None:
        return None if self.fps is None else rate(self.fps)


def strange(rows: Tensor) -> Tensor:
    """Whether rows hold NaN or infinity, as a boolean where they are."""
    return ~torch.isfinite(rows).all()


def check_rows(found: Any, *, of_images: int) -> None:
    """Refuse what a network made that isn't a row for each image: InputError."""
    if not isinstance(found, Tensor) or found.ndim != 2 or len(found) != of_images:
        raise InputError(
            f"extract gives one row an image, ({of_images}, dimensions), and gave {in_words(found)}",
            reason="wrong shape",
        )


class ReadFrames:
    """Frames of both sides, where they are, and as arrays where a metric measures those."""

    def __init__(self, pair: FramePair, fps: float | None) -> None:
        self.pair = pair
        self._fps = fps

    @cached_property
    def outside(self) -> Tensor:
        """Whether any value is outside the range, or no number; nothing waits for it."""
        return outside(self.pair)

    @cached_property
    def within_one(self) -> Tensor | None:
        """Whether the range looks wrong: that of ``tensors``, or None; nothing waits for it."""
        return within_one(self.pair)

    @cached_property
    def batch(self) -> Batch:
        """The same as arrays, (clips, frames, height, width, 3); copied from other devices."""
        sides = [self._material(side) for side in (self.pair.generated, self.pair.reference) if side is not None]
        reference = sides[1] if len(sides) > 1 else None
        return Batch(sides[0], reference, self.pair.peak, None if self._fps is None else rate(self._fps))

    def _material(self, side: Tensor) -> Material:
        pixels, inside = interleaved(side.cpu(), self.pair.peak)
        if not inside:
            raise out_of_range()
        return Material({FRAMES: pixels})


def _numpy(given: GivenTensors) -> Any:
    """Tensors as arrays, half floats as float32; other things as they are, to be refused by name."""
    if isinstance(given, Mapping):
        return {name: _numpy(tensor) for name, tensor in given.items()}
    if not isinstance(given, Tensor):
        return given
    check_strided("features", given)
    held = given.detach().cpu()
    return held.float().numpy() if held.dtype in (torch.float16, torch.bfloat16) else held.numpy()
