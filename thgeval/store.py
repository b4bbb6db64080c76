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
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from thgeval.checkpoint import Checkpoint, Kept, load, save
from thgeval.errors import OutputError
from thgeval.home import home

CACHE_MODES = ("off", "read", "read-write")
CACHE_LIMIT_BYTES = 2 << 30


@dataclass(frozen=True)
class Store:
    """Where a run looks for states and where it leaves them; without folders, nowhere."""

    folder: Path | None = None
    resume: bool = False
    cache: str = "off"

    @property
    def used(self) -> bool:
        """Whether anything is looked up or kept, so that contents must be fingerprinted."""
        return self.folder is not None or self.cache != "off"

    def recalled(self, pair: str, content: Mapping[str, str], decoder: str, wanted: Mapping[str, str]) -> Checkpoint:
        """What is known of a pair under these protocol parts (by metric key); possibly nothing."""
        places = []
        if self.folder is not None and self.resume:
            places.append(self.folder / file_name(pair))
        if self.cache != "off":
            places.append(_cached(content))
        found = Checkpoint(pair, content, decoder, {})
        for place in places:
            held = load(place)
            if held is None or dict(held.content) != dict(content) or held.decoder != decoder:
                continue
            with suppress(OSError):
                os.utime(place)
            usable = {key: _renamed(kept, pair) for key, kept in held.kept.items() if wanted.get(key) == kept.protocol}
            if usable:
                found = replace(found, kept={**usable, **found.kept}, record=found.record or held.record)
        return found

    def keep(self, checkpoint: Checkpoint) -> None:
        """Leave a checkpoint in every place that is written to; OutputError if the states folder can't be."""
        if self.cache == "read-write":
            place = _cached(checkpoint.content)
            held = load(place)
            kept = {**held.kept, **checkpoint.kept} if held is not None and held.decoder == checkpoint.decoder else {}
            with suppress(OutputError):
                save(place, replace(checkpoint, kept=kept or checkpoint.kept))
                _prune(place.parent)
        if self.folder is not None:
            save(self.folder / file_name(checkpoint.pair), checkpoint)


def file_name(pair: str) -> str:
    """A file name for a clip id: readable, safe whatever the id holds, and different for different ids."""
    readable = re.sub(r"[^A-Za-z0-9._-]+", "_", pair).strip("._")[:60]
    digest = hashlib.sha256(pair.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return f"{readable}-{digest}.npz" if readable else f"{digest}.npz"


def _cached(content: Mapping[str, str]) -> Path:
    text = "\n".join(f"{side}={value}" for side, value in sorted(content.items()))
    digest = hashlib.sha256(text.encode()).hexdigest()
    return home() / "states" / digest[:2] / f"{digest}.npz"


def _renamed(kept: Kept, pair: str) -> Kept:
    reference = None if kept.reference is None else kept.reference.renamed(pair)
    return replace(kept, state=kept.state.renamed(pair), reference=reference)


def _prune(folder: Path) -> None:
    """Remove what was used longest ago until the cache fits its limit."""
    files = [(item.stat(), item) for item in folder.parent.glob("*/*.npz")]
    total = sum(stat.st_size for stat, _ in files)
    for stat, item in sorted(files, key=lambda pair: pair[0].st_mtime):
        if total <= CACHE_LIMIT_BYTES:
            return
        item.unlink(missing_ok=True)
        total -= stat.st_size
