"""Which clips of a run one of several machines scores: shards, dealt out by the hash of each clip's id.

A clip is in the same shard whatever other clips there are, so that clips that come later never move the ones before
them. Shards are about as large as each other: of C clips each of N has C / N, give or take a few times √(C / N).
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Self

from thgeval.errors import ProtocolError

MOST = 1_000_000
WRITTEN = re.compile(r"(\d{1,7})/(\d{1,7})", re.ASCII)


@dataclass(frozen=True)
class Shard:
    """Number ``number`` of ``of`` shards, counted from 1; ProtocolError for one that isn't there."""

    number: int
    of: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.of <= MOST:
            raise ProtocolError(
                f"a shard is I/N, from 1/N to N/N, with N of at most {MOST}; there is no {self.number}/{self.of}"
            )

    @classmethod
    def parse(cls, text: str) -> Self:
        """The shard written as ``3/8``; ProtocolError for any other text."""
        if (found := WRITTEN.fullmatch(text.strip())) is None:
            raise ProtocolError(f"a shard is written as I/N, such as 3/8, not {text!r}")
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def holds(self, id: str) -> bool:
        """Whether the clip of that id is one of this shard's."""
        digest = hashlib.sha256(id.encode("utf-8", "surrogateescape")).digest()
        return int.from_bytes(digest[:8], "big") % self.of == self.number - 1
