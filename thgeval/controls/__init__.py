"""Copies of a user's own references whose faults are known: beside them a score says what it is worth.

    frames   what frames alone can suffer: standing still, coming late, blur, noise
    faces    landmarks of a video, and what is pasted by them: a frozen mouth, eyes that never shut
    copies   the copies as files, kept by content under thgeval's home

``CONTROLS`` is the table of them. Those of one ``ladder`` differ in strength alone, the mildest first.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

FINE_CRF = 12
"""How copies are encoded whose fault isn't the encoding."""


@dataclass(frozen=True)
class Control:
    """One kind of copy: what sentences call it, and how it is made.

    ``change`` is ``module:function`` of this package, empty where encoding is all; ``settings`` are its arguments.
    ``faces`` says whether it goes by landmarks.
    """

    label: str
    ladder: str = ""
    change: str = ""
    settings: Mapping[str, float] = field(default_factory=dict)
    crf: int = FINE_CRF
    faces: bool = False


CONTROLS: Mapping[str, Control] = MappingProxyType(
    {
        "crf18": Control("crf 18", "crf", crf=18),
        "crf30": Control("crf 30", "crf", crf=30),
        "crf42": Control("crf 42", "crf", crf=42),
        "blur1": Control("blur of 1 px", "blur", "frames:blurred", {"sigma_px": 1}),
        "blur3": Control("blur of 3 px", "blur", "frames:blurred", {"sigma_px": 3}),
        "noise2": Control("noise of 2 levels", "noise", "frames:noisy", {"sigma": 2}),
        "noise10": Control("noise of 10 levels", "noise", "frames:noisy", {"sigma": 10}),
        "shift2": Control("2 frames late", "shift", "frames:late", {"by": 2}),
        "shift5": Control("5 frames late", "shift", "frames:late", {"by": 5}),
        "noblink": Control("no blinks", change="faces:without_blinks", faces=True),
        "mouthfreeze": Control("a frozen mouth", change="faces:with_frozen_mouth", faces=True),
        "still": Control("a still", change="frames:still"),
    }
)
"""Every kind of copy, by name."""

NO_PERFORMANCE = ("still", "mouthfreeze")
"""Copies that don't speak: a metric that they win says nothing of speech."""
