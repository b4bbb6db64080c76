"""One address into one partial file, over HTTP, going on where the last attempt ended.

Beside ``FILE.part`` lies ``FILE.part.json``: the address it comes from, and what the server said to recognise this
version of the file by (a strong ETag, else the date of the last change). Both outlive the process, so that the next one
goes on. A server that can't continue, or has another version by now, is asked from the beginning.

What passes (silence, a broken connection, an early end, 408, 425, 429, 500, 502, 503, 504) is tried again, after pauses
that double; what doesn't is said at once, also that a name stands for no address. An answer too slow to arrive
counts as silence, and the whole file has a time after which it is given up. Nothing of an answer is believed but by the
hash, which is not checked here; sizes are checked so that a wrong answer ends early. Sizes are in bytes.
"""

import errno
import http.client
import json
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request

from thgeval.errors import OutputError
from thgeval.fetching.addresses import RefusedRedirection, opener
from thgeval.fetching.deadlines import Watch
from thgeval.files import write_atomically
from thgeval.requirements.obtaining import size_text
from thgeval.version import __version__

CHUNK_BYTES = 1 << 18
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
NO_WAY = frozenset({errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTUNREACH})
RANGE_NOT_SATISFIABLE = 416
CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-\d{1,18}/(\d{1,18}|\*)", re.ASCII)
COMPLETE_LENGTH = re.compile(r"bytes \*/(\d{1,18})", re.ASCII)


@dataclass(frozen=True)
class Patience:
    """How long a server may be silent, how often it is asked in vain, and the pauses between, in seconds.

    In ``window_s`` the headers must come, and after them ``least_rate`` bytes a second; the whole file must within
    ``whole_s`` more than it takes at that rate.
    """

    timeout_s: float = 30.0
    attempts: int = 5
    pause_s: float = 1.0
    longest_pause_s: float = 60.0
    window_s: float = 60.0
    least_rate: float = 5000.0
    whole_s: float = 600.0


class Failed(Exception):
    """The file did not come; the text goes on from the address: "answers 404 Not Found"."""


class Offline(Failed):
    """There is no way to the address from this machine, so that asking again is no use."""


class Passing(Failed):
    """What may go better the next time, not before ``pause_s`` seconds."""

    def __init__(self, text: str, *, pause_s: float = 0.0) -> None:
        super().__init__(text)
        self.pause_s = pause_s


@dataclass(frozen=True)
class Transfer:
    """What comes from where into which file.

    ``exact`` is its size, 0 if not known, ``most`` what is taken at most; ``recognised`` says that a hash will be
    checked, so that a continuation the server gives no proof for may be risked.
    """

    url: str
    part: Path
    exact: int
    most: int
    recognised: bool
    patience: Patience
    progress: Callable[[int, int], None]
    say: Callable[[str], None]

    def run(self) -> bool:
        """Complete the partial file; True if it was put together from more than one answer.

        Raises Failed with what has arrived kept for the next time, and OutputError if it can't be written.
        """
        vain, best = 0, self._size()
        allowed_s = self.patience.whole_s + (self.exact or self.most) / self.patience.least_rate
        end = time.monotonic() + allowed_s
        while True:
            try:
                return self._attempt(end)
            except Passing as trouble:
                if time.monotonic() >= end:
                    raise Failed(f"has not sent the whole file within {allowed_s:.3g} s") from None
                here = self._size()
                vain = 0 if here >= best + CHUNK_BYTES else vain + 1
                best = max(best, here)
                if vain >= self.patience.attempts:
                    raise Failed(f"{trouble}, {vain} times in a row" if vain > 1 else str(trouble)) from None
                pause = self.patience.pause_s * 2.0 ** max(vain - 1, 0)
                pause = min(max(pause, trouble.pause_s), self.patience.longest_pause_s)
                self.say(f"{self.url} {trouble}; trying again in {pause:.3g} s")
                time.sleep(pause)

    def drop(self) -> None:
        """Forget what has arrived."""
        self.part.unlink(missing_ok=True)
        self._memo.unlink(missing_ok=True)

    @property
    def _memo(self) -> Path:
        return self.part.with_name(self.part.name + ".json")

    def _size(self) -> int:
        return self.part.stat().st_size if self.part.is_file() else 0

    def _attempt(self, end: float) -> bool:
        patience = self.patience
        with Watch(patience.window_s, patience.least_rate * patience.window_s, end) as watch:
            try:
                pieced = self._asked(watch)
            except Failed:
                if not watch.over:
                    raise
        if watch.over:  # what came may be cut anywhere, headers included
            raise Passing(f"sends less than {size_text(int(patience.least_rate))} per second")
        return pieced

    def _asked(self, watch: Watch) -> bool:
        have, validator = self._held()
        if have and have == self.exact:
            return True
        headers = {"User-Agent": f"thgeval/{__version__}"}
        if have:
            headers["Range"] = f"bytes={have}-"
            if validator:
                headers["If-Range"] = validator
        try:
            answer = opener(watch.guards).open(Request(self.url, headers=headers), timeout=self.patience.timeout_s)  # noqa: S310 - opens http and https alone
        except HTTPError as error:
            error.close()
            return self._complete(error, have)
        except RefusedRedirection as error:
            raise Failed(str(error)) from None
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from None
        except (ValueError, OverflowError) as error:  # what a redirection leads to, taken apart
            raise Failed(f"redirects to what is not an address ({_sentence(error)})") from None
        watch.begins()
        with answer:
            return self._received(answer, have, watch)

    def _held(self) -> tuple[int, str]:
        """How much is here that the server may continue, and the proof of version it has to agree to."""
        have = self._size()
        try:
            memo: dict[str, str] = json.loads(self._memo.read_text(encoding="utf-8")) if have else {}
            url, validator = memo["url"], memo["validator"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            url, validator = "", ""
        if url != self.url or not (validator or self.recognised) or have > self.most:
            self.drop()
            return 0, ""
        return have, validator

    def _complete(self, error: HTTPError, have: int) -> bool:
        """True if the error says that nothing is left to send; raises what it says otherwise."""
        if error.code == RANGE_NOT_SATISFIABLE and have:
            said = COMPLETE_LENGTH.fullmatch(error.headers.get("Content-Range", ""))
            if said and int(said[1]) == have:
                return True
            self.drop()
            raise Passing("can't go on where the last attempt ended")
        text = f"answers {error.code} {_phrase(error.code)}".rstrip()
        if error.code not in PASSING:
            raise Failed(text)
        wanted = error.headers.get("Retry-After", "")
        raise Passing(text, pause_s=float(wanted) if wanted.isdecimal() else 0.0)

    def _unreachable(self, error: Exception) -> Failed:
        reason = error.reason if isinstance(error, URLError) else error
        if isinstance(reason, ssl.SSLCertVerificationError):
            return Failed(
                f"shows a certificate that can't be trusted ({reason.verify_message}); "
                "SSL_CERT_FILE names the certificates of a proxy that decrypts"
            )
        no_way = isinstance(reason, OSError) and reason.errno in NO_WAY
        if isinstance(reason, socket.gaierror) or no_way:  # the system's resolver has tried more than once itself
            return Offline(f"can't be reached ({_sentence(reason)}); is this machine on the network?")
        if isinstance(reason, TimeoutError):
            return self._silence()
        return Passing(f"can't be reached ({_sentence(reason)})")

    def _silence(self) -> Passing:
        return Passing(f"sends nothing for {self.patience.timeout_s:.3g} s")

    def _received(self, answer: Any, have: int, watch: Watch) -> bool:
        """Write one answer's body behind what is here; True if something was."""
        start, total = self._extent(answer, have)
        got = start
        try:
            if start == 0:
                self._begin(answer)
            with self.part.open("ab") as file:
                for chunk in self._chunks(answer):
                    got += len(chunk)
                    watch.came(len(chunk))
                    if got > self.most:
                        break
                    file.write(chunk)
                    self.progress(got, total or self.exact)
        except OSError as error:
            raise OutputError(f"{self.part} can't be written: {error.strerror or error}") from error
        if got > self.most:
            self.drop()
            raise Failed(f"sends more than the {size_text(self.most)} it may have")
        if got < (total or self.exact):
            raise Passing(f"ends after {got} of {total or self.exact} bytes")
        return start > 0

    def _extent(self, answer: Any, have: int) -> tuple[int, int]:
        """Where the answer's body begins within the file, and how long the file is, 0 if that is not said."""
        if answer.headers.get_content_type() == "text/html":
            raise Failed("answers with a web page instead of the file")
        start, total = 0, answer.length or 0
        if answer.status == HTTPStatus.PARTIAL_CONTENT:
            said = CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
            if said is None or int(said[1]) != have:
                self.drop()
                raise Passing("goes on at the wrong place")
            start, total = have, int(said[2]) if said[2] != "*" else 0
        if total and self.exact and total != self.exact:
            self.drop()
            raise Failed(f"offers {total} bytes, and the published file has {self.exact}")
        if total > self.most:
            raise Failed(f"offers {size_text(total)}, more than the {size_text(self.most)} it may have")
        return start, total

    def _begin(self, answer: Any) -> None:
        tag = answer.headers.get("ETag", "")
        validator = tag if tag.startswith('"') else answer.headers.get("Last-Modified", "")
        self.drop()  # before the note, which must never stand beside another version's bytes
        write_atomically(self._memo, json.dumps({"url": self.url, "validator": validator}).encode())

    def _chunks(self, answer: Any) -> Iterator[bytes]:
        while True:
            try:
                chunk: bytes = answer.read1(CHUNK_BYTES)
            except TimeoutError:
                raise self._silence() from None
            except (OSError, http.client.HTTPException) as error:
                raise Passing(f"breaks off ({_sentence(error)})") from None
            if not chunk:
                return
            yield chunk


def _phrase(code: int) -> str:
    return HTTPStatus(code).phrase if code in set(HTTPStatus) else ""


def _sentence(reason: object) -> str:
    """What a library says went wrong, in one line."""
    said = reason.strerror if isinstance(reason, OSError) and reason.strerror else str(reason)
    return " ".join(said.split()) or type(reason).__name__
