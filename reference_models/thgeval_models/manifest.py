"""The manifest of weight files: where each comes from, how to recognise it, what it may be used for.

``weights.toml`` beside this module has one table per file, keyed by the name under which metrics and
``thgeval fetch`` know it. Nothing here downloads and nothing here needs torch.

Fields of an entry
    tier              embedded (works right after install), light (small and permissive), canonical (published numbers)
    file              name under which the file is stored
    origin            the authors' own download address; empty if they only offer a file share
    origin_note       how to get the file when there is no address, or what it is unpacked from
    packaged          the package of the Python index that carries the file: its name, the version that was looked at
                      (none for thgeval itself), and the path in its wheel; see ``packaged_path``
    sha256, git_blob, sha256_prefix
                      what identifies the file; ``hash = "unknown"`` if no hash was ever published
    bytes             size, 0 if not known
    network           module of this package that reads the file, empty if another program does
    paper, code, code_licence, weight_licence, commercial_use
    input             what the network wants to see: size, range, channels, normalisation
    used_by           keys of the metrics that read it

``examples.toml`` has in the same form what networks are tried on: pictures and clips for which their authors publish
what comes out. Its entries are of the tier ``example`` and say ``licence`` in place of all that concerns networks.
"""

import difflib
import importlib.util
import re
import string
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args

from thgeval_models.errors import ManifestError, UnknownWeightsError

Tier = Literal["embedded", "light", "canonical", "example"]
CommercialUse = Literal["yes", "no", "unclear"]

HASH_DIGITS = {"sha256": 64, "git_blob": 40}
SHORTEST_PREFIX = 8  # hex digits, as torch.hub's file names carry them


@dataclass(frozen=True)
class InputContract:
    """What one sample must look like when it reaches the network."""

    size: str
    range: str
    channels: str
    normalisation: str


@dataclass(frozen=True)
class Packaged:
    """The package that carries a file, and the file's path in its wheel: ``lpips/weights/v0.1/alex.pth``."""

    package: str
    path: str
    version: str = ""

    @property
    def requirement(self) -> str:
        """What an installer is asked for, ``lpips==0.1.4``; empty for what comes with this package."""
        return f"{self.package}=={self.version}" if self.version else ""


@dataclass(frozen=True)
class Weights:
    """One published weight file."""

    name: str
    tier: Tier
    file: str
    origin: str
    origin_note: str
    packaged: Packaged | None
    sha256: str
    git_blob: str
    sha256_prefix: str
    bytes: int
    network: str
    paper: str
    code: str
    code_licence: str
    weight_licence: str
    commercial_use: CommercialUse
    input: InputContract
    used_by: tuple[str, ...]

    @property
    def has_known_hash(self) -> bool:
        """Whether a copy of the file can be recognised at all."""
        return bool(self.sha256 or self.git_blob or self.sha256_prefix)


@cache
def manifest() -> Mapping[str, Weights]:
    """All known weight files by name, in the order of ``weights.toml``."""
    text = resources.files("thgeval_models").joinpath("weights.toml").read_text(encoding="utf-8")
    return MappingProxyType(parse(text))


@cache
def examples() -> Mapping[str, Weights]:
    """All known example files by name, in the order of ``examples.toml``."""
    text = resources.files("thgeval_models").joinpath("examples.toml").read_text(encoding="utf-8")
    return MappingProxyType({name: _example(name, table) for name, table in _tables(text).items()})


def weights(name: str) -> Weights:
    """The entry called ``name``, of weights or an example; UnknownWeightsError lists names that look alike."""
    known = manifest()
    if name not in known and name in examples():
        return examples()[name]
    if name in known:
        return known[name]
    near = [other for other in known if name in other][:3] or difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known names are {', '.join(known)}."
    raise UnknownWeightsError(f"No weights are called '{name}'; {hint}")


def packaged_path(entry: Weights) -> Path | None:
    """Where an installed package holds the file, None if there is no such package; nothing of it is imported."""
    places = _places(entry.packaged) if entry.packaged else ()
    return next((path for path in places if path.is_file()), None)


def _places(packaged: Packaged) -> Iterator[Path]:
    """Where the distribution says that it put the file; then, for source trees, beside the modules of that name."""
    with suppress(PackageNotFoundError):
        yield Path(str(distribution(packaged.package).locate_file(packaged.path)))
    top, _, inside = packaged.path.partition("/")
    spec = importlib.util.find_spec(top)
    for place in (spec.submodule_search_locations if spec else None) or ():
        yield Path(place, inside)


def parse(text: str) -> dict[str, Weights]:
    """Read and check a manifest; raises ManifestError at the first entry that is wrong."""
    return {name: _entry(name, table) for name, table in _tables(text).items()}


def _tables(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ManifestError(f"The manifest is not valid TOML ({error}); correct that line.") from error


NO_NETWORK: Mapping[str, Any] = MappingProxyType(
    {"tier": "example", "paper": "", "code_licence": "", "commercial_use": "unclear", "used_by": ()}
    | {"input": {"size": "", "range": "", "channels": "", "normalisation": ""}}
)


def _example(name: str, table: Mapping[str, Any]) -> Weights:
    named = {"weight_licence" if key == "licence" else key: table[key] for key in table}
    return _entry(name, dict(NO_NETWORK) | named)


REQUIRED = ("tier", "file", "paper", "code_licence", "weight_licence", "commercial_use", "input", "used_by")
TEXTS = ("origin", "origin_note", "sha256", "git_blob", "sha256_prefix", "network", "code")
OPTIONAL = (*TEXTS, "packaged", "hash", "bytes")
PATH = re.compile(r"[A-Za-z0-9_][\w.+-]*(/[A-Za-z0-9_][\w.+-]*)+", re.ASCII)
PACKAGE, VERSION = re.compile(r"[A-Za-z0-9][\w.-]*", re.ASCII), re.compile(r"[\w.+!-]*", re.ASCII)


def _entry(name: str, table: Mapping[str, Any]) -> Weights:
    missing = [key for key in REQUIRED if key not in table]
    unknown = [key for key in table if key not in REQUIRED + OPTIONAL]
    if missing or unknown:
        wrong = [f"lacks {key}" for key in missing] + [f"has an unknown field {key}" for key in unknown]
        raise ManifestError(f"Entry '{name}' of the manifest {' and '.join(wrong)}; manifest.py lists the fields.")
    fields = dict.fromkeys(TEXTS, "") | dict(table)
    hash_is_unknown = fields.pop("hash", "") == "unknown"
    fields["bytes"] = fields.get("bytes", 0)
    fields["used_by"] = tuple(fields["used_by"])
    fields["input"] = _contract(name, fields["input"])
    fields["packaged"] = _packaged(name, fields.get("packaged"))
    entry = Weights(name=name, **fields)
    _check_choices(entry)
    _check_hashes(entry, hash_is_unknown=hash_is_unknown)
    _check_source(entry)
    return entry


def _contract(name: str, table: Mapping[str, str]) -> InputContract:
    try:
        return InputContract(**table)
    except TypeError as error:
        raise ManifestError(
            f"Entry '{name}' of the manifest: input must state size, range, channels and normalisation, no more."
        ) from error


def _packaged(name: str, table: Mapping[str, str] | None) -> Packaged | None:
    if table is None:
        return None
    try:
        found = Packaged(**table)
        wrong = [
            pattern
            for pattern, text in ((PACKAGE, found.package), (VERSION, found.version), (PATH, found.path))
            if not pattern.fullmatch(text)
        ]
    except TypeError:
        wrong = [PATH]
    if wrong:
        raise ManifestError(
            f"Entry '{name}' of the manifest: packaged must state package, path and version; "
            "the path is the plain one in its wheel."
        )
    return found


def _check_choices(entry: Weights) -> None:
    for field, allowed in (("tier", get_args(Tier)), ("commercial_use", get_args(CommercialUse))):
        value = getattr(entry, field)
        if value not in allowed:
            raise ManifestError(
                f"Entry '{entry.name}' of the manifest has {field} = '{value}'; it must be one of {', '.join(allowed)}."
            )


def _check_hashes(entry: Weights, *, hash_is_unknown: bool) -> None:
    if hash_is_unknown == entry.has_known_hash:
        raise ManifestError(
            f"Entry '{entry.name}' of the manifest needs a sha256, git_blob or sha256_prefix, else hash = \"unknown\"."
        )
    for field, digits in HASH_DIGITS.items():
        value = getattr(entry, field)
        if value and (len(value) != digits or not _is_hex(value)):
            raise ManifestError(f"Entry '{entry.name}' of the manifest: {field} must be {digits} small hex digits.")
    prefix = entry.sha256_prefix
    if prefix and (len(prefix) < SHORTEST_PREFIX or not _is_hex(prefix)):
        raise ManifestError(
            f"Entry '{entry.name}' of the manifest: sha256_prefix must be at least {SHORTEST_PREFIX} small hex digits."
        )


def _check_source(entry: Weights) -> None:
    if not (entry.origin or entry.origin_note or entry.packaged):
        raise ManifestError(f"Entry '{entry.name}' of the manifest has no origin, origin_note or package; add one.")
    if entry.origin and not entry.origin.startswith(("https://", "http://")):
        raise ManifestError(f"Entry '{entry.name}' of the manifest: origin must be a web address.")


def _is_hex(text: str) -> bool:
    return set(text) <= set(string.hexdigits.lower())
