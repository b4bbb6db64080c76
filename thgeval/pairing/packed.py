"""Clips packed into tars, as WebDataset has them: read from beginning to end, once, wherever the tars lie.

A sample is what follows one another under one key, which is a name up to its first dot:

    id1/0001.generated.mp4    the generated clip
    id1/0001.reference.mp4    what it is compared with, if anything
    id1/0001.wav              the driving speech, if it isn't the generated clip's own sound
    id1/0001.json             {"transcript": "what is said", "prompt": "..."}, either or none; all else is passed over
    id1/0001.txt ...          whatever else lies beside a clip: .timing.json, .prompt.txt, .source.png, .align
    id1/0001.generated.faces.npz, id1/0001.reference.views.npz ...   measurements of either side

The key is the clip's id. A tar that ends too early, or holds a name that leads out of its folder or a link, is read no
further: what came before counts, and the tar itself is one more clip, which failed, so that nothing is lost in silence.
"""

import json
import re
import tarfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from thgeval.clip import COMPANIONS, Excerpt, Pair
from thgeval.errors import Failure, InputError, OutputError, ProtocolError
from thgeval.files import opened, trouble, without_room
from thgeval.limits import limit
from thgeval.pairing import Pairing, pair
from thgeval.pairing.folders import ARRAYS, VIDEOS
from thgeval.pairing.naming import Naming
from thgeval.pairing.shards import Shard
from thgeval.protocol import Protocol
from thgeval.remote.addresses import Address, Location, location, safe_name
from thgeval.remote.store import RemotePlace
from thgeval.remote.waiting import Silent, patiently
from thgeval.results import ClipResult

TARS = (".tar", ".tar.gz", ".tgz")
SOUNDS = (".wav", ".flac", ".mp3", ".m4a", ".ogg")
SIDES = ("generated", "reference")
BUFFER_BYTES = 1 << 20
BLOCK_BYTES = 512
BRACES = re.compile(r"\{([^{}]*)\}")
RANGE = re.compile(r"(\d{1,9})\.\.(\d{1,9})", re.ASCII)
MOST_TARS = 100_000
KEPT_BESIDE = (".txt", ".align", ".timing.json", ".prompt.txt", ".csv")
UNREADABLE = (tarfile.TarError, EOFError, zlib.error, ValueError)


class Sample(NamedTuple):
    """A pair whose files are on this machine until they are ``dropped``, or a clip or a tar that could not be read."""

    pair: Pair | None
    failed: ClipResult | None
    files: tuple[Path, ...] = ()

    def drop(self) -> None:
        """Remove its files."""
        for path in self.files:
            path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Packed:
    """Tars of pairs, read in the order of their names. ``limit`` is how many samples are taken at most."""

    tars: tuple[Location, ...]
    limit: int | None = None
    excerpt: Excerpt | None = None

    def sharded(self, shard: Shard | None) -> "Packed":
        """The tars of one shard: whole ones, dealt out by name, as each is read from its beginning."""
        kept = self.tars if shard is None else tuple(tar for tar in self.tars if shard.holds(tar.name))
        return replace(self, tars=kept)

    def samples(self, folder: Path) -> Iterator[Sample]:
        """All samples, one by one, with their files below a folder of this machine."""
        seen: set[str] = set()
        failed: Counter[str] = Counter()
        every = (sample for tar in self.tars for sample in _of_tar(tar, folder, seen))
        for sample in every if self.limit is None else islice(every, self.limit):
            if sample.failed is not None:
                failed[sample.failed.id] += 1
                if (times := failed[sample.failed.id]) > 1:  # tars of one name in two folders, a key that comes thrice
                    sample = sample._replace(failed=replace(sample.failed, id=f"{sample.failed.id} ({times})"))
            yield sample if sample.pair is None else sample._replace(pair=sample.pair.cut(self.excerpt))


def of_tars(generated: Location, reference: Location | None, protocol: Protocol, naming: Naming) -> Pairing:
    """The pairs that lie in tars; ProtocolError for what tars can't be asked for."""
    if reference is not None:
        raise ProtocolError(
            f"tars hold references beside generated clips, so {reference} can't be another place of them; for several "
            "tars write a pattern, in quotes: 'shards/{000..009}.tar'"
        )
    if naming.options:
        raise ProtocolError(f"the names in a tar say what belongs together, so {naming.options} would do nothing")
    if protocol.benchmark.selects or protocol.unpaired or protocol.clips is not None:
        raise ProtocolError(
            f"{protocol.label} chooses or parts clips itself, which takes folders; unpack the tars for it"
        )
    return Pairing((), (), packed=packed(generated))


def is_packed(place: Location | None) -> bool:
    """Whether a place is a tar, or a pattern of tars."""
    return place is not None and place.name.lower().endswith(TARS)


def packed(place: Location) -> Packed:
    """The tars that a name stands for: with ``{000..009}``, ``{a,b}``, or ``*`` and ``?`` in its last part.

    ProtocolError where there is none.
    """
    text = place.text if isinstance(place, Address) else str(place)
    found = [tar for one in _unbraced(text) for tar in _globbed(location(one))]
    if len(found) > MOST_TARS:
        raise ProtocolError(f"{place} stands for more than {MOST_TARS} tars")
    return Packed(tuple(sorted(found, key=lambda tar: (tar.name, str(tar)))))


def _unbraced(text: str) -> list[str]:
    """All texts that braces stand for, as shells expand them."""
    if (found := BRACES.search(text)) is None:
        return [text]
    if span := RANGE.fullmatch(found[1]):
        first, last = int(span[1]), int(span[2])
        if not 0 <= last - first < MOST_TARS:
            raise ProtocolError(f"{found[0]} is no range of numbers from the smaller to the larger")
        inside = [str(number).zfill(len(span[1])) for number in range(first, last + 1)]
    else:
        inside = found[1].split(",")
    return [whole for part in inside for whole in _unbraced(text[: found.start()] + part + text[found.end() :])]


def _globbed(place: Location) -> list[Location]:
    """The tars that a pattern fits, or the one that a name names; ProtocolError if there is none."""
    if not any(mark in place.name for mark in "*?"):
        if isinstance(place, Path) and not place.is_file():
            raise ProtocolError(f"there is no file {str(place)!r}")
        return [place]
    if isinstance(place, Path):
        tars: list[Location] = list(place.parent.glob(place.name))
    else:
        tars = list(RemotePlace(place.with_name("")).matching(place))
    if not tars:
        raise ProtocolError(f"no tar is called {place}")
    return tars


def _of_tar(tar: Location, folder: Path, seen: set[str]) -> Iterator[Sample]:
    """The samples of one tar; the last one says what is wrong with it, if anything is."""
    read = [0]
    try:
        with _stream(tar) as stream:
            for sample in _grouped(tar, stream, folder, seen):
                read[0] += 1
                yield sample
    except InputError as error:
        said = f"{error}; {read[0]} clips before that were read, and no more"
        yield Sample(None, ClipResult(tar.name, failure=Failure(error.reason, said)))
    except OSError as error:
        if without_room(error):
            raise OutputError(f"{trouble(error)}; what was measured so far is kept") from error
        yield Sample(None, ClipResult(tar.name, failure=Failure("unreadable", f"{tar}: {trouble(error)}")))


def _grouped(tar: Location, stream: "Stream", folder: Path, seen: set[str]) -> Iterator[Sample]:
    """The samples of a tar that is whole, ``seen`` being the keys so far."""
    group: dict[str, Path] = {}
    current: str | None = None
    whole = True
    try:
        for member in _members(tar, stream):
            key, ending = _parts(member.info.name)
            if key != current:
                yield from _ended(tar, current, group, seen)
                group, current = {}, key
            if key not in seen and (name := _place(key, ending)) is not None:
                twice = ending in group
                path = folder / (f"beside/{len(group)}.twice" if twice else name)
                group[f"{ending} again" if twice else ending] = path
                whole = False
                member.write(path)
                whole = True
    except UNREADABLE as error:
        raise _damaged(tar, error) from None
    except InputError:
        if whole:
            yield from _ended(tar, current, group, seen)
        raise
    yield from _ended(tar, current, group, seen)


def _damaged(tar: Location, error: Exception) -> InputError:
    return InputError(f"{tar}: it is cut off or damaged ({error})", reason="truncated tar")


def _ended(tar: Location, key: str | None, group: dict[str, Path], seen: set[str]) -> Iterator[Sample]:
    """The sample of a key whose last file has been read, if any was part of one; a key that was there before is not."""
    if key is None:
        return
    if key not in seen:
        if group:
            seen.add(key)
            yield _sample(tar, key, group)
        return
    said = f"{tar}: {key} is there a second time; the first one counts"
    yield Sample(None, ClipResult(f"{key} again in {tar.name}", failure=Failure("duplicate stem", said)))


@dataclass(frozen=True)
class Member:
    """A file in a tar that is being read."""

    tar: Location
    info: tarfile.TarInfo
    content: Any

    def write(self, path: Path) -> None:
        """Write it to a file of this machine; InputError if it is larger than a clip may be, or cut off."""
        if self.info.size > limit("clip_bytes"):
            said = f"{self.tar}: {self.info.name} has {self.info.size} bytes, beyond the limit of {limit('clip_bytes')}"
            raise InputError(said, reason="too large")
        path.parent.mkdir(parents=True, exist_ok=True)
        written = 0
        with path.open("wb") as file:
            while piece := self.content.read(BUFFER_BYTES):
                file.write(piece)
                written += len(piece)
        if written != self.info.size:
            path.unlink()
            raise tarfile.ReadError("unexpected end of data")


def _members(tar: Location, stream: "Stream") -> Iterator[Member]:
    """The files of a tar, one after the other; InputError where it goes no further."""
    try:
        with tarfile.open(fileobj=cast("Any", stream), mode="r|*", bufsize=BUFFER_BYTES) as archive:
            for info in archive:
                if info.isdir():
                    continue
                if not info.isfile() or safe_name(info.name.removeprefix("./")) is None:
                    what = "a name that leads out of its folder" if info.isfile() else "a link or a device"
                    raise InputError(f"{tar}: it holds {what}, {info.name!r}", reason="unsafe tar")
                info.name = info.name.removeprefix("./")
                yield Member(tar, info, archive.extractfile(info))
            if archive.offset + BLOCK_BYTES > stream.position and not stream.compressed:
                raise tarfile.ReadError("it has no mark of its end")
    except UNREADABLE as error:
        raise _damaged(tar, error) from None


def _parts(name: str) -> tuple[str, str]:
    """A member's key, and what follows it from the first dot of its last part on."""
    before, slash, last = name.rpartition("/")
    stem, dot, ending = last.partition(".")
    return f"{before}{slash}{stem}", f"{dot}{ending}"


def _place(key: str, ending: str) -> str | None:
    """Where a member lies in folders of either side; None for what is no part of a pair."""
    lower = ending.lower()
    for side in SIDES:
        if lower.startswith(f".{side}."):
            rest = ending[len(side) + 1 :]
            own = rest.lower() in VIDEOS | ARRAYS
            return f"{side}/{key}{rest}" if own or any(rest.lower() in ends for ends in COMPANIONS.values()) else None
    if lower in SOUNDS or lower == ".json":
        return f"beside/{key}{ending}"
    kept = lower in KEPT_BESIDE or lower.startswith(".source.")
    return f"generated/{key}{ending}" if kept else None


def _sample(tar: Location, key: str, group: dict[str, Path]) -> Sample:
    """The pair that the files of one key make, or why they make none."""
    files = tuple(group.values())

    def failed(reason: str, said: str) -> Sample:
        for path in files:
            path.unlink(missing_ok=True)
        return Sample(None, ClipResult(key, failure=Failure(reason, f"{tar}: {said}")))

    clips = {side: [path for ending, path in group.items() if _is_clip(ending, side)] for side in SIDES}
    if twice := next((side for side, paths in clips.items() if len(paths) > 1), None):
        return failed("duplicate stem", f"{key} has {len(clips[twice])} {twice} clips")
    if not clips["generated"]:
        return failed("missing clip", f"{key} has no generated clip, such as {key}.generated.mp4")
    sounds = [path for ending, path in group.items() if ending.lower() in SOUNDS]
    try:
        told = _told(group.get(".json"))
    except ValueError as error:
        return failed("unreadable", f"{key}.json can't be read ({error})")
    if prompt := told.get("prompt"):
        path = clips["generated"][0].with_name(f"{clips['generated'][0].stem}.prompt.txt")
        path.write_text(prompt, encoding="utf-8")
        files = (*files, path)
    made = pair(key, clips["generated"][0], next(iter(clips["reference"]), None), *sounds[:1])
    return Sample(replace(made, transcript=told.get("transcript", made.transcript)), None, files)


def _is_clip(ending: str, side: str) -> bool:
    start = f".{side}."
    rest = f".{ending[len(start) :].removesuffix(' again')}".lower()
    return ending.lower().startswith(start) and rest in VIDEOS | ARRAYS


def _told(path: Path | None) -> dict[str, str]:
    """What a sample's JSON says of it; ValueError if it can't be read."""
    if path is None:
        return {}
    if path.stat().st_size > limit("text_bytes"):
        raise ValueError("it is too large")
    data = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(data, dict):
        raise ValueError("it is no object")
    return {name: data[name] for name in ("transcript", "prompt") if isinstance(data.get(name), str)}


class Stream:
    """A tar as it comes, read from its beginning to its end; where it comes from afar each read has its time limit."""

    def __init__(self, file: BinaryIO, name: str, *, far: bool, compressed: bool) -> None:
        self.file, self.name, self.far, self.compressed = file, name, far, compressed
        self.position = 0

    def read(self, size: int) -> bytes:
        """The next bytes; InputError if they don't come."""
        try:
            piece = patiently(lambda alive: self.file.read(size)) if self.far else self.file.read(size)
        except Silent as error:
            raise InputError(f"{self.name}: {error}", reason="unreachable") from None
        except Exception as error:
            if not self.far:
                raise
            said = f"{self.name}: it can't be read any further ({type(error).__name__})"
            raise InputError(said, reason="unreachable") from None
        self.position += len(piece)
        return piece

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()


def _stream(tar: Location) -> Stream:
    file = opened(tar) if isinstance(tar, Path) else RemotePlace(tar).opened()
    return Stream(file, str(tar), far=isinstance(tar, Address), compressed=not tar.name.lower().endswith(".tar"))
