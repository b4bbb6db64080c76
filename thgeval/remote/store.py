"""What fsspec can do with a place elsewhere, in the words and under the time limits of thgeval.

Whatever goes wrong is one sentence that names the place and says what helps, without the keys that the libraries below
like to repeat. A place that can't be had at all is a ProtocolError before anything is measured; one file that can't is
an InputError; what can't be written an OutputError.
"""

import errno
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeVar
from urllib.parse import unquote

from thgeval.errors import InputError, MissingExtra, OutputError, ProtocolError, ThgevalError
from thgeval.files import trouble, without_room
from thgeval.limits import beyond, limit
from thgeval.remote.addresses import Address, safe_name
from thgeval.remote.waiting import Alive, Silent, patiently

T = TypeVar("T")
EXTRA = ("s3", "s3a", "http", "https")
"""Schemes that the extra brings all packages for."""
KEYLESS = ("s3", "s3a")
"""Schemes whose addresses have no place for a user and a password."""
PIECE_BYTES = 1 << 20
MOST_LISTED = 1_000_000
LISTING = 10
"""Listing may be silent for so many times as long as all else: many pages of names come as one answer."""
MOST_TEXT = 300
DENIED = (errno.EACCES, errno.EPERM)
VERSION_MARKS = (
    *("ETag", "etag", "md5", "content_md5", "Content-MD5", "version_id", "generation"),
    *("LastModified", "Last-Modified", "last_modified", "mtime", "modified", "updated", "created"),
)
"""Under what names stores say which version of a file they have, the surest first."""


class Version(NamedTuple):
    """Which version of a file a place has: its size, -1 if not told, and a mark that changes with its content."""

    size: int
    mark: str


@dataclass(frozen=True)
class RemotePlace:
    """One address: a folder of files, or a file."""

    address: Address
    _opened: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def __str__(self) -> str:
        return str(self.address)

    @cached_property
    def _files(self) -> tuple[Any, str]:
        """The file system and the path in it."""
        if self.address.scheme in KEYLESS and self.address.keys:
            raise ProtocolError(
                f"{self}: keys don't belong in the address of an {self.address.scheme}:// place, which has no room for "
                "them; set them as its own tools want them, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            )
        try:
            from fsspec.core import url_to_fs
        except ImportError:
            raise MissingExtra(f"{self.address.scheme}:// places", extra="remote") from None
        try:
            system, path = url_to_fs(self.address.text, use_listings_cache=False)
        except ImportError as error:
            if self.address.scheme in EXTRA:
                raise MissingExtra(f"{self.address.scheme}:// places", extra="remote") from None
            raise ProtocolError(f"{self}: {self._said(error)}") from None
        except Exception as error:
            raise ProtocolError(f"{self} is no address that fsspec knows: {self._said(error)}") from None
        return system, str(path)

    def listed(self, *, depth: int | None = None) -> dict[str, str]:
        """All files below the place, at most ``depth`` folders deep: how the place calls them, by their names here.

        ProtocolError if it can't be listed, holds more than a million files, or names one outside itself.
        """
        system, root = self._files
        root = root.rstrip("/")

        def work(alive: Alive) -> list[str]:
            if _lists_all(system):
                alive()
                return [str(path) for path in system.find(root)]
            found = []
            for folder, _, files in system.walk(root, maxdepth=depth, on_error="raise"):
                alive()
                found += [f"{str(folder).rstrip('/')}/{name}" for name in files if name]
            return found

        self._asked("can't be listed", lambda alive: system.info(root), ProtocolError)  # whether anybody answers
        paths = self._asked("can't be listed", work, ProtocolError, LISTING * limit("silent_s"))
        if len(paths) > MOST_LISTED:
            raise ProtocolError(f"{self} holds more than {MOST_LISTED} files; score it folder by folder")
        theirs = sorted({path.removeprefix(f"{root}/") for path in paths if path.startswith(f"{root}/")})
        names = {(unquote(name) if self.address.is_web else name): name for name in theirs if name}
        if wrong := next((name for name in names if safe_name(name) is None), None):
            raise ProtocolError(f"{self} holds a file whose name can't be one here: {wrong!r}")
        return {name: their for name, their in names.items() if depth is None or name.count("/") < depth}

    def there(self) -> list[str]:
        """The names of the files right in a folder; none if there is no such folder."""
        system, root = self._files

        def work(alive: Alive) -> list[str]:
            try:
                return [str(path) for path in system.ls(root, detail=False)]
            except FileNotFoundError:
                return []

        paths = self._asked("can't be listed", work, ProtocolError, LISTING * limit("silent_s"))
        return [path.rstrip("/").rpartition("/")[2] for path in paths]

    def matching(self, pattern: Address) -> list[Address]:
        """The files right in a folder whose names fit the last part of an address."""
        return [pattern.with_name(name) for name in sorted(self.there()) if fnmatchcase(name, pattern.name)]

    def version(self, name: str = "") -> Version:
        """Which version of a file is there; InputError if it can't be told."""
        system, root = self._files
        info = self._asked_of(name, lambda alive: system.info(_below(root, name)))
        return _version(info)

    def fetched(self, name: str, target: Path, most: str, before: Version) -> str:
        """A file as it is there, whole, written to ``target``; the sha256 of it.

        InputError if it can't be had, is larger than the limit called ``most``, or is not of that version any more.
        """
        system, root = self._files
        if before.size > limit(most):
            raise beyond(most, f"{self._named(name)}: it has {before.size} bytes")

        def work(alive: Alive) -> None:
            from fsspec.callbacks import Callback

            def arrived(size: int | None, value: int, **_: Any) -> None:
                alive()
                if value > limit(most):
                    raise beyond(most, f"{self._named(name)}: it has more than {limit(most)} bytes")

            system.get_file(_below(root, name), str(target), callback=Callback(hooks={"arrived": arrived}))

        self._asked_of(name, work)
        sha256, md5 = _hashes(target)
        whole = before.size in (-1, target.stat().st_size)
        if not whole or (md5 != before.mark and self.version(name) != before):
            said = f"{self._named(name)}: it was changed while it was fetched; run again"
            raise InputError(said, reason="changed")
        return sha256

    def opened(self, name: str = "") -> BinaryIO:
        """A file to be read from its beginning to its end; reads of it have no time limit: see ``pieces``."""
        system, root = self._files
        found: BinaryIO = self._asked_of(
            name, lambda alive: system.open(_below(root, name), "rb", **_streaming(system))
        )
        return found

    def content(self, name: str = "") -> bytes | None:
        """What a file holds; None if there is none. InputError if it can't be read."""
        system, root = self._files

        def work(alive: Alive) -> bytes | None:
            try:
                found: bytes = system.cat_file(_below(root, name))
            except FileNotFoundError:
                return None
            return found

        return self._asked_of(name, work)

    def put(self, name: str, content: bytes) -> None:
        """Write a file in one step where the place can: object stores show it whole or not at all; OutputError."""
        system, root = self._files
        path = _below(root, name)

        def work(alive: Alive) -> None:
            if _renames(system):
                with suppress(Exception):  # stores without folders have none to make
                    system.makedirs(system._parent(path), exist_ok=True)
                beside = f"{path}.{os.getpid()}.part"
                system.pipe_file(beside, content)
                system.mv(beside, path)
            else:
                system.pipe_file(path, content)

        self._asked(f"can't be written{_of(name)}", work, OutputError)

    def _said(self, error: BaseException) -> str:
        return _said(error, self.address)

    def _named(self, name: str) -> str:
        return f"{str(self).rstrip('/')}/{name}" if name else str(self)

    def _asked_of(self, name: str, work: Callable[[Alive], T]) -> T:
        try:
            return patiently(work)
        except ThgevalError:
            raise
        except FileNotFoundError:
            raise InputError(f"{self._named(name)}: there is no such file", reason="missing") from None
        except Silent as error:
            raise InputError(f"{self._named(name)}: {error}", reason="unreachable") from None
        except Exception as error:
            if isinstance(error, OSError) and without_room(error):
                raise OutputError(f"{trouble(error)}; what was measured so far is kept") from None
            raise InputError(
                f"{self._named(name)}: it can't be fetched ({self._said(error)})", reason="unreachable"
            ) from None

    def _asked(self, what: str, work: Callable[[Alive], T], kind: type[ThgevalError], silent_s: float = 0.0) -> T:
        try:
            return patiently(work, silent_s or None)
        except ThgevalError:
            raise
        except FileNotFoundError:
            raise kind(f"{self} {what}: there is no such place") from None
        except Exception as error:
            raise kind(f"{self} {what}: {self._said(error)}") from None


def _hashes(path: Path) -> tuple[str, str]:
    """The sha256 and the md5 of a file, which some stores name their files' versions by."""
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            sha256.update(piece)
            md5.update(piece)
    return sha256.hexdigest(), md5.hexdigest()


def _below(root: str, name: str) -> str:
    return f"{root.rstrip('/')}/{name}" if name else root


def _of(name: str) -> str:
    return f" ({name})" if name else ""


def _protocols(system: Any) -> set[str]:
    return set(system.protocol) if isinstance(system.protocol, tuple | list) else {system.protocol}


def _renames(system: Any) -> bool:
    """Whether a file that is being written can be seen half: in file systems, not in stores of objects."""
    return bool({"file", "local", "sftp", "ssh", "ftp", "smb", "hdfs", "webhdfs"} & _protocols(system))


def _lists_all(system: Any) -> bool:
    """Whether one request lists what lies below a place however deep, as stores of objects do."""
    return bool({"s3", "gs", "gcs", "abfs", "az", "memory"} & _protocols(system))


def _streaming(system: Any) -> Mapping[str, Any]:
    """How a file is opened that is read once from its beginning to its end."""
    return {"cache_type": "readahead", "block_size": 8 << 20} if hasattr(system, "_cat_file") else {}


def _version(info: Mapping[str, Any]) -> Version:
    size = info.get("size")
    mark = next((str(info[key]) for key in VERSION_MARKS if info.get(key) is not None), "")
    return Version(-1 if size is None else int(size), mark.strip('"'))


def _said(error: BaseException, address: Address) -> str:
    """What an error of a library says, in one line and without keys."""
    status = getattr(error, "status", None)
    if status is not None:  # a web server's answer
        return f"the server answers {status} {getattr(error, 'message', '')}".strip()
    if isinstance(error, OSError) and error.errno in DENIED:
        return "access is denied; check the credentials"
    text = " ".join(address.without_keys(str(error)).split()) or type(error).__name__
    if "redential" in text and isinstance(error, Exception) and type(error).__name__ == "NoCredentialsError":
        return "no credentials were found; set them as the service's own tools want them"
    return text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT]}..."


def pieces(file: BinaryIO, most: int) -> Iterator[bytes]:
    """What a file holds, at most so many bytes at a time, each within the time limit; Silent if it isn't."""
    while piece := patiently(lambda alive: file.read(most)):
        yield piece
