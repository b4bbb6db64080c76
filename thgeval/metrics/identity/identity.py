"""What metrics of identity look at: whose recogniser, on which frames, and how two faces are compared."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from thgeval.errors import InputError
from thgeval.feature import Feature, Parameter
from thgeval.features.faces.identity import NETWORKS, Embeddings, embeddings
from thgeval.metrics.faces.missing import Array
from thgeval.metrics.faces.whom import Whom
from thgeval.parameter import parameter
from thgeval.states import State

EMBEDDED: Mapping[str, Parameter] = {"network": "dlib", "per_s": 5.0}


@dataclass(frozen=True)
class Recognised(Whom):
    """People of whom a face recogniser gives embeddings."""

    network: str = parameter(
        "arcface-r100",
        "the recogniser, and with it how faces are cut; numbers of different ones can't be compared",
        of=NETWORKS,
    )
    per_s: float = parameter(0.0, "how many frames of a second are looked at, 0 for all", least=0)

    @property
    def of_clip(self) -> Feature[Embeddings]:
        """Embeddings of the chosen people in the sampled frames."""
        return self.seen_in("clip")

    @property
    def of_source(self) -> Feature[Embeddings]:
        """Embeddings of the people in the source image."""
        return self.seen_in("source")

    def seen_in(self, what: str) -> Feature[Embeddings]:
        """Embeddings in the clip or in its source image."""
        return embeddings(
            network=self.network, per_s=self.per_s, follow=self.follow, who=self.who, min_px=self.min_px, of=what
        )

    def remarks(self, state: State) -> Iterator[str]:
        """How many frames had no face, and whose number it is if there is one."""
        yield from super().remarks(state)
        if state.scored:
            yield f"as {self.network} sees faces; other recognisers give other numbers"


def of_first_frame(found: Embeddings, clip: str) -> Array:
    """The people in a clip's first frame: (1, people, D); InputError if there are none."""
    first = found.rows[:1]
    if np.isnan(first).all():
        raise InputError(
            f"{clip}: no face is found in the first frame of the reference", reason="no face in first frame"
        )
    return first


def directions(rows: Array) -> Array:
    """Rows at unit length, NaN where they are NaN; InputError for a row of zeros, which has no direction."""
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    if (lengths == 0).any() or np.isinf(lengths).any():
        raise InputError(
            "the recogniser gave an embedding of zeros or infinity; check its weights", reason="not finite"
        )
    return np.asarray(rows / lengths)


def cosine(first: Array, second: Array) -> Array:
    """Cosine of rows of unit length: exactly 1 for equal rows and never above."""
    return np.asarray(1.0 - ((first - second) ** 2).sum(axis=-1) / 2)
