"""Audio-visual synchronisation in the features of AV-HuBERT, and LipScore in those of a lip reader."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from thgeval.feature import Feature
from thgeval.features.words.av_hubert import BESIDE, UNDIRECTED, Embedded, comparable, cosines, embeddings
from thgeval.metric import Better, Metric, Needs, View, of_both, of_generated
from thgeval.parameter import parameter
from thgeval.requirements.programs import folder
from thgeval.states import ClipMean


@dataclass(frozen=True)
class Cosine(Metric[ClipMean]):
    """What metrics share that average the cosines of rows over frames, then clips."""

    model: str = parameter(
        BESIDE, "``none`` for files beside the clips, else the name of the checkout that computes them"
    )

    version = 1
    range = (-1.0, 1.0)
    better = Better.HIGHER
    kind: ClassVar[str] = "avhubert"
    part: ClassVar[str]

    def check_together(self) -> None:
        """Refuse a name that no checkout can have."""
        folder(self.model)

    @property
    def rows(self) -> Feature[Embedded]:
        """The rows of one side."""
        return embeddings(kind=self.kind, model=self.model)

    @property
    def needs(self) -> Needs:
        """The rows of both sides."""
        return of_both(self.rows)

    def measure(self, view: View) -> ClipMean:
        """The cosine of each frame's rows on either side."""
        generated, reference = view.generated[self.rows], view.reference[self.rows]
        return self.averaged(view, cosines(*comparable(generated, reference, self.part)), generated.model)

    def averaged(self, view: View, values: NDArray[np.float64], model: str) -> ClipMean:
        """The cosines as a state, under the name of what computed the rows."""
        return ClipMean.of(view.clip, values, left_out={UNDIRECTED: np.isnan(values)}, under=model)


@dataclass(frozen=True)
class AVSu(Cosine):
    """How well lips and speech of the generated clip go together, unimodally: AV-HuBERT of each alone.

    Reads    AV-HuBERT's rows for the speech alone and for the lips alone of the generated clip, (frames, dimensions),
             from a file beside it or from a checkout of the user's own
    Returns  mean over frames of their cosine, then over clips: in [-1, 1], no unit; the reference clips' own value
             stands beside. Frames whose row is zero have no cosine and are left out
    Source   Yaman et al., arXiv 2405.04327, 2024
    Departs  no code was published: which layer's rows are compared is the user's, named in the file and in the run part
             of the signature
    """

    name = "avs-u"
    cites = ("yaman2024avs",)
    with_reference = True

    @property
    def needs(self) -> Needs:
        """The rows of the generated clip."""
        return of_generated(self.rows)

    def measure(self, view: View) -> ClipMean:
        """The cosine of speech and lips in each frame."""
        generated = view.generated[self.rows]
        heard, seen = generated.part("audio"), generated.part("video")
        return self.averaged(view, cosines(heard, seen), generated.model)


@dataclass(frozen=True)
class AVSm(Cosine):
    """How near the generated clip, lips and speech together, is to the real one in AV-HuBERT's features.

    Reads    AV-HuBERT's rows for speech and lips together of both clips, (frames, dimensions), from files beside them
             or from a checkout of the user's own
    Returns  mean over frames of their cosine, then over clips: in [-1, 1], no unit, 1 if equal
    Source   Yaman et al., arXiv 2405.04327, 2024; AlignDiT's evaluation (large_vox_iter5.pt, extract_finetune)
    Departs  no code of the authors' was published; clips of different lengths are refused
    """

    name = "avs-m"
    cites = ("yaman2024avs",)
    part = "joint"


@dataclass(frozen=True)
class AVSv(Cosine):
    """How near the generated lips are to the real ones in AV-HuBERT's features.

    Reads    AV-HuBERT's rows for the lips alone of both clips, (frames, dimensions), from files beside them or from a
             checkout of the user's own
    Returns  mean over frames of their cosine, then over clips: in [-1, 1], no unit, 1 if equal
    Source   Yaman et al., arXiv 2405.04327, 2024
    Departs  no code of the authors' was published; clips of different lengths are refused
    """

    name = "avs-v"
    cites = ("yaman2024avs",)
    part = "video"


@dataclass(frozen=True)
class LipScore(Cosine):
    """How near the generated lips are to the real ones in the features of a lip reader.

    Reads    a lip reader's embedding of each frame of both clips, (frames, dimensions), from files beside them or from
             a checkout of the user's own
    Returns  mean over frames of their cosine, then over clips: in [-1, 1], no unit, 1 if equal
    Source   Bigata et al., KeyFace, CVPR 2025; KeySync, 2025
    Departs  no code was published: which reader and layer is the user's, named in the file and in the run part of the
             signature
    """

    name = "lip-score"
    cites = ("bigata2025keyface",)
    kind = "lipreader"
    part = "video"
