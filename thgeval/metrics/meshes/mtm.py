"""Mean temporal misalignment: how far apart in time the lips of a mesh open and close."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from thgeval.kernels.warping import warping_path
from thgeval.metric import Better, Metric, Needs, View
from thgeval.metrics.meshes.surfaces import NEEDED, Array, Surfaces, distances
from thgeval.parameter import parameter
from thgeval.states import ClipMean

UNMATCHED = "no moments that match"


@dataclass(frozen=True)
class MTM(Metric[ClipMean]):
    """How far apart in time the lips of a mesh open and close, and those of the reference.

    Reads    the two vertices of both clips that the mesh files call ``lip_middles``
    Returns  frames between a moment at which the distance of the two is largest or smallest and the moment of the same
             kind that warping by slopes gives it in the other clip, mean over such moments, then clips: from 0, 0 for
             equal lips. Clips without any such moments are left out and counted
    Source   Chae-Yeon et al., Perceptually Accurate 3D Talking Head Generation, CVPR 2025; evaluation/evaluate_MTM.py
             of kaist-ami/Perceptual-3D-Talking-Head at 530d075
    Departs  the script takes every second frame of the reference, which it has at twice the rate; here both sides have
             one rate. Its vertices are 3531 and 3504 of FLAME
    """

    surfaces: Surfaces = Surfaces()
    smoothing: float = parameter(
        2.0, "standard deviation of the Gaussian that curves are smoothed by, in frames", above=0
    )

    name = "mtm"
    version = 1
    unit = "frames"
    range = (0.0, math.inf)
    better = Better.LOWER
    cites = ("chaeyeon2025perceptual",)
    needs: ClassVar[Needs] = NEEDED

    def measure(self, view: View) -> ClipMean:
        """The clip's mean, at every frame."""
        ours, theirs = (self.curve(side) for side in self.surfaces.region(view, "lip_middles"))
        apart = misalignments(ours, theirs)
        value = np.mean(apart) if len(apart) else math.nan
        return ClipMean.of(
            view.clip, np.full(len(ours), value), left_out={UNMATCHED: np.full(len(ours), not len(apart))}
        )

    def curve(self, middles: Array) -> Array:
        """How far the lips (frames, 2, 3) are apart, smoothed: (frames,)."""
        return np.asarray(gaussian_filter1d(distances(middles[:, 0], middles[:, 1]), self.smoothing))


def misalignments(ours: Array, theirs: Array) -> NDArray[np.int64]:
    """Frames between the extrema of one curve and those of the other that warping matches them with.

    A match counts if both are maxima or both minima, and if it lies between the extrema of ``theirs`` next to it.
    """
    mine, real = extrema(ours), extrema(theirs)
    moments = sorted(real)
    bounds = [0, *moments, len(theirs) - 1]
    around = {moment: (bounds[k], bounds[k + 2]) for k, moment in enumerate(moments)}
    matched = [
        abs(there - here)
        for there, here in warping_path(theirs, ours).tolist()
        if there in real and real[there] == mine.get(here) and around[there][0] <= here <= around[there][1]
    ]
    return np.array(matched, np.int64)


def extrema(curve: Array) -> dict[int, int]:
    """The frames of maxima, 1, and of minima, -1."""
    from scipy.signal import find_peaks  # takes half a second to import

    return {int(frame): sign for sign in (1, -1) for frame in find_peaks(sign * curve)[0]}
