"""Trained features beside random ones, over the demo's clips: which of them rank controls as strength demands.

    python benchmarks/run.py trained_features
    THGEVAL_BENCH_WORK=FOLDER python benchmarks/run.py trained_features     # clips and scores stay in the folder

Every control and every generator makes the demo's three clips of two seconds, and metrics of sets score them against
the references: by a network with random weights, and by EfficientNet-Lite0, which a package of the index brings. A row
with a ``system`` has its scores, of windows all that fit (``fvd-random:windows=all``).

A row with a ``metric`` says how it ranks: of two neighbours on an axis of controls (``AXES``, weakest first), the
stronger one must be further from the reference. ``right`` of ``of`` pairs are, ``always`` of them whichever clip is
left out too; ``wrong`` names the others. ``seen`` is the smallest change of people's parts, ``SUBTLE``, in parts of
what the lightest compression makes: small where a metric looks at the codec alone.
"""

import os
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

METRICS = (
    *("fid-random", "fid/effnet", "kid/effnet", "prdc-random", "prdc/effnet"),
    *("fvd-random:windows=all", "fvd-effnet:windows=all", "effnet-distance"),
)
AXES = {
    "compression": ("ctl-gt", "ctl-h264-crf18", "ctl-h264-crf30", "ctl-h264-crf42"),
    "jpeg": ("ctl-gt", "ctl-jpeg50", "ctl-jpeg20", "ctl-jpeg10"),
    "blur": ("ctl-gt", "ctl-blur1", "ctl-blur2", "ctl-blur3"),
    "noise": ("ctl-gt", "ctl-noise2", "ctl-noise5"),
    "coarse": ("ctl-gt", "ctl-coarse7", "ctl-coarse6", "ctl-coarse5", "ctl-coarse4"),
    "levels": ("ctl-gt", "ctl-levels4", "ctl-levels3", "ctl-levels2"),
}
SUBTLE = ("ctl-noblink", "ctl-mouthfreeze", "ctl-halfamp", "ctl-nopose")


def measurements() -> list[dict[str, Any]]:
    """The scores of every system, then how each metric ranks."""
    if folder := os.environ.get("THGEVAL_BENCH_WORK"):
        scores = scored(Path(folder))
    else:
        with tempfile.TemporaryDirectory() as folder:
            scores = scored(Path(folder))
    systems = [{"system": name, **{metric: run[metric][0] for metric in METRICS}} for name, run in scores.items()]
    return systems + [ranking(metric, scores) for metric in METRICS]


def scored(work: Path) -> dict[str, dict[str, Any]]:
    """By system and metric, the score, and what it is without each clip."""
    from thgeval.engine.options import Options
    from thgeval.seen import Seen
    from thgeval_baselines.catalogue import ALL, CONTROLS, systems
    from thgeval_baselines.first_results import made_videos, score
    from thgeval_baselines.showcase import DEMO

    options = Options(workers=1, seen=Seen())
    made = [each for each in made_videos(DEMO, systems([ALL, CONTROLS]), work) if each.setting != "text"]
    found = {}
    for each in made:
        run = score(each, METRICS, options)
        found[each.system.id] = {
            key: (given.value, [group.without for group in given.groups]) for key, given in run.scores.items()
        }
    return found


def ranking(metric: str, scores: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """How many neighbours on the axes one metric ranks as it should."""
    sign = -1.0 if metric.startswith("prdc") else 1.0
    right, always, wrong = 0, 0, []
    for weaker, stronger in neighbours():
        (low, low_without), (high, high_without) = (scores[name][metric] for name in (weaker, stronger))
        holds = sign * high > sign * low
        right += holds
        always += holds and all(sign * b > sign * a for a, b in zip(low_without, high_without, strict=True))
        wrong += [] if holds else [f"{weaker.removeprefix('ctl-')} {stronger.removeprefix('ctl-')}"]
    moved = [abs(scores[name][metric][0] - scores["ctl-gt"][metric][0]) for name in (*SUBTLE, "ctl-h264-crf18")]
    return {
        "metric": metric,
        "right": right,
        "always": always,
        "of": len(list(neighbours())),
        "wrong": ", ".join(wrong),
        "seen": min(moved[:-1]) / moved[-1] if moved[-1] else None,
    }


def neighbours() -> Iterator[tuple[str, str]]:
    """Two controls that follow each other on an axis, the weaker first."""
    for axis in AXES.values():
        yield from pairwise(axis)
