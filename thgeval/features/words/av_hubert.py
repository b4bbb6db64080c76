"""What AV-HuBERT, or another lip reader, makes of a clip frame by frame: rows that others compute, and this compares.

The rows come out of an ``.npz`` file beside the clip, or of a checkout of the user's own (``programs``) that
writes the same file. Of either kind:

``avhubert``   ``CLIP.avhubert.npz`` with ``audio``, ``video`` and ``joint``: the last layer's output for the clip's
               speech alone, its lips alone, and both together; those that a metric doesn't read may be missing
``lipreader``  ``CLIP.lipreader.npz`` with ``video``: a lip reader's embedding of each frame

Arrays are (frames, dimensions), one row a frame at 25 per second. ``model`` is a text that names what computed them:
checkpoint and layer, in letters, digits and ``._+-``. Rows of different models can't be compared.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from thgeval.clip import Clip
from thgeval.errors import InputError
from thgeval.feature import Feature, Grain, feature
from thgeval.features.frames.checkout import answered
from thgeval.features.frames.offered import OF_EITHER_SIDE, clip
from thgeval.media.archives import arrays_in, names_in
from thgeval.requirements import Program

BESIDE = "none"
PARTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"avhubert": ("audio", "video", "joint"), "lipreader": ("video",)}
)
UNDIRECTED = "no direction"

Rows = NDArray[np.float64]


class Embedded(NamedTuple):
    """Rows by part, each (frames, dimensions) or absent, and what computed them."""

    rows: Mapping[str, Rows]
    model: str
    name: str

    def part(self, what: str) -> Rows:
        """The rows of one part; InputError "no such rows" where the file has none."""
        if what not in self.rows:
            raise InputError(f"{self.name} has no array {what!r}", reason="no such rows")
        return self.rows[what]


def _source(kind: str, model: str) -> Feature[Any]:
    return OF_EITHER_SIDE[kind] if model == BESIDE else clip


@feature(_source, version=1, grain=Grain.CLIP, requires=lambda model, **_: () if model == BESIDE else (Program(model),))
def embeddings(source: Path | Clip, *, kind: str, model: str) -> Embedded:
    """The rows in the file beside a clip, or those that a checkout computes of it.

    Raises InputError: "bad embeddings", or what running the checkout raises.
    """
    if isinstance(source, Path):
        return read(source, kind, str(source))
    with answered(source, model) as answer:
        return read(answer, kind, f"what the checkout {model} wrote for {source.name}")


def read(path: Path, kind: str, name: str) -> Embedded:
    """The rows in a file; InputError "bad embeddings" says what is wrong with it."""
    try:
        wanted = {*PARTS[kind], "model"} & set(names_in(path, "companion_bytes"))
        stored = dict(arrays_in(path, wanted))
    except InputError as error:
        raise _bad(name, f"can't be used: {error}") from None
    except Exception as error:  # zipfile's and numpy's readers meet broken files with nearly every exception there is
        raise _bad(name, f"is no .npz file of plain arrays ({' '.join(str(error).split())})") from None
    rows = {part: stored[part] for part in PARTS[kind] if part in stored}
    model = str(stored["model"]) if "model" in stored else ""
    if not re.fullmatch(r"[0-9A-Za-z._+-]+", model):
        raise _bad(name, "has no text 'model' of letters, digits and ._+- that says what computed it")
    if not rows:
        raise _bad(name, f"has none of the arrays {', '.join(PARTS[kind])}")
    for part, values in rows.items():
        if values.ndim != 2 or not values.size or values.dtype.kind != "f":
            raise _bad(name, f"has {part!r} of {values.dtype} {values.shape} instead of floats (frames, dimensions)")
        if not np.isfinite(values).all():
            raise _bad(name, f"has {part!r} with numbers that are not finite")
    if len({len(values) for values in rows.values()}) > 1:
        counts = ", ".join(f"{len(values)} {part}" for part, values in rows.items())
        raise _bad(name, f"has different numbers of rows: {counts}")
    return Embedded({part: values.astype(np.float64) for part, values in rows.items()}, model, name)


def _bad(name: str, why: str) -> InputError:
    return InputError(f"{name} {why}", reason="bad embeddings")


def cosines(first: Rows, second: Rows) -> Rows:
    """Cosine of the angle between rows, (rows,); NaN where one of them is zero."""
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    products = (first * second).sum(axis=1)
    return np.where(lengths > 0, products / np.where(lengths > 0, lengths, 1.0), np.nan)


def same_part(generated: Embedded, reference: Embedded, part: str) -> tuple[Rows, Rows]:
    """The same part of both sides.

    Raises InputError: "models differ", "length differs", "bad embeddings" where rows have different dimensions.
    """
    if generated.model != reference.model:
        raise InputError(
            f"{generated.name} is of {generated.model!r} and {reference.name} of {reference.model!r}; "
            "compute both with one model",
            reason="models differ",
        )
    first, second = generated.part(part), reference.part(part)
    if len(first) != len(second):
        raise InputError(
            f"{generated.name} has {len(first)} rows and {reference.name} {len(second)}", reason="length differs"
        )
    if first.shape != second.shape:
        raise _bad(generated.name, f"has rows of {first.shape[1]} numbers, and {reference.name} of {second.shape[1]}")
    return first, second
