"""What Python calls hand over as a clip: a path, an array, a tensor, an image of Pillow's, or a list of frames."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from thgeval.clip import Clip, Memory
from thgeval.errors import InputError, ProtocolError
from thgeval.media.arrays import as_array
from thgeval.media.image import opened_levels
from thgeval.protocol import is_positive, rate

KINDS = "a path, an array, a tensor, an image of Pillow's, or a list of frames"


def clip_of(name: str, source: Any, *, peak: Any = None, fps: Any = None) -> Clip:
    """A clip called ``name`` in messages, from whatever of ``KINDS`` a caller has.

    Raises InputError for anything else, for a ``peak`` or ``fps`` that is no positive number, and for floats without a
    stated ``peak``.
    """
    frame_rate = _rate(name, fps)
    if isinstance(source, str | Path):
        if not str(source):
            raise InputError(f"the path of the {name} clip is empty; name a file or a folder", reason="missing")
        return Clip(Path(source).stem, Path(source), frame_rate)
    if isinstance(source, Image.Image):
        source = [source]
    layout = "tchw" if hasattr(source, "detach") else "thwc"
    if isinstance(source, list | tuple):
        source, layout = _stacked(name, source)
    if not _is_array(source):
        raise InputError(f"the {name} clip is a {type(source).__name__}, not {KINDS}", reason="wrong type")
    if peak is not None and not is_positive(peak):
        raise InputError(f"peak is the value of white, a positive number, not {peak!r}", reason="range not stated")
    integers = str(source.dtype).endswith("uint8")
    if not integers and peak is None:
        raise InputError(
            f"the {name} frames are {source.dtype}; say which value is white: peak=1.0 or peak=255",
            reason="range not stated",
        )
    white = 255.0 if integers else float(peak or 0)
    return Clip(name, Memory(source, white, layout), frame_rate)


def _rate(name: str, fps: object) -> Fraction | None:
    try:
        return None if fps is None else rate(fps)
    except ProtocolError as error:
        raise InputError(f"the {name} clip: {error}", reason="frame rate") from None


def _is_array(source: Any) -> bool:
    return hasattr(source, "dtype") and hasattr(source, "shape")


def _stacked(name: str, frames: Sequence[Any]) -> tuple[NDArray[Any], str]:
    """Single frames as one array, and the order of its axes."""
    if not frames:
        raise InputError(f"the {name} clip is a list without frames", reason="no frames")
    items = [_frame(name, index, frame) for index, frame in enumerate(frames)]
    kinds = {(hasattr(item, "detach"), str(item.dtype), tuple(item.shape)) for item in items}
    if len(kinds) > 1:
        found = " and ".join(f"{dtype} {shape}" for _, dtype, shape in sorted(kinds)[:2])
        raise InputError(
            f"the {name} frames differ: there are {found}; give all in one size and type", reason="size changes"
        )
    if any(map(np.ma.is_masked, items)):
        raise InputError(f"some values of the {name} frames are masked; fill them first", reason="masked")
    stack = np.stack([as_array(item, name) for item in items])
    layout = "tchw" if hasattr(items[0], "detach") else "thwc"
    return (stack[..., None], "thwc") if stack.ndim == 3 else (stack, layout)


def _frame(name: str, index: int, frame: Any) -> Any:
    if isinstance(frame, Image.Image):
        pixels = opened_levels(frame, f"frame {index} of the {name} clip")
        return np.broadcast_to(pixels, (*pixels.shape[:2], 3))
    if not _is_array(frame):
        hint = "; give the folder of its images" if isinstance(frame, str | Path) else ""
        raise InputError(
            f"frame {index} of the {name} clip is a {type(frame).__name__}, not an array, a tensor or an image{hint}",
            reason="wrong type",
        )
    if len(frame.shape) not in (2, 3):
        raise InputError(
            f"frame {index} of the {name} clip has the shape {tuple(frame.shape)}, not that of one image; score each "
            "clip of a batch by itself",
            reason="wrong shape",
        )
    return frame
