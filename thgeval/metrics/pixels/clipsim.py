"""CLIPSIM: how well the frames of a clip match the text it was made from."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from thgeval.feature import Feature
from thgeval.features.frames.clip import FORMS, LONG, SQUARES, clip_image, clip_text
from thgeval.metric import Better, Metric, Needs, Preset, View
from thgeval.parameter import parameter
from thgeval.states import ClipMean, Counts

CHOICES = {"pooling": ("mean", "max"), "square": SQUARES, "form": tuple(FORMS), "long": LONG}


@dataclass(frozen=True)
class CLIPSIM(Metric[ClipMean | Counts]):
    """How well the frames of the generated clip match its prompt, in the space that CLIP has for images and text.

    Reads    RGB of the generated clip, the shorter side of each frame brought to 224 px by Pillow's bicubic and the
             centre taken; the prompt, a text file CLIP.prompt.txt beside the clip, of at most 75 tokens
    Returns  cosine of frame and text in CLIP ViT-B/32, mean over frames, then clips: in [-1, 1], no unit, usually
             between 0.15 and 0.35. CLIPScore is 2.5 times as much; relative matching is the ratio to the reference's
    Source   Wu et al. (GODIVA), arXiv 2104.14806; Hessel et al., EMNLP 2021 (CLIPScore)
    Departs  nothing. Of relative matching, sums over clips are divided, not each clip's own numbers averaged
    """

    pooling: str = parameter("mean", "``mean`` over the frames of a clip, or their ``max``", of=("mean", "max"))
    square: str = parameter("bicubic-crop", "how frames become square: ``bicubic-crop``, or ``nearest``", of=SQUARES)
    form: str = parameter(
        "plain",
        "the sentence read: the prompt as it is (``plain``), A photo depicts and the prompt "
        "(``photo``), or the prompt without marks of start and end (``bare``), its direction read at "
        "the token of highest number",
        of=FORMS,
    )
    long: str = parameter(
        "refuse", "what happens to prompts of more than 75 tokens (77 if bare): ``refuse``, or ``cut``", of=LONG
    )
    scale: float = parameter(1.0, "what cosines are multiplied by", above=0, most=1000)
    positive: bool = parameter(False, "whether cosines below 0 count as 0")
    relative: bool = parameter(False, "whether the generated clips' number is divided by that of their references")

    name = "clipsim"
    version = 1
    better = Better.HIGHER
    cites = ("wu2021godiva", "hessel2021clipscore", "radford2021clip")
    presets: ClassVar[Mapping[str, Preset]] = {
        "max": Preset(
            {"pooling": "max", "square": "nearest", "form": "bare", "long": "cut"},
            "MMVID's script: best frame, nearest pixel, no marks of start and end, long prompts cut",
        ),
        "clipscore": Preset(
            {"form": "photo", "long": "cut", "scale": 2.5, "positive": True},
            "CLIPScore of every frame: 2.5 max(cos, 0)",
        ),
        "relative": Preset({"relative": True}, "relative matching: the cosine over that of the reference clip"),
    }

    @property
    def range(self) -> tuple[float, float]:
        """Of cosines, scaled; a ratio of two of them has no bounds."""
        if self.relative:
            return -math.inf, math.inf
        return 0.0 if self.positive else -self.scale, self.scale

    @property
    def images(self) -> Feature[Any]:
        """Directions of frames."""
        return clip_image(square=self.square)

    @property
    def text(self) -> Feature[Any]:
        """Direction of the prompt."""
        return clip_text(form=self.form, long=self.long)

    @property
    def needs(self) -> Needs:
        """Frames and prompt; the reference's frames for relative matching."""
        return Needs(generated=(self.images, self.text), reference=(self.images,) if self.relative else ())

    def measure(self, view: View) -> ClipMean | Counts:
        """Cosines of one clip, or its mean cosine and the reference's."""
        text = view.generated[self.text]
        ours = self.pooled(view.generated[self.images] @ text)
        if not self.relative:
            return ClipMean.of(view.clip, ours, start=view.start)
        images = view.reference[self.images]
        theirs = self.pooled(images @ text)
        return Counts.of(view.clip, float(ours.mean()), float(theirs.mean()), frames=len(images))

    def pooled(self, cosines: NDArray[np.float32]) -> NDArray[np.float64]:
        """What is averaged of a clip: every frame's cosine, or the best one."""
        scaled = self.scale * cosines.astype(np.float64)
        counted = np.maximum(scaled, 0) if self.positive else scaled
        return counted.max(keepdims=True) if self.pooling == "max" else counted
