"""Speech-lip intensity correlation: whether lips move more where speech is louder."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import InputError
from thgeval.features.faces.meshes import mesh
from thgeval.features.sync.speech import speech
from thgeval.metric import Better, Metric, Needs, View, of_generated
from thgeval.metrics.meshes.surfaces import HEAD_FRAMES, Array, Surfaces, distances
from thgeval.parameter import parameter
from thgeval.states import Correlated

HEARD = speech(rate_hz=44100)
NOTHING = 1e-12


@dataclass(frozen=True)
class SLCC(Metric[Correlated]):
    """Whether the lips of a mesh move more in clips whose speech is louder.

    Reads    the vertices of the generated clip that its mesh file calls ``lips``, and its speech
    Returns  Pearson correlation over clips of how far lips move from frame to frame (root mean square over time of
             means over vertices) with the loudness of the speech (root mean square), both freed of each person's mean
             and spread: in [-1, 1], no unit. It needs several clips of a person, soft and loud; people with one clip
             are left out
    Source   Chae-Yeon et al., Perceptually Accurate 3D Talking Head Generation, CVPR 2025; evaluation/evaluate_SLCC.py
             of kaist-ami/Perceptual-3D-Talking-Head at 530d075
    Departs  nothing that is known; there whole videos of MEAD are compared, and a vertex that its list names twice
             counts twice, as here
    """

    surfaces: Surfaces = Surfaces()
    person: str = parameter("_", "what ends the name of the person at the start of a clip's name")

    name = "slcc"
    version = 1
    range = (-1.0, 1.0)
    better = Better.HIGHER
    with_reference = True
    cites = ("chaeyeon2025perceptual",)
    needs: ClassVar[Needs] = of_generated(mesh(), HEARD)

    def measure(self, view: View) -> Correlated:
        """How far the lips move, and how loud it is."""
        side, samples = view.generated[mesh()], view.generated[HEARD].astype(np.float64)
        lips = HEAD_FRAMES[self.surfaces.head](side)[:, side.array("lips")]
        if len(lips) < 2:
            raise InputError(f"{view.clip}: one frame doesn't move", reason="too short")
        loud = float(np.sqrt(np.mean(samples**2)))
        return Correlated.of(view.clip, intensity(lips), loud, frames=len(lips))

    def score(self, state: Correlated) -> float:
        """The correlation over clips; NaN if fewer than two have anything to compare with."""
        rows = self.normal(state)
        rows = rows[~np.isnan(rows).any(axis=1)]
        return correlation(*rows.T) if len(rows) > 1 else math.nan

    def normal(self, state: Correlated) -> Array:
        """Both numbers of each clip in spreads from their person's mean; NaN where a person has none: (clips, 2)."""
        owners = np.array([clip.split(self.person)[0] for clip in state.clips])
        rows = np.full(state.rows.shape, np.nan)
        for owner in np.unique(owners):
            own = state.rows[owners == owner]
            if len(own) > 1 and (own.std(axis=0) > NOTHING).all():
                rows[owners == owner] = (own - own.mean(axis=0)) / own.std(axis=0, ddof=1)
        return rows

    def cautions(self, state: Correlated) -> Iterator[str]:
        """How many clips say nothing, and whether any could."""
        alone = int(np.isnan(self.normal(state)).any(axis=1).sum())
        if alone:
            yield f"{alone} of {len(state.clips)} clips are left out: their person has one clip, or all are alike"
        if len(state.clips) - alone == 2:
            yield "two clips always correlate wholly, 1 or -1; it takes three"


def intensity(lips: Array) -> float:
    """How far (frames, points, 3) move: root mean square over time of the mean over points."""
    moved = distances(lips[1:], lips[:-1]).mean(axis=1)
    return float(np.sqrt((moved**2).mean()))


def correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Pearson's; NaN where either doesn't vary."""
    a, b = first - first.mean(), second - second.mean()
    size = math.sqrt(float((a**2).sum() * (b**2).sum()))
    return float((a * b).sum() / size) if size > 0 else math.nan
