"""Folders of clips that lie elsewhere, as folders of this machine that stand for them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from thgeval.pairing.folders import ARRAYS, VIDEOS
from thgeval.remote.addresses import Location
from thgeval.remote.mirror import Mirrors, mirrored

FRAMES_DEEP = 2
"""A folder of clips may hold folders of frames."""


class BothFolders(NamedTuple):
    """The folders of either side on this machine, and what stands for places elsewhere."""

    generated: Path
    reference: Path | None
    mirrors: Mirrors


@contextmanager
def at_hand(generated: Location, reference: Location | None, *, recursive: bool) -> Iterator[BothFolders]:
    """Both sides as paths of this machine as long as the body runs; ProtocolError for places that can't be listed."""
    depth = None if recursive else FRAMES_DEEP
    given = [generated] if reference is None else [generated, reference]
    with mirrored(*given, one_file=VIDEOS | ARRAYS, depth=depth) as (here, mirrors):
        yield BothFolders(here[0], None if reference is None else here[1], mirrors)
