"""Frames that are arrays already: in memory, in ``.npy`` and in ``.npz`` files.

uint8 frames have a peak of 255; float frames keep their values (float16 becomes float32) and must lie in [0, peak]
with the peak their owner states: ``Memory.peak``, or a scalar ``peak`` in the ``.npz``. An ``.npz`` holds the frames
as ``frames`` or as its only array, and may hold a scalar ``fps``. Shapes are (frames, height, width, 3) or (frames, 3,
height, width), with 1 channel or none for grey, which is repeated; (height, width) is one grey frame, and three axes
that may be one image in colour are refused. Nothing is ever unpickled; an ``.npy`` is mapped, not read, so it may be
larger than memory.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from thgeval.clip import Memory
from thgeval.errors import InputError
from thgeval.files import npy
from thgeval.limits import beyond, check_file, limit
from thgeval.media.archives import arrays_in, names_in
from thgeval.media.frames import MediaInfo, Pixels
from thgeval.media.source import Picture

ARRAY_SUFFIXES = frozenset((".npy", ".npz"))
WANTED = {"thwc": "(frames, height, width, 3)", "tchw": "(frames, 3, height, width)"}
CHANNELS = {"thwc": 3, "tchw": 1}
OTHER = {"thwc": "tchw", "tchw": "thwc"}
"""How axes follow each other, which of them are colours, and the other way."""

DARK, BRIGHT = 1.0, 100.0
"""Frames that never exceed the one although the other or more is white are scaled otherwise than their peak says."""

MEMORY = "memory"
"""What frames that somebody holds are called in place of a container."""

WRITTEN_AS = {"uint8": np.uint8, "float16": np.float32, "float32": np.float32, "float64": np.float64}


class Frames:
    """A stack of frames with a known layout, checked frame by frame as they are read."""

    def __init__(
        self, frames: Any, *, peak: float | None, layout: str, name: str, container: str, fps: Fraction | None
    ) -> None:
        self._name, self._fps = name, fps
        self._container = container
        if np.ma.is_masked(frames):
            raise InputError(
                f"{name}: some of its values are masked, and nothing says what is to be seen there; fill them first",
                reason="masked",
            )
        self._frames, self._layout, self._count, self._shape, self._channels = _stack(frames, layout, name)
        if self._shape[0] * self._shape[1] > limit("frame_pixels"):
            raise beyond("frame_pixels", f"{name}: its frames have {self._shape[1]} x {self._shape[0]} px")
        if self._count > limit("frames"):
            raise beyond("frames", f"{name}: it has {self._count} frames", reason="too long")
        self._highest = 0.0
        first = as_array(self._frames[:1], name)
        if first.dtype.name not in WRITTEN_AS:
            raise InputError(
                f"{name}: its frames are {first.dtype}; give uint8, or floats with a stated peak", reason="wrong type"
            )
        self._given = first.dtype
        self._peak = _stated_peak(peak, first.dtype, name)
        self._black, self._clip = 0.0, False
        self._clipped: set[int] = set()

    @property
    def peak(self) -> float:
        """The value of white, where black is 0."""
        return self._peak - self._black

    @property
    def dtype(self) -> np.dtype[Any]:
        """uint8, float32 or float64."""
        return np.dtype(WRITTEN_AS[self._given.name])

    @property
    def info(self) -> MediaInfo:
        """Size, count and type; the rest is not known of an array."""
        height, width = self._shape
        return MediaInfo(
            container=self._container,
            codec="raw",
            pixel_format=f"{'rgb' if self._channels == 3 else 'grey'} {self._given.name}",
            width=width,
            height=height,
            fps=self._fps,
            frames=self._count,
            duration_s=float(self._count / self._fps) if self._fps else None,
            start_s=0.0,
            variable_rate=False,
            rotation=0,
            bits=self._given.itemsize * 8,
            matrix="rgb" if self._channels == 3 else "grey",
            colour_range="full",
            audio=None,
        )

    @property
    def times(self) -> list[Fraction]:
        """None are stated."""
        return []

    @property
    def end(self) -> Fraction | None:
        """The number of frames over their rate."""
        return self._count / self._fps if self._fps else None

    @property
    def remarks(self) -> tuple[str, ...]:
        """How many frames had to be brought into their range; nothing beside the frames is held."""
        if not self._clipped:
            return ()
        span = f"{self._black:g} to {self._peak:g}"
        return (f"values of {len(self._clipped)} of {self._count} frames were beyond {span} and were clipped",)

    def pictures(self) -> Iterator[Picture]:
        """All frames, spaced evenly if their rate is known."""
        for index in range(self._count):
            yield Picture(index / self._fps if self._fps else None, self._shape, partial(self._write, index))
        self._check_brightness()

    def stored(self) -> Iterator[NDArray[Any]]:
        """All frames as they are, unchecked."""
        for index in range(self._count):
            yield as_array(self._frames[index], self._name)

    def close(self) -> None:
        """Nothing is held open."""

    def _write(self, index: int, out: Pixels) -> None:
        frame = as_array(self._frames[index], self._name)
        if frame.dtype != np.uint8:
            frame = self._in_range(frame, index)
        if self._channels == 1:
            frame = frame.reshape(*self._shape, 1)
        elif self._layout == "tchw":
            frame = np.moveaxis(frame, 0, 2)
        out[...] = frame

    def _check_brightness(self) -> None:
        """Refuse frames between 0 and 1 whose white is said to be 255."""
        if self._given == np.uint8 or self._peak < BRIGHT or self._highest > DARK:
            return
        highest = max(self._highest, float(as_array(self._frames[self._count - 1], self._name).max()))
        if 0.0 < highest <= DARK:
            raise InputError(
                f"{self._name}: its frames never exceed {highest:g}, although {self._peak:g} is said to be white; "
                "state the right peak, which may be 1.0",
                reason="out of range",
            )

    def _in_range(self, frame: NDArray[Any], index: int) -> NDArray[Any]:
        """The frame with its black at 0; InputError if it has values beyond its range, unless these are clipped."""
        low, high = float(frame.min()), float(frame.max())
        self._highest = max(self._highest, high)
        if not (math.isfinite(low) and math.isfinite(high)):
            raise InputError(
                f"{self._name}: frame {index} holds NaN or infinite values; find out where they come from",
                reason="not finite",
            )
        if low < self._black or high > self._peak:
            if not self._clip:
                span = f"{self._black:g} to {self._peak:g}"
                said = f"frame {index} spans {low!s} to {high!s}, outside its range of {span}"
                hint = "; in Python, clip=True does" if self._container == MEMORY else ""
                raise InputError(
                    f"{self._name}: {said}; state the right peak, or scale and clip the frames into it{hint}",
                    reason="out of range",
                )
            self._clipped.add(index)
            frame = np.clip(frame, self._black, self._peak)
        wide = frame.astype(self.dtype, copy=False)
        return wide - self.dtype.type(self._black) if self._black else wide


class FramesInMemory(Frames):
    """Frames someone already holds: an array, or a tensor on any device, of which one frame at a time is copied."""

    def __init__(self, memory: Memory, *, name: str, fps: Fraction | None) -> None:
        super().__init__(memory.frames, peak=memory.peak, layout=memory.layout, name=name, container=MEMORY, fps=fps)
        self._black, self._clip = memory.black, memory.clip


class ArrayFile(Frames):
    """Frames in an ``.npy`` or ``.npz`` file; ``fps`` overrides the rate the file states."""

    def __init__(self, path: Path, *, fps: Fraction | None) -> None:
        stored = _read(path)
        super().__init__(
            stored.frames,
            peak=stored.peak,
            layout="thwc",
            name=str(path),
            container=path.suffix.lower().removeprefix("."),
            fps=fps or stored.fps,
        )


@dataclass(frozen=True)
class _Stored:
    frames: NDArray[Any]
    fps: Fraction | None = None
    peak: float | None = None


def _read(path: Path) -> _Stored:
    if not check_file(path, "clip_bytes"):
        raise InputError(f"{path}: it holds no array that can be read (it is empty)", reason="corrupt")
    try:
        if path.suffix.lower() == ".npy":
            return _Stored(_mapped(path))
        return _of_archive(path)
    except PermissionError as error:
        raise InputError(f"{path}: it can't be read ({error.strerror})", reason="unreadable") from error
    except InputError:
        raise
    except Exception as error:  # zipfile's and numpy's readers meet broken files with nearly every exception there is
        said = " ".join(str(error).split())
        raise InputError(f"{path}: it holds no array that can be read ({said})", reason="corrupt") from error


def _mapped(path: Path) -> NDArray[Any]:
    with path.open("rb") as file:
        header, offset = npy.header(file), file.tell()
    order: Literal["F", "C"] = "F" if header.by_columns else "C"
    return np.memmap(path, header.dtype, "r", offset, header.shape, order)


def _of_archive(path: Path) -> _Stored:
    """The frames, rate and peak of an ``.npz``."""
    names = names_in(path, "clip_bytes")
    others = [name for name in names if name not in {"fps", "peak"}]
    if "frames" not in others and len(others) != 1:
        raise InputError(
            f"{path}: it holds the arrays {', '.join(others) or 'fps and peak only'}; call the frames 'frames'",
            reason="wrong shape",
        )
    frames = "frames" if "frames" in others else others[0]
    held = arrays_in(path, [frames, *({"fps", "peak"} & set(names))])
    scalars = {}
    for name in held.keys() - {frames}:
        value = held[name]
        if value.size != 1 or not math.isfinite(float(value.item())) or float(value.item()) <= 0:
            raise InputError(f"{path}: its '{name}' is not one positive number", reason="wrong shape")
        scalars[name] = float(value.item())
    rate = Fraction(scalars["fps"]).limit_denominator(1001) if "fps" in scalars else None
    return _Stored(held[frames], rate, scalars.get("peak"))


class _Stack(NamedTuple):
    """Frames in the order of their axes."""

    frames: Any
    layout: str
    length: int
    shape: tuple[int, int]
    channels: int


def _stack(frames: Any, layout: str, name: str) -> _Stack:
    """Frames by what their axes can be; InputError where that is nothing, or more than one thing."""
    shape = tuple(int(side) for side in getattr(frames, "shape", ()))
    if layout not in WANTED:
        raise InputError(f"{name}: its layout {layout!r} is neither 'thwc' nor 'tchw'", reason="wrong shape")
    if len(shape) == 2 and all(shape):
        return _Stack(frames[None], layout, 1, (shape[0], shape[1]), 1)
    if len(shape) == 3:
        _refuse_one_image(shape, name)
        count, height, width, channels = *shape, 1
    elif len(shape) == 4:
        if shape[CHANNELS[layout]] not in {1, 3} and shape[CHANNELS[OTHER[layout]]] in {1, 3}:
            layout = OTHER[layout]
        count, channels = shape[0], shape[CHANNELS[layout]]
        height, width = shape[1:3] if layout == "thwc" else shape[2:4]
    else:
        raise InputError(f"{name}: its frames have the shape {shape}, not {WANTED[layout]}", reason="wrong shape")
    if channels not in {1, 3} or (count and not height * width):
        raise InputError(
            f"{name}: its frames have the shape {shape}, not {WANTED[layout]} with 3 or 1 channels",
            reason="wrong shape",
        )
    if not count:
        raise InputError(f"{name}: it holds no frames", reason="no frames")
    return _Stack(frames, layout, count, (height, width), channels)


def _refuse_one_image(shape: tuple[int, ...], name: str) -> None:
    """Three axes are grey frames, unless the first or the last may be the colours of one image."""
    first, second, third = shape
    if first and (third in {1, 3, 4} or first == 3):
        image = f"(1, {first}, {second}, {third})"
        grey = f"({first}, {second}, {third}, 1)"
        raise InputError(
            f"{name}: its frames have the shape {shape}, which may be one image or grey frames; give one image as "
            f"{image}, grey frames as {grey}",
            reason="wrong shape",
        )


def _stated_peak(peak: float | None, dtype: np.dtype[Any], name: str) -> float:
    if dtype == np.uint8:
        if peak not in {None, 255}:
            raise InputError(f"{name}: uint8 frames have a peak of 255, not {peak}", reason="out of range")
        return 255.0
    if peak is None or not math.isfinite(peak) or peak <= 0:
        raise InputError(
            f"{name}: its frames are {dtype} and nothing says what value is white; save 'peak' beside 'frames' in an "
            ".npz, or state Memory.peak",
            reason="range not stated",
        )
    return float(peak)


def as_array(frames: Any, name: str) -> NDArray[Any]:
    """An array or tensor as a numpy array; a tensor is taken off its device and out of its graph."""
    try:
        if hasattr(frames, "detach"):
            frames = frames.detach().cpu()
            frames = (frames.float() if str(frames.dtype) == "torch.bfloat16" else frames).numpy()
        return np.asarray(frames)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{name}: its frames can't be read as an array ({error})", reason="wrong type") from error
