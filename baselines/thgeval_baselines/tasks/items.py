"""One item of a task set, and the set: paths below one folder, hashes, and facts about the clips.

Frames are at ``fps`` frames per second, ``size`` is height and width in px. Everything here is frozen; files are read
and written by ``thgeval_baselines.tasks.files``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any

from thgeval.errors import ProtocolError

WORDS = "text"
"""The one input that is no file but the words themselves."""
FILES = (
    "source_image",
    "audio",
    "driving_video",
    "curves",
    "target_video",
    "fit_video",
    "fit_views",
)
"""Inputs that are files (``fit_views``: a folder) below the set's own folder."""
REFERENCE = "reference"
NOTHING: Mapping[str, Any] = MappingProxyType({})


def nothing() -> Mapping[str, Any]:
    """What a mapping of a frozen dataclass is by default."""
    return NOTHING


@dataclass(frozen=True)
class Item:
    """What one video is to be made from, and the recording that it is judged by where there is one.

    ``id``        letters, digits, ``_`` and ``-``; the name of the video that is made
    ``inputs``    files by the names of ``FILES``, as paths below the set's folder, and the words under ``text``
    ``reference`` the recording, or the rendering with known truth
    ``truth``     files of what is known exactly, by name: in synthetic sets alone
    ``frames``    how many the video must have; None where the generator decides
    ``fps``, ``size``, ``language``  of this item; None where the set's own hold
    ``sha256``    hashes of files by the name of the input, ``reference``, or ``truth.NAME``; folders have none
    ``meta``      anything else that is worth knowing
    """

    id: str
    inputs: Mapping[str, str]
    reference: str | None = None
    truth: Mapping[str, str] = field(default_factory=nothing)
    identity: str | None = None
    split: str = "test"
    frames: int | None = None
    fps: Fraction | None = None
    size: tuple[int, int] | None = None
    language: str | None = None
    sha256: Mapping[str, str] = field(default_factory=nothing)
    meta: Mapping[str, Any] = field(default_factory=nothing)

    def files(self) -> dict[str, str]:
        """Every path of the item by the name under which ``sha256`` has its hash."""
        found = {name: path for name, path in self.inputs.items() if name != WORDS}
        if self.reference is not None:
            found[REFERENCE] = self.reference
        return found | {f"truth.{name}": path for name, path in self.truth.items()}


@dataclass(frozen=True)
class TaskSet:
    """Items of one folder, in order.

    ``data`` names data sets whose clips or sounds are among these: where a generator or a network behind a metric
    learnt from one of them, or from this set, its scores here say so.
    ``made_by`` says how it can be made again (tool, version, seed, hash of the recipe); ``notice`` what the files are,
    such as synthetic test material.
    """

    id: str
    folder: Path
    items: tuple[Item, ...]
    title: str = ""
    licence: str = ""
    notice: str = ""
    fps: Fraction = Fraction(25)
    size: tuple[int, int] = (256, 256)
    language: str = "en-us"
    data: tuple[str, ...] = ()
    made_by: Mapping[str, Any] = field(default_factory=nothing)

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    def __getitem__(self, id: str) -> Item:
        """The item of that id; ProtocolError if there is none."""
        found = next((item for item in self.items if item.id == id), None)
        if found is None:
            raise ProtocolError(f"{self.id} has no item called {id}")
        return found

    def path(self, relative: str) -> Path:
        """Where a file of the set lies."""
        return self.folder / relative

    @property
    def data_ids(self) -> tuple[str, ...]:
        """Ids of the data that its clips belong to: its own, and those that it was made from."""
        return tuple(dict.fromkeys((self.id, *self.data)))
