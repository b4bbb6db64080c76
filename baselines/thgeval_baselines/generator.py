"""What a generator is: what it asks for, what it may see, and what it gives.

A generator reads an item's inputs and gives the frames of one video. Staging, encoding, sound, timeouts, checks and
records are the runner's. What a setting hides is absent from ``Inputs``, and the reference is never among them.

    class Still(Generator):
        id, paradigm, says = "my-still", Paradigm.IMAGE, "the source image throughout"
        needs = frozenset({"source_image", "audio"})

        def generate(self, inputs, *, seed, fitted):
            image = np.asarray(Image.open(inputs.source_image).convert("RGB"))
            return Generated(repeat(image, inputs.frames), fps=inputs.fps)
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from enum import Enum
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

REFERENCE_NOTE = "reference baseline, not a published model"
"""What every result of a generator of ours says of itself."""


class Paradigm(Enum):
    """The ten ways of the survey in which a talking head is made; the values are what files say."""

    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    TEXT = "text"
    TWO_D = "2d"
    THREE_D = "3d"
    PARAMETER = "parameter"
    NERF = "nerf"
    DIFFUSION = "diffusion"
    ANIM3D = "anim3d"


@dataclass(frozen=True)
class Inputs:
    """What a generator may see of one item; what the item lacks or its setting hides is None.

    ``frames``        how many to make at ``fps``; None where the generator decides, as with text
    ``size``          height and width in px of the video that is wanted
    ``source_image``  PNG or JPEG of the person
    ``audio``         sound to be spoken, any format that decodes
    ``text``          words to be spoken, in ``language`` (BCP 47)
    ``driving_video`` whose motion is to be taken over
    ``curves``        ``.npz`` or ``.csv`` of actions under their ARKit names in [0, 1], and of ``yaw pitch roll`` in
                      degrees, one row a frame
    ``target_video``  the person's own video, for dubbing
    ``fit_video``     a longer video of the person with sound, to be fitted to; never one that is scored
    ``fit_views``     a folder of views of the person from known cameras (``cameras.json``)
    """

    item: str
    fps: Fraction = Fraction(25)
    frames: int | None = None
    size: tuple[int, int] = (256, 256)
    source_image: Path | None = None
    audio: Path | None = None
    text: str | None = None
    language: str = "en-us"
    driving_video: Path | None = None
    curves: Path | None = None
    target_video: Path | None = None
    fit_video: Path | None = None
    fit_views: Path | None = None

    def given(self) -> frozenset[str]:
        """Names of the inputs that are there."""
        return frozenset(name for name in INPUTS if getattr(self, name) is not None)


INPUTS = tuple(item.name for item in fields(Inputs) if item.name not in {"item", "fps", "frames", "size", "language"})
"""Everything that a setting can show or hide."""


@dataclass(frozen=True, eq=False)
class Generated:
    """One video: ``frames`` in order, each (height, width, 3) ``uint8`` RGB, made as they are asked for.

    ``sound`` (samples,) float32 in [-1, 1] at ``rate_hz`` is what the generator spoke itself; None puts the item's
    audio under the picture. ``evidence`` are files that show how it was made, by name (``depth.png``, ``curves.csv``,
    ``head.gltf``), as bytes.
    """

    frames: Iterable[NDArray[np.uint8]]
    fps: Fraction
    sound: NDArray[np.float32] | None = None
    rate_hz: int = 16000
    evidence: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}))


class Generator(ABC):
    """Base of every generator, reference baselines and a user's own alike.

    ``id``           lower-case letters, digits and ``-``; ours begin with ``ref-``
    ``needs``        names of ``Inputs`` that it can't do without
    ``takes``        names that it uses where they are there
    ``fitting``      of those, the names that ``fit`` reads; empty where nothing is fitted
    ``extra``        the extra of the package that installs what it imports; empty where the core is enough
    ``trained_on``   ids of data sets whose clips its weights have seen, such as ``grid-s1``
    ``weights``      files in the package that it reads, for the cost card
    ``version``      raised when the same inputs give other frames
    """

    id: ClassVar[str]
    paradigm: ClassVar[Paradigm]
    says: ClassVar[str]
    version: ClassVar[int] = 1
    needs: ClassVar[frozenset[str]] = frozenset()
    takes: ClassVar[frozenset[str]] = frozenset()
    fitting: ClassVar[frozenset[str]] = frozenset()
    extra: ClassVar[str] = ""
    trained_on: ClassVar[tuple[str, ...]] = ()
    weights: ClassVar[tuple[str, ...]] = ()

    def problems(self) -> list[str]:
        """What stands in its way on this machine, one sentence each with its cure; nothing is fetched."""
        return []

    def fit(self, inputs: Inputs, folder: Path, *, seed: int) -> None:
        """Fit to a person and leave what was learnt in ``folder``; the runner keeps it by the inputs' content.

        Budgets are iterations, never seconds, so that two runs on one thread leave the same.
        """
        raise NotImplementedError(f"{self.id} has nothing to fit")

    @abstractmethod
    def generate(self, inputs: Inputs, *, seed: int, fitted: Path | None) -> Generated:
        """One video of one item; ``fitted`` is the folder that ``fit`` left, None where nothing is fitted.

        Raises ``thgeval.errors.InputError`` with a reason where an input can't be used, such as a portrait without a
        face.
        """
