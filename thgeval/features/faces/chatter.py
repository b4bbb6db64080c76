"""What native libraries write to the standard error of the process while they start, kept from the user.

Such lines don't pass through Python and heed no setting of it, so that they would break progress bars and appear in
spite of ``--quiet``. They are caught at the file descriptor, for as short as it takes, and everything that isn't known
to be chatter is passed on: other threads may write meanwhile, and errors must not be lost.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from re import Pattern
from threading import RLock

STDERR = 2
_one_at_a_time = RLock()


@contextmanager
def without(chatter: Pattern[bytes]) -> Iterator[None]:
    """Leave out lines of standard error that begin so, as long as the body runs; the others come when it ends."""
    with _one_at_a_time, tempfile.TemporaryFile() as caught:
        _flush()
        try:
            before = os.dup(STDERR)
        except OSError:  # there is no standard error
            yield
            return
        try:
            os.dup2(caught.fileno(), STDERR)
            yield
        finally:
            _flush()
            os.dup2(before, STDERR)
            os.close(before)
            caught.seek(0)
            _passed_on(b"".join(line for line in caught if not chatter.match(line)))


def _flush() -> None:
    if sys.stderr is not None:
        sys.stderr.flush()


def _passed_on(written: bytes) -> None:
    while written:
        written = written[os.write(STDERR, written) :]
