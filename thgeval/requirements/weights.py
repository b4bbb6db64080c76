"""Weight files on this machine: where they are, whether they are what they should be, and whether they may be used.

Files lie in ``THGEVAL_HOME/weights`` under the names the manifest (``thgeval_models/weights.toml``) gives them, or
inside an installed package that ships them; a fetched file goes before a packaged one. Some networks have no file at
all, because their weights are computed from a seed. Nothing is ever fetched here; ``thgeval fetch`` does that when
asked.

What is hashed is what is loaded. A file is opened, hashed, and read through that one opening, whatever its name stands
for by then (``opened``); where the system can't lead a library to an open file, a private copy is hashed and read. A
process hashes a file once, as long as its size, times and inode stay what they were. Nothing written on the disk stands
in for that: sha256 takes about 0.6 s for a GB, and each process of a run 60 ms for dlib's landmarks, 0.3 s for VGG16.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, BinaryIO, Literal, TypeAlias

from thgeval import files
from thgeval.errors import ProtocolError, WeightsError
from thgeval.files.pinning import named_path
from thgeval.home import home
from thgeval.requirements.obtaining import absent, not_commercial, replacement

if TYPE_CHECKING:
    from thgeval_models.manifest import Weights as Entry

Standing: TypeAlias = Literal["embedded", "present", "absent", "unverified", "damaged"]
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


_checks: dict[str, tuple[Stamp, Check]] = {}  # by what was looked at, and so right in any run
_checking = Lock()


_outside: tuple[Policy, dict[str, str]] = Policy(), {}
_run = ContextVar("weights", default=_outside)  # with what files of unknown hash were when they were first asked for


@contextmanager
def allowed(policy: Policy) -> Iterator[None]:
    """What may be used until the context ends, as in a run of its own: in it a file of unknown hash must stay the same.

    It holds for this thread, and for those that are given its ``contextvars``. Outside verified files of any licence
    may be used.
    """
    before = _run.set((policy, {}))
    try:
        yield
    finally:
        _run.reset(before)


def policy() -> Policy:
    """What may be used now."""
    return _run.get()[0]


def folder() -> Path:
    """Where fetched weights lie; it need not exist."""
    return home() / "weights"


def place(entry: "Entry") -> Path:
    """Where the file lies when it has been fetched: weights in ``folder``, examples in one of their own."""
    return (home() / "examples" if entry.tier == "example" else folder()) / entry.file


def entry(name: str) -> "Entry":
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


def is_computed(entry: "Entry") -> bool:
    """Whether these weights need no file, because they are computed from a seed."""
    return entry.tier == "embedded" and not entry.origin and not entry.packaged


def located(entry: "Entry") -> Path | None:
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
        return f"unverified-{_run.get()[1].get(name) or checked(known, file).sha8}"
    except WeightsError:  # can't be read, which `problem` says before anything is computed
        return "unknown"


def standing(name: str) -> Standing:
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
    if policy().commercial and known.commercial_use != "yes":
        return not_commercial(known)
    if is_computed(known):
        return None
    file = located(known)
    if file is None:
        return absent(known)
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
    with _open(file) as handle, named_path(handle, known.file) as place:
        before = _stamp(known, handle)
        check = _seen(known, file, handle) if place.is_symlink() else inspected(known, place)
        if (objection := _objection(known, file, check)) is not None:
            raise objection
        try:
            yield place
        except RecursionError:
            raise WeightsError(f"{file} is damaged: it nests too deeply to be read; {replacement(known)}") from None
        except ModelError as error:
            said = str(error).replace(str(place), str(file))
            raise WeightsError(f"the weights {name} ({file}) can't be used: {said}") from None
        except WeightsError as error:
            raise WeightsError(str(error).replace(str(place), str(file))) from None
        if place.is_symlink() and _stamp(known, handle) != before:
            raise WeightsError(f"{file} was changed while it was read; start again")


def checked(entry: "Entry", file: Path) -> Check:
    """What a file is, as the manifest sees it; hashed only if it changed since this process last looked.

    Raises WeightsError if it can't be read.
    """
    with _open(file) as handle:
        return _seen(entry, file, handle)


def inspected(entry: "Entry", file: Path, handle: BinaryIO | None = None) -> Check:
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


def _objection(entry: "Entry", file: Path, check: Check) -> WeightsError | None:
    """Why a file that was looked at may not be used, or None."""
    if check.state == "damaged":
        return WeightsError(f"{file}{check.difference}; {replacement(entry)}")
    if check.state == "unverified" and not policy().unverified:
        return WeightsError(
            f"the weights {entry.name} ({file}) have no published hash to check them by; "
            f"--allow-unverified-weights uses them and marks the signature unverified-{check.sha8}"
        )
    if check.state == "unverified" and _run.get()[1].setdefault(entry.name, check.sha8) != check.sha8:
        return WeightsError(f"{file} is not the file that the run began with; start again")
    return None


def _open(file: Path) -> BinaryIO:
    try:
        return files.opened(file)
    except OSError as error:
        raise WeightsError(f"{file} can't be read ({error.strerror}); check its permissions") from None


def _seen(entry: "Entry", file: Path, handle: BinaryIO) -> Check:
    """What an open file is, from memory if it is what was looked at before."""
    with _checking:
        stamp = _stamp(entry, handle)
        known = _checks.get(entry.name)
        if known is None or known[0] != stamp:
            known = _checks[entry.name] = stamp, inspected(entry, file, handle)
        return known[1]


def _stamp(entry: "Entry", handle: BinaryIO) -> Stamp:
    """What changes when the file or what the manifest expects of it changes."""
    seen = os.fstat(handle.fileno())
    expected = entry.sha256 or entry.sha256_prefix
    where = seen.st_dev, seen.st_ino
    return *where, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, expected, entry.git_blob
