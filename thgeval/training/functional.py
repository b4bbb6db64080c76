"""Metrics as functions of tensors, under their keys: ``functional.ssim(generated, reference, data_range=1.0)``.

A function gives the metric's number of every frame, in the shape that the batch has before its channels (B, or T, or
B and T); of metrics that look at neighbours or at whole clips, the score of what was handed over, one scalar. Its
keywords are those of the metric's class. Numbers are float64 and the metric's own; where frames want a gradient, or lie
on another device, they come from the operators behind the losses. Frames without a value are NaN.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from thgeval.errors import ProtocolError
from thgeval.meter.batch import Batch, framewise
from thgeval.metric import Metric
from thgeval.metrics import METRICS, meant
from thgeval.states import IDENTICAL
from thgeval.training.objects import TrainingMetric, metric_of
from thgeval.training.reading import GivenTensors, ReadFrames
from thgeval.training.tensors import FramePair, both_sides
from thgeval.training.values import differentiable, per_frame


@cache
def of(name: str) -> Callable[..., Tensor]:
    """The function of the metric of that key; AttributeError if there is none."""
    known = meant(name)
    if known is None or "/" in known:
        raise AttributeError(f"module 'thgeval.training.functional' has no attribute {name!r}")
    made: Any = metric_of(known)

    def function(generated: GivenTensors, reference: GivenTensors | None = None, **keywords: Any) -> Tensor:
        metric: Any = made(**keywords)
        return _numbers(metric, generated, reference)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = made.__doc__
    return function


def _numbers(metric: TrainingMetric, generated: GivenTensors, reference: GivenTensors | None) -> Tensor:
    own, reader = metric.named.metric, metric.reader
    if isinstance(generated, Tensor) and isinstance(reference, Tensor) and _wants_gradient(generated, reference):
        if not (differentiable(own) and reader.of_frames):
            raise ProtocolError(f"{metric.named.key} has no gradient; detach the tensors, or take another loss")
        pair = both_sides(generated, reference, reader.data_range, reader.layout)
        return _there(own, pair).reshape(pair.leading)
    if not (reader.of_frames and framewise(own)) or reader.of_rows:
        metric.update(generated, reference)
        return metric.compute()
    read = reader.read(generated, reference)
    leading = generated.shape[:-3] if isinstance(generated, Tensor) else (read.clips, read.frames)
    if isinstance(read.given, Batch):
        return torch.from_numpy(_of_frames(metric, read.given)).reshape(leading)
    assert isinstance(read.given, ReadFrames)  # noqa: S101 - for the type checker: rows were dealt with above
    return _there(own, read.given.pair).reshape(leading)


def _there(metric: Metric[Any], pair: FramePair) -> Tensor:
    """The metric's numbers of frames, (frames,), by the operators."""
    generated, reference = pair.of_frames()
    return per_frame(metric)(generated, reference, pair.peak)


def _of_frames(metric: TrainingMetric, batch: Batch) -> Any:
    """What the metric keeps of every frame, infinite where that is reproduced exactly."""
    own, state = metric.named.metric, batch.state(metric.named.metric)
    values = []
    for (part,) in state.parts.values():
        column = np.array(own.per_frame(part.column), np.float64)
        column[list(part.left_out.get(IDENTICAL, ()))] = np.inf
        values.append(column)
    return np.concatenate(values)


def _wants_gradient(*sides: Tensor) -> bool:
    return torch.is_grad_enabled() and any(side.requires_grad for side in sides)


def __getattr__(name: str) -> Callable[..., Tensor]:
    return of(name)


def __dir__() -> list[str]:
    return sorted(name.replace("-", "_") for name in METRICS)
