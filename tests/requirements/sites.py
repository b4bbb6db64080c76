"""A server on 127.0.0.1 that misbehaves on demand, and entries of a manifest whose files it has."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext

from thgeval.fetching import Patience

IMPATIENT = Patience(timeout_s=10, attempts=3, pause_s=0.01)
HASTY = Patience(timeout_s=0.5, attempts=3, pause_s=0.01)  # for servers that fall silent

Answer = Callable[[BaseHTTPRequestHandler, bytes], None]


def content(size: int, *, seed: int = 0) -> bytes:
    """Bytes that look like weights: the same for the same seed, none like the next."""
    blocks = (hashlib.sha256(b"%d %d" % (seed, block)).digest() for block in range(size // 32 + 1))
    return b"".join(blocks)[:size]


def headers(handler: BaseHTTPRequestHandler, status: int, **fields: object) -> None:
    handler.send_response(status)
    for name, value in fields.items():
        handler.send_header(name.replace("_", "-"), str(value))
    handler.end_headers()


def whole(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    """All of it, with its length, and no idea of ranges."""
    headers(handler, 200, Content_Length=len(body))
    handler.wfile.write(body)


def ranged(handler: BaseHTTPRequestHandler, body: bytes, tag: str = '"v1"', stop: int | None = None) -> None:
    """As good servers do: continues if asked to and still the same version; breaks off before ``stop`` if given."""
    asked = handler.headers.get("Range", "")
    start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
    if handler.headers.get("If-Range", tag) != tag:
        start = 0
    if start and start >= len(body):
        headers(handler, 416, Content_Range=f"bytes */{len(body)}")
        return
    fields = {"Content_Length": len(body) - start, "ETag": tag}
    if start:
        fields["Content_Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
    headers(handler, 206 if start else 200, **fields)
    handler.wfile.write(body[start:stop])


def until(stop: int, tag: str = '"v1"') -> Answer:
    """Like ``ranged``, but the connection breaks at byte ``stop``."""
    return lambda handler, body: ranged(handler, body, tag=tag, stop=stop)


def status(number: int, **fields: object) -> Answer:
    def answer(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        headers(handler, number, Content_Length=3, **fields)
        handler.wfile.write(b"no!")

    return answer


def redirected(to: str) -> Answer:
    return lambda handler, body: headers(handler, 302, Location=to, Content_Length=0)


@dataclass
class Site:
    """What the server says at each path, the last answer for ever, and what it was asked."""

    url: str
    files: dict[str, tuple[bytes, list[Answer]]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    def put(self, path: str, body: bytes, *answers: Answer) -> str:
        self.files[path] = (body, list(answers or (whole,)))
        return self.url + path

    def stalled(self, after: int) -> Answer:
        """Some bytes, then silence."""

        def answer(handler: BaseHTTPRequestHandler, body: bytes) -> None:
            headers(handler, 200, Content_Length=len(body), ETag='"v1"')
            handler.wfile.write(body[:after])
            handler.wfile.flush()
            self.closing.wait(20)

        return answer

    def ranges(self) -> list[str]:
        return [fields.get("Range", "") for _, fields in self.asked]


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are what the tests are about."""


@contextmanager
def serving(certificate: Path | None = None) -> Iterator[Site]:
    """A server that runs while the body does; with a certificate it speaks TLS."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.removeprefix("http://weights.example")  # as a proxy is asked
            made.asked.append((self.path, dict(self.headers)))
            body, answers = made.files.get(path, (b"", [status(404)]))
            (answers.pop(0) if len(answers) > 1 else answers[0])(self, body)

        def log_message(self, *args: object) -> None:
            """Nothing to say."""

    server = _Server(("127.0.0.1", 0), Handler)
    if certificate is not None:
        context = SSLContext(PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    made = Site(f"http{'' if certificate is None else 's'}://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
    thread.start()
    try:
        yield made
    finally:
        made.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()


def entry_text(name: str, **fields: object) -> str:
    """One entry of a manifest; a None leaves a field out."""
    given = {
        "tier": "light",
        "file": f"{name}.bin",
        "paper": "Nobody, Nothing, 2000",
        "code_licence": "MIT",
        "weight_licence": "CC0-1.0",
        "commercial_use": "yes",
        "used_by": ["csim"],
    } | fields
    lines = [f"{key} = {_toml(value)}" for key, value in given.items() if value is not None]
    contract = 'input = { size = "any", range = "any", channels = "any", normalisation = "none" }'
    return "\n".join([f"[{name}]", *lines, contract, ""])


def _toml(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + " }"
    return str(value) if isinstance(value, int) else f'"{value}"'


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
