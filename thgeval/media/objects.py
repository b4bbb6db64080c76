"""What Python calls hand over as clips: paths, arrays, tensors, images of Pillow's, lists of frames, and batches.

Floats have a range: ``peak`` is the value of white where black is 0, or ``range`` names both, ``"0..1"``, ``"-1..1"``.
``layout`` names the axes in their order where these can't be told: B clips, T frames, C colours, H rows, W columns.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf
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
AXES = ("BTCHW", "BTHWC", "BTHW", "BCHW", "BHWC", "BHW", "TCHW", "THWC", "THW", "CHW", "HWC", "HW")
"""Orders of axes by name; without T a clip is one frame, without C it is grey."""
WHITE = 255.0


@dataclass(frozen=True)
class HowRead:
    """How arrays are read: what ``score`` and ``evaluate`` were told of them, checked.

    ProtocolError for what makes no sense whatever the arrays.
    """

    peak: Any = None
    fps: Any = None
    range: Any = None
    layout: Any = None
    clip: Any = False

    def __post_init__(self) -> None:
        if self.range is not None and self.peak is not None:
            raise ProtocolError("peak and range both say what white is; give one of them")
        if self.range is not None:
            span_of(self.range)
        if self.layout is not None and (not isinstance(self.layout, str) or self.layout.upper() not in AXES):
            raise ProtocolError(f"layout is one of {', '.join(AXES)}, not {self.layout!r}")
        if not isinstance(self.clip, bool):
            raise ProtocolError(f"clip is True or False, not {self.clip!r}")

    def span(self, name: str, dtype: str) -> tuple[float, float]:
        """The values of black and of white; InputError for floats of which nobody said it, or uint8 with another."""
        black, white = (0.0, self.peak) if self.range is None else span_of(self.range)
        if self.range is None and self.peak is not None and not is_positive(self.peak):
            raise InputError(f"peak is the value of white, a positive number, not {self.peak!r}", reason=UNSTATED)
        if dtype.endswith("uint8"):
            if self.range is not None and (black, white) != (0.0, WHITE):
                said = f"the {name} frames are uint8, whose range is 0..255, not {self.range}"
                raise InputError(said, reason=UNSTATED)
            return 0.0, WHITE
        if white is None:
            raise InputError(
                f"the {name} frames are {dtype}; say which value is white: peak=1.0 or peak=255; or name the range: "
                'range="-1..1"',
                reason=UNSTATED,
            )
        return black, float(white)


UNSTATED = "range not stated"


def span_of(text: Any) -> tuple[float, float]:
    """The values of black and of white in a range by name; ProtocolError if it is none."""
    low, dots, high = text.partition("..") if isinstance(text, str) else ("", "", "")
    try:
        black, white = float(low), float(high)
    except ValueError:
        black, white = inf, -inf
    if not dots or not -inf < black < white < inf:
        raise ProtocolError(f"a range is LOW..HIGH, such as '0..1', '-1..1' or '0..255', not {text!r}")
    return black, white


def clips_of(name: str, source: Any, how: HowRead) -> dict[str, Clip]:
    """Every clip of one side that a caller hands over, by id: one under ``name``, those of a batch by number from 0.

    A batch is an array with an axis of clips, a list of clips, or a mapping of ids to clips. InputError for what is
    none of them, and for arrays of which nobody said how to read them.
    """
    batch = _batch(source, how)
    if batch is None:
        return {name: clip_of(name, source, how)}
    if not batch:
        raise InputError(f"the {name} batch holds no clips", reason="no frames")
    ids: list[Any] = list(batch)
    if odd := [id for id in ids if not isinstance(id, str) or not id]:
        raise InputError(f"ids of the {name} clips are text, not {odd[0]!r}", reason="wrong type")
    return {id: clip_of(f"{name} {id}", item, how) for id, item in batch.items()}


def _batch(source: Any, how: HowRead) -> Mapping[str, Any] | None:
    """The clips of a batch by id; None for what is one clip."""
    if isinstance(source, Mapping):
        return source
    if isinstance(source, list | tuple):
        whole = len(_of_one_clip(how.layout)) if how.layout is not None else 4
        clips = bool(source) and all(_is_array(item) and len(item.shape) == whole == 4 for item in source)
        return {str(at): item for at, item in enumerate(source)} if clips else None
    first = how.layout.upper().startswith("B") if how.layout is not None else len(getattr(source, "shape", ())) == 5
    return {str(at): source[at] for at in range(len(source))} if first and _is_array(source) else None


def _of_one_clip(layout: str) -> str:
    """The axes of one clip of a layout."""
    return layout.upper().removeprefix("B")


def clip_of(name: str, source: Any, how: HowRead) -> Clip:
    """One clip called ``name`` in messages, from whatever of ``KINDS`` a caller has; InputError for anything else."""
    frame_rate = _rate(name, how.fps)
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
    if how.layout is not None:
        source, layout = _laid_out(name, source, how.layout)
    black, white = how.span(name, str(source.dtype))
    return Clip(name, Memory(source, white, layout, black, how.clip), frame_rate)


def _laid_out(name: str, frames: Any, layout: str) -> tuple[Any, str]:
    """Frames whose axes have names as (frames, ...), and the order of the others; InputError if they can't be these."""
    axes, shape = _of_one_clip(layout), tuple(frames.shape)
    if len(shape) != len(axes) or ("C" in axes and shape[axes.index("C")] not in {1, 3}):
        raise InputError(
            f"the {name} frames have the shape {shape}, which is not {axes} (of {layout.upper()}) with 1 or 3 colours",
            reason="wrong shape",
        )
    if "T" not in axes:
        frames = frames[None]
    if "C" not in axes:
        frames = frames[..., None]
    return frames, "tchw" if axes.endswith("CHW") else "thwc"


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
            f"frame {index} of the {name} clip has the shape {tuple(frame.shape)}, not that of one image; a list of "
            "clips holds arrays of four axes alone",
            reason="wrong shape",
        )
    return frame
