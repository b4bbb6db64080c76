"""Results that belong elsewhere: written in a folder of this machine, states sent one by one, the rest in the end.

A store of objects shows each file whole or not at all. States are sent as soon as a clip has been measured, so that a
run that is killed goes on from there, on this machine or another.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from thgeval.errors import ProtocolError
from thgeval.files import write_atomically
from thgeval.remote.addresses import Address, Location, safe_name
from thgeval.remote.store import RemotePlace


@dataclass(frozen=True)
class SharedFolder:
    """A folder of states elsewhere, of which the files that are asked for are brought to a folder of this machine."""

    place: RemotePlace
    names: frozenset[str] = frozenset()
    sent: set[str] = field(default_factory=set, compare=False)

    @classmethod
    def of(cls, address: Address) -> "SharedFolder":
        """The folder with the names of what it holds now; ProtocolError if it can't be listed."""
        place = RemotePlace(address)
        return cls(place, frozenset(place.there()))

    def bring(self, path: Path) -> None:
        """Bring the file of that name, if there is one and it isn't here; InputError if it can't be read."""
        if path.name not in self.names or path.name in self.sent or path.exists():
            return
        if (content := self.place.content(path.name)) is not None:
            write_atomically(path, content)

    def send(self, path: Path) -> None:
        """Put a file of this machine there under its name; OutputError if it can't be."""
        self.place.put(path.name, path.read_bytes())
        self.sent.add(path.name)


@contextmanager
def results_at_hand(places: Sequence[Location], states: str) -> Iterator[tuple[Path, ...]]:
    """Result files as files of this machine, each with its folder of states; those elsewhere are brought whole.

    The last part of an address may hold ``*`` and ``?`` for any characters, or one. ProtocolError where there is none.
    """
    with TemporaryDirectory(prefix="thgeval-") as scratch:
        found: list[Path] = []
        for number, place in enumerate(places):
            if isinstance(place, Path):
                found.append(place)
                continue
            results = RemotePlace(place.with_name("")).matching(place)
            if not results:
                raise ProtocolError(f"{place}: there is no such file")
            found += [_collected(result, Path(scratch, str(number)), states) for result in results]
        yield tuple(found)


def _collected(result: Address, folder: Path, states: str) -> Path:
    """A result file and its states in a folder of this machine."""
    path = folder / result.name
    write_atomically(path, RemotePlace(result).content() or b"")
    own = path.with_name(path.stem + states)
    shared = SharedFolder.of(result.with_name(own.name))
    for name in shared.names:
        if safe_name(name) is not None and name.endswith(".npz"):
            shared.bring(own / name)
    return path


@dataclass(frozen=True)
class Delivery:
    """Paths of this machine for what is to be written, and the folder of states elsewhere if the result goes there."""

    paths: tuple[Path, ...]
    shared: SharedFolder | None = None
    addresses: tuple[tuple[Path, str], ...] = ()


@contextmanager
def delivered(places: Sequence[Location], states: str = "") -> Iterator[Delivery]:
    """Paths to write to, for places of which some may be elsewhere; what was written there is sent when the body ends.

    The first place that ends in ``.json`` is a result file; it is brought if it is there, and ``states`` is what stands
    at the end of its folder of states in place of ``.json``. OutputError if anything can't be sent.
    """
    if not any(isinstance(place, Address) for place in places):
        yield Delivery(tuple(place for place in places if isinstance(place, Path)))
        return
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(TemporaryDirectory(prefix="thgeval-")))
        paths, going, shared = [], [], None
        for number, place in enumerate(places):
            if isinstance(place, Path):
                paths.append(place)
                continue
            path = scratch / str(number) / place.name
            path.parent.mkdir()
            paths.append(path)
            going.append((path.parent, place))
            if shared is None and states and place.suffix.lower() == ".json":
                shared = SharedFolder.of(place.with_name(place.name[: -len(place.suffix)] + states))
                if (held := RemotePlace(place).content()) is not None:
                    path.write_bytes(held)
        yield Delivery(tuple(paths), shared, tuple((folder, str(place.with_name(""))) for folder, place in going))
        for folder, place in going:
            for file in sorted(folder.rglob("*")):
                name = file.relative_to(folder).as_posix()
                sent = shared is not None and file.name in shared.sent | shared.names
                if file.is_file() and not sent and not file.name.startswith("."):
                    RemotePlace(place.with_name(name)).put("", file.read_bytes())
