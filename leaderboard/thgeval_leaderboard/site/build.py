"""Building the site: all files are made, written to a new folder, and moved into place at once."""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from thgeval.errors import OutputError, ProtocolError
from thgeval_leaderboard.entry import Entry
from thgeval_leaderboard.site.data import plain_files
from thgeval_leaderboard.site.pages import Site, pages

MARK = ".thgeval-site"
"""A file that says that a folder is a site of ours, so that nothing else is ever replaced."""


def build(entries: Sequence[Entry], out: Path, media: Mapping[str, Path] | None = None) -> int:
    """Write the site of these entries to ``out``, which must be new, empty or an earlier site; how many files it has.

    ``media`` are folders of clips or pictures by the ids of entries, whose worst clips are then shown (``filmstrips``).
    A build that fails leaves what was there. Raises ``ProtocolError`` for a folder that holds something else, and
    ``OutputError`` if it can't be written.
    """
    if out.exists() and not (out.is_dir() and ((out / MARK).exists() or not any(out.iterdir()))):
        raise ProtocolError(f"{out} holds something else than a site; name a new folder")
    site = Site(tuple(sorted(entries, key=lambda entry: entry.id)), media or {})
    made = {address: text.encode() for address, text in pages(site)} | dict(plain_files(site)) | {MARK: b""}
    try:
        _put(made, out)
    except OSError as error:
        raise OutputError(f"the site {out} can't be written: {error.strerror or error}") from None
    return len(made) - 1


def _put(made: dict[str, bytes], out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        for folder in {(fresh / address).parent for address in made}:
            folder.mkdir(parents=True, exist_ok=True)
        for address, content in made.items():
            (fresh / address).write_bytes(content)
        fresh.chmod(0o755)
        _swap(fresh, out)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _swap(fresh: Path, out: Path) -> None:
    """Put a folder where another may be; if that fails, the other is where it was."""
    if not out.exists():
        fresh.replace(out)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{out.name}.old.", dir=out.parent)) / "site"
    out.replace(old)
    try:
        fresh.replace(out)
    except OSError:
        old.replace(out)
        raise
    finally:
        shutil.rmtree(old.parent)
