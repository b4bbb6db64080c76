"""Lists of clips: those that ship, and those that whoever scores must bring, as their terms keep them where they are.

A row of a list has the id of the clip to be generated, that of the clip it is compared with, and of what drives it.
"""

import csv
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from importlib.resources import files
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from thgeval.errors import InputError, ProtocolError
from thgeval.limits import check_file, content

LARGEST_BYTES = 10_000_000
HASH_DIGITS = 12


def hash_of(data: bytes) -> str:
    """The beginning of the sha256 of what doesn't ship, as labels of protocols show it."""
    return hashlib.sha256(data).hexdigest()[:HASH_DIGITS]


@cache
def shipped_ids(name: str) -> tuple[str, ...]:
    """The ids of a list that ships, one on each line; lines that begin with ``#`` say where it is from."""
    lines = files("thgeval").joinpath(f"protocols/lists/{name}.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if line and not line.startswith("#"))


@dataclass(frozen=True)
class ListedClip:
    """A clip to be scored: the id of the generated one, and of the clip it is compared with.

    ``frame`` says that ``reference`` is the path of a single frame below the data set's folder, not the id of a clip.
    """

    id: str
    reference: str
    frame: bool = False


def drawn(ids: Iterable[str], salt: str, count: int, person: Callable[[str], str]) -> tuple[str, ...]:
    """The ``count`` ids whose sha256 behind the salt and a colon is lowest, one of each person, in their own order."""

    def place(id: str) -> str:
        return hashlib.sha256(f"{salt}:{id}".encode()).hexdigest()

    kept: dict[str, str] = {}
    for id in sorted(ids, key=place):
        kept.setdefault(person(id), id)
    return tuple(sorted(list(kept.values())[:count]))


def listed_rows(path: Path, form: str, clips: int, sha256: str) -> tuple[tuple[ListedClip, ...], str]:
    """The rows of a list that somebody brought, and the hash of its bytes.

    ProtocolError where its hash is not ``sha256``, or, that being "", where it doesn't name as many clips.
    """
    try:
        if check_file(path, "companion_bytes") > LARGEST_BYTES:
            raise ProtocolError(f"{path} is not the list: it has more than {LARGEST_BYTES} bytes")
        data = content(path, "companion_bytes")
        text = data.decode("utf-8-sig")
    except (InputError, OSError) as error:
        raise ProtocolError(f"the list {path} can't be read: {str(error).removeprefix(f'{path}: ')}") from None
    except UnicodeDecodeError as error:
        raise ProtocolError(f"the list {path} can't be read as text in UTF-8: {error}") from None
    found = hashlib.sha256(data).hexdigest()
    if sha256 and found != sha256:
        raise ProtocolError(f"{path} is another list: its sha256 is {found}, and that of the protocol's is {sha256}")
    try:
        rows = tuple(LIST_FORMATS[form](io.StringIO(text, newline="")))
    except (ValueError, KeyError, IndexError, csv.Error) as error:
        raise ProtocolError(f"{path} is no list of the form {form}: {error}") from None
    if len(rows) != clips:
        raise ProtocolError(f"{path} names {len(rows)} clips, and the protocol's list {clips}")
    return rows, found


def _fields(text: Iterable[str], count: int) -> Iterator[list[str]]:
    for number, line in enumerate(text, 1):
        if words := line.split():
            if len(words) != count:
                raise ValueError(f"line {number} has {len(words)} fields, not {count}")
            yield words


def _ids(text: Iterable[str]) -> Iterator[ListedClip]:
    return (ListedClip(line.split()[0], line.split()[0]) for line in text if line.strip())


def _audio_video(text: Iterable[str]) -> Iterator[ListedClip]:
    return (ListedClip(str(number), video) for number, (_, video) in enumerate(_fields(text, 2)))


def _video_audio(text: Iterable[str]) -> Iterator[ListedClip]:
    return (ListedClip(str(number), PurePosixPath(video).stem) for number, (video, _) in enumerate(_fields(text, 2)))


def _tubes(text: Iterable[str]) -> Iterator[ListedClip]:
    for line in filter(str.strip, text):
        name, _, _, start, end, left, top, right, bottom = line.strip().split(",")
        id = f"{name}_S{start}_E{end}_L{left}_T{top}_R{right}_B{bottom}"
        yield ListedClip(id, id)


def _vox_metadata(text: Iterable[str]) -> Iterator[ListedClip]:
    for line in csv.DictReader(text):
        if line["partition"] == "test":
            id = f"{line['person_id']}#{line['video_id']}#{line['start'].zfill(6)}#{line['end'].zfill(6)}"
            yield ListedClip(id, id)


def _source_driving(text: Iterable[str]) -> Iterator[ListedClip]:
    for number, line in enumerate(csv.DictReader(text)):
        yield ListedClip(str(number), line["driving"].removesuffix(".mp4"))


def _frames(text: Iterable[str], depth: int = 2) -> Iterator[ListedClip]:
    for number, line in enumerate(csv.DictReader(text)):
        parts = PurePosixPath(line["driving"]).parts
        if len(parts) < depth or ".." in parts or "\\" in line["driving"] or "\0" in line["driving"]:
            raise ValueError(f"{line['driving']!r} is no frame in a folder")
        yield ListedClip(str(number), "/".join(parts[-depth:]), frame=True)


LIST_FORMATS: Mapping[str, Callable[[Iterable[str]], Iterator[ListedClip]]] = MappingProxyType(
    {
        "ids": _ids,
        "audio-video": _audio_video,
        "video-audio": _video_audio,
        "tubes": _tubes,
        "vox-metadata": _vox_metadata,
        "source-driving": _source_driving,
        "frames": _frames,
        "person-frames": partial(_frames, depth=3),
    }
)
"""Forms of lists, with how their rows are read.

``ids``             an id a line, whatever follows it
``audio-video``     speech and face of a line; the generated clip is called by the number of its line, from 0
``video-audio``     the same the other way round
``tubes``           video, height, width, first and last frame, left, top, right, bottom
``vox-metadata``    a table whose rows of ``partition`` test are meant
``source-driving``  a table of clips, called by the number of their row, from 0
``frames``          a table of frames, called likewise; the last two parts of a path name the frame
``person-frames``   the same with three parts
"""
