"""An end to connections that go on without getting anywhere.

A socket's own timeout ends silence, and nothing else: one byte now and then, in the headers, in the body, between the
chunks of one or behind the last, keeps it waiting for ever. Here a thread watches the clock and shuts the connection
down, which ends whatever is being read from it.
"""

import socket
import time
from contextlib import suppress
from threading import Condition, Thread
from typing import Self


class Watch:
    """Time for connections, in seconds: ``window_s`` for each ``least`` bytes, and none after ``end`` (monotonic).

    To be used as a context; ``over`` says that the time ran out, and that what was read may be cut anywhere.
    """

    def __init__(self, window_s: float, least: float, end: float) -> None:
        self.over = False
        self._window_s, self._least, self._end = window_s, least, end
        self._until = time.monotonic() + window_s
        self._came = 0
        self._sockets: list[socket.socket] = []
        self._changed = Condition()
        self._done = False

    def __enter__(self) -> Self:
        Thread(target=self._wait, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._done = True
            self._changed.notify()
            for held in self._sockets:
                held.close()
            self._sockets.clear()

    def guards(self, connection: socket.socket) -> None:
        """Shut this connection down too when the time is over."""
        with self._changed:
            self._sockets.append(connection.dup())  # TLS takes the descriptor of the one it is given
            if self.over:
                self._shut()

    def begins(self) -> None:
        """An answer has begun: its first bytes have a window of their own."""
        self._came, self._until = 0, time.monotonic() + self._window_s

    def came(self, count: int) -> None:
        """Bytes have come; enough of them begin the next window."""
        self._came += count
        if self._came >= self._least:
            self.begins()

    def _wait(self) -> None:
        with self._changed:
            while not self._done:
                left = min(self._until, self._end) - time.monotonic()
                if left <= 0:
                    self.over = True
                    self._shut()
                    return
                self._changed.wait(left)

    def _shut(self) -> None:
        for held in self._sockets:
            with suppress(OSError):
                held.shutdown(socket.SHUT_RDWR)
