"""Whether a generated face shows the emotion that it should, as a network that names emotions sees it.

The network, EmoNet as a rule, runs in a checkout of the user's own and gives the ``emotion`` of each frame by name.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from thgeval.errors import InputError
from thgeval.features.frames.checkout import CheckoutAnswer
from thgeval.metric import Better, Metric, Needs, Preset, View, of_both, of_generated
from thgeval.metrics.judged.checkouts import Checkout
from thgeval.parameter import parameter
from thgeval.states import ClipMean

EMONET = "emonet"
FACELESS = "no face"
EMOTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "neutral": ("neu",),
        "happy": ("hap", "happiness"),
        "sad": ("sadness",),
        "surprise": ("sur", "surprised"),
        "fear": ("fea", "fearful"),
        "disgust": ("dis", "disgusted"),
        "anger": ("ang", "angry"),
        "contempt": ("con",),
    }
)
"""The eight emotions, and what else EmoNet, EAT's script and the names of MEAD's and CREMA-D's clips call them."""
NAMED: Mapping[str, str] = MappingProxyType(
    {word: emotion for emotion, words in EMOTIONS.items() for word in (emotion, *words)}
)
LABELS = ("reference", "name")
COUNTED = ("clips", "frames")


@dataclass(frozen=True)
class EmotionAccuracy(Metric[ClipMean]):
    """How many generated clips show the emotion that they should.

    Reads    the emotion of each frame of the generated clip, as a checkout of the user's own names it (EmoNet's), and
             of the reference clip's, or the one that the clip's name says
    Returns  share of clips whose emotion, the one of most frames, is right: in [0, 1], no unit, 1 if all are
    Source   Acc_emo: Vougioukas, Petridis, Pantic, IJCV 2020; DinoMan/facial-animation-evaluation at d5604b9, with
             EmoNet after Toisoul et al., Nature Machine Intelligence 3, 2021; preset eat: test_emotion_acc.py of
             yuangan/evaluation_eat at e39b004
    Departs  the network runs as the checkout runs it, on the faces that it cuts out. Of emotions of equally many frames
             the one seen first counts, as in facial-animation-evaluation, whose other way, the largest mean score, a
             checkout takes by giving one emotion for the clip. EAT's script takes the emotion from fixed places of a
             name; here it is the one part of the name, between what is no letter, that is an emotion or its short form
    """

    judge: Checkout = Checkout(EMONET)
    label: str = parameter(
        "reference",
        "which emotion is right: that of the ``reference`` clip, as the same network sees it, or the one that stands "
        "in the clip's ``name``, such as M003_ang_3_001",
        of=LABELS,
    )
    counts: str = parameter(
        "clips",
        "``clips``, by the emotion of most of their frames; ``frames``: each by itself, mean of each clip, then over "
        "clips",
        of=COUNTED,
    )

    name = "emotion-accuracy"
    version = 1
    range = (0.0, 1.0)
    better = Better.HIGHER
    cites = ("vougioukas2020sda", "toisoul2021emonet", "gan2023eat")
    with_reference = True
    presets: ClassVar[Mapping[str, Preset]] = {
        "eat": Preset(
            {"model": "emotion-fan", "label": "name"},
            "test_emotion_acc.py of EAT, which prints percent: a checkout of its network, and emotions from names",
        ),
        "frames": Preset({"counts": "frames"}, "ACC of EmoNet's metrics.py: frame by frame"),
    }

    @property
    def needs(self) -> Needs:
        """Emotions of the generated clip, and of the reference's where they are what is right."""
        return of_both(self.judge.answer) if self.label == "reference" else of_generated(self.judge.answer)

    def measure(self, view: View) -> ClipMean:
        """For each frame, whether it is right, or whether its clip is."""
        seen = emotions(view.generated[self.judge.answer])
        right = (in_name(view.clip),) if self.label == "name" else emotions(view.reference[self.judge.answer])
        if self.counts == "clips":
            hit = of_most(seen, view.clip) == of_most(right, f"the reference of {view.clip}")
            return _kept(view.clip, [(ours, hit) for ours in seen])
        right = right * len(seen) if len(right) == 1 else right
        check_lengths(view.clip, len(seen), len(right))
        both = zip(seen, right, strict=True)
        return _kept(view.clip, [(ours and theirs, ours == theirs) for ours, theirs in both])


def emotions(answer: CheckoutAnswer) -> tuple[str | None, ...]:
    """The emotion of each frame under one of eight names, None without a face; InputError for any other name."""
    said = [word if word is None else word.strip().lower() for word in answer.texts("emotion")]
    if strange := [word for word in said if word is not None and word not in NAMED]:
        raise answer.refusal(f"names an emotion {strange[0]!r}, which is none of {', '.join(EMOTIONS)}")
    return tuple(None if word is None else NAMED[word] for word in said)


def of_most(seen: tuple[str | None, ...], clip: str) -> str:
    """The emotion of most frames, the first one of several; InputError "no face" if no frame has any."""
    votes = Counter(word for word in seen if word is not None)
    if not votes:
        raise InputError(f"{clip}: no frame has an emotion", reason=FACELESS)
    return votes.most_common(1)[0][0]


def in_name(clip: str) -> str:
    """The one emotion that is a part of a clip's name: M003_ang_3_001; InputError "no emotion in the name"."""
    found = {NAMED[part] for part in re.split(r"[^a-z]+", clip.lower()) if part in NAMED}
    if len(found) != 1:
        said = " and ".join(sorted(found)) or "none"
        raise InputError(
            f"the name {clip!r} must have one part that names an emotion, such as ang or sad; it has {said}",
            reason="no emotion in the name",
        )
    return found.pop()


def check_lengths(clip: str, generated: int, reference: int) -> None:
    """InputError "length differs" unless the checkout says as much of one side as of the other."""
    if generated != reference:
        raise InputError(
            f"{clip}: the checkout says something of {generated} frames, and of {reference} of the reference",
            reason="length differs",
        )


def _kept(clip: str, hits: list[tuple[str | None, bool]]) -> ClipMean:
    """A state of which frames are right, and of those that show no emotion."""
    lost = np.array([word is None for word, _ in hits])
    return ClipMean.of(clip, [float(hit) for _, hit in hits], left_out={FACELESS: lost})
