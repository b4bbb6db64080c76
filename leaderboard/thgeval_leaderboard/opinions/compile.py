"""Aggregates of THQA-NTIRE, as committed: ``python -m thgeval_leaderboard.opinions.compile FOLDER``.

FOLDER holds the data set's three tables. What is kept are means with intervals and counts, by talker and by level of a
graded distortion; the tables themselves are not.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import ttest_ind

from thgeval.files import write_atomically
from thgeval.significance import ALPHA, holm
from thgeval.statistics import of_rows
from thgeval_leaderboard.opinions import Opinion
from thgeval_leaderboard.opinions.tables import of_thqa

OUT = Path(__file__).with_name("data") / "thqa_ntire.json"
COMMAND = "python -m thgeval_leaderboard.opinions.compile FOLDER"
DIGITS = 4


def compiled(folder: Path) -> dict[str, Any]:
    """Everything that is kept of the tables in a folder."""
    opinions = of_thqa(folder)
    return {
        "name": opinions.name,
        "source": opinions.source,
        "scale": opinions.scale,
        "command": COMMAND,
        "files": dict(opinions.files),
        "clips": len(opinions.clips),
        "talkers": [
            each
            for part in ("THQA-10K", "THQA")
            for each in ranked([clip for clip in opinions.clips if clip.labels["part"] == part])
        ],
        "levels": levels(clip for clip in opinions.clips if "distortion" in clip.labels),
    }


def ranked(clips: Sequence[Opinion]) -> list[dict[str, Any]]:
    """Talkers of one part of the data set, the best first.

    ``below`` says whether a talker is significantly below the one before it: Welch's t of neighbours, with Holm's
    correction over all of them.
    """
    scores: dict[str, list[float]] = {}
    for clip in clips:
        scores.setdefault(clip.method, []).append(clip.score)
    order = sorted(scores, key=lambda name: (-float(np.mean(scores[name])), name))
    p = [float(ttest_ind(scores[a], scores[b], equal_var=False).pvalue) for a, b in pairwise(order)]
    below = [False, *(found < ALPHA for found in holm(p))]
    part = clips[0].labels["part"] if clips else ""
    return [
        {"part": part, "talker": name, **aggregate(scores[name]), "below": under}
        for name, under in zip(order, below, strict=True)
    ]


def levels(clips: Iterable[Opinion]) -> list[dict[str, Any]]:
    """Every level of every graded distortion, axes by name and levels in their order."""
    scores: dict[tuple[str, float], list[float]] = {}
    for clip in clips:
        scores.setdefault((clip.labels["distortion"], float(clip.labels["level"])), []).append(clip.score)
    return [{"axis": axis, "level": level, **aggregate(scores[axis, level])} for axis, level in sorted(scores)]


def aggregate(scores: Sequence[float]) -> dict[str, Any]:
    """Mean of some scores, its 95 % interval over clips, and how many there are."""
    found = of_rows(np.stack([scores, np.ones(len(scores))], axis=1)).interval
    interval = None if found is None else [round(bound, DIGITS) for bound in found]
    return {"mean": round(float(np.mean(scores)), DIGITS), "interval": interval, "clips": len(scores)}


def encoded(data: dict[str, Any]) -> bytes:
    """The bytes of the committed file, a line for each aggregate."""
    head = {name: value for name, value in data.items() if name not in ("talkers", "levels")}
    text = json.dumps(head, indent=1, ensure_ascii=False).removesuffix("\n}")
    for name in ("talkers", "levels"):
        text += f',\n "{name}": [\n  ' + ",\n  ".join(json.dumps(row) for row in data[name]) + "\n ]"
    return (text + "\n}\n").encode()


if __name__ == "__main__":
    write_atomically(OUT, encoded(compiled(Path(sys.argv[1]))))
