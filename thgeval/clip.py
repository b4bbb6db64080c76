"""What is scored: clips, and pairs of a generated clip with what it is judged against."""

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from thgeval.errors import InputError, ProtocolError

COMPANIONS: dict[str, tuple[str, ...]] = {
    "openface": (".openface.csv", ".csv"),
    "faces": (".faces.npz",),
    "mesh": (".mesh.npz",),
    "views": (".views.npz",),
    "avhubert": (".avhubert.npz",),
    "lipreader": (".lipreader.npz",),
}
"""What may lie beside a clip of either side, by what follows the clip's name: ``face1.mp4``, ``face1.faces.npz``."""

LONGEST_S, MOST_FRAMES, FINEST = 10_000, 250_000, 1_001_000
OF_WHOLE_CLIPS = ("transcript", *COMPANIONS)
"""What speaks of a whole clip, so that it says nothing of an excerpt."""


def beside(path: Path, name: str, suffixes: Iterable[str]) -> Path | None:
    """The first file in the folder of ``path`` called ``name`` with one of the suffixes, in any Unicode form."""
    if not path.name:
        return None
    forms = dict.fromkeys([name, *(unicodedata.normalize(form, name) for form in ("NFC", "NFD"))])
    candidates = (path.with_name(form + suffix) for suffix in suffixes for form in forms)
    return next((path for path in candidates if _is(Path.is_file, path)), None)


def _is(what: Callable[[Path], bool], path: Path) -> bool:
    try:
        return what(path)
    except OSError:  # a name that is too long
        return False


@dataclass(frozen=True)
class Excerpt:
    """The part of a clip that is looked at: one of these.

    first_s  what is shown and heard before so many seconds have passed since the first frame
    last     of the reference, this share of its frames, the last ones; the generated clip holds no others. Of N frames
             the first floor(N (1 - last)) are left out
    frames   so many frames, evenly spread: of N the frames floor(i N / frames)

    ProtocolError for more than one of them, and for amounts that make no sense.
    """

    first_s: Fraction | None = None
    last: Fraction | None = None
    frames: int | None = None

    def __post_init__(self) -> None:
        given = {name: getattr(self, name) for name in ("first_s", "last", "frames")}
        if len(some := [name for name, amount in given.items() if amount is not None]) != 1:
            raise ProtocolError(f"an excerpt is one of {', '.join(given)}, not {' and '.join(some) or 'none'}")
        if finer := [name for name in ("first_s", "last") if given[name] and given[name].denominator > FINEST]:
            raise ProtocolError(f"{finer[0]} must be a number of few digits, not a fraction finer than 1/{FINEST}")
        if self.first_s is not None and not 0 < self.first_s <= LONGEST_S:
            raise ProtocolError(f"first_s must be above 0 s and at most {LONGEST_S} s, not {self.first_s}")
        if self.last is not None and not 0 < self.last < 1:
            raise ProtocolError(f"last must be a share between 0 and 1, such as 1/11, not {self.last}")
        if self.frames is not None and not 1 <= self.frames <= MOST_FRAMES:
            raise ProtocolError(f"frames must be in 1..{MOST_FRAMES}, not {self.frames}")

    def has(self, what: str) -> bool:
        """Whether an excerpt of a clip offers this as the clip does; sound is only cut at its end."""
        return what not in OF_WHOLE_CLIPS and (what not in ("clip", "sound") or self.first_s is not None)

    def __str__(self) -> str:
        """As signatures have it: ``first-8s``, ``last-1/11``, ``even-100``."""
        if self.first_s is not None:
            return f"first-{self.first_s}s"
        return f"even-{self.frames}" if self.last is None else f"last-{self.last}"

    @classmethod
    def parse(cls, text: str) -> "Excerpt":
        """The inverse of ``str``; ProtocolError for any other text."""
        kind, _, amount = text.partition("-")
        try:
            if kind == "even":
                return cls(frames=int(amount))
            if kind == "last":
                return cls(last=Fraction(amount))
            if kind == "first" and amount.endswith("s"):
                return cls(first_s=Fraction(amount.removesuffix("s")))
        except (ValueError, ZeroDivisionError):
            pass
        raise ProtocolError(f"{text!r} is no excerpt of a clip")


@dataclass(frozen=True)
class Memory:
    """Frames that are already here: an array or a torch tensor, never copied until decoded.

    ``frames`` is (frames, height, width, channels) for ``layout="thwc"``, (frames, channels, height, width) for
    ``"tchw"``; channels are 3 (RGB) or 1 (grey), and a (frames, height, width) array is grey. ``peak`` is the value of
    white: 255 for uint8, to be stated for floats. ``black`` is that of black, by which all values are lowered as they
    are read; with ``clip``, values beyond either become it.
    """

    frames: Any = field(repr=False)
    peak: float
    layout: str = "thwc"
    black: float = 0.0
    clip: bool = False


@dataclass(frozen=True)
class Clip:
    """A description of one video. It holds no pixels of files and costs nothing until it is decoded.

    ``source`` is a video file, a folder of numbered images, an ``.npy``/``.npz`` file, or frames in memory; ``fps``
    overrides or supplies the frame rate where the source has none (folders, arrays); ``None`` leaves it as it is.
    ``excerpt`` is the part of it that is looked at.
    """

    id: str
    source: Path | Memory = field(compare=False)
    fps: Fraction | None = None
    excerpt: Excerpt | None = None

    @property
    def name(self) -> str:
        """The clip as error messages call it: its path if it has one, else its id."""
        return str(self.source) if isinstance(self.source, Path) else self.id

    def companion(self, what: str) -> Path | None:
        """The file of measurements that lies beside the clip under its name, or None: see ``COMPANIONS``."""
        if not isinstance(self.source, Path):
            return None
        name = self.source.name if _is(Path.is_dir, self.source) else self.source.stem
        return beside(self.source, name, COMPANIONS[what])


def check_whole(clip: Clip, reader: str) -> None:
    """InputError for an excerpt: ``reader`` is a program of its own that reads a file from its beginning to its end."""
    if clip.excerpt is not None:
        raise InputError(f"{clip.name}: {reader} reads whole files, not an excerpt ({clip.excerpt})", reason="excerpt")


@dataclass(frozen=True)
class Pair:
    """A generated clip and, where there is one, what it is judged against.

    ``reference`` is the real clip, ``audio`` the driving speech (by default the generated clip's own track),
    ``transcript`` a text file, or the words themselves, ``prompt`` a text file, ``source_image`` the portrait that was
    animated, ``timing`` a record of how long the clip took to make.

    In a run without pairs every clip of either folder stands alone, as ``generated``, and ``side`` says which folder it
    is from: ``generated`` or ``reference``.
    """

    id: str
    generated: Clip
    reference: Clip | None = None
    audio: Path | None = None
    transcript: Path | str | None = None
    prompt: Path | None = None
    source_image: Path | None = None
    timing: Path | None = None
    side: str = ""

    @property
    def sound(self) -> Clip | Path | None:
        """Where the generated clip's speech is: the driving speech if it was named, else the clip's own track."""
        return self.audio or (self.generated if isinstance(self.generated.source, Path) else None)

    def offers(self, what: str, *, reference: bool = False) -> bool:
        """Whether one side of the pair has what a feature starts from: ``"frames"``, ``"sound"``, ``"views"``, ..."""
        if what in ("frames", "info"):
            return True
        side = self.reference if reference else self.generated
        if side is not None and side.excerpt is not None and not side.excerpt.has(what):
            return False
        if side is not None and what in COMPANIONS:
            return side.companion(what) is not None
        if what == "clip":
            return True
        if side is not None and reference and what == "sound":
            return isinstance(side.source, Path)
        return getattr(self, what) is not None

    def excerpt(self, *, reference: bool = False) -> Excerpt | None:
        """The part of one side that is looked at; None for all of it."""
        side = self.reference if reference else self.generated
        return None if side is None else side.excerpt

    def cut(self, excerpt: Excerpt | None) -> "Pair":
        """The pair with only this part of each clip looked at; ProtocolError where its speech is a file of its own."""
        if excerpt is None:
            return self
        if self.audio is not None:
            raise ProtocolError(
                f"{self.id}: {self.audio} can't be cut with its clip; leave the third column out, so that the clip's "
                "own sound is heard"
            )
        theirs = self.reference and replace(self.reference, excerpt=excerpt)
        if excerpt.last is not None:
            return replace(self, reference=theirs)
        return replace(self, generated=replace(self.generated, excerpt=excerpt), reference=theirs)

    @property
    def companions(self) -> dict[str, Path]:
        """Every file beside the clips that a score may depend on, by what it is."""
        own = {
            "audio": self.audio,
            "timing": self.timing,
            "transcript": self.transcript if isinstance(self.transcript, Path) else None,
            "prompt": self.prompt,
            "source image": self.source_image,
        }
        beside = {
            f"{what} of the {side}": clip.companion(what)
            for side, clip in (("generated clip", self.generated), ("reference", self.reference))
            if clip is not None
            for what in COMPANIONS
        }
        return {name: path for name, path in (own | beside).items() if path is not None}
