"""Which generated clip belongs to which reference: by stem, by list, or as given; or none to any, in two sets.

Every stem of either folder is accounted for. What can't be paired is not dropped: it comes back as a ``ClipResult``
with its reason, and counts as expected and failed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath, PureWindowsPath
from typing import TYPE_CHECKING

from thgeval.clip import Clip, Excerpt, Pair, beside
from thgeval.errors import Failure, InputError, ProtocolError
from thgeval.limits import text
from thgeval.media.image import SUFFIXES
from thgeval.pairing.folders import deeper, everywhere, is_clip, stems
from thgeval.pairing.naming import Naming, named
from thgeval.pairing.shards import Shard
from thgeval.pairing.suggestion import Names, suggested
from thgeval.remote.mirror import NONE, Mirrors
from thgeval.results import ClipResult

if TYPE_CHECKING:
    from thgeval.pairing.packed import Packed

TIMING = ".timing.json"
PROMPT = ".prompt.txt"
TRANSCRIPTS = (".txt", ".align")
SOURCES = tuple(f".source{suffix}" for suffix in SUFFIXES)
NOT_SEARCHED = "lies in a subfolder; --recursive (in Python, naming=Naming(recursive=True)) searches these"
AS_THEY_ARE = Naming()


@dataclass(frozen=True)
class Pairing:
    """Pairs in the order of their ids, and everything that could not be paired.

    A generated clip whose reference is missing stands in both: what needs no reference is still scored. ``advice`` says
    what would bring names together that don't fit. ``places`` are the folders of generated and of reference clips,
    below which results name them; ``mirrors`` are those that stand for places elsewhere. Pairs that lie in tars are
    ``packed``, and known one by one as they are read.
    """

    pairs: tuple[Pair, ...]
    unpaired: tuple[ClipResult, ...]
    advice: str = ""
    places: Mapping[str, Path] = field(default_factory=dict)
    mirrors: Mirrors = NONE
    packed: "Packed | None" = None

    def mirroring(self, mirrors: Mirrors) -> "Pairing":
        """The same pairs of files that are here only while they are used, said to be where they come from."""

        def told(item: ClipResult) -> ClipResult:
            failure = item.failure and replace(item.failure, message=mirrors.told(item.failure.message))
            return replace(item, failure=failure)

        return replace(
            self, unpaired=tuple(map(told, self.unpaired)), advice=mirrors.told(self.advice), mirrors=mirrors
        )

    @property
    def far(self) -> dict[str, str]:
        """What is shown of the places elsewhere, by side."""
        shown = self.mirrors.addresses
        return {side: shown[place] for side, place in self.places.items() if place in shown}

    @property
    def ids(self) -> set[str]:
        """The ids of everything that a result will list."""
        return {pair.id for pair in self.pairs} | {item.id for item in self.unpaired}

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

    def cut(self, excerpt: Excerpt | None) -> "Pairing":
        """The pairs with only this part of each clip looked at; see ``Pair.cut``."""
        packed = self.packed and replace(self.packed, excerpt=excerpt)
        return replace(self, pairs=tuple(pair.cut(excerpt) for pair in self.pairs), packed=packed)

    def limited(self, count: int | None) -> "Pairing":
        """The first ``count`` pairs alone, or clips of either side."""
        if count is None:
            return self
        sides = [[pair for pair in self.pairs if pair.side == side] for side in ("", "generated", "reference")]
        packed = self.packed and replace(self.packed, limit=count)
        return replace(self, pairs=tuple(pair for pairs in sides for pair in pairs[:count]), packed=packed)

    def sharded(self, shard: Shard | None) -> "Pairing":
        """What belongs to one shard, clips without a partner included; everything where there is none."""
        if shard is None:
            return self
        return replace(
            self,
            pairs=tuple(pair for pair in self.pairs if shard.holds(pair.id)),
            unpaired=tuple(item for item in self.unpaired if shard.holds(item.id)),
            packed=self.packed and self.packed.sharded(shard),
        )


def paired(
    generated: Path, reference: Path | None, clips: Iterable[str] | None = None, naming: Naming = AS_THEY_ARE
) -> Pairing:
    """Pair two files, or every clip of two folders by name; ``clips`` are ids that must be there."""
    ours, theirs = _Side.of(generated, naming), None if reference is None else _Side.of(reference, naming)
    for side, other in ((ours, theirs), (theirs, ours)):
        if side is not None and other is not None and side.is_one and not other.is_one:
            raise ProtocolError(f"{side.folder} is one clip, but {other.folder} is a folder of clips")
    if ours.is_one:
        (name,) = ours.clips
        ids, _ = naming.ids(ours.clips, theirs.clips if theirs else ())
        found = Pairing((pair(ids[name], generated, reference),), ())
    else:
        found = _by_id(ours, theirs, None if clips is None else list(clips), naming)
    return replace(found, places=_places(generated, reference))


def _places(generated: Path, reference: Path | None) -> dict[str, Path]:
    """The folders of either side; of a single clip the one that it lies in."""
    found = {"generated": generated, "reference": reference}
    return {side: path.parent if is_clip(path) else path for side, path in found.items() if path is not None}


def apart(
    generated: Path, reference: Path | None, clips: Iterable[str] | None = None, naming: Naming = AS_THEY_ARE
) -> Pairing:
    """Every clip of two folders (or files) by itself, as two sets; ``clips`` are ids that must be in both.

    An id is the side and the clip's name, with the file's suffix in a folder where clips share a name.
    """
    if reference is None:
        raise ProtocolError("without pairs, two folders are compared: name the one of reference clips too")
    sides = {"generated": _Side.of(generated, naming), "reference": _Side.of(reference, naming)}
    below = tuple(f"{label}/{name}" for label, side in sides.items() for name in side.below)
    advice = suggested(Names((), below), None, naming)
    both = naming.ids(sides["generated"].clips, sides["reference"].clips)
    pairs: list[Pair] = []
    unpaired: list[ClipResult] = []
    for (label, side), ids in zip(sides.items(), both, strict=True):
        if not side.clips:
            raise ProtocolError(_nothing_in(side.folder, advice=advice if side.below else ""))
        found = {naming.key(id): (id, path) for id, path in _singly(side.clips, ids)}
        wanted = {naming.key(named(id)): id for id in clips} if clips is not None else {key: key for key in found}
        for key in sorted(wanted):
            if key in found:
                id, path = found[key]
                pairs.append(replace(pair(f"{label}/{id}", path, None), side=label))
            else:
                reason = "missing clip" if label == "generated" else "missing reference"
                said = f"{side.folder} has no clip called {wanted[key]}"
                unpaired.append(ClipResult(f"{label}/{wanted[key]}", label, failure=Failure(reason, said)))
        if clips is None:
            unpaired += [replace(item, id=f"{label}/{item.id}", side=label) for item in _unsearched(side.below)]
    return Pairing(tuple(pairs), tuple(unpaired), advice if unpaired else "", _places(generated, reference))


@dataclass(frozen=True)
class _Side:
    """The clips of one folder by name, or one clip; and those in subfolders where these are not searched."""

    folder: Path
    clips: Mapping[str, list[Path]]
    below: Mapping[str, Path]
    is_one: bool = False

    @classmethod
    def of(cls, folder: Path, naming: Naming) -> "_Side":
        if not _exists(folder):
            raise ProtocolError(f"there is no file or folder {str(folder)!r}")
        if is_clip(folder) and not (naming.recursive and folder.is_dir() and everywhere(folder)):
            return cls(folder, {named(folder.stem): [folder]}, {}, is_one=True)
        if naming.recursive:
            return cls(folder, everywhere(folder), {})
        return cls(folder, stems(folder), deeper(folder))

    @property
    def names(self) -> Names:
        """What its clips are called."""
        return Names(tuple(self.clips), tuple(self.below))


def _by_id(ours: _Side, theirs: _Side | None, clips: list[str] | None, naming: Naming) -> Pairing:
    ids = naming.ids(ours.clips, theirs.clips if theirs else ())
    first = {naming.key(id): ours.clips[name] for name, id in ids[0].items()}
    second = {naming.key(id): theirs.clips[name] for name, id in ids[1].items()} if theirs else {}
    called = (named(id) for id in clips) if clips is not None else (id for side in ids for id in side.values())
    wanted = {naming.key(id): id for id in called}

    def advice() -> str:
        return suggested(ours.names, theirs.names if theirs else None, naming)

    if not wanted:
        raise ProtocolError(_nothing_in(ours.folder, *([theirs.folder] if theirs else []), advice=advice()))
    pairs: list[Pair] = []
    unpaired: list[ClipResult] = []
    for key, id in sorted(wanted.items(), key=lambda item: item[1]):
        here, there = first.get(key, []), second.get(key, [])
        problem = _problem(id, here, there, ours.folder, theirs.folder if theirs else None)
        if problem is not None:
            unpaired.append(ClipResult(id, failure=problem))
        if problem is None or problem.reason == "missing reference":
            pairs.append(pair(id, here[0], there[0] if there else None))
    if clips is None:
        unpaired += _unsearched({**ours.below, **(theirs.below if theirs else {})})
    return Pairing(tuple(pairs), tuple(unpaired), advice() if unpaired else "")


def _singly(found: Mapping[str, list[Path]], ids: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    """Every clip with an id of its own: its name's, with the file's suffix where names are shared."""
    shared = any(len(paths) > 1 for paths in found.values())
    for name, paths in found.items():
        for path in paths:
            is_whole = named(path.name) == name.rpartition("/")[2]
            yield (ids[name] if is_whole or not shared else ids[name] + path.suffix), path


def _unsearched(below: Mapping[str, Path]) -> list[ClipResult]:
    return [
        ClipResult(name, failure=Failure("in a subfolder", f"{path} {NOT_SEARCHED}"))
        for name, path in sorted(below.items())
    ]


def _nothing_in(*folders: Path, advice: str) -> str:
    said = f"there is no clip in {' nor in '.join(map(str, folders))}"
    return f"{said}, but {advice}" if advice else said


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _problem(id: str, ours: list[Path], theirs: list[Path], generated: Path, reference: Path | None) -> Failure | None:
    for found, folder in ((ours, generated), (theirs, reference)):
        if len(found) > 1:
            names = ", ".join(path.name for path in found)
            return Failure("duplicate stem", f"{folder} holds {len(found)} clips called {id}: {names}")
    if not ours:
        return Failure("missing clip", f"{generated} has no clip called {id}")
    if not theirs and reference is not None:
        return Failure("missing reference", f"{reference} has no clip called {id}")
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
    places = [[_place(path.parent, field) for field in row] for row in rows]
    names = [named(row[0].stem) for row in places]
    ids = names if len(set(names)) == len(names) else [named(row[0].with_suffix("").as_posix()) for row in places]
    if len(set(ids)) != len(ids):
        twice = next(id for id in ids if ids.count(id) > 1)
        raise ProtocolError(f"the list {path} names {twice} twice")
    found = [pair(id, *(path.parent / name for name in row)) for id, row in zip(ids, places, strict=True)]
    folders = dict.fromkeys(("generated", "reference"), path.parent)
    return Pairing(tuple(sorted(found, key=lambda item: item.id)), (), places=folders)


def _place(folder: Path, field: str) -> PurePath:
    """A path as a list has it; one that was written on Windows is read as such where no file is called that."""
    if "\\" in field and not _exists(folder / field):
        return PurePath(PureWindowsPath(field).as_posix())
    return PurePath(field)


def _names_files(row: list[str]) -> bool:
    return len(row) in (2, 3) and all(Path(field).name for field in row)


def _hint(row: list[str]) -> str:
    """How a line would read whose fields were parted by commas, semicolons or spaces."""
    for separator in (",", ";", None):
        fields = [field.strip() for field in row[0].split(separator)]
        if len(row) == 1 and len(fields) in (2, 3) and all(fields):
            return f"; if these are {len(fields)} files, write " + "<TAB>".join(fields)
    return ""
