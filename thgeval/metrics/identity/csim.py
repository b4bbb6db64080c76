"""Cosine similarity of identity: whether the generated face is the right person's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from thgeval.errors import InputError, ProtocolError
from thgeval.feature import Feature
from thgeval.features.faces.identity import Embeddings
from thgeval.metric import Better, Needs, Preset, View, of_both, of_generated
from thgeval.metrics.alignment import TimeAlignment
from thgeval.metrics.faces.missing import NO_FACE, Array
from thgeval.metrics.faces.paired import PairedMetric
from thgeval.metrics.faces.whom import Sides, lacking, over_pairs, with_choice
from thgeval.metrics.identity.identity import EMBEDDED, Recognised, cosine, directions, of_first_frame
from thgeval.parameter import parameter
from thgeval.states import ClipMean, PooledMean

AGAINST = ("paired", "first", "source")


@dataclass(frozen=True)
class CSIM(PairedMetric):
    """How much the generated face looks like the right person, to a face recogniser.

    Reads    faces of the generated clip, cut as the recogniser was trained on; of the same frame of the reference, of
             its first frame, or of the source image
    Returns  cosine of the two embeddings, mean over frames, then clips: in [-1, 1], no unit, 1 for equal faces
    Source   Zakharov et al., ICCV 2019, with ArcFace (Deng et al., CVPR 2019). No code was published, nor which
             ArcFace; the default is the r100 of InsightFace on aligned faces
    Departs  nothing that is known. Cosines of different recognisers have different sizes: between strangers 0.13 by
             ArcFace r50 and 0.23 by FaceNet, on average (cosanlab/py-feat #284); 0.04 by MobileFaceNet and 0.84 by
             dlib, whose embeddings all point one way, on this project's six test clips. Without alignment hair and
             background count too, and numbers rise. From the same five points insightface 2.1 cuts the same square,
             but for one level of 255 in places, and cosines of such squares differ by 2e-6; its five points are
             SCRFD's, here YuNet's
    """

    whom: Recognised = Recognised()
    against: str = parameter(
        "paired",
        ("``paired``: the reference's same frame; ``first``: its first frame; ``source``: the source image"),
        of=AGAINST,
    )
    alignment: TimeAlignment = TimeAlignment()

    name = "csim"
    version = 1
    range = (-1.0, 1.0)
    better = Better.HIGHER
    cites = ("zakharov2019fewshot", "deng2019arcface")
    embedded = "dlib"
    presets: ClassVar[Mapping[str, Preset]] = {
        "dlib": Preset(EMBEDDED, "dlib's descriptor on five frames a second; nothing to fetch"),
        "mobilefacenet": Preset({"network": "mobilefacenet"}, "a small network trained as ArcFace was"),
        "arcface-r50": Preset({"network": "arcface-r50"}, "InsightFace's r50"),
        "arcface-w600k-r50": Preset(
            {"network": "arcface-w600k-r50"}, "the r50 of InsightFace's pack buffalo_l, trained on WebFace600K"
        ),
        "arcface-irse50": Preset({"network": "arcface-irse50"}, "the IR-SE50 that image editing papers use"),
        "facenet-vggface2": Preset({"network": "facenet-vggface2"}, "facenet-pytorch's network, trained on VGGFace2"),
        "vico-fullframe": Preset(
            {"network": "arcface-r100-fullframe", "pool": "frame"},
            "ViCo's and TalkingHeadMetrics' script: the whole frame squeezed to 112 px, all frames pooled",
        ),
        "gagavatar": Preset(
            {"network": "npz", "pool": "frame", "missing": "zero"},
            "GAGAvatar's code (its issue 43), LAM: all frames at once, 0 for one without a face; on the embeddings of "
            "MICA's ArcFace, which a file brings along",
        ),
        "source": Preset({"against": "source"}, "against the source image, as across identities"),
        "first": Preset({"against": "first"}, "against the first frame of the reference"),
        "dlib-aligned": Preset(
            {**EMBEDDED, "band": 2, "softness": 0.01},
            "dlib's descriptor, brought in step first, up to 0.4 s out",
        ),
        "aligned": Preset({"band": 5, "softness": 0.01}, "brought in step first, each frame up to 5 early or late"),
        "dlib-source": Preset({**EMBEDDED, "against": "source"}, "dlib's descriptor against the source image"),
    }

    def check_together(self) -> None:
        """Refuse what doesn't go together."""
        self.alignment.check(average=self.pool)
        if not self.alignment.rigid and self.against != "paired":
            raise ProtocolError("clips are brought in step with the reference; leave band or against out")

    @property
    def values(self) -> Feature[Any]:
        """The embeddings of the generated clip."""
        return self.whom.of_clip

    @property
    def needs(self) -> Needs:
        """Embeddings of the generated clip, and of what it is held against."""
        if self.against == "source":
            return of_generated(*with_choice(self.whom.of_clip), self.whom.of_source)
        return of_both(*with_choice(self.whom.of_clip))

    def sides(self, view: View) -> Sides:
        """Directions of the embeddings on both sides; one reference image stands beside every frame."""
        found = view.generated[self.whom.of_clip]
        target = directions(self._target(view, found))
        generated = directions(found.rows)
        if len(target) == 1:
            target = np.broadcast_to(target, (len(generated), *target.shape[1:]))
        theirs = lacking(view.reference, self.whom.of_clip) if self.against == "paired" else NO_FACE
        return self.whom.sides(view.clip, generated, target, (lacking(view.generated, self.whom.of_clip), theirs))

    def _target(self, view: View, found: Embeddings) -> Array:
        if self.against == "source":
            return view.generated[self.whom.of_source].rows
        theirs = view.reference[self.whom.of_clip]
        if self.against == "first":
            return of_first_frame(theirs, view.clip)
        if not np.array_equal(found.frames, theirs.frames):
            raise InputError(
                f"{view.clip}: {self.whom.per_s:g} frames a second are other frames in the reference; "
                "choose --fps 25 (or --protocol thg256)",
                reason="frame rate differs",
            )
        return theirs.rows

    def measure(self, view: View) -> ClipMean | PooledMean:
        """One cosine per frame, or what frames cost that are brought in step: 1 less their cosine."""
        if self.alignment.rigid:
            return super().measure(view)
        sides = self.sides(view)
        costs = self.alignment.costs(
            sides.generated, sides.reference, lambda ours, theirs: 1.0 - over_pairs(ours, theirs, self.compared)
        )
        return self.state(view, costs, sides.why)

    def score(self, state: ClipMean | PooledMean) -> float:
        """Mean over clips, or over all frames, or of clips in step."""
        found = self.alignment.value(state)
        return found if self.alignment.rigid else 1.0 - found

    def per_frame(self, values: Array) -> Array:
        """Cosines, of which a state keeps the cost where clips are brought in step."""
        return values if self.alignment.rigid else 1.0 - values

    def compared(self, generated: Array, reference: Array) -> Array:
        """Cosines of faces: (faces, D) of either side -> (faces,)."""
        return cosine(generated, reference)
