"""What is scored: clips, and pairs of a generated clip with what it is judged against."""

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Memory:
    """Frames that are already here: an array or a torch tensor, never copied until decoded.

    ``frames`` is (frames, height, width, channels) for ``layout="thwc"``, (frames, channels, height, width) for
    ``"tchw"``; channels are 3 (RGB) or 1 (grey), and a (frames, height, width) array is grey. ``peak`` is the value of
    white: 255 for uint8, to be stated for floats.
    """

    frames: Any = field(repr=False)
    peak: float
    layout: str = "thwc"


@dataclass(frozen=True)
class Clip:
    """A description of one video. It holds no pixels of files and costs nothing until it is decoded.

    ``source`` is a video file, a folder of numbered images, an ``.npy``/``.npz`` file, or frames in memory; ``fps``
    overrides or supplies the frame rate where the source has none (folders, arrays); ``None`` leaves it as it is.
    """

    id: str
    source: Path | Memory = field(compare=False)
    fps: Fraction | None = None

    @property
    def name(self) -> str:
        """The clip as error messages call it: its path if it has one, else its id."""
        return str(self.source) if isinstance(self.source, Path) else self.id


@dataclass(frozen=True)
class Pair:
    """A generated clip and, where there is one, what it is judged against.

    ``reference`` is the real clip, ``audio`` the driving speech (by default the generated clip's own track),
    ``transcript`` and ``prompt`` are text files, ``source_image`` the portrait that was animated, ``timing`` a
    record of how long the clip took to make.
    """

    id: str
    generated: Clip
    reference: Clip | None = None
    audio: Path | None = None
    transcript: Path | None = None
    prompt: Path | None = None
    source_image: Path | None = None
    timing: Path | None = None

    def offers(self, what: str) -> bool:
        """Whether the pair has that side or companion: ``"reference"``, ``"timing"``, ...; frames are always there."""
        return what in ("frames", "info") or getattr(self, what) is not None
