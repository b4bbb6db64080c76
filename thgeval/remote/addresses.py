"""Addresses: ``s3://bucket/folder``, ``https://host/clips/``. They may hold keys, which nothing here ever shows.

What a person, a log or a result file gets to see has no user, no password, no query and no fragment, which is where
keys and signatures of addresses stand.
"""

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeAlias
from urllib.parse import unquote

SCHEME = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*::)*[A-Za-z][A-Za-z0-9+.-]*://")
WRITTEN = re.compile(SCHEME.pattern + r"[^\s'\"<>]*")
SHORT = 7
"""Words of a query of so many letters or fewer are no keys."""
LOCAL = ("file://", "local://")
"""Addresses of files of this machine, which are paths."""


@dataclass(frozen=True, repr=False)
class Address:
    """A place elsewhere. Its text may hold keys and is given to fsspec alone; ``str`` and ``repr`` leave them out."""

    text: str

    def __str__(self) -> str:
        return shown(self.text)

    def __repr__(self) -> str:
        return f"Address({shown(self.text)!r})"

    @property
    def keys(self) -> list[str]:
        """What may be secret in it: its user, its password, and the query."""
        rest = self.text.partition("://")[2]
        user, at, _ = rest.partition("/")[0].rpartition("@")
        query = re.split(r"[?#]", rest, maxsplit=1)[1:]
        told = [part for text in query for part in re.split(r"[&=]", text) if len(part) > SHORT]
        return [part for part in (user, *user.split(":"), *query, *told) if len(part) > 1 and (at or query)]

    def without_keys(self, text: str) -> str:
        """A text of somebody else's in which neither this address's keys nor those of others stand."""
        for key in sorted(self.keys, key=len, reverse=True):
            text = text.replace(key, "***")
        return scrubbed(text)

    @property
    def scheme(self) -> str:
        """What the address begins with: ``s3``, ``https``."""
        return self.text.partition("://")[0].lower()

    @property
    def is_web(self) -> bool:
        """Whether it is a web server's, in whose addresses names are written with per cents."""
        return self.scheme in ("http", "https")

    @property
    def name(self) -> str:
        """The last part of its path, without a query."""
        plain = self.text.partition("://")[2]
        if self.is_web:
            plain = unquote(re.split(r"[?#]", plain, maxsplit=1)[0])
        return plain.rstrip("/").rpartition("/")[2]

    @property
    def suffix(self) -> str:
        """What its name ends with, as ``.mp4``."""
        return PurePosixPath(self.name).suffix

    def with_name(self, name: str) -> "Address":
        """What lies beside it under another name."""
        before, slash, last = self.text.rpartition("/")
        query = re.search(r"\?.*", last) if self.is_web else None
        return Address(f"{before}{slash}{name}{query[0] if query else ''}")


Location: TypeAlias = Path | Address
"""Where clips lie or results go: on this machine or elsewhere."""


def is_address(text: str) -> bool:
    """Whether a text is the address of a place elsewhere rather than a path."""
    return SCHEME.match(text) is not None and not text.startswith(LOCAL)


def location(text: "str | Path | Address") -> Location:
    """A path or an address, whichever a text is."""
    if isinstance(text, Path | Address):
        return text
    if text.startswith(LOCAL):
        return Path(unquote(text.partition("://")[2]))
    return Address(text) if is_address(text) else Path(text)


def shown(address: str) -> str:
    """An address without what may be secret in it."""
    scheme, _, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    plain = re.split(r"[?#]", f"{host.rpartition('@')[2]}{slash}{path}", maxsplit=1)[0]
    return f"{scheme}://{plain}"


def scrubbed(text: str) -> str:
    """A text in which every address is shown without what may be secret."""
    return WRITTEN.sub(lambda found: shown(found[0]), text)


def safe_name(name: str) -> PurePosixPath | None:
    """A name below a folder as its parts; None for one that leads out of it, or that no file can have everywhere."""
    parts = name.split("/")
    if any(part in ("", ".", "..") or len(part.encode("utf-8", "surrogateescape")) > 255 for part in parts):
        return None
    if any(character in name for character in "\\\0") or any(ord(character) < 32 for character in name):
        return None
    return None if re.match(r"[A-Za-z]:", name) else PurePosixPath(*parts)
