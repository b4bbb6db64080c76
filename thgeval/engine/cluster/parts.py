"""Tasks and receipts: some clips of a run, measured anywhere, and taken up again from shared storage.

A worker measures the clips of a task as a run on one machine would, leaves their states in the folder of states, and
beside them one *part*: the entries of these clips in the result file. What goes back to the driver is a receipt, which
says how many there were. The driver reads parts and states and reduces them as it would its own.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from thgeval.clip import Clip, Pair
from thgeval.engine import earlier
from thgeval.engine.job import Job, Watcher, files_of
from thgeval.engine.options import Options
from thgeval.engine.plan import Plan, plan
from thgeval.engine.provenance import decoder
from thgeval.engine.scoring import Contribution
from thgeval.errors import Failure, InputError, OutputError, ProtocolError
from thgeval.files import write_atomically
from thgeval.networks import devices
from thgeval.pairing import Pairing
from thgeval.protocol import Protocol
from thgeval.registry import Named
from thgeval.remote.addresses import Address
from thgeval.remote.delivery import SharedFolder
from thgeval.remote.mirror import Mirrors, remade
from thgeval.remote.store import RemotePlace
from thgeval.requirements import Pins, weights
from thgeval.results import ClipResult, Run
from thgeval.states.checkpoint import Kept, load
from thgeval.states.store import Store, file_name
from thgeval.version import __version__

MOST_CLIPS = 64
"""Clips of a task: enough that its cost is theirs, few enough to lose."""
ROUNDS = 4
"""Tasks for each worker at least, so that all end at about the same time."""
MOST_WARNINGS = 10


@dataclass(frozen=True)
class SharedWork:
    """What all tasks of a run share. It travels to every worker once; addresses in it may hold keys.

    ``standing_in`` is the folder that relative paths start from.
    """

    metrics: tuple[Named, ...]
    carried: tuple[Named, ...]
    unscored: frozenset[str]
    pins: Pins
    protocol: Protocol
    devices: Mapping[str, str]
    kernels: str
    options: Options
    folder: Path
    shared: Address | None
    places: Mapping[str, Path]
    mirrors: tuple[tuple[Address, Path, str], ...]
    standing_in: Path = field(default_factory=Path.cwd)
    version: str = __version__
    decoder: str = field(default_factory=decoder)


@dataclass(frozen=True)
class Task:
    """Some clips of a run; ``problems`` say why clips have no partner, ``before`` what a result says of their states.

    ``names`` are, for every place elsewhere, the files of these clips.
    """

    number: int
    pairs: tuple[Pair, ...]
    problems: Mapping[str, Failure]
    before: Run | None
    names: tuple[Mapping[str, str], ...] = ()

    def halves(self) -> "list[Task]":
        """The clips in two tasks of the same number, told apart by what they hold."""
        middle = len(self.pairs) // 2
        return [replace(self, pairs=self.pairs[:middle]), replace(self, pairs=self.pairs[middle:])]

    @property
    def part(self) -> str:
        """The name of the file beside the states that holds the clips' entries."""
        return f"part-{self.number:07d}-{len(self.pairs)}-{file_name(self.pairs[0].id).removesuffix('.npz')}.json"


@dataclass(frozen=True)
class Receipt:
    """What a worker says of a task that is done: small, whatever the clips."""

    part: str
    clips: int
    frames: int
    counts: Mapping[str, int]
    warnings: tuple[str, ...] = ()


def tasks(pairing: Pairing, workers: int, before: Run | None) -> list[Task]:
    """The pairs of a run in tasks, in the order of ids."""
    size = max(1, min(MOST_CLIPS, -(-len(pairing.pairs) // (ROUNDS * max(workers, 1)))))
    problems = {item.id: item.failure for item in pairing.unpaired if item.failure is not None}
    found = []
    for number, first in enumerate(range(0, len(pairing.pairs), size)):
        pairs = pairing.pairs[first : first + size]
        ids = {pair.id for pair in pairs}
        own = None if before is None else replace(before, clips=tuple(c for c in before.clips if c.id in ids))
        why = {id: problems[id] for id in ids & problems.keys()}
        files = [path for pair in pairs for path, _ in files_of(pair)]
        found.append(Task(number, pairs, why, own, pairing.mirrors.names_of(files)))
    return found


def recipe(job: Job, options: Options, pairing: Pairing) -> SharedWork:
    """What workers need to know of a run; ProtocolError if it has no place for states that others can reach."""
    if job.store.folder is None:
        raise ProtocolError(
            "a cluster's machines leave what they measure beside the result: name it with -o OUT.json, on a disk that "
            "all of them see, or elsewhere (s3://bucket/OUT.json)"
        )
    shared = job.store.shared
    return SharedWork(
        metrics=job.plan.metrics,
        carried=job.carried,
        unscored=frozenset(job.plan.unscored),
        pins=job.plan.pins,
        protocol=job.protocol,
        devices=job.devices,
        kernels=job.plan.device,
        options=replace(options, out=None, shared=None, seen=None),
        folder=job.store.folder,
        shared=None if shared is None else shared.place.address,
        places=job.places,
        mirrors=tuple((mirror.address, mirror.folder, mirror.shown) for mirror in pairing.mirrors.mirrors),
    )


def check_node(recipe: SharedWork, node: str) -> None:
    """Raise ProtocolError unless this machine measures as the driver's would, and sees what it must."""
    if recipe.version != __version__ or recipe.decoder != decoder():
        raise ProtocolError(
            f"the node {node} has thgeval {__version__} with {decoder()}, and the driver {recipe.version} with "
            f"{recipe.decoder}; install the same on both"
        )
    if not recipe.shared and not recipe.folder.is_dir():
        raise ProtocolError(f"the node {node} doesn't see {recipe.folder}; name a result on a disk that all nodes see")
    standing = {folder for _, folder, _ in recipe.mirrors}
    for place in recipe.places.values():
        if place not in standing and not place.exists():
            raise ProtocolError(f"the node {node} doesn't see {place}; put clips where all nodes see them")
    planned = _planned(recipe)
    if odd := sorted(str(item) for item, pin in planned.pins.items() if recipe.pins.get(item, pin) != pin):
        raise ProtocolError(f"the node {node} has other files than the driver for: {', '.join(odd)}")


def done(recipe: SharedWork, task: Task) -> Receipt:
    """Measure the clips of a task, leave their states and their part, and say so."""
    warnings: list[str] = []
    seen = [0]

    def frames(count: int) -> None:
        seen[0] += count

    with _working(recipe, task) as (store, pairs, mirrors, places), weights.allowed(recipe.options.weights):
        with devices.at(recipe.options.device, warnings.append):
            watcher = Watcher(frames=frames, warns=warnings.append)
            job = Job(
                *(_planned(recipe), recipe.protocol, store, watcher, recipe.devices, recipe.options.cores),
                *(recipe.options.chunk, recipe.carried, places, None, mirrors),
            )
            unpaired = tuple(ClipResult(id, failure=why) for id, why in task.problems.items())
            found = job.contributions(Pairing(pairs, unpaired, places=places, mirrors=mirrors))
        entries = [item.clip.to_dict() for item in sorted(found, key=lambda item: item.clip.id)]
        _put(store, task.part, json.dumps(entries).encode())
    return Receipt(task.part, len(entries), seen[0], dict(job.counts), tuple(warnings[:MOST_WARNINGS]))


def taken_up(job: Job, part: str) -> Iterator[tuple[ClipResult, Contribution | None]]:
    """The clips of a finished part with what they add; None where its states are not there, or not those.

    OutputError if the part can't be read.
    """
    content = _got(job.store, part)
    if content is None:
        raise OutputError(f"{part} is gone from the folder of states; run the same command again")
    for data in json.loads(content):
        clip = ClipResult.from_dict(data)
        kept = _kept(job, clip)
        yield clip, None if kept is None else Contribution.of_kept(clip, kept)


def _kept(job: Job, clip: ClipResult) -> dict[str, Kept] | None:
    """The states of a clip that a worker has left; None if they are not there, or of other content."""
    if not clip.content:  # nothing was kept, which is right if nothing could be measured
        return {} if job.plan.keys <= clip.failed.keys() else None
    wanted = job.wanted(clip.side)
    held = load(job.store.settled(clip.id), rows_stay=True)
    if held is None or dict(held.content) != dict(clip.content):
        return None
    ours = {key: item for key, item in held.kept.items() if wanted.get(key) == item.protocol}
    return {key: item for key, item in ours.items() if job.devices.get(key, "cpu") == item.device}


def _planned(recipe: SharedWork) -> Plan:
    """The driver's plan, made of what is on this machine."""
    planned = replace(plan(recipe.metrics, ()), device=recipe.kernels)
    return replace(planned, unscored=dict.fromkeys(recipe.unscored, ""), pins={**planned.pins, **recipe.pins})


@contextmanager
def _working(recipe: SharedWork, task: Task) -> Iterator[tuple[Store, tuple[Pair, ...], Mirrors, Mapping[str, Path]]]:
    """Where a worker finds the clips of a task and leaves their states."""
    with TemporaryDirectory(prefix="thgeval-") as scratch, remade(recipe.mirrors, task.names) as (mirrors, moved):
        shared, folder = None, recipe.folder
        if recipe.shared is not None:
            folder = Path(scratch, recipe.folder.name)
            folder.mkdir()
            shared = SharedFolder(RemotePlace(recipe.shared), frozenset(file_name(pair.id) for pair in task.pairs))
        store = Store(folder, Path(scratch), recipe.options.fresh, recipe.options.cache, shared=shared)
        if task.before is not None:
            store = replace(store, genuine=earlier.proof(task.before))
        pairs = tuple(_moved(pair, moved) for pair in task.pairs)
        yield store, pairs, mirrors, {side: _below(place, moved) for side, place in recipe.places.items()}


def _moved(pair: Pair, moved: Mapping[Path, Path]) -> Pair:
    """A pair whose files lie in other folders."""

    def clip(given: Clip) -> Clip:
        return replace(given, source=_below(given.source, moved)) if isinstance(given.source, Path) else given

    names = ("audio", "transcript", "prompt", "source_image", "timing")
    given = {name: getattr(pair, name) for name in names}
    found: dict[str, Any] = {name: _below(path, moved) for name, path in given.items() if isinstance(path, Path)}
    return replace(pair, generated=clip(pair.generated), reference=pair.reference and clip(pair.reference), **found)


def _below(path: Path, moved: Mapping[Path, Path]) -> Path:
    for old, new in moved.items():
        if path.is_relative_to(old):
            return new / path.relative_to(old)
    return path


def _put(store: Store, name: str, content: bytes) -> None:
    if store.shared is not None:
        store.shared.place.put(name, content)
    elif store.folder is not None:
        write_atomically(store.folder / name, content)


def _got(store: Store, name: str) -> bytes | None:
    if store.shared is not None:
        try:
            return store.shared.place.content(name)
        except InputError:
            return None
    path = None if store.folder is None else store.folder / name
    return path.read_bytes() if path is not None and path.exists() else None
