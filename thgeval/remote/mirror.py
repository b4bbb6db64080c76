"""A folder of this machine that looks like a place elsewhere: its names are there at once, its files while needed.

So whatever reads folders, pairs names and finds what lies beside a clip works on it unchanged. A file that is not
needed now is empty; while somebody ``uses`` it, it is whole. The folder lies in the cache of fetched files, on the same
disk, and is gone when the run ends; what killed runs left behind, the next one removes.
"""

import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp
from threading import Lock

from thgeval.errors import InputError, OutputError, ProtocolError, ThgevalError
from thgeval.files import trouble
from thgeval.files.locking import locked
from thgeval.remote import cache
from thgeval.remote.addresses import Address, Location
from thgeval.remote.store import RemotePlace

ATTEMPTS = 2
"""How often a file is asked for, if there is no answer or it changes meanwhile."""
IN_VAIN = 5
"""So many files in a row that nobody sends end a run: the place is gone, not a file."""
PASSING = ("unreachable", "changed")
LOCK = ".lock"


@dataclass
class _Use:
    """Who uses a file now; one at a time brings it here."""

    lock: Lock = field(default_factory=Lock)
    users: int = 0


class Mirror:
    """The files of one address below a folder of this machine; for any number of threads.

    ``names`` are what the place calls its files, by what they are called here; an address that is a file has no names
    below it, and calls it "".
    """

    def __init__(self, address: Address, folder: Path, names: Mapping[str, str], said: str = "") -> None:
        self.address, self.folder = address, folder
        self.shown = said or (str(address) if "" not in names.values() else str(address).rpartition("/")[0]).rstrip("/")
        self._place = RemotePlace(address)
        self._names = names
        self._uses: dict[str, _Use] = {}
        self._lock = Lock()
        self._in_vain = 0
        for name in names:
            path = folder / name
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch(exist_ok=False)
            except (FileExistsError, NotADirectoryError):
                raise ProtocolError(f"{address} has both a file and a folder called {name}") from None

    @contextmanager
    def uses(self, path: Path, most: str) -> Iterator[None]:
        """The file under a path is whole as long as the body runs; InputError if it can't be had.

        ``most`` is the limit that it must keep to. Other paths than those of the mirror are as they are.
        """
        name = self._name(path)
        if name is None:
            yield
            return
        with self._lock:
            use = self._uses.setdefault(name, _Use())
            use.users += 1
        try:
            with use.lock:
                if not path.stat().st_size:
                    self._bring(name, path, most)
            yield
        finally:
            with self._lock:
                use.users -= 1
                if not use.users:
                    del self._uses[name]
                    self._leave(path)

    def names_of(self, paths: Collection[Path]) -> dict[str, str]:
        """What the place calls these files, and those right in these folders, by their names here."""
        ours = [path for path in paths if path.is_relative_to(self.folder)]
        names = [file.relative_to(self.folder).as_posix() for path in ours for file in self.below(path)]
        return {name: self._names[name] for name in names if name in self._names}

    def below(self, path: Path) -> list[Path]:
        """The files of the mirror in a folder of it; the path itself if it is a file."""
        return sorted(item for item in path.iterdir() if item.is_file()) if path.is_dir() else [path]

    def _name(self, path: Path) -> str | None:
        with suppress(ValueError):
            name = path.relative_to(self.folder).as_posix()
            return name if name in self._names else None
        return None

    def _bring(self, name: str, path: Path, most: str) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._fetch(name, path, most)
            except InputError as error:
                passing = error.reason in PASSING
                if passing and attempt < ATTEMPTS:
                    continue
                self._in_vain = self._in_vain + 1 if passing else 0
                if self._in_vain >= IN_VAIN:
                    raise ProtocolError(
                        f"{error}; that makes {IN_VAIN} files in a row, so the run ends; what was measured is kept"
                    ) from None
                raise
            self._in_vain = 0
            return

    def _fetch(self, name: str, path: Path, most: str) -> None:
        theirs = self._names[name]
        whole = f"{self.address}\n{theirs}"
        version = self._place.version(theirs)
        if version.mark and cache.held(whole, repr(version), path):
            return
        arriving = _beside(path, "arriving")
        try:
            content = self._place.fetched(theirs, arriving, most, version)
            cache.kept(arriving, content, whole, repr(version) if version.mark else "")
            arriving.replace(path)
        except OSError as error:
            raise OutputError(f"{path} can't be written: {trouble(error)}") from error
        finally:
            arriving.unlink(missing_ok=True)

    def _leave(self, path: Path) -> None:
        """Put an empty file in place of one that nobody uses any more; readers that have it open keep it."""
        with suppress(OSError):
            empty = _beside(path, "empty")
            empty.touch()
            empty.replace(path)


def _beside(path: Path, what: str) -> Path:
    return path.with_name(f".{sha256(path.name.encode('utf-8', 'surrogateescape')).hexdigest()[:16]}.{what}")


@dataclass(frozen=True)
class Mirrors:
    """What stands on this machine for places elsewhere; ``named`` are further folders that are said to be others."""

    mirrors: tuple[Mirror, ...] = ()
    named: tuple[tuple[Path, str], ...] = ()

    @contextmanager
    def use(self, paths: Collection[tuple[Path, str]]) -> Iterator[None]:
        """Files, each with its limit, are whole as long as the body runs; of folders all that is right in them."""
        with ExitStack() as stack:
            for mirror in self.mirrors:
                for path, most in paths:
                    if path.is_relative_to(mirror.folder):
                        for file in mirror.below(path):
                            stack.enter_context(mirror.uses(file, most))
            yield

    @property
    def addresses(self) -> dict[Path, str]:
        """What is shown of each place, by the folder that stands for it."""
        return {**dict(self.named), **{mirror.folder: mirror.shown for mirror in self.mirrors}}

    def names_of(self, paths: Collection[Path]) -> tuple[dict[str, str], ...]:
        """For every mirror the names of these files, and of those right in these folders."""
        return tuple(mirror.names_of(paths) for mirror in self.mirrors)

    def told(self, text: str) -> str:
        """A text that names places elsewhere where it named the folders that stand for them."""
        for folder, address in self.addresses.items():
            text = text.replace(str(folder), address)
        return text


NONE = Mirrors()
"""Where all files are of this machine."""


@contextmanager
def mirrored(
    *places: Location, one_file: Collection[str] = (), depth: int | None = None
) -> Iterator[tuple[tuple[Path, ...], Mirrors]]:
    """Paths of this machine for places: themselves, or folders that stand for those elsewhere as long as the body runs.

    An address that ends in one of the suffixes ``one_file`` is one file; of others all files at most ``depth`` folders
    deep are listed. ProtocolError for a place that can't be.
    """
    near = tuple(place for place in places if isinstance(place, Path))
    if len(near) == len(places):
        yield near, Mirrors()
        return
    with _scratch() as scratch:
        found: list[Path] = []
        mirrors = []
        for number, place in enumerate(places):
            if not isinstance(place, Address):
                found.append(place)
                continue
            folder = scratch / str(number)
            folder.mkdir()
            if place.suffix.lower() in one_file:
                mirrors.append(Mirror(place, folder, {place.name: ""}))
                found.append(folder / place.name)
                continue
            mirrors.append(Mirror(place, folder, RemotePlace(place).listed(depth=depth)))
            found.append(folder)
        together = Mirrors(tuple(mirrors))
        try:
            yield tuple(found), together
        except ThgevalError as error:
            error.args = tuple(together.told(part) if isinstance(part, str) else part for part in error.args)
            raise


@contextmanager
def remade(
    mirrors: Sequence[tuple[Address, Path, str]], names: Sequence[Mapping[str, str]]
) -> Iterator[tuple[Mirrors, dict[Path, Path]]]:
    """Mirrors like those of another process, of these names alone; and the folder of each, by that of the other."""
    if not mirrors:
        yield NONE, {}
        return
    with _scratch() as scratch:
        made, moved = [], {}
        for number, ((address, other, said), own) in enumerate(zip(mirrors, names, strict=True)):
            moved[other] = scratch / str(number)
            moved[other].mkdir()
            made.append(Mirror(address, moved[other], own, said))
        yield Mirrors(tuple(made)), moved


@contextmanager
def _scratch() -> Iterator[Path]:
    """A folder of this run alone, in the cache of fetched files."""
    above = cache.folder() / "runs"
    try:
        above.mkdir(parents=True, exist_ok=True)
        _sweep(above)
        folder = Path(mkdtemp(dir=above))
    except OSError as error:
        raise OutputError(f"{above} can't be written: {trouble(error)}; THGEVAL_HOME names another place") from error
    try:
        with locked(folder / LOCK, held="somebody holds a folder that was just made"):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(above: Path) -> None:
    """Remove the folders of runs that were killed: those whose lock nobody holds."""
    for folder in above.iterdir():
        with suppress(OutputError, OSError):
            if not (folder / LOCK).exists():
                continue  # it is being made right now
            with locked(folder / LOCK, held="at work"):
                shutil.rmtree(folder, ignore_errors=True)
