"""Folders of files that can be made again: kept under a size by removing what was used longest ago."""

import time
from contextlib import suppress
from pathlib import Path

from thgeval.files import UNFINISHED

WRITING_S = 3600  # older unfinished files have no writer any more


def prune(folder: Path, most_bytes: int) -> None:
    """Remove files of subfolders until those left fit, and what killed writers left behind.

    Other processes may do the same at the same time.
    """
    files = []
    for item in folder.glob("*/*"):
        with suppress(OSError):
            files.append((item.stat(), item))
    total = sum(stat.st_size for stat, _ in files)
    for stat, item in sorted(files, key=lambda pair: pair[0].st_mtime):
        left_behind = item.name.startswith(UNFINISHED) and time.time() - stat.st_mtime > WRITING_S
        if left_behind or (total > most_bytes and not item.name.startswith(UNFINISHED)):
            item.unlink(missing_ok=True)
            total -= stat.st_size
