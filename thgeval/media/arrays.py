"""Frames that are arrays already: in memory, in ``.npy`` and in ``.npz`` files.

uint8 frames have a peak of 255; float frames keep their values (float16 becomes float32) and must lie in [0, peak]
with the peak their owner states: ``Memory.peak``, or a scalar ``peak`` in the ``.npz``. An ``.npz`` holds the frames
as ``frames`` or as its only array, and may hold a scalar ``fps``. Shapes are (frames, height, width, 3), or 1 channel
or none for grey, which is repeated. Nothing is ever unpickled; an ``.npy`` is mapped, not read, so it may be larger
than memory.
"""

import math
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval.clip import Memory
from thgeval.errors import InputError
from thgeval.media.frames import MediaInfo, Pixels
from thgeval.media.source import Picture

WRITTEN_AS = {"uint8": np.uint8, "float16": np.float32, "float32": np.float32, "float64": np.float64}


class Frames:
    """A stack of frames with a known layout, checked frame by frame as they are read."""

    def __init__(
        self, frames: Any, *, peak: float | None, layout: str, name: str, container: str, fps: Fraction | None
    ) -> None:
        self._frames, self._layout, self._name, self._fps = frames, layout, name, fps
        self._container = container
        self._count, self._shape, self._channels = _dimensions(frames, layout, name)
        first = _array(frames[:1], name)
        if first.dtype.name not in WRITTEN_AS:
            raise InputError(
                f"{name}: its frames are {first.dtype}; give uint8, or floats with a stated peak", reason="wrong type"
            )
        self._given = first.dtype
        self._peak = _stated_peak(peak, first.dtype, name)

    @property
    def peak(self) -> float:
        """The value of white."""
        return self._peak

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
        """Nothing beside the frames is held."""
        return ()

    def pictures(self) -> Iterator[Picture]:
        """All frames, spaced evenly if their rate is known."""
        for index in range(self._count):
            yield Picture(index / self._fps if self._fps else None, self._shape, partial(self._write, index))

    def stored(self) -> Iterator[NDArray[Any]]:
        """All frames as they are, unchecked."""
        for index in range(self._count):
            yield _array(self._frames[index], self._name)

    def close(self) -> None:
        """Nothing is held open."""

    def _write(self, index: int, out: Pixels) -> None:
        frame = _array(self._frames[index], self._name)
        if frame.dtype != np.uint8:
            self._check_range(frame, index)
        if self._channels == 1:
            frame = frame.reshape(*self._shape, 1)
        elif self._layout == "tchw":
            frame = np.moveaxis(frame, 0, 2)
        out[...] = frame

    def _check_range(self, frame: NDArray[Any], index: int) -> None:
        low, high = float(frame.min()), float(frame.max())
        if not (math.isfinite(low) and math.isfinite(high)):
            raise InputError(
                f"{self._name}: frame {index} holds NaN or infinite values; find out where they come from",
                reason="not finite",
            )
        if low < 0.0 or high > self._peak:
            raise InputError(
                f"{self._name}: frame {index} spans {low:g} to {high:g}, outside its range of 0 to {self._peak:g}; "
                "state the right peak, or scale and clip the frames into it",
                reason="out of range",
            )


class FramesInMemory(Frames):
    """Frames someone already holds: an array, or a tensor on any device, of which one frame at a time is copied."""

    def __init__(self, memory: Memory, *, name: str, fps: Fraction | None) -> None:
        super().__init__(memory.frames, peak=memory.peak, layout=memory.layout, name=name, container="memory", fps=fps)


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
    try:
        if path.suffix.lower() == ".npy":
            return _Stored(np.lib.format.open_memmap(path, mode="r"))
        with path.open("rb") as file, zipfile.ZipFile(file):
            file.seek(0)
            return _unpacked(np.load(file, allow_pickle=False), str(path))
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file", reason="missing") from error
    except PermissionError as error:
        raise InputError(f"{path}: it can't be read ({error.strerror})", reason="unreadable") from error
    except InputError:
        raise
    except Exception as error:  # numpy's readers meet broken files with nearly every exception there is
        raise InputError(f"{path}: it holds no array that can be read ({error})", reason="corrupt") from error


def _unpacked(archive: Any, name: str) -> _Stored:
    """The frames, rate and peak of an ``.npz``."""
    others = [key for key in archive.files if key not in {"fps", "peak"}]
    if "frames" not in others and len(others) != 1:
        raise InputError(
            f"{name}: it holds the arrays {', '.join(others) or 'fps and peak only'}; call the frames 'frames'",
            reason="wrong shape",
        )
    scalars = {}
    for key in {"fps", "peak"} & set(archive.files):
        value = archive[key]
        if value.size != 1 or not math.isfinite(float(value.item())) or float(value.item()) <= 0:
            raise InputError(f"{name}: its '{key}' is not one positive number", reason="wrong shape")
        scalars[key] = float(value.item())
    rate = Fraction(scalars["fps"]).limit_denominator(1001) if "fps" in scalars else None
    return _Stored(archive["frames" if "frames" in others else others[0]], rate, scalars.get("peak"))


def _dimensions(frames: Any, layout: str, name: str) -> tuple[int, tuple[int, int], int]:
    """Count, (height, width) and channels of a stack of frames."""
    shape = tuple(int(side) for side in getattr(frames, "shape", ()))
    wanted = "(frames, 3, height, width)" if layout == "tchw" else "(frames, height, width, 3)"
    if layout not in {"thwc", "tchw"}:
        raise InputError(f"{name}: its layout {layout!r} is neither 'thwc' nor 'tchw'", reason="wrong shape")
    if len(shape) == 3:
        count, height, width, channels = *shape, 1
    elif len(shape) == 4 and layout == "thwc":
        count, height, width, channels = shape
    elif len(shape) == 4:
        count, channels, height, width = shape
    else:
        raise InputError(f"{name}: its frames have the shape {shape}, not {wanted}", reason="wrong shape")
    if channels not in {1, 3} or (count and not height * width):
        raise InputError(
            f"{name}: its frames have the shape {shape}, not {wanted} with 3 or 1 channels", reason="wrong shape"
        )
    if not count:
        raise InputError(f"{name}: it holds no frames", reason="no frames")
    return count, (height, width), channels


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


def _array(frames: Any, name: str) -> NDArray[Any]:
    """An array or tensor as a numpy array; a tensor is taken off its device and out of its graph."""
    try:
        if hasattr(frames, "detach"):
            frames = frames.detach().cpu().numpy()
        return np.asarray(frames)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{name}: its frames can't be read as an array ({error})", reason="wrong type") from error
