"""Records of how long a clip took to generate: ``CLIP.timing.json`` beside ``CLIP.mp4``.

A record says how many frames came out in how many seconds, and on what: ``device``, ``dtype``, ``batch`` and
``resolution`` belong to the number as much as the seconds do. ``timed`` may say what was timed, by default the model
alone; ``first_frame_s``, ``peak_memory_bytes`` and ``weights_bytes`` what more was measured.
"""

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path

from thgeval.errors import InputError
from thgeval.limits import text

FURTHER = ("first_frame_s", "peak_memory_bytes", "weights_bytes")
"""What a record may say besides."""


@dataclass(frozen=True)
class TimingRecord:
    """Frames generated, seconds it took, the conditions, and what more was measured, None where it was not."""

    frames: int
    seconds: float
    device: str
    dtype: str
    batch: int
    resolution: str
    timed: str = "model"
    first_frame_s: float | None = None
    peak_memory_bytes: float | None = None
    weights_bytes: float | None = None

    @property
    def conditions(self) -> str:
        """Everything that belongs to the number, as signatures print it: ``cpu,float32,batch1,512x512,model``."""
        parts = (self.device, self.dtype, f"batch{self.batch}", self.resolution, self.timed)
        return ",".join(re.sub(r"[^0-9A-Za-z._+-]+", "-", part).strip("-") for part in parts)


def read_timing(path: Path) -> TimingRecord:
    """The record in a file; InputError (reason ``bad timing record``) says what is wrong with it."""
    try:
        data = json.loads(text(path, "text_bytes"))
        record = TimingRecord(
            frames=int(data["frames"]),
            seconds=float(data["seconds"]),
            device=str(data["device"]),
            dtype=str(data["dtype"]),
            batch=int(data["batch"]),
            resolution=str(data["resolution"]),
            timed=str(data.get("timed", "model")),
            **{name: None if data.get(name) is None else float(data[name]) for name in FURTHER},
        )
    except InputError as error:
        raise _bad(path, str(error)) from None
    except KeyError as missing:
        raise _bad(path, f"it lacks {missing}") from None
    except (OSError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise _bad(path, str(error)) from None
    if record.frames < 1 or not math.isfinite(record.seconds) or record.seconds <= 0:
        raise _bad(path, "frames and seconds must be positive")
    if wrong := [name for name in FURTHER if not 0 <= (getattr(record, name) or 0.0) < math.inf]:
        raise _bad(path, f"{wrong[0]} must be 0 or more")
    if blank := [name for name in ("device", "dtype", "resolution") if not getattr(record, name).strip()]:
        raise _bad(path, f"it leaves open {', '.join(blank)}")
    return record


def _bad(path: Path, why: str) -> InputError:
    return InputError(f"the timing record {path} can't be used: {why}", reason="bad timing record")
