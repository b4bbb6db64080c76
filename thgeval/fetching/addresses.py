"""Where a weight file may be asked for, and where an answer may send us.

The authors' own address is asked over https even if the manifest has http; only this machine itself is asked over
http. Mirrors are chosen by the user and asked as they are written. A mirror is the address of a folder that holds
files under the names the manifest gives them, for example the weights folder of another machine. Where mirrors are
named, the authors' address is not asked.

A redirection may lead from http to https, never from https to anything else.
"""

import socket
from collections.abc import Callable, Sequence
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from ipaddress import ip_address
from typing import IO, TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote, urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

from thgeval.errors import ProtocolError

if TYPE_CHECKING:
    from thgeval_models.manifest import Weights


Guard: TypeAlias = Callable[[socket.socket], None]
"""Told of each connection before anything is said over it."""


class RefusedRedirection(Exception):
    """An answer sends us where we don't go; the text says where."""


def addresses(entry: "Weights", mirrors: Sequence[str]) -> list[str]:
    """The addresses to try for a file, in order; none if only a person can get it."""
    if mirrors:
        return [f"{_folder(mirror)}/{quote(entry.file)}" for mirror in mirrors]
    return [_secured(entry.origin)] if entry.origin else []


def opener(guard: Guard) -> OpenerDirector:
    """What opens http and https addresses, no others, through the proxies that the environment names."""
    made = OpenerDirector()
    for handler in (
        ProxyHandler(),
        _Http(guard),
        _Https(guard),
        _Redirections(),
        HTTPErrorProcessor(),
        HTTPDefaultErrorHandler(),
    ):
        made.add_handler(handler)
    return made


def _secured(origin: str) -> str:
    parts = urlsplit(origin)
    if parts.scheme == "https" or _is_this_machine(parts.hostname or ""):
        return origin
    return parts._replace(scheme="https").geturl()


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _folder(mirror: str) -> str:
    try:
        parts = urlsplit(mirror)
        wrong = parts.scheme not in ("http", "https") or not parts.hostname or (parts.port or 1) < 1
    except ValueError:
        wrong = True
    if wrong or parts.query or parts.fragment or parts.username is not None:
        raise ProtocolError(
            f"{mirror!r} is not a mirror; give the address of a folder, as in https://example.org/weights"
        )
    return mirror.rstrip("/")


class _Http(HTTPHandler):
    def __init__(self, guard: Guard) -> None:
        super().__init__()
        self._guard = guard

    def http_open(self, req: Request) -> HTTPResponse:
        return self.do_open(lambda *args, **named: _guarded(HTTPConnection(*args, **named), self._guard), req)


class _Https(HTTPSHandler):
    def __init__(self, guard: Guard) -> None:
        super().__init__()
        self._guard = guard

    def https_open(self, req: Request) -> HTTPResponse:
        return self.do_open(lambda *args, **named: _guarded(HTTPSConnection(*args, **named), self._guard), req)


def _guarded(connection: HTTPConnection, guard: Guard) -> HTTPConnection:
    """The connection, whose socket is shown before a proxy or TLS has had its first word."""
    made: Any = connection
    connect: Callable[..., socket.socket] = made._create_connection

    def connected(*args: Any) -> socket.socket:
        found = connect(*args)
        guard(found)
        return found

    made._create_connection = connected
    return connection


class _Redirections(HTTPRedirectHandler):
    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        """The request that follows a redirection; RefusedRedirection if it leaves what is encrypted."""
        fp.close()  # urllib would read this answer's body to its end, however long it is
        before, after = urlsplit(req.full_url).scheme, urlsplit(newurl).scheme
        if after != "https" and (before, after) != ("http", "http"):
            raise RefusedRedirection(f"redirects to {newurl}, which is not encrypted")
        return super().redirect_request(req, fp, code, msg, headers, newurl)
