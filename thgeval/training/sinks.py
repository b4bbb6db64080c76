"""Where validation's findings go, beside its run files: anything that takes a ``Checked``.

    sinks=[to_csv("runs/mine.csv"), to_tensorboard(SummaryWriter("runs/mine")), print]

Each imports nothing of what it writes to.
"""

import csv
import io
from pathlib import Path
from typing import Any

from thgeval.errors import ProtocolError
from thgeval.files import opened, write_atomically
from thgeval.results.score import to_json
from thgeval.training.validation import Checked, Sink

COLUMNS = ("step", "metric", "value", "low", "high", "clips", "of_clips", "watched", "verdict", "best_step", "seconds")


def to_csv(path: str | Path) -> Sink:
    """A table with a row for each metric of each check, after those that the file already has."""
    target = Path(path)

    def sink(checked: Checked) -> None:
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        before = _content(target)
        if not before:
            writer.writerow(COLUMNS)
        writer.writerows(_rows(checked))
        write_atomically(target, before + text.getvalue().encode())

    return sink


def _content(path: Path) -> bytes:
    """What a table of checks holds so far; ProtocolError for another file."""
    try:
        with opened(path) as file:
            held = file.read()
    except FileNotFoundError:
        return b""
    if held and not held.startswith(",".join(COLUMNS).encode()):
        raise ProtocolError(f"{path} is another file than a table of checks; choose another name")
    return held


def _rows(checked: Checked) -> list[list[Any]]:
    return [
        [
            *(checked.step, key, to_json(score.value)),
            *(map(to_json, score.interval) if score.interval else ("", "")),
            *(score.clips, checked.run.expected),
            *(("yes", checked.verdict) if key == checked.watched else ("no", "")),
            *(checked.best_step, round(checked.seconds, 3)),
        ]
        for key, score in checked.run.scores.items()
    ]


def to_tensorboard(writer: Any, *, prefix: str = "validation/") -> Sink:
    """A ``SummaryWriter``, torch's or tensorboardX's: scores, coverage, and the worst clip as a picture."""

    def sink(checked: Checked) -> None:
        for key, value in checked.scores.items():
            writer.add_scalar(prefix + key, value, checked.step)
        writer.add_scalar(f"{prefix}coverage", checked.coverage[0] / checked.coverage[1], checked.step)
        if checked.worst is not None:
            writer.add_image(f"{prefix}worst", checked.worst.image, checked.step, dataformats="HWC")
            writer.add_text(f"{prefix}worst clip", checked.worst.clip, checked.step)
        writer.flush()

    return sink


def to_accelerate(accelerator: Any, *, prefix: str = "validation/") -> Sink:
    """The trackers of an ``accelerate.Accelerator``."""

    def sink(checked: Checked) -> None:
        accelerator.log({prefix + key: value for key, value in checked.scores.items()}, step=checked.step)

    return sink
