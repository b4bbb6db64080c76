"""What a report shows, gathered from a result file and the states beside it.

Scores and clip records come from the result file; values per frame come from the checkpoints in its states folder, and
only from those that have the score's protocol part and give the clip's score again. What can't be read is said in a
sentence, never guessed.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval.engine.evidence import evidence
from thgeval.errors import ProtocolError, ThgevalError
from thgeval.metric import Metric
from thgeval.protocol import NATIVE, Protocol, setting, written_rate
from thgeval.registry import metric_class
from thgeval.results import ClipResult, Run, Score, states_folder
from thgeval.signature import parse
from thgeval.states import Framewise
from thgeval.states.checkpoint import Checkpoint, Kept

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Curve:
    """The values of one clip's frames, in the unit of the score; NaN where a frame was left out.

    ``first`` is the frame the first value belongs to; ``left_out`` maps a reason to frames. Where there are not as many
    values as frames, ``by_frame`` is false and values are counted, not frames. ``reference`` holds the reference
    clip's own values, for metrics that are read beside them.
    """

    clip: str
    first: int
    values: Floats
    left_out: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    by_frame: bool = True
    reference: Floats | None = None

    @property
    def frames(self) -> NDArray[np.int64]:
        """The frame of each value."""
        return np.arange(self.first, self.first + len(self.values), dtype=np.int64)


@dataclass(frozen=True, eq=False)
class ClipData:
    """What became of a clip, and where its files lie, by side: None for frames from memory.

    ``fps`` is the rate of the frames compared, ``rates`` are those of the files, by side; None where not constant.
    ``content`` holds the fingerprints of the files as the run saw them.
    """

    result: ClipResult
    files: Mapping[str, Path | None]
    fps: float | None
    rates: Mapping[str, float | None]
    content: Mapping[str, str]

    @property
    def id(self) -> str:
        """The clip's id."""
        return self.result.id

    def named(self, sentence: str) -> str:
        """The sentence with the clip's files called by their names alone."""
        for path in filter(None, self.files.values()):
            sentence = sentence.replace(str(path), path.name)
        return sentence


@dataclass(frozen=True, eq=False)
class MetricData:
    """One metric: its score, the metric itself if its signature is understood, and values by clip and by frame.

    ``own`` holds the reference clips' own scores, ``kept`` the clips whose states were found; ``problem`` says why
    there is no metric or no curve.
    """

    score: Score
    metric: Metric[Any] | None
    protocol: Protocol | None
    problem: str
    clips: dict[str, float] = field(default_factory=dict)
    own: dict[str, float] = field(default_factory=dict)
    curves: dict[str, Curve] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)


@dataclass(frozen=True, eq=False)
class Collected:
    """Everything a report shows but pictures."""

    run: Run
    metrics: tuple[MetricData, ...]
    clips: tuple[ClipData, ...]

    def clip(self, id: str) -> ClipData:
        """The record of a clip."""
        return next(clip for clip in self.clips if clip.id == id)


def collected(run: Run) -> Collected:
    """Gather scores, clip records and values per frame; ProtocolError if the clip records are not in order."""
    metrics = tuple(_metric(score) for score in run.scores.values())
    folder = None if run.path is None else states_folder(run.path)
    clips = []
    for result in run.clips:
        checkpoint = _checkpoint(run, result)
        clips.append(_clip(run, result, checkpoint))
        for data in metrics:
            if (value := result.scores.get(data.score.key)) is not None:
                data.clips[result.id] = value
            _add_frames(data, clips[-1], checkpoint)
    return Collected(run, tuple(_explained(data, folder) for data in metrics), tuple(clips))


def _metric(score: Score) -> MetricData:
    try:
        parsed = parse(score.signature, metric_class)
    except (ThgevalError, ValueError, ArithmeticError) as error:
        return MetricData(score, None, None, f"Its frames can’t be shown: {error}.")
    return MetricData(score, parsed.metric, parsed.protocol, "")


def _checkpoint(run: Run, result: ClipResult) -> Checkpoint | None:
    try:
        return evidence(run, result)
    except ProtocolError:  # somebody else's, or another run's
        return None


def _clip(run: Run, result: ClipResult, checkpoint: Checkpoint | None) -> ClipData:
    """With the frame rate of the protocol, or the clip's own where that is constant; picked frames have none."""
    rates = {side: None if of.get("variable_rate") else of.get("fps") for side, of in result.media.items()}
    fields = dict(map(setting, run.protocol["fields"]))
    common = fields.get("fps", NATIVE)
    return ClipData(
        result=result,
        files={side: run.place(result, side) for side in ("generated", "reference")},
        fps=None if fields.get("excerpt", "").startswith("even") else _rate(common, rates),
        rates=rates,
        content=result.content or ({} if checkpoint is None else checkpoint.content),
    )


def _rate(common: str, rates: Mapping[str, float | None]) -> float | None:
    return float(written_rate(common)) if common != NATIVE else rates.get("generated", rates.get("reference"))


def _add_frames(data: MetricData, clip: ClipData, checkpoint: Checkpoint | None) -> None:
    kept = None if checkpoint is None else checkpoint.kept.get(data.score.key)
    if data.metric is None or kept is None or kept.protocol != data.score.protocol_part:
        return
    if not kept.state.per_clip:
        data.kept.add(clip.id)
        return
    if not math.isclose(data.metric.score(kept.state), data.clips.get(clip.id, math.nan), rel_tol=1e-9):
        return
    data.kept.add(clip.id)
    if kept.reference is not None:
        own = data.metric.score(kept.reference)
        if not math.isnan(own):
            data.own[clip.id] = own
    if isinstance(kept.state, Framewise):
        curve = _curve(data.metric, clip, kept)
        # A single value of a longer clip is its score again.
        if np.isfinite(curve.values).any() and (len(curve.values) > 1 or clip.result.frames == 1):
            data.curves[clip.id] = curve


def _curve(metric: Metric[Any], clip: ClipData, kept: Kept) -> Curve:
    """Values beside the frames they belong to: what is measured between frames belongs to the later of the two."""
    record = kept.state.record(clip.id)
    missing = clip.result.frames - len(record.values)
    first = 1 if missing == 1 and record.start <= 1 else record.start
    own = None if kept.reference is None else kept.reference.record(clip.id).column
    return Curve(
        clip=clip.id,
        first=first,
        values=metric.per_frame(record.column),
        left_out={why: tuple(first + frame for frame in frames) for why, frames in record.left_out.items()},
        by_frame=not clip.result.frames or first + len(record.values) == clip.result.frames,
        reference=None if own is None or len(own) != len(record.values) else metric.per_frame(own),
    )


def _explained(data: MetricData, folder: Path | None) -> MetricData:
    """With the reason why a metric that has a value has no curve."""
    if data.problem or data.curves or data.score.value is None:
        return data
    if data.kept:
        said = "It has no values per frame: it looks at whole clips, or at all of them together."
    elif folder is None or not folder.is_dir():
        said = "Its values per frame are not there: no states lie beside the result file."
    else:
        said = "Its values per frame are not there: the states beside the result file are not those of this run."
    return replace(data, problem=said)
