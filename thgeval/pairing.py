"""Which generated clip belongs to which reference: by stem, by list, or as given; or none to any, in two sets.

Every stem of either folder is accounted for. What can't be paired is not dropped: it comes back as an ``Unpaired``
with its reason, and counts as expected and failed.
"""

import os
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from thgeval.clip import COMPANIONS, Clip, Pair, beside
from thgeval.errors import InputError, ProtocolError
from thgeval.limits import text
from thgeval.media.folder import is_image
from thgeval.media.image import SUFFIXES
from thgeval.results import STATES

VIDEOS = frozenset(
    [
        ".mp4",
        ".m4v",
        ".mov",
        ".mkv",
        ".webm",
        ".avi",
        ".mpg",
        ".mpeg",
        ".m2v",
        ".ts",
        ".mts",
        ".ogv",
        ".flv",
        ".wmv",
        ".3gp",
        ".gif",
        ".y4m",
        ".mxf",
    ]
)
ARRAYS = frozenset((".npy", ".npz"))
TIMING = ".timing.json"
PROMPT = ".prompt.txt"
TRANSCRIPTS = (".txt", ".align")
SOURCES = tuple(f".source{suffix}" for suffix in SUFFIXES)
WAY_OUT = "name the subfolder itself, move the clip, or list pairs with --list"
LOOKED_AT = 10_000
"""Files of subfolders that are looked at before the search for clips there is given up."""
NOT_CLIPS = tuple(suffix for suffixes in COMPANIONS.values() for suffix in suffixes)


@dataclass(frozen=True)
class Unpaired:
    """A clip without its partner, and why; in a run without pairs, one that is missing on the ``side`` of ``Pair``."""

    id: str
    reason: str
    message: str
    side: str = ""


@dataclass(frozen=True)
class Pairing:
    """Pairs in the order of their ids, and everything that could not be paired.

    A generated clip whose reference is missing stands in both: what needs no reference is still scored. ``places`` are
    the folders of generated and of reference clips, below which results name them.
    """

    pairs: tuple[Pair, ...]
    unpaired: tuple[Unpaired, ...]
    places: Mapping[str, Path] = field(default_factory=dict)

    @property
    def expected(self) -> int:
        """How many clips a complete run would score; reference clips that stand alone are counted by themselves."""
        ours = {pair.id for pair in self.pairs if pair.side != "reference"}
        return len(ours | {item.id for item in self.unpaired if item.side != "reference"})

    def saying(self, words: Callable[[str], str | None]) -> "Pairing":
        """The pairs with the words that a rule finds in their names; where it finds none, a pair keeps its own."""

        def told(pair: Pair) -> Pair:
            said = words(pair.id.removeprefix(f"{pair.side}/"))
            return pair if said is None else replace(pair, transcript=said)

        return replace(self, pairs=tuple(map(told, self.pairs)))

    def limited(self, count: int | None) -> "Pairing":
        """The first ``count`` pairs alone, or clips of either side."""
        if count is None:
            return self
        sides = [[pair for pair in self.pairs if pair.side == side] for side in ("", "generated", "reference")]
        return replace(self, pairs=tuple(pair for pairs in sides for pair in pairs[:count]))


def paired(generated: Path, reference: Path | None, clips: Iterable[str] | None = None) -> Pairing:
    """Pair two files, or every clip of two folders by stem; ``clips`` are ids that must be there."""
    for path in (generated, reference):
        if path is not None and not _exists(path):
            raise ProtocolError(f"there is no file or folder {str(path)!r}")
    if is_clip(generated):
        if reference is not None and not is_clip(reference):
            raise ProtocolError(f"{generated} is one clip, but {reference} is a folder of clips")
        return Pairing((pair(generated.stem, generated, reference),), (), _places(generated, reference))
    if reference is not None and is_clip(reference):
        raise ProtocolError(f"{reference} is one clip, but {generated} is a folder of clips")
    return _by_stem(generated, reference, clips)


def apart(generated: Path, reference: Path | None, clips: Iterable[str] | None = None) -> Pairing:
    """Every clip of two folders (or files) by itself, as two sets; ``clips`` are ids that must be in both.

    An id is the side and the clip's stem, or its whole name in a folder where clips share a stem.
    """
    if reference is None:
        raise ProtocolError("without pairs, two folders are compared: name the one of reference clips too")
    pairs: list[Pair] = []
    unpaired: list[Unpaired] = []
    for side, folder in (("generated", generated), ("reference", reference)):
        if not _exists(folder):
            raise ProtocolError(f"there is no file or folder {str(folder)!r}")
        found = _by_name(folder)
        if not found:
            raise ProtocolError(f"there is no clip in {folder}")
        wanted = sorted(set(clips)) if clips is not None else sorted(found)
        reason = "missing clip" if side == "generated" else "missing reference"
        for name in wanted:
            id = f"{side}/{name}"
            if name in found:
                pairs.append(replace(pair(id, found[name], None), side=side))
            else:
                unpaired.append(Unpaired(id, reason, f"{folder} has no clip called {name}", side))
    return Pairing(tuple(pairs), tuple(unpaired), _places(generated, reference))


def _places(generated: Path, reference: Path | None) -> dict[str, Path]:
    """The folders of either side; of a single clip the one that it lies in."""
    found = {"generated": generated, "reference": reference}
    return {side: path.parent if is_clip(path) else path for side, path in found.items() if path is not None}


def _by_name(folder: Path) -> dict[str, Path]:
    if is_clip(folder):
        return {folder.stem: folder}
    by_stem = stems(folder)
    if all(len(paths) == 1 for paths in by_stem.values()):
        return {stem: path for stem, (path,) in by_stem.items()}
    return {path.name: path for paths in by_stem.values() for path in paths}


def _by_stem(generated: Path, reference: Path | None, clips: Iterable[str] | None) -> Pairing:
    first, second = stems(generated), stems(reference) if reference is not None else {}
    lower = deeper(generated) | (deeper(reference) if reference is not None else {})
    wanted = sorted({named(id) for id in clips}) if clips is not None else sorted(first.keys() | second.keys())
    if not wanted:
        where = f"there is no clip in {generated}" + (f" nor in {reference}" if reference else "")
        raise ProtocolError(where + (_advice(lower) if lower else ""))
    pairs: list[Pair] = []
    unpaired: list[Unpaired] = []
    for stem in wanted:
        ours, theirs = first.get(stem, []), second.get(stem, [])
        problem = _problem(stem, ours, theirs, generated, reference)
        if problem is not None:
            unpaired.append(problem)
        if problem is None or problem.reason == "missing reference":
            pairs.append(pair(stem, ours[0], theirs[0] if theirs else None))
    if clips is None:
        unpaired += [
            Unpaired(id, "in a subfolder", f"{path} lies in a subfolder, and these are not searched; {WAY_OUT}")
            for id, path in sorted(lower.items())
        ]
    return Pairing(tuple(pairs), tuple(unpaired), _places(generated, reference))


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _advice(lower: Mapping[str, Path]) -> str:
    first = min(lower.values())
    return f", but there are {len(lower)} in subfolders, such as {first}; these are not searched: {WAY_OUT}"


def _problem(
    stem: str, ours: list[Path], theirs: list[Path], generated: Path, reference: Path | None
) -> Unpaired | None:
    for found, folder in ((ours, generated), (theirs, reference)):
        if len(found) > 1:
            names = ", ".join(path.name for path in found)
            return Unpaired(stem, "duplicate stem", f"{folder} holds {len(found)} clips called {stem}: {names}")
    if not ours:
        return Unpaired(stem, "missing clip", f"{generated} has no clip called {stem}")
    if not theirs and reference is not None:
        return Unpaired(stem, "missing reference", f"{reference} has no clip called {stem}")
    return None


def pair(id: str, generated: Path, reference: Path | None, audio: Path | None = None) -> Pair:
    """A pair with the companions that lie beside the generated clip under its name.

    ``.timing.json``, ``.prompt.txt``, the transcript (``.txt`` or GRID's ``.align``) and the portrait that was animated
    (``.source.png``). What belongs to either side is found by ``Clip.companion``.
    """

    def found(*suffixes: str) -> Path | None:
        return beside(generated, generated.stem, suffixes)

    return Pair(
        id=id,
        generated=Clip(id, generated),
        reference=Clip(id, reference) if reference is not None else None,
        audio=audio,
        transcript=found(*TRANSCRIPTS),
        prompt=found(PROMPT),
        source_image=found(*SOURCES),
        timing=found(TIMING),
    )


def listed(path: Path) -> Pairing:
    """Pairs named line by line: generated<TAB>reference[<TAB>audio], relative to the list; ``#`` starts a comment.

    A mark of UTF-8 at the beginning, ends of lines of any system, and white space around fields are no part of names.
    """
    try:
        lines = text(path, "text_bytes", "utf-8-sig").split("\n")
    except InputError as error:
        raise ProtocolError(f"the list {path} can't be read: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ProtocolError(f"the list {path} can't be read as text in UTF-8: {error}") from None
    rows = [
        [field.strip() for field in line.rstrip().split("\t")]
        for line in lines
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not rows:
        raise ProtocolError(f"the list {path} names no clip")
    if wrong := next((row for row in rows if not _names_files(row)), None):
        raise ProtocolError(f"a line of {path} needs two or three fields separated by tabs, not {wrong}{_hint(wrong)}")
    names = [named(Path(row[0]).stem) for row in rows]
    ids = names if len(set(names)) == len(names) else [named(str(Path(row[0]).with_suffix(""))) for row in rows]
    if len(set(ids)) != len(ids):
        twice = next(id for id in ids if ids.count(id) > 1)
        raise ProtocolError(f"the list {path} names {twice} twice")
    found = [pair(id, *(path.parent / name for name in row)) for id, row in zip(ids, rows, strict=True)]
    return Pairing(
        tuple(sorted(found, key=lambda item: item.id)), (), dict.fromkeys(("generated", "reference"), path.parent)
    )


def _names_files(row: list[str]) -> bool:
    return len(row) in (2, 3) and all(Path(field).name for field in row)


def _hint(row: list[str]) -> str:
    """How a line would read whose fields were parted by commas, semicolons or spaces."""
    for separator in (",", ";", None):
        fields = [field.strip() for field in row[0].split(separator)]
        if len(row) == 1 and len(fields) in (2, 3) and all(fields):
            return f"; if these are {len(fields)} files, write " + "<TAB>".join(fields)
    return ""


def named(id: str) -> str:
    """A clip's name in one of the Unicode forms that look the same (NFC): file systems differ in which they keep."""
    return unicodedata.normalize("NFC", id)


def deeper(folder: Path) -> dict[str, Path]:
    """Clips in the subfolders of a folder by their path below it without suffix, as far as ``LOOKED_AT`` files go."""
    found: dict[str, Path] = {}
    seen = 0
    for place, folders, files in os.walk(folder):
        here = Path(place)
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and not name.endswith(STATES) and not _holds_images(here / name)
        )
        seen += len(files) + len(folders) + 1
        if here != folder:
            clips = (path for paths in stems(here).values() for path in paths)
            found |= {named(str(path.relative_to(folder).with_suffix(""))): path for path in clips}
        if seen > LOOKED_AT:
            break
    return found


def stems(folder: Path) -> dict[str, list[Path]]:
    """The clips of a folder by stem: video files, array files, and folders of images; anything else is not a clip."""
    found: dict[str, list[Path]] = {}
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise ProtocolError(f"the folder {folder} can't be read: {error.strerror}") from None
    for entry in entries:
        path = folder / entry.name
        is_file = path.suffix.lower() in VIDEOS | ARRAYS and not entry.name.lower().endswith(NOT_CLIPS)
        if not entry.name.startswith(".") and (is_file or _holds_images(path)):
            found.setdefault(named(path.stem if is_file else path.name), []).append(path)
    return found


def is_clip(path: Path) -> bool:
    """Whether a path is one clip rather than a folder of clips."""
    return not path.is_dir() or path.suffix.lower() in VIDEOS or (_holds_images(path) and not stems(path))


def _holds_images(path: Path) -> bool:
    try:
        with os.scandir(path) as entries:
            return any(is_image(Path(entry.name)) for entry in entries)
    except OSError:
        return False
