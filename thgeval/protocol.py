"""Protocols: how clips are brought to a common form and what happens when they don't fit.

A protocol is a named, versioned data file in ``thgeval/protocols/``. Its content, not its name, goes into signatures,
so that equal protocols under different names stay comparable.
"""

import tomllib
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from fractions import Fraction
from functools import cache
from importlib.resources import files
from math import isfinite
from numbers import Rational, Real
from typing import Any

from thgeval.errors import ProtocolError

CHOICES = {
    "crop": ("none", "centre-square"),
    "lengths": ("strict", "truncate"),
    "rates": ("strict", "ignore"),
    "sizes": ("strict", "resize-generated"),
}


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

    def tokens(self) -> tuple[str, ...]:
        """The part of every signature that says how clips were prepared."""
        return (
            "fps:native" if self.fps is None else f"{_decimal(self.fps)}fps",
            "size:native" if self.size is None else f"{self.size}px",
            f"crop:{self.crop}",
            f"lengths:{self.lengths}",
            f"rates:{self.rates}",
            f"sizes:{self.sizes}",
        )

    @classmethod
    def of_tokens(cls, tokens: dict[str, str]) -> "Protocol":
        """The inverse of ``tokens``; the name is not part of them."""
        fps, size = tokens["fps"], tokens["size"]
        return cls(
            fps=None if fps == "native" else Fraction(fps),
            size=None if size == "native" else int(size),
            crop=tokens["crop"],
            lengths=tokens["lengths"],
            rates=tokens["rates"],
            sizes=tokens["sizes"],
        )

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
    """The protocol called ``name`` or ``name@version``; without a version, the newest."""
    known = protocols()
    if name in known:
        return known[name]
    versions = [item for item in known.values() if item.name == name]
    if versions:
        return max(versions, key=lambda item: item.version)
    near = get_close_matches(name, [*(item.name for item in known.values()), *known], n=1)
    hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(known)}"
    raise ProtocolError(f"no protocol is called {name!r}{hint}")


def _read(data: dict[str, Any]) -> Protocol:
    if unknown := data.keys() - {item.name for item in fields(Protocol)} - {"changed"}:
        raise ProtocolError(f"a protocol has no field {sorted(unknown)}")
    if "fps" in data:
        data["fps"] = Fraction(str(data["fps"]))
    if "clips" in data:
        data["clips"] = tuple(data["clips"])
    return Protocol(**data)
