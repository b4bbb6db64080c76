"""What a reader calls a metric, and the families they come in."""

from typing import Any, NamedTuple

from thgeval.metric import Metric
from thgeval.metrics import METRICS, TITLES
from thgeval.registry import metric_class


class Family(NamedTuple):
    """A group of metrics, by what they look at."""

    title: str
    says: str


FAMILIES = {
    "pixels": Family("Pixels", "Each frame by itself, or beside the same frame of the reference."),
    "motion": Family("Motion", "What changes from one frame to the next, and how many frames there are a second."),
    "time": Family("Over time", "What changes from the beginning of a clip to its end."),
    "sets": Family("Sets", "All generated clips against all reference clips, as two sets."),
    "identity": Family("Identity", "Whose face it is, and whether it stays the same one."),
    "faces": Family("Faces", "Landmarks, pose, expression and blinks."),
    "sync": Family("Lip sync", "Whether lips and voice go together."),
    "meshes": Family("Meshes", "The surface of a face over time, from a file beside the clip."),
    "words": Family("Words", "What is said, as those who read lips or hear speech get it."),
    "views": Family("Views", "Renders of one generated scene from several cameras."),
    "judged": Family("Judged by programs", "What others' networks say of a clip, run from checkouts of your own."),
    "cost": Family("Cost", "What making a clip took, from a record beside it."),
}
"""The packages of ``thgeval.metrics``, in the order in which they are read."""


def title(name: str) -> str:
    """A metric's name as papers write it."""
    return TITLES.get(name, name.replace("-", " ").capitalize())


def family(cls: type[Metric[Any]]) -> str:
    """The family a metric belongs to: the package its module is in."""
    return cls.__module__.split(".")[2]


def members() -> dict[str, list[type[Metric[Any]]]]:
    """The metrics of each family, in the order of the table of metrics."""
    found: dict[str, list[type[Metric[Any]]]] = {name: [] for name in FAMILIES}
    for name in METRICS:
        cls = metric_class(name)
        found[family(cls)].append(cls)
    return found
