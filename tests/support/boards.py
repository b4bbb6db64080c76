"""Runs and entries made of given values per clip, as a run of ``thgeval score`` would hold them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from thgeval.metric import Better
from thgeval.registry import metric_class
from thgeval.results import ClipResult, Run, Score
from thgeval.statistics import Interval, of_rows
from thgeval_leaderboard.entry import Board, Entry, Event, Method

FIELDS = ("fps:native", "size:native", "crop:none", "lengths:strict", "rates:strict", "sizes:strict")
BOARD = Board("synth-v1@1", "native@1", "self-audio")


def made_run(values: Mapping[str, Sequence[float]], *, name: str = "", tokens: Mapping[str, str] | None = None) -> Run:
    """A run of metrics of one value per clip; ``tokens`` are put into the protocol parts of single keys."""
    count = len(next(iter(values.values())))
    ids = [f"clip{at}" for at in range(count)]
    clips = [
        ClipResult(
            id,
            generated=f"{id}.mp4",
            reference=f"{id}.mp4",
            content={"generated": f"{name}{at:04x}", "reference": f"{at:04x}"},
            frames=75,
            scores={key: float(each[at]) for key, each in values.items()},
            contributions={key: [float(each[at]), 1.0] for key, each in values.items()},
        )
        for at, id in enumerate(ids)
    ]
    scores = {key: _score(key, np.array(each, np.float64), (tokens or {}).get(key, "")) for key, each in values.items()}
    return Run(
        scores=scores,
        clips=tuple(clips),
        protocol={"name": "native@1", "fields": list(FIELDS)},
        environment={"thgeval": "0.1.0", "decoder": "pyav"},
        options={"metrics": list(values), "limit": None, "bootstrap": {"draws": 1000, "seed": 12345}},
        expected=count,
        record={"device": "cpu", "seconds": 1.0},
    )


def _score(key: str, values: np.ndarray, token: str) -> Score:
    metric: Any = metric_class(key.partition("/")[0])()
    low, high = metric.range
    found = of_rows(np.stack([values, np.ones(len(values))], axis=1)).interval
    part = "|".join([f"{metric.name}@{metric.version}", *filter(None, [token]), *FIELDS])
    return Score(
        key=key,
        value=float(values.mean()),
        interval=None if found is None else Interval(max(found.low, low), min(found.high, high)),
        unit=metric.unit,
        better=Better(metric.better),
        range=(low, high),
        clips=len(values),
        frames=75 * len(values),
        left_out={},
        frames_left_out={},
        signature=f"{part}||n:{len(values)}/{len(values)}|protocol:native@1|thgeval:0.1.0|device:cpu|ci:t",
    )


def made_entry(
    id: str,
    values: Mapping[str, Sequence[float]],
    *,
    role: str = "system",
    paradigm: str = "2d",
    tokens: Mapping[str, str] | None = None,
    board: Board = BOARD,
    **more: Any,
) -> Entry:
    """An entry of such a run."""
    method = Method(id, paradigm, role=role, code="https://example.org/code")
    return Entry(
        id, method, board, (Event("2026-11-28", "added"),), run=made_run(values, name=id, tokens=tokens), **more
    )
