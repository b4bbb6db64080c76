"""How a run is carried out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from thgeval.engine.workers import available
from thgeval.errors import ProtocolError
from thgeval.networks import devices
from thgeval.pairing.shards import Shard
from thgeval.remote.addresses import Address, Location, location
from thgeval.remote.delivery import SharedFolder
from thgeval.requirements.weights import Policy
from thgeval.results import SUFFIX
from thgeval.seen import Seen
from thgeval.states.store import CACHE_MODES
from thgeval.statistics import Resampling

ENGINES = ("local", "ray")
KINDS: Mapping[str, tuple[tuple[type, ...], str]] = MappingProxyType(
    {
        "workers": ((int, type(None)), "a whole number, or None"),
        "device": ((str,), "a device's name, such as 'cpu'"),
        "cache": ((str,), "a mode's name, such as 'off'"),
        "fresh": ((bool,), "True or False"),
        "limit": ((int, type(None)), "a whole number, or None"),
        "shard": ((str, Shard, type(None)), "text such as '3/8', or None"),
        "chunk": ((int,), "a whole number"),
        "out": ((str, Path, Address, type(None)), "a path, or None"),
        "shared": ((SharedFolder, type(None)), "what ``thgeval.remote.delivery`` makes, or None"),
        "weights": ((Policy,), "a thgeval.requirements.weights.Policy"),
        "engine": ((str,), "one of " + ", ".join(ENGINES)),
        "address": ((str,), "text such as 'auto'"),
        "gpus": ((int, float), "a number"),
        "seen": ((Seen, type(None)), "a thgeval.Seen, or None"),
        "controls": ((bool,), "True or False"),
        "resampling": ((Resampling,), "a thgeval.statistics.Resampling"),
    }
)
"""What fields of ``Options`` may be."""
LIMITED, SHARDED = "!limit", "!shard:"
"""How signatures mark scores of the first clips alone, and of one shard of them."""


@dataclass(frozen=True)
class Options:
    """How a run is carried out; nothing here may change a score, but the device its last digits.

    workers     threads at work; None for every core this process may use
    device      where networks, and kernels of frames, run: ``cpu``, ``cuda`` or ``cuda:N``; all else runs on the CPU
    cache       ``off``, ``read`` or ``read-write``: states of clips seen before, in ``THGEVAL_HOME``
    fresh       measure anew and replace what ``out`` holds; otherwise a run takes up what is there and adds to it
    limit       only the first clips; marked in every signature
    shard       only the clips of one of N shards, as ``3/8``, for machines that share the work; marked likewise
    chunk       frames decoded at a time; 0 chooses by their size
    out         the result file; its states go to a folder beside it. ``evaluate`` takes an address, ``s3://...``, too
    shared      the folder elsewhere whose copy that folder is; made by whoever delivers the result
    weights     which weight files may be used
    seen        one ``Seen()`` for several runs: what is found in frames, such as faces, is found once for all of them
    controls    score degraded copies of the references too, and say what each score is worth beside them
    engine      ``local``, this machine, or ``ray``, a cluster of Ray; each of its workers has ``workers`` cores, or one
    address     of the cluster: ``auto``, ``local`` (started here for this run), HOST:PORT or ``ray://HOST:PORT``
    gpus        graphics cards for each worker of a cluster; 0.25 lets four share one
    resampling  draws and seed of the intervals of medians
    """

    workers: int | None = None
    device: str = "cpu"
    cache: str = "off"
    fresh: bool = False
    limit: int | None = None
    shard: str | Shard | None = None
    chunk: int = 0
    out: str | Location | None = None
    shared: SharedFolder | None = None
    weights: Policy = field(default_factory=Policy)
    engine: str = "local"
    address: str = "auto"
    gpus: float = 0.0
    seen: Seen | None = None
    controls: bool = False
    resampling: Resampling = field(default_factory=Resampling)

    def __post_init__(self) -> None:
        for name, (kinds, what) in KINDS.items():
            value = getattr(self, name)
            if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
                raise ProtocolError(f"{name} must be {what}, not {value!r}")
        if isinstance(self.out, str):
            object.__setattr__(self, "out", location(self.out))
        if self.workers is not None and self.workers < 1:
            raise ProtocolError(f"there must be at least one worker, not {self.workers}")
        if isinstance(self.shard, str):
            object.__setattr__(self, "shard", Shard.parse(self.shard))
        if self.controls and self.part is not None:
            raise ProtocolError(
                "copies of the references are scored beside all clips, and not of a shard: merge the shards, then "
                "score with --controls and the merged result as -o, which measures the copies alone"
            )
        devices.check(self.device)
        if self.engine not in ENGINES:
            raise ProtocolError(f"the engine must be one of {', '.join(ENGINES)}, not {self.engine!r}")
        if not 0 <= self.gpus <= 1024:
            raise ProtocolError(f"a worker has from 0 to 1024 graphics cards, not {self.gpus}")
        if self.cache not in CACHE_MODES:
            raise ProtocolError(f"cache must be one of {', '.join(CACHE_MODES)}, not {self.cache!r}")
        if self.limit is not None and self.limit < 1:
            raise ProtocolError(f"the limit must be at least 1, not {self.limit}")
        if self.chunk < 0:
            raise ProtocolError(f"a chunk must have at least one frame, or 0 for a size of its own, not {self.chunk}")
        if self.target is not None and self.target.suffix.lower() != SUFFIX:
            raise ProtocolError(f"the result file is JSON: its name must end in {SUFFIX}, unlike {str(self.out)!r}")

    @property
    def target(self) -> Location | None:
        """Where the result file goes."""
        return location(self.out) if isinstance(self.out, str) else self.out

    @property
    def path(self) -> Path | None:
        """The result file, or its copy on this machine; ProtocolError for an address, which somebody must deliver."""
        if isinstance(self.target, Address):
            raise ProtocolError(f"only evaluate and the command line write to {self.target}; name a path")
        return self.target

    @property
    def part(self) -> Shard | None:
        """The shard that is scored, if it isn't everything."""
        return Shard.parse(self.shard) if isinstance(self.shard, str) else self.shard

    @property
    def marks(self) -> tuple[str, ...]:
        """What stands in every signature of a run that scores a part of the clips."""
        limit = () if self.limit is None else (LIMITED,)
        return limit if self.part is None else (*limit, f"{SHARDED}{self.part}")

    @property
    def cores(self) -> int:
        """How many threads work; of a cluster's worker one, unless it is told."""
        return self.workers or (available() if self.engine == "local" else 1)
