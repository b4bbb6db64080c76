"""Reading NPZ files that users bring: plain arrays of stated shapes, and a sentence for everything else.

Nothing in such a file is ever run: arrays of Python objects are refused. What a file may hold is a table of layouts;
the page ``docs/interchange.md`` is made from the same tables.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from numpy.typing import NDArray

from thgeval.errors import InputError
from thgeval.media.archives import arrays_in, names_in

Array = NDArray[Any]


class Layout(NamedTuple):
    """What one array is: its axes, each a name or a length, what it means, and whether a file must have it."""

    axes: tuple[str, ...]
    says: str
    required: bool = False

    @property
    def shape(self) -> str:
        """The axes as they are written: ``(frames, 68, 2)``."""
        return f"({', '.join(self.axes)}{',' if len(self.axes) == 1 else ''})"


def arrays(path: Path, layouts: Mapping[str, Layout], *, reason: str) -> dict[str, Array]:
    """The arrays of a file, each of numbers and with the axes of its layout.

    Raises InputError under ``reason`` for a file that can't be read, an array that has no layout, one that is missing,
    one that doesn't hold real numbers, and one with other axes.
    """
    with _readable(path, reason):
        names = names_in(path, "companion_bytes")
        held = dict(arrays_in(path, [name for name in names if name in layouts]))
    if unknown := sorted(set(names) - layouts.keys()):
        raise InputError(f"{path} holds {unknown[0]!r}, which is none of {', '.join(layouts)}", reason=reason)
    if missing := [name for name, layout in layouts.items() if layout.required and name not in names]:
        raise InputError(f"{path} lacks the array {missing[0]!r}", reason=reason)
    for name, array in held.items():
        check_axes(array, layouts[name], said=f"{path}: {name}", reason=reason)
    return held


def check_axes(array: Array, layout: Layout, *, said: str, reason: str) -> None:
    """Refuse an array, called as ``said``, that holds no real numbers, or has other axes: InputError."""
    if array.dtype.kind not in "biuf":
        raise InputError(f"{said} holds {array.dtype}, not real numbers", reason=reason)
    if not _fits(array.shape, layout.axes):
        raise InputError(f"{said} must be {layout.shape}, not {array.shape}", reason=reason)


@contextmanager
def _readable(path: Path, reason: str) -> Iterator[None]:
    try:
        yield
    except InputError as error:
        raise InputError(str(error), reason=reason) from error
    except Exception as error:  # zipfile's and numpy's readers meet broken files with nearly every exception there is
        said = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path} can't be read as an NPZ file of plain arrays: {said}", reason=reason) from None


def _fits(shape: tuple[int, ...], axes: tuple[str, ...]) -> bool:
    """Whether an array has the right number of axes, those with a stated length have it, and none is empty."""
    return len(shape) == len(axes) and all(
        length == int(axis) if axis.isdigit() else length > 0 for length, axis in zip(shape, axes, strict=True)
    )
