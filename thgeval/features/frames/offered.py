"""What a pair of clips brings along besides frames: the clips themselves, their sound, and the files beside them.

Each is a starting point of other features. A side that doesn't have one hands out none, and whatever rests on it fails
with that as its reason.
"""

from pathlib import Path
from typing import Any

from thgeval.clip import COMPANIONS, Clip, Pair
from thgeval.feature import Feature, Grain


def _offered(what: str) -> Feature[Any]:
    return Feature(what.replace("_", "-"), version=1, grain=Grain.CLIP, offered=what)


clip: Feature[Clip] = _offered("clip")
sound: Feature[Clip | Path] = _offered("sound")
prompt: Feature[Path] = _offered("prompt")
timing: Feature[Path] = _offered("timing")
transcript: Feature[Path | str] = _offered("transcript")
source_image: Feature[Path] = _offered("source_image")
openface_file: Feature[Path] = _offered("openface")
faces_file: Feature[Path] = _offered("faces")
mesh_file: Feature[Path] = _offered("mesh")
views_file: Feature[Path] = _offered("views")
avhubert_file: Feature[Path] = _offered("avhubert")
lipreader_file: Feature[Path] = _offered("lipreader")

OF_EITHER_SIDE: dict[str, Feature[Path]] = {
    "openface": openface_file,
    "faces": faces_file,
    "mesh": mesh_file,
    "views": views_file,
    "avhubert": avhubert_file,
    "lipreader": lipreader_file,
}


def offered(pair: Pair, *, reference: bool) -> dict[Feature[Any], Any]:
    """What one side of a pair brings along; a reference that is not there brings nothing."""
    side = pair.reference if reference else pair.generated
    if side is None:
        return {}
    own_sound = side if isinstance(side.source, Path) else None
    given: dict[Feature[Any], Any] = {
        clip: side,
        sound: own_sound if reference else pair.sound,
        source_image: pair.source_image,
        transcript: pair.transcript,
        **{OF_EITHER_SIDE[what]: side.companion(what) for what in COMPANIONS},
    }
    if not reference:
        given |= {prompt: pair.prompt, timing: pair.timing}
    return {feature: value for feature, value in given.items() if value is not None}
