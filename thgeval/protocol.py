"""Protocols: how clips are brought to a common form and what happens when they don't fit.

A protocol is a named, versioned data file in ``thgeval/protocols/``. Its content, not its name, goes into signatures,
so that equal protocols under different names stay comparable.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from fractions import Fraction
from functools import cache
from importlib.resources import files
from math import isfinite
from numbers import Rational, Real
from pathlib import Path
from typing import Any

from thgeval.errors import InputError, ProtocolError
from thgeval.limits import check_file, text

SUFFIX = ".toml"
NATIVE = "native"
"""What a signature says of a frame rate or a size that is left as it is."""
UNITS = {"fps": "fps", "px": "size"}
LARGEST_BYTES = 10_000_000  # a list of a hundred thousand clips fits
CHOICES = {
    "crop": ("none", "centre-square"),
    "lengths": ("strict", "truncate"),
    "rates": ("strict", "ignore"),
    "sizes": ("strict", "resize-generated"),
    "pairs": ("matched", "none"),
}


def setting(token: str) -> tuple[str, str]:
    """A token of a signature as a field and its value: ``crop:none``, but ``25fps`` and ``256px``."""
    for unit, field in UNITS.items():
        if token.endswith(unit) and ":" not in token:
            return field, token.removesuffix(unit)
    field, _, value = token.partition(":")
    return field, value


@dataclass(frozen=True)
class Protocol:
    """Frame rate, size, crop and the policies for clips that don't fit each other.

    fps      frames per second both sides are resampled to; None keeps each clip's frames as they are
    size     side in px both sides are resized to; None keeps the native size
    crop     ``none``, or ``centre-square``: the largest centred square, before resizing
    lengths  ``strict`` fails a pair of different lengths, ``truncate`` compares the frames both have, and says so
    rates    ``strict`` fails a pair of different frame rates or drifting frame times, ``ignore`` pairs frames by index
    sizes    ``strict`` fails a pair of different sizes, ``resize-generated`` brings the generated clip to the other's
    clips    ids that must be there, whatever the folders hold; None takes the folders at their word
    pairs    ``matched`` scores each clip against its own reference; ``none`` compares the two folders as sets, of any
             numbers, names, lengths, rates and sizes of clips, so that ``lengths``, ``rates`` and ``sizes`` are void
    """

    name: str = "native"
    version: int = 1
    says: str = ""
    fps: Fraction | None = None
    size: int | None = None
    crop: str = "none"
    lengths: str = "strict"
    rates: str = "strict"
    sizes: str = "strict"
    pairs: str = "matched"
    clips: tuple[str, ...] | None = None
    changed: bool = False

    def __post_init__(self) -> None:
        for field, allowed in CHOICES.items():
            if getattr(self, field) not in allowed:
                raise ProtocolError(f"{field} must be one of {', '.join(allowed)}, not {getattr(self, field)!r}")
        if self.fps is not None:
            object.__setattr__(self, "fps", rate(self.fps))
        size: Any = self.size
        if size is not None and (not isinstance(size, int) or not 1 <= size <= 8192):
            raise ProtocolError(f"size must be a whole number in 1..8192 px, not {size!r}")
        clips: Any = self.clips
        if clips is not None and not (isinstance(clips, tuple | list) and all(isinstance(id, str) for id in clips)):
            raise ProtocolError(f"clips must be names of clips, not {clips!r}")

    @property
    def label(self) -> str:
        """Name, version, and ``!`` if it deviates from the file of that name: ``native@1``."""
        own = f"{self.name}@{self.version}"
        shipped = protocols().get(own)
        deviates = shipped is not None and (shipped.tokens(), shipped.clips) != (self.tokens(), self.clips)
        return own + ("!" if self.changed or deviates else "")

    @property
    def unpaired(self) -> bool:
        """Whether two folders are compared as sets, without pairs of clips."""
        return self.pairs == "none"

    def tokens(self) -> tuple[str, ...]:
        """The part of every signature that says how clips were prepared."""
        prepared = (
            f"fps:{NATIVE}" if self.fps is None else f"{_decimal(self.fps)}fps",
            f"size:{NATIVE}" if self.size is None else f"{self.size}px",
            f"crop:{self.crop}",
        )
        if self.unpaired:
            return (*prepared, f"pairs:{self.pairs}")
        return (*prepared, f"lengths:{self.lengths}", f"rates:{self.rates}", f"sizes:{self.sizes}")

    @classmethod
    def of_settings(cls, given: Mapping[str, str]) -> "Protocol":
        """The inverse of ``tokens``, each as ``setting`` reads it; the name is not part of them. KeyError if one lacks.

        What else is ``given`` is left alone.
        """
        fps, size = given["fps"], given["size"]
        prepared = cls(
            fps=None if fps == NATIVE else Fraction(fps),
            size=None if size == NATIVE else int(size),
            crop=given["crop"],
        )
        if "pairs" in given:
            return replace(prepared, pairs=given["pairs"])
        return replace(prepared, lengths=given["lengths"], rates=given["rates"], sizes=given["sizes"])

    def but(self, **changes: Any) -> "Protocol":
        """This protocol with some fields changed, marked as deviating if any really is."""
        given = {name: value for name, value in changes.items() if value is not None}
        changed = replace(self, **given)
        return self if changed == self else replace(changed, changed=True)


def is_positive(value: Any) -> bool:
    """Whether something is a finite real number above 0; True is none."""
    kind: Any = type(value)
    return issubclass(kind, Real) and kind is not bool and isfinite(value) and value > 0


def rate(value: Any) -> Fraction:
    """Frames per second as a fraction, of a denominator up to 1001000; ProtocolError for what is no positive number."""
    if is_positive(value):
        return Fraction(value if isinstance(value, Rational) else float(value)).limit_denominator(1001000)
    raise ProtocolError(f"fps must be a positive number of frames per second, not {value!r}")


def _decimal(fps: Fraction) -> str:
    return str(fps.numerator) if fps.denominator == 1 else f"{fps.numerator}/{fps.denominator}"


SETTINGS = tuple(item.name for item in fields(Protocol) if item.name != "changed")


@cache
def protocols() -> dict[str, Protocol]:
    """Every protocol that ships, by ``name@version``."""
    found = [
        _read(tomllib.loads(item.read_text(encoding="utf-8")))
        for item in files("thgeval").joinpath("protocols").iterdir()
        if item.name.endswith(".toml")
    ]
    return {f"{item.name}@{item.version}": item for item in sorted(found, key=lambda item: (item.name, item.version))}


def protocol(name: str) -> Protocol:
    """The protocol called ``name`` or ``name@version`` (without a version, the newest), or the one in ``FILE.toml``."""
    if name.lower().endswith(SUFFIX):
        return read(Path(name))
    known = protocols()
    if name in known:
        return known[name]
    versions = [item for item in known.values() if item.name == name]
    if versions:
        return max(versions, key=lambda item: item.version)
    near = get_close_matches(name, [*(item.name for item in known.values()), *known], n=1)
    hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(known)}"
    raise ProtocolError(f"no protocol is called {name!r}{hint}")


def read(path: Path) -> Protocol:
    """The protocol in a file of the user's own; ProtocolError says what is wrong with it.

    It needs a name, which mustn't be that of a protocol that ships unless the two are equal.
    """
    try:
        if check_file(path, "companion_bytes") > LARGEST_BYTES:
            raise ProtocolError(f"{path} is not a protocol: it has more than {LARGEST_BYTES} bytes")
        found = _read(tomllib.loads(text(path, "companion_bytes", "utf-8-sig")))
    except (InputError, OSError) as error:
        raise ProtocolError(f"the protocol {path} can't be read: {str(error).removeprefix(f'{path}: ')}") from None
    except (ValueError, TypeError, RecursionError) as error:
        raise ProtocolError(f"{path} is not a protocol: {error}") from None
    except ProtocolError as error:
        raise ProtocolError(f"{path}: {error}") from None
    if found.label.endswith("!"):
        raise ProtocolError(
            f"{path} calls itself {found.label.removesuffix('!')}, which is another protocol; give it a name of its own"
        )
    return found


def _read(data: dict[str, Any]) -> Protocol:
    if "name" not in data:
        raise ProtocolError("a protocol needs a name")
    kinds = {"name": str, "version": int, "says": str, "fps": int | float | str, "size": int, "clips": list}
    for field, value in data.items():
        if field not in SETTINGS:
            raise ProtocolError(f"a protocol has no field {field!r}; it has {', '.join(SETTINGS)}")
        if not isinstance(value, kinds.get(field, str)) or isinstance(value, bool):
            raise ProtocolError(f"{field} can't be {value!r}")
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", data["name"]):
        raise ProtocolError(f"the name of a protocol is made of a-z, 0-9, '.', '_' and '-', not {data['name']!r}")
    if "fps" in data:
        data["fps"] = written_rate(data["fps"])
    if "clips" in data:
        data["clips"] = tuple(map(str, data["clips"]))
    return Protocol(**data)


def written_rate(text: str | float) -> Fraction:
    """Frames per second as they are written: ``25``, ``29.97``, ``30000/1001``."""
    try:
        return rate(Fraction(str(text)))
    except (ValueError, ZeroDivisionError, OverflowError):
        raise ProtocolError(f"fps must be a number such as 25 or 30000/1001, not {text!r}") from None
