"""Where thgeval keeps what outlives a run: fetched weights, and states of clips seen before."""

import os
import stat
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path


def home() -> Path:
    """``THGEVAL_HOME``, or a folder in the user's cache; it need not exist.

    A user without a home, as containers run them, gets a folder among the temporary files.
    """
    if chosen := os.environ.get("THGEVAL_HOME"):
        return Path(chosen)
    if cached := os.environ.get("XDG_CACHE_HOME"):
        return Path(cached) / "thgeval"
    try:
        return Path.home() / ".cache" / "thgeval"
    except RuntimeError:
        return _homeless()


@cache
def _homeless() -> Path:
    """A temporary folder that nobody else can have prepared: under the user's number if it is theirs, or a new one."""
    number = getattr(os, "getuid", None)
    if number is None:  # Windows, whose temporary folder is the user's own
        return Path(tempfile.gettempdir()) / "thgeval"
    user = number()
    folder = Path(tempfile.gettempdir()) / f"thgeval-{user}"
    with suppress(OSError):
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()  # a link would be somebody's way to another folder
        if stat.S_ISDIR(found.st_mode) and found.st_uid == user and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return folder
    return Path(tempfile.mkdtemp(prefix="thgeval-"))
