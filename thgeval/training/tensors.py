"""Batches of frames as tensors: their layouts, their range, and whether two of them fit each other.

Layouts   ``BCHW`` images, ``TCHW`` the frames of one clip, ``BTCHW`` clips; four axes are ``BCHW`` unless told, five
          are ``BTCHW``. Channels are red, green, blue, or one of grey, which stands for all three
Types     uint8, whose white is 255, or floats with a stated ``data_range``: white where black is 0, or (black, white).
          float16 and bfloat16 become float32 at once
Errors    InputError with a sentence and its reason, before anything is computed
"""

from dataclasses import dataclass
from math import inf
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import torch
from torch import Tensor

from thgeval.errors import InputError, ProtocolError
from thgeval.protocol import is_real

LAYOUTS = {"BCHW": 4, "TCHW": 4, "BTCHW": 5}
"""How axes follow each other, and how many there are."""


class Span(NamedTuple):
    """The values of black and of white, and how far they are apart: exactly, and among float32 numbers.

    A value that float32 clamped to the range is never further above black than ``singles``.
    """

    black: float
    white: float
    doubles: float
    singles: float

    @classmethod
    def of(cls, black: float, white: float) -> "Span":
        """From black to white."""
        return cls(black, white, white - black, float(np.float32(white) - np.float32(black)))

    @property
    def beyond_one(self) -> bool:
        """Whether some of the range lies outside [0, 1]."""
        return self.black < 0 or self.white > 1


DataRange: TypeAlias = float | tuple[float, float] | Span | None
BYTES = Span.of(0.0, 255.0)


@dataclass(frozen=True)
class FramePair:
    """Frames of both sides, each (clips, frames, channels, height, width), with black at 0 and white at ``peak``.

    The reference is None where there is none; ``span`` is where black and white were; ``leading`` is the shape that
    one value a frame is given in.
    """

    generated: Tensor
    reference: Tensor | None
    peak: float
    span: Span
    leading: tuple[int, ...]

    @property
    def sides(self) -> tuple[Tensor, ...]:
        """The sides that are there."""
        return (self.generated,) if self.reference is None else (self.generated, self.reference)

    def of_frames(self) -> tuple[Tensor, Tensor]:
        """Both sides, (frames, channels, height, width), clips after one another; InputError without two."""
        if self.reference is None:
            raise InputError("this compares with a reference; give both sides", reason="no reference")
        return self.generated.flatten(0, 1), self.reference.flatten(0, 1)


def both_sides(
    generated: Tensor, reference: Tensor | None, data_range: DataRange, layout: str | None = None
) -> FramePair:
    """Both sides of a batch, if they fit each other and their range is known."""
    check_tensors(generated, reference)
    shape = _shape(generated, layout)
    ends = span(data_range, generated.dtype)

    def clips(side: Tensor) -> Tensor:
        levels = side.float() if side.dtype in HALVES else side
        return (levels - ends.black if ends.black else levels).reshape(shape)

    other = None if reference is None else clips(reference)
    peak = ends.doubles if generated.dtype == torch.float64 else ends.singles
    return FramePair(clips(generated), other, peak, ends, tuple(generated.shape[:-3]))


def stated(data_range: DataRange) -> Span | None:
    """A range as users state it: white where black is 0, or (black, white); ProtocolError for what is none."""
    if data_range is None or isinstance(data_range, Span):
        return data_range
    ends = tuple(data_range) if isinstance(data_range, tuple | list) else (0.0, data_range)
    if len(ends) != 2 or not all(map(is_real, ends)) or not -inf < ends[0] < ends[1] < inf:
        raise ProtocolError(f"data_range is the value of white, or (black, white), not {data_range!r}")
    return Span.of(float(ends[0]), float(ends[1]))


def span(data_range: DataRange, dtype: torch.dtype) -> Span:
    """The values of black and of white; InputError for floats whose range nobody said."""
    ends = stated(data_range)
    if dtype == torch.uint8:
        if ends is not None and ends != BYTES:
            raise InputError(
                f"uint8 frames range from 0 to 255, not from {ends.black:g} to {ends.white:g}", reason="range differs"
            )
        return BYTES
    if ends is None:
        raise InputError(
            "float frames need their range: data_range=1.0, or (-1.0, 1.0) where black is -1",
            reason="range not stated",
        )
    return ends


def outside(pair: FramePair) -> Tensor:
    """Whether any value lies outside the range or is not a number: a boolean on the tensors' device, not waited for."""
    wrong = torch.zeros((), dtype=torch.bool, device=pair.generated.device)
    for side in pair.sides:
        if side.dtype != torch.uint8:
            low, high = torch.aminmax(side)
            wrong = wrong | ~((low >= 0) & (high <= pair.peak))
    return wrong


def within_one(pair: FramePair) -> Tensor | None:
    """Whether all values lie in [0, 1] although the range is a wider one, as a boolean like ``outside``'s.

    None of frames to whom that says nothing: bytes, and those whose range is not wider.
    """
    if pair.generated.dtype == torch.uint8 or not pair.span.beyond_one:
        return None
    ends = [torch.aminmax(side) for side in pair.sides]
    black = pair.span.black
    inside = [(low >= -black) & (high <= 1 - black) for low, high in ends]
    return torch.stack(inside).all()


def out_of_range() -> InputError:
    """What is said of frames of which ``outside`` is true."""
    return InputError(
        "frames hold NaN, infinity or values outside data_range; clamp what the generator makes, or state the right "
        "range",
        reason="out of range",
    )


def check_tensors(generated: Tensor, reference: Tensor | None) -> None:
    """Refuse what are no tensors of frames, or don't fit each other: InputError."""
    for name, side in (("generated", generated), ("reference", reference)):
        if side is not None and not isinstance(side, Tensor):
            raise InputError(
                f"{name} frames must be a torch tensor, not {type(side).__name__}; thgeval.Meter reads arrays",
                reason="wrong type",
            )
        if side is not None:
            check_strided(f"{name} frames", side)
        if side is not None and side.dtype != torch.uint8 and not side.is_floating_point():
            raise InputError(f"{name} frames are {side.dtype}; give uint8 or floats", reason="wrong type")
    if reference is None:
        return
    if generated.device != reference.device:
        raise InputError(
            f"generated frames are on {generated.device} and reference frames on {reference.device}; move one to the "
            "other",
            reason="device differs",
        )
    first, second = (torch.float32 if side.dtype in HALVES else side.dtype for side in (generated, reference))
    if first != second:
        raise InputError(
            f"generated frames are {generated.dtype} and reference frames {reference.dtype}; bring both to one type",
            reason="type differs",
        )
    if generated.shape != reference.shape:
        raise InputError(
            f"generated frames {tuple(generated.shape)} and reference frames {tuple(reference.shape)} differ in shape",
            reason="shape mismatch",
        )


def checked_layout(layout: str | None) -> str | None:
    """A layout, or None; ProtocolError for what is none."""
    if layout is not None and layout not in LAYOUTS:
        raise ProtocolError(f"layout is one of {', '.join(LAYOUTS)}, not {layout!r}")
    return layout


def check_strided(name: str, tensor: Tensor) -> None:
    """Refuse tensors whose values don't lie in one place in order: InputError."""
    if hasattr(tensor, "full_tensor"):  # DTensor, whose module is slow to import
        raise InputError(
            f"{name} are a DTensor, whose parts lie in several processes; hand over its full_tensor(), or each process "
            "its own clips",
            reason="wrong type",
        )
    if tensor.layout != torch.strided or tensor.is_nested:
        raise InputError(f"{name} are a sparse or nested tensor; make it dense", reason="wrong type")


HALVES = (torch.float16, torch.bfloat16)


def _shape(frames: Tensor, layout: str | None) -> tuple[int, ...]:
    """The shape as clips of frames: (clips, frames, channels, height, width)."""
    layout = checked_layout(layout) or ("BTCHW" if frames.ndim == 5 else "BCHW")
    shape = tuple(frames.shape)
    if len(shape) != LAYOUTS[layout] or shape[-3] not in (1, 3):
        raise InputError(
            f"frames of shape {shape} are not {layout} with 1 or 3 channels; images are BCHW, one clip is TCHW, clips "
            "are BTCHW",
            reason="wrong shape",
        )
    if 0 in shape:
        raise InputError(f"a batch of shape {shape} holds no frames", reason="no frames")
    return {"BCHW": (shape[0], 1, *shape[1:]), "TCHW": (1, *shape)}.get(layout, shape)


def in_words(value: Any) -> str:
    """What something is, in a sentence that says what it isn't."""
    if isinstance(value, Tensor):
        return f"a tensor of the shape {tuple(value.shape)}"
    return repr(value)[:80] if isinstance(value, int | float | str) else f"a {type(value).__name__}"
