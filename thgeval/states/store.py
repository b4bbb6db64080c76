"""States kept from earlier runs, so that nothing is measured twice.

Two places hold checkpoints of the same form. The *states folder* beside a result file has one per clip: it is what an
interrupted run resumes from, and what merging and reports read. The *cache* in ``THGEVAL_HOME`` has one per content of
a pair, whatever the clips are called, and serves every run that asks for it; it is kept under a size limit by removing
what was used longest ago.

A state is used again only if the clips' content, the decoder and the protocol part of the metric's signature are equal.
"""

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from thgeval.errors import OutputError
from thgeval.files import UNFINISHED
from thgeval.files.bounded import prune
from thgeval.files.locking import locked
from thgeval.home import home
from thgeval.remote.delivery import SharedFolder
from thgeval.states.checkpoint import Checkpoint, Kept, load, save, save_and_reopen

CACHE_MODES = ("off", "read", "read-write")
CACHE_LIMIT_BYTES = 2 << 30
LOOKS_A_FILLING = 64  # how often the cache is looked through while as much is written as it may hold
LOCK = ".lock"


class Known(NamedTuple):
    """What is known of a pair, and whether the states folder holds all of it."""

    checkpoint: Checkpoint
    complete: bool = False


@dataclass(frozen=True)
class Store:
    """Where a run looks for states and where it leaves them; without folders, nowhere.

    Without a states folder, ``scratch`` is where feature rows wait for the end of the run. ``genuine`` tells states of
    the folder from those that somebody has put there. Where the folder belongs elsewhere, ``shared`` is that place.
    """

    folder: Path | None = None
    scratch: Path | None = None
    fresh: bool = False
    cache: str = "off"
    genuine: Callable[[Checkpoint], bool] = lambda held: True
    shared: SharedFolder | None = None

    @property
    def used(self) -> bool:
        """Whether anything is looked up or kept, so that contents must be fingerprinted."""
        return self.folder is not None or self.cache != "off"

    def find(
        self,
        pair: str,
        content: Mapping[str, str],
        decoder: str,
        wanted: Mapping[str, str],
        devices: Mapping[str, str] = MappingProxyType({}),
    ) -> "Known":
        """What is known of a pair under these protocol parts and devices (by metric key); possibly nothing."""
        found, complete = Checkpoint(pair, content, decoder, {}), False
        for place, own in self._places(pair, content):
            held = load(place, rows_stay=own)
            if held is None or dict(held.content) != dict(content) or held.decoder != decoder:
                continue
            if own and not self.genuine(held):
                continue
            usable = {
                key: _renamed(kept, pair)
                for key, kept in held.kept.items()
                if key in wanted.keys() - found.kept.keys()
                and wanted[key] == kept.protocol
                and devices.get(key, "cpu") == kept.device
            }
            complete = complete or own
            if usable and not own:
                complete = False
                with suppress(OSError):
                    os.utime(place)
            if usable or own:
                kept, refused = {**usable, **found.kept}, {**held.refused, **found.refused}
                record = found.record or _record(held, pair)
                found = replace(found, kept=kept, record=record, refused=refused)
        return Known(found, complete)

    def _places(self, pair: str, content: Mapping[str, str]) -> Iterator[tuple[Path, bool]]:
        """Where states of a pair may lie, and whether it is the states folder."""
        if self.folder is not None and not self.fresh:
            yield self.settled(pair), True
        if self.cache != "off":
            yield _cached(content), False

    def settled(self, pair: str) -> Path:
        """Where the states of a pair lie in the states folder, brought there if it belongs elsewhere."""
        if self.folder is None:
            raise OutputError("there is no folder of states")
        place = self.folder / file_name(pair)
        if self.shared is not None:
            self.shared.bring(place)
        return place

    def save(self, checkpoint: Checkpoint) -> Checkpoint:
        """Leave a checkpoint in every place that is written to; OutputError if the states folder can't be.

        What comes back holds no feature rows in memory, if there is a place for them.
        """
        if self.cache == "read-write" and checkpoint.content:
            place = _cached(checkpoint.content)
            held = load(place)
            kept = {**held.kept, **checkpoint.kept} if held is not None and held.decoder == checkpoint.decoder else {}
            with suppress(OutputError, OSError):
                save(place, replace(checkpoint, kept=kept or checkpoint.kept))
                if _to_prune(place):
                    prune(place.parent.parent, CACHE_LIMIT_BYTES)
        folder = self.scratch if self.folder is None and has_rows(checkpoint.kept.values()) else self.folder
        if folder is None:
            return checkpoint
        place = folder / file_name(checkpoint.pair)
        held = None if self.fresh or self.folder is None else load(place)
        if (
            held is not None
            and self.genuine(held)
            and (held.content, held.decoder) == (checkpoint.content, checkpoint.decoder)
        ):
            failed = {**held.record.get("failed", {}), **checkpoint.record.get("failed", {})}
            record = {**checkpoint.record, "failed": failed}
            refused = {**held.refused, **checkpoint.refused}
            checkpoint = replace(checkpoint, kept={**held.kept, **checkpoint.kept}, record=record, refused=refused)
        settled = save_and_reopen(place, checkpoint)
        if self.shared is not None:
            self.shared.send(place)
        return settled

    def tokens(self) -> tuple[str, ...]:
        """How the clips of the states folder were prepared, by the first that can be read; empty if there is none."""
        if self.folder is None:
            return ()
        for name in sorted({path.name for path in self.folder.glob("*.npz")} | self.names):
            if self.shared is not None:
                self.shared.bring(self.folder / name)
            held = load(self.folder / name)
            for kept in () if held is None else held.kept.values():
                return tuple(kept.protocol.split("|"))
        return ()

    @property
    def names(self) -> set[str]:
        """The names of states that lie elsewhere, where the folder belongs there."""
        return set() if self.shared is None else {name for name in self.shared.names if name.endswith(".npz")}

    def swept(self) -> None:
        """Remove what killed writers left unfinished in the states folder; for whoever holds its lock."""
        for item in () if self.folder is None else self.folder.glob(f"{UNFINISHED}*.npz.*"):
            item.unlink(missing_ok=True)


def sole_writer(folder: Path) -> AbstractContextManager[None]:
    """Hold a states folder as its only writer; OutputError if another process is at work there."""
    result = folder.with_suffix(".json")
    return locked(folder / LOCK, held=f"another run is writing {result}; wait for it to end, or give another name")


def has_rows(kept: Iterable[Kept]) -> bool:
    """Whether any state is made of feature rows, which are large."""
    return any(item.state.large for item in kept)


def file_name(pair: str) -> str:
    """A file name for a clip id: readable, safe whatever the id holds, and different for different ids."""
    readable = re.sub(r"[^A-Za-z0-9._-]+", "_", pair).strip("._")[:60]
    digest = hashlib.sha256(pair.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return f"{readable}-{digest}.npz" if readable else f"{digest}.npz"


def _cached(content: Mapping[str, str]) -> Path:
    text = "\n".join(f"{side}={value}" for side, value in sorted(content.items()))
    digest = hashlib.sha256(text.encode()).hexdigest()
    return home() / "states" / digest[:2] / f"{digest}.npz"


def _record(held: Checkpoint, pair: str) -> Mapping[str, Any]:
    """The record of a checkpoint as that of another pair, whose name its notes then say."""
    notes = [str(note).replace(held.pair, pair) for note in held.record.get("notes", ())]
    return {**held.record, "notes": notes}


def _renamed(kept: Kept, pair: str) -> Kept:
    if pair in kept.state.parts:
        return kept
    reference = None if kept.reference is None else kept.reference.renamed(pair)
    return replace(kept, state=kept.state.renamed(pair), reference=reference)


def _to_prune(written: Path) -> bool:
    """Whether the cache is looked through after a file was written: chosen by its name, which is a hash.

    The more bytes a file has, the more often; on the whole ``LOOKS_A_FILLING`` times while a whole cache is written.
    So a file costs the same beside a hundred thousand others as alone, and no count has to be kept between runs.
    """
    chance = LOOKS_A_FILLING * written.stat().st_size / max(CACHE_LIMIT_BYTES, 1)
    return int(written.name[:8], 16) < chance * 16**8
