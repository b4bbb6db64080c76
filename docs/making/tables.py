"""Tables of what the code declares: protocols, tolerances, formats, limits, arrays of NPZ files."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from making.markdown import code, stacked, table
from thgeval.features.frames.npz import Layout
from thgeval.limits import LIMITS
from thgeval.media import container
from thgeval.protocol import Protocol, protocols
from thgeval.protocols.datasets import datasets

TOLERANCES = Path(__file__).parents[2] / "tests" / "golden" / "tolerances.toml"
ORIGINALS = TOLERANCES.with_name("originals.toml")


def protocol_table() -> str:
    """Protocols that prepare clips of any data set."""
    ours = {label: item for label, item in protocols().items() if not item.benchmark.sources}
    rows = [(code(label), item.says, code(" ".join(item.tokens()))) for label, item in ours.items()]
    return table(rows, ("protocol", "is", "fields"))


def benchmark_table(*, ranked: bool) -> str:
    """Protocols of published tests: those that may be ranked, or the experimental ones."""
    theirs = {label: item for label, item in protocols().items() if item.benchmark.sources and item.ranked == ranked}
    rows = [(code(label), item.says, item.benchmark.status, _how(item)) for label, item in theirs.items()]
    return stacked(table(rows, ("protocol", "is", "status", "how it is scored")))


def _how(item: Protocol) -> str:
    about = item.benchmark
    if about.unscorable:
        return f"not at all: {about.unscorable}"
    brought = [] if about.listing is None else [f"needs {code(about.listing.file)} from {about.listing.where}"]
    return "; ".join([code(" ".join(item.tokens()[:4])), *brought])


def dataset_table() -> str:
    """All data sets whose names are known."""
    rows = [
        (code(name), found.title, "; ".join(layout.says for layout in found.layouts), found.split)
        for name, found in datasets().items()
    ]
    return stacked(table(rows, ("data set", "is", "names of clips", "split")))


def ceilings() -> str:
    """The table of tolerances that the tests hold metrics to."""
    rows = [(code(row["metric"]), f"{row['ceiling']:g} {row['kind']}", row["why"]) for row in _tolerances()["ceiling"]]
    return table(rows, ("metric", "at most", "because"))


def parity() -> str:
    """The table of tolerances that the tests hold networks and kernels to, beside other programs."""
    rows = [
        (row["name"], row["with"], f"{row['ceiling']:g} {row['kind']}", row["why"]) for row in _tolerances()["parity"]
    ]
    return stacked(table(rows, ("what", "beside", "at most", "because")))


def originals() -> str:
    """The table of programs that the tests hold metrics to, and how near they are held."""
    rows = [
        (code(row["metric"]), row["source"], row["run"], f"{row['relative']:g} relative", row.get("why", "rounding"))
        for row in tomllib.loads(ORIGINALS.read_text(encoding="utf-8"))["original"]
    ]
    return stacked(table(rows, ("metric", "program", "what was run", "at most", "because")))


def _tolerances() -> dict[str, list[dict[str, Any]]]:
    return tomllib.loads(TOLERANCES.read_text(encoding="utf-8"))


def layouts(arrays: Mapping[str, Layout]) -> str:
    """What the arrays of an NPZ file are."""
    rows = [(code(name), code(layout.shape), layout.says) for name, layout in arrays.items()]
    return table(rows, ("array", "shape", "is"))


def format_table() -> str:
    """Formats of video and sound, by what people and ffmpeg call them."""
    rows = [(name, code(of.replace(",", " "))) for name, of in container.FORMATS.items()]
    return table(rows, ("format", "as ffmpeg calls it"))


def limit_table() -> str:
    """What one file may cost."""
    rows = [(code(name), f"{most:,}", says) for name, (most, says) in LIMITS.items()]
    return table(rows, ("limit", "most", "of what"))
