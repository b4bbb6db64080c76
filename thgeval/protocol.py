"""Protocols: how clips are brought to a common form, which clips there must be, and what happens when they don't fit.

A protocol is a named, versioned data file in ``thgeval/protocols/``. Its content, not its name, goes into signatures,
so that equal protocols under different names stay comparable. What is not shipped, a file of the user's own or a list
that the user brought, stands beside the name by the beginning of its hash: ``my-set#0d5ae12b93c4@1``.
"""

import dataclasses
import re
import tomllib
from collections import Counter
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

from thgeval.clip import Excerpt
from thgeval.errors import ProtocolError
from thgeval.limits import content
from thgeval.protocols import tables
from thgeval.protocols.benchmark import FIELDS as OF_BENCHMARKS
from thgeval.protocols.benchmark import OWN, RANKED, Benchmark, benchmark
from thgeval.protocols.lists import hash_of

SUFFIX = ".toml"
NATIVE = "native"
"""What a signature says of a frame rate or a size that is left as it is."""
UNITS = {"fps": "fps", "px": "size"}
LONGEST = 40
"""Characters of a number that is written as text."""
NO_BENCHMARK = Benchmark()
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
    excerpt  the part of each clip that is looked at; None looks at all of it
    clips    ids that must be there, whatever the folders hold; None takes the folders at their word
    pairs    ``matched`` scores each clip against its own reference; ``none`` compares the two folders as sets, of any
             numbers, names, lengths, rates and sizes of clips, so that ``lengths``, ``rates`` and ``sizes`` are void

    ``benchmark`` says of which data set the clips are, how they are chosen, and who reported what; ``hash`` is the
    beginning of the sha256 of what does not ship.
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
    excerpt: Excerpt | None = None
    benchmark: Benchmark = NO_BENCHMARK
    hash: str = dataclasses.field(default="", compare=False)

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
        """Name, hash of what doesn't ship, version, and ``!`` where it deviates from what ships: ``native@1``."""
        shipped = protocols().get(f"{self.name}@{self.version}")
        deviates = shipped is not None and shipped.what_it_says != self.what_it_says
        own = f"{self.name}#{self.hash}" if self.hash else self.name
        return f"{own}@{self.version}" + ("!" if self.changed or deviates else "")

    @property
    def what_it_says(self) -> tuple[object, ...]:
        """All that could change a score, or which clips there must be."""
        return self.tokens(), self.clips, self.benchmark

    @property
    def ranked(self) -> bool:
        """Whether others can score the same, so that scores may be ranked; what is not is experimental."""
        about = self.benchmark
        same = self.clips is not None or about.determined or not about.selects
        return about.status in RANKED and same and not about.unscorable and not self.hash

    @property
    def count(self) -> int | None:
        """How many clips it is of; None where that is up to the folders."""
        about = self.benchmark
        if self.clips is not None:
            return len(self.clips)
        named = about.listing or about.draw
        return named.clips if named else about.clips

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
            *(() if self.excerpt is None else (f"excerpt:{self.excerpt}",)),
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
            excerpt=Excerpt.parse(given["excerpt"]) if "excerpt" in given else None,
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
    return is_real(value) and value > 0


def is_real(value: Any) -> bool:
    """Whether something is a finite real number; True is none."""
    kind: Any = type(value)
    return issubclass(kind, Real) and kind is not bool and isfinite(value)


def rate(value: Any) -> Fraction:
    """Frames per second as a fraction, of a denominator up to 1001000; ProtocolError for what is no positive number."""
    if is_positive(value):
        return Fraction(value if isinstance(value, Rational) else float(value)).limit_denominator(1001000)
    raise ProtocolError(f"fps must be a positive number of frames per second, not {value!r}")


def _decimal(fps: Fraction) -> str:
    return str(fps.numerator) if fps.denominator == 1 else f"{fps.numerator}/{fps.denominator}"


OF_EXCERPTS = {item.name: tables.RATE if item.name != "frames" else tables.WHOLE for item in fields(Excerpt)}
KINDS = {"version": tables.WHOLE, "size": tables.WHOLE, "fps": tables.RATE, "clips": tables.TEXTS}
PREPARED = ("name", "version", "says", "fps", "size", *CHOICES, "clips")
FIELDS = {**{name: KINDS.get(name, tables.TEXT) for name in PREPARED}, **OF_EXCERPTS, **OF_BENCHMARKS}
"""What a protocol's file may say."""


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
    data = tables.read_toml(path, "protocol")
    try:
        if data.get("status", OWN) != OWN:
            raise ProtocolError("status is for protocols that ship; a file of your own has none")
        found = _read(data)
    except ProtocolError as error:
        raise ProtocolError(f"{path}: {error}") from None
    if (shipped := protocols().get(f"{found.name}@{found.version}")) == found:
        return found
    if shipped is not None:
        raise ProtocolError(
            f"{path} calls itself {found.name}@{found.version}, which is another protocol; give it a name of its own"
        )
    return replace(found, hash=hash_of(content(path, "companion_bytes")))


def _read(data: dict[str, Any]) -> Protocol:
    tables.check(data, FIELDS, "a protocol")
    if "name" not in data:
        raise ProtocolError("a protocol needs a name")
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", data["name"]):
        raise ProtocolError(f"the name of a protocol is made of a-z, 0-9, '.', '_' and '-', not {data['name']!r}")
    if not 1 <= data.get("version", 1) <= 9999:
        raise ProtocolError(f"version must be in 1..9999, not {data['version']}")
    given = {name: data[name] for name in PREPARED if name in data}
    if "fps" in given:
        given["fps"] = written_rate(given["fps"])
    if "clips" in given:
        given["clips"] = _clips(given["clips"])
    parts = {name: written_amount(name, data[name]) for name in OF_EXCERPTS if name in data}
    return Protocol(**given, excerpt=Excerpt(**parts) if parts else None, benchmark=benchmark(data))


def _clips(given: list[str]) -> tuple[str, ...]:
    """Names of clips; ProtocolError for one that is there twice, or that leads out of the folder."""
    if not given:
        raise ProtocolError("clips names no clip; leave it out to take what the folders hold")
    if wrong := [id for id in given if not id or "\\" in id or id.startswith("/") or ".." in id.split("/")]:
        raise ProtocolError(f"clips can't hold {wrong[0]!r}: it is no name below a folder")
    twice = [id for id, count in Counter(given).items() if count > 1]
    if twice:
        raise ProtocolError(f"clips holds {twice[0]!r} twice")
    return tuple(given)


def written_amount(name: str, value: str | float) -> Any:
    """How much of a clip an excerpt is of, as it is written: ``8``, ``2.5``, ``1/11``."""
    if name == "frames":
        return value
    try:
        return _fraction(value)
    except (ValueError, ZeroDivisionError):
        raise ProtocolError(f"{name} must be a number such as 8 or 1/11, not {str(value)[:LONGEST]!r}") from None


def _fraction(value: str | float) -> Fraction:
    """A number as it is written; ValueError for a text that is none, or whose number could fill the memory."""
    if isinstance(value, str) and (len(value) > LONGEST or "e" in value.lower()):
        raise ValueError(value)
    return Fraction(str(value))


def written_rate(text: str | float) -> Fraction:
    """Frames per second as they are written: ``25``, ``29.97``, ``30000/1001``."""
    try:
        return rate(_fraction(text))
    except (ValueError, ZeroDivisionError, OverflowError):
        raise ProtocolError(f"fps must be a number such as 25 or 30000/1001, not {str(text)[:LONGEST]!r}") from None
