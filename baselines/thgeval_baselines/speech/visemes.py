"""What a mouth aims at for each sound of speech: one table, for IPA (espeak-ng) and ARPABET (pocketsphinx) names.

A sound names a *viseme*; a viseme is an opening and a rounding of the lips, the ARKit actions that go with it, and how
much it insists on them against its neighbours. ``/k/`` hardly cares what the lips do and ``/h/`` not at all; ``/w/``
rounds them and ``/m b p/`` shut them whatever comes before or after. The numbers are ours, chosen by eye; which sounds
share a viseme follows the sets of Rhubarb Lip Sync and of the Oculus SDK.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple


class Phone(NamedTuple):
    """One sound of speech by its IPA or ARPABET name, from ``start_s`` to ``end_s`` in seconds; "" is a pause."""

    name: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Viseme:
    """The aim of a mouth.

    ``aperture`` and ``rounding``  as in ``photo.geometry.Parameters``, 0 to 1
    ``grip``, ``lips``             how much it insists on its opening and on the shape of its lips; 1 is a vowel
    ``shut``                       the part of the sound, from its start, in which the lips touch
    ``shape``                      ARKit actions of the lips, blended by ``lips``; pairs without ``Left`` and ``Right``
    ``tip``                        ARKit actions that no neighbour takes part in: teeth on the lip, tongue
    """

    aperture: float
    rounding: float = 0.0
    grip: float = 1.0
    lips: float = 1.0
    shut: float = 0.0
    shape: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    tip: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))


VISEMES: dict[str, Viseme] = {
    "rest": Viseme(0.0, grip=0.8, lips=0.6),
    "aa": Viseme(0.85, lips=0.6),
    "ah": Viseme(0.6, lips=0.6),
    "eh": Viseme(0.5, lips=0.7, shape={"mouthStretch": 0.15}),
    "uh": Viseme(0.4, 0.1, grip=0.7, lips=0.4),
    "ih": Viseme(0.3, lips=0.8, shape={"mouthStretch": 0.25}),
    "ao": Viseme(0.6, 0.5, shape={"mouthFunnel": 0.4}),
    "oh": Viseme(0.5, 0.6, shape={"mouthFunnel": 0.4, "mouthPucker": 0.3}),
    "oe": Viseme(0.35, 0.7, shape={"mouthFunnel": 0.25, "mouthPucker": 0.45}),
    "uw": Viseme(0.2, 0.9, lips=1.2, shape={"mouthPucker": 0.75}),
    "w": Viseme(0.12, 1.0, lips=1.5, shape={"mouthPucker": 0.85}),
    "r": Viseme(0.22, 0.4, grip=0.6, lips=0.5, shape={"mouthFunnel": 0.15, "mouthPucker": 0.15}),
    "sh": Viseme(0.2, 0.5, grip=1.1, shape={"mouthFunnel": 0.35}),
    "kk": Viseme(0.3, grip=0.4, lips=0.1),
    "dd": Viseme(0.2, grip=0.7, lips=0.15),
    "ss": Viseme(0.2, grip=1.1, lips=0.3, shape={"mouthStretch": 0.15}),
    "th": Viseme(0.2, grip=0.8, lips=0.2, tip={"tongueOut": 0.2}),
    "ff": Viseme(0.05, grip=1.6, lips=0.3, tip={"mouthRollLower": 0.4, "mouthUpperUp": 0.25}),
    "bh": Viseme(0.08, grip=1.4, lips=0.3),
    "hh": Viseme(0.3, grip=0.05, lips=0.02),
    "mm": Viseme(0.0, lips=0.3, shut=1.0),
    "pp": Viseme(0.0, lips=0.3, shut=0.6),
}

IPA: dict[str, str] = {
    **dict.fromkeys("aɑ", "aa"),
    **dict.fromkeys("ɐʌɛæ", "ah"),
    **dict.fromkeys("eɘ", "eh"),
    **dict.fromkeys("əɚɜɝɞ", "uh"),
    **dict.fromkeys("iɪɨᵻ", "ih"),
    **dict.fromkeys("ɔɒ", "ao"),
    **dict.fromkeys("oɤɵ", "oh"),
    **dict.fromkeys("øœɶ", "oe"),
    **dict.fromkeys("uʊyʏʉɯᵿ", "uw"),
    **dict.fromkeys("wʍɥ", "w"),
    **dict.fromkeys("ɹɻ", "r"),
    **dict.fromkeys("ʃʒʂʐɕʑ", "sh"),
    **dict.fromkeys("kɡgŋxɣçʝqɢχʁɴɰʀcɟɲʎʟ", "kk"),
    **dict.fromkeys("dlntɾrɽʈɖɳɭɬɮɫjɺᵈ", "dd"),
    **dict.fromkeys("sz", "ss"),
    **dict.fromkeys("θð", "th"),
    **dict.fromkeys("fvʋɱⱱ", "ff"),
    **dict.fromkeys("βɸ", "bh"),
    **dict.fromkeys("hɦħʕʔʡʜʢ", "hh"),
    **dict.fromkeys("mʙ", "mm"),
    **dict.fromkeys("bpɓ", "pp"),
}
"""The viseme of each letter of the IPA; one that is missing leaves the mouth to its neighbours, as ``/h/`` does."""

_ARPABET = (
    "AA=ɑ AE=æ AH=ʌ AO=ɔ AW=aʊ AY=aɪ B=b CH=tʃ D=d DH=ð EH=ɛ ER=ɚ EY=eɪ F=f G=ɡ HH=h IH=ɪ IY=i JH=dʒ K=k L=l M=m N=n "
    "NG=ŋ OW=oʊ OY=ɔɪ P=p R=ɹ S=s SH=ʃ T=t TH=θ UH=ʊ UW=u V=v W=w Y=j Z=z ZH=ʒ SIL="
)
ARPABET: dict[str, str] = dict(pair.split("=") for pair in _ARPABET.split(" "))
"""ARPABET names in IPA; stress digits are left off before they are looked up."""

PAIRED = ("mouthPress", "mouthStretch", "mouthUpperUp")
ACTIONS: tuple[str, ...] = (
    *("jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthRollLower", "tongueOut"),
    *(f"{name}{side}" for name in PAIRED for side in ("Left", "Right")),
)
"""Every ARKit action that speech moves here."""


def visemes(name: str) -> list[tuple[Viseme, float]]:
    """The visemes of a sound in order and what part of its time each takes; a pause is at rest.

    Diphthongs and affricates share their time equally; a letter marked long (``ː``) takes twice as much. Stress, tones
    and other marks take none. Names that espeak-ng gives to a change of language, such as ``(en)``, and pocketsphinx's
    noises, such as ``+NSN+``, are pauses.
    """
    spelt = name.rstrip("012")
    letters = ARPABET.get(spelt, "" if spelt[:1] in {"(", "+", "<", "["} else name)
    found: list[tuple[Viseme, float]] = []
    for letter in unicodedata.normalize("NFD", letters):
        if letter in "ːˑ" and found:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        elif letter in IPA or unicodedata.category(letter) in {"Ll", "Lo"}:
            found.append((VISEMES[IPA.get(letter, "hh")], 1))
    whole = sum(share for _, share in found)
    return [(viseme, share / whole) for viseme, share in found] or [(VISEMES["rest"], 1.0)]
