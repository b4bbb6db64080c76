"""What a pair's measurement leaves in the result file: names of files, what they hold, failures and notes."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from thgeval.clip import Clip, Pair
from thgeval.engine.measure import Measured
from thgeval.media.frames import MediaInfo
from thgeval.results import ClipResult
from thgeval.states.checkpoint import Checkpoint


def before(held: Checkpoint) -> ClipResult:
    """The clip as the run left it that some states are from; blank where there is none, or none that can be read."""
    try:
        return ClipResult.from_dict(held.record)
    except (KeyError, TypeError, AttributeError):
        return ClipResult(held.pair)


def clip_result(pair: Pair, outcome: Measured, known: ClipResult, places: Mapping[str, Path]) -> ClipResult:
    """What was found now, beside what is ``known`` of the run that some states were recalled from.

    Clips are named by their path below the ``places`` of their sides.
    """
    clips = {"generated": pair.generated, "reference": pair.reference}
    seen = {"generated": outcome.generated, "reference": outcome.reference}
    media = {side: _media(item) for side, item in seen.items() if item is not None} or known.media
    if pair.side:
        clips = {pair.side: pair.generated}
        media = dict(zip((pair.side,), media.values(), strict=False))
    return ClipResult(
        id=pair.id,
        side=pair.side,
        generated=_source(clips.get("generated"), places.get("generated")),
        reference=_source(clips.get("reference"), places.get("reference")),
        frames=outcome.frames or known.frames,
        failure=outcome.failure,
        failed=outcome.failed,
        notes=tuple(sorted({*known.notes, *outcome.notes})),
        media=media,
    )


def _source(clip: Clip | None, place: Path | None) -> str | None:
    if clip is None or not isinstance(clip.source, Path):
        return None
    return Path(os.path.relpath(clip.source, place)).as_posix() if place is not None else clip.source.name


def _media(info: MediaInfo) -> dict[str, Any]:
    plain = {name: value for name, value in vars(info).items() if name != "audio"}
    plain["fps"] = None if info.fps is None else float(info.fps)
    plain["audio"] = None if info.audio is None else dict(vars(info.audio))
    return plain
