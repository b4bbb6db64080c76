"""What a metric lacks on this machine, in the fewest words that help."""

from typing import Any

from thgeval import registry
from thgeval.clip import COMPANIONS
from thgeval.errors import MissingExtra, install_line
from thgeval.metric import Metric
from thgeval.requirements import Package, Program, Weights
from thgeval.signature import closure, required

FILES = {
    "timing": ".timing.json",
    "prompt": ".prompt.txt",
    "transcript": ".txt",
    "source_image": ".source.png",
    **{name: suffixes[0] for name, suffixes in COMPANIONS.items()},
}
"""What follows a clip's name, by what may lie beside it."""


def lacking(metric: Metric[Any]) -> str:
    """What brings what a metric rests on; empty where it is all there.

    An install line for packages, ``thgeval fetch NAME`` for weights, and the name of a checkout of the user's own.
    """
    missing = [(item, problem) for item in required(metric) if (problem := item.problem(metric.name)) is not None]
    extras = list(dict.fromkeys(problem.extra for _, problem in missing if isinstance(problem, MissingExtra)))
    if extras:
        return install_line(",".join(extras))
    if any(isinstance(item, Weights) for item, _ in missing):
        return f"thgeval fetch {metric.name}"
    if programs := [item.name for item, _ in missing if isinstance(item, Program)]:
        return f"needs a checkout: {', '.join(programs)}"
    return "; ".join(str(problem) for item, problem in missing if not isinstance(item, Package))


def beside_clips(metric: Metric[Any]) -> list[str]:
    """What must lie beside each clip for a metric to say anything: ``CLIP.timing.json``, ..."""
    offered = dict.fromkeys(feature.offered for feature in closure(metric) if feature.offered)
    return [f"CLIP{FILES[name]}" for name in offered if name in FILES]


def where_ready(name: str) -> tuple[str, str]:
    """The request for a metric in a form that is ready here, and what its defaults lack.

    The request is the name itself where nothing is lacking, an embedded preset of it, or empty.
    """
    own = lacking(registry.metric(name).metric)
    if not own:
        return name, ""
    form = registry.embedded(name)
    return (form if form and not lacking(registry.metric(form).metric) else ""), own
