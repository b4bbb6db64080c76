"""Metrics for training loops: one function, three faces.

    from thgeval.training import SSIM, losses, functional
    SSIM(data_range=1.0)                            a torchmetrics.Metric: update, compute, reset; result() is a run
    losses.SSIMLoss(data_range=1.0)                 a torch.nn.Module: less is better, with a gradient
    functional.ssim(generated, reference, ...)      one number per frame
    Validation(model, clips, data_range=1.0, ...)   checks a model while it trains

All three compute by the kernels and definitions that ``thgeval score`` has. Every metric of the table has a class under
the name of its own class (``thgeval ls metrics``), and a function under its key; ``run_of`` makes one run, as a result
file holds it, of a collection of metric objects. Needs the extra ``training``.
"""

from importlib.util import find_spec

from thgeval.errors import MissingExtra

if find_spec("torch") is None or find_spec("torchmetrics") is None:
    raise MissingExtra("thgeval.training", extra="training")

from thgeval.training import functional, losses
from thgeval.training.objects import CLASSES, TrainingMetric, metric_object, run_of
from thgeval.training.validation import Checked, Validation

__all__ = ["Checked", "TrainingMetric", "Validation", "functional", "losses", "run_of"]


def __getattr__(name: str) -> type[TrainingMetric]:
    return metric_object(name)


def __dir__() -> list[str]:
    return sorted({*__all__, *CLASSES})
