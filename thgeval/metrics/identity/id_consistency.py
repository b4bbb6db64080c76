"""Identity consistency: whether a clip shows one person from beginning to end."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from thgeval.metric import Better, Metric, Needs, Preset, View, of_generated
from thgeval.metrics.faces.missing import Array, policy
from thgeval.metrics.faces.whom import over_people, with_choice
from thgeval.metrics.identity.identity import EMBEDDED, Recognised, directions
from thgeval.parameter import holding
from thgeval.states import ClipMean

ALONE = "only one frame with a face"


@dataclass(frozen=True)
class IDConsistency(Metric[ClipMean]):
    """How much the face looks like itself in every other frame of the clip.

    Reads    faces of the generated clip, cut as the recogniser was trained on
    Returns  cosine of embeddings, mean over all pairs of frames of a clip, then over clips: in [-1, 1], no unit. It is
             1 for a still picture, so that the best value is the reference's own: lower is a face that drifts
    Source   as ``id`` of PV3D (Xu et al., ICLR 2023), over the frames of one plain video
    Departs  PV3D compares renders of one scene from two cameras, and does not align faces
    """

    whom: Recognised = holding(Recognised(), missing=policy("skip", "fail"))

    name = "id-consistency"
    version = 1
    range = (-1.0, 1.0)
    better = Better.CLOSER_TO_REFERENCE
    cites = ("xu2023pv3d", "deng2019arcface")
    embedded = "dlib"
    presets: ClassVar[Mapping[str, Preset]] = {
        "dlib": Preset(EMBEDDED, "dlib's descriptor on five frames a second; nothing to fetch"),
        "mobilefacenet": Preset({"network": "mobilefacenet"}, "a small network trained as ArcFace was"),
    }

    @property
    def needs(self) -> Needs:
        """The embeddings of the clip."""
        return of_generated(*with_choice(self.whom.of_clip))

    def measure(self, view: View) -> ClipMean:
        """For each frame, its mean cosine with all others."""
        rows, why = self.whom.alone(view, self.whom.of_clip, lambda found: directions(found.rows))
        values = over_people(np.stack([with_the_others(person) for person in rows.swapaxes(0, 1)], axis=1))
        why = np.where((why == "") & np.isnan(values), ALONE, why)
        return ClipMean({view.clip: (self.whom.part(values, why),)})

    def cautions(self, state: ClipMean) -> Iterator[str]:
        """What a high number may mean."""
        yield "a still picture scores 1: the best value is the reference's own"


def with_the_others(rows: Array) -> Array:
    """Mean cosine of each row with all others: (frames, D) of unit length, NaN without a face -> (frames,).

    By distances from the mean m of n rows, in one pass: the squared distances of row u to all others add up to
    n |u - m|^2 plus the sum of all |v - m|^2, and a cosine is 1 less half a squared distance. NaN if n < 2.
    """
    values = np.full(len(rows), np.nan)
    there = ~np.isnan(rows).any(axis=1)
    count = int(there.sum())
    if count > 1:
        used = rows[there]
        apart = ((used - used.mean(axis=0)) ** 2).sum(axis=1)
        values[there] = 1.0 - (count * apart + apart.sum()) / (2 * (count - 1))
    return values
