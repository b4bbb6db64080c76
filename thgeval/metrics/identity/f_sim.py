"""Facial similarity: how much the generated face looks like the one picture it was made from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from thgeval.feature import Feature, in_reference
from thgeval.features.faces.identity import Embeddings
from thgeval.metric import Better, Metric, Needs, Preset, View, of_generated
from thgeval.metrics.faces.missing import NO_FACE
from thgeval.metrics.faces.whom import lacking, over_pairs, with_choice
from thgeval.metrics.identity.identity import EMBEDDED, Recognised, cosine, directions, of_first_frame
from thgeval.parameter import parameter
from thgeval.states import ClipMean


@dataclass(frozen=True)
class FacialSimilarity(Metric[ClipMean]):
    """How much the generated face looks, frame by frame, like the one picture it was made from.

    Reads    faces of the clip, and of the first frame of the reference clip or of the source image
    Returns  100 times the cosine of the two embeddings, mean over frames, then clips: in [-100, 100], no unit. A copied
             still picture scores 100, the real clips of EMO's table 77: the best value is the reference's own
    Source   Tian et al., EMO, ECCV 2024. Neither its code nor its network was published; the default is that of csim
    Departs  nothing that is known. It is not FSIM, the image similarity of Zhang et al., which is here as fsim
    """

    whom: Recognised = Recognised()
    against: str = parameter(
        "first",
        "the one picture: ``first``, the first frame of the reference; ``source``, the source image",
        of=("first", "source"),
    )

    name = "f-sim"
    version = 1
    range = (-100.0, 100.0)
    better = Better.CLOSER_TO_REFERENCE
    cites = ("tian2024emo", "deng2019arcface")
    embedded = "dlib"
    presets: ClassVar[Mapping[str, Preset]] = {
        "dlib": Preset(EMBEDDED, "dlib's descriptor on five frames a second; nothing to fetch"),
        "mobilefacenet": Preset({"network": "mobilefacenet"}, "a small network trained as ArcFace was"),
        "source": Preset({"against": "source"}, "against the source image"),
        "dlib-source": Preset({**EMBEDDED, "against": "source"}, "dlib's descriptor against the source image"),
    }

    @property
    def picture(self) -> Feature[Embeddings]:
        """Embeddings in which the picture is found, whichever side is measured."""
        return self.whom.of_source if self.against == "source" else in_reference(self.whom.of_clip)

    @property
    def needs(self) -> Needs:
        """The clip's own embeddings and the picture's."""
        return of_generated(*with_choice(self.whom.of_clip), self.picture)

    def measure(self, view: View) -> ClipMean:
        """Percent of similarity in each frame."""
        picture = view.generated[self.picture]
        one = directions(picture.rows if self.against == "source" else of_first_frame(picture, view.clip))
        faces = directions(view.generated[self.whom.of_clip].rows)
        beside = np.broadcast_to(one, (len(faces), *one.shape[1:]))
        sides = self.whom.sides(view.clip, faces, beside, (lacking(view.generated, self.whom.of_clip), NO_FACE))
        values = 100.0 * over_pairs(sides.generated, sides.reference, cosine)
        return ClipMean({view.clip: (self.whom.part(values, sides.why),)})

    def cautions(self, state: ClipMean) -> Iterator[str]:
        """What a high number may mean."""
        yield "a still picture scores 100: the best value is the reference's own"
