"""Whether clips are fit to be scored: what each holds and what is odd about it, found by decoding it once."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from thgeval.clip import Clip
from thgeval.errors import InputError, ProtocolError
from thgeval.media import Description, describe
from thgeval.pairing.folders import is_clip, stems


@dataclass(frozen=True)
class Validated:
    """One clip: what it holds, or in one sentence why it can't be used."""

    id: str
    description: Description | None
    unusable: str | None = None

    def cells(self) -> list[str]:
        """The clip as a row of text: id, frames, rate, size, codec, colour, sound, problems."""
        if self.description is None:
            return [self.id, *["-"] * 6, self.unusable or ""]
        info = self.description.info
        sound = self.description.audio_s
        return [
            self.id,
            str(self.description.frames),
            "-" if info.fps is None else f"{float(info.fps):.3f}",
            f"{info.width}x{info.height}",
            f"{info.codec} {info.pixel_format}",
            f"{info.matrix} {info.colour_range}",
            "none" if sound is None else f"{sound:.2f} s",
            "; ".join(self.description.problems),
        ]

    def to_dict(self) -> dict[str, Any]:
        """The clip as plain data."""
        if self.description is None:
            return {"id": self.id, "unusable": self.unusable}
        plain = asdict(self.description)
        plain["info"]["fps"] = None if self.description.info.fps is None else float(self.description.info.fps)
        return {"id": self.id, "unusable": None, **plain}


def validated(path: Path) -> list[Validated]:
    """Look at one clip, or at every clip of a folder; ProtocolError if there is none."""
    if not path.exists():
        raise ProtocolError(f"there is no file or folder {str(path)!r}")
    if is_clip(path):
        return [_validated(path.stem, path)]
    found = [_validated(stem, clip) for stem, clips in sorted(stems(path).items()) for clip in clips]
    if not found:
        raise ProtocolError(f"there is no clip in {path}")
    return found


def _validated(id: str, path: Path) -> Validated:
    try:
        return Validated(id, describe(Clip(id, path)))
    except InputError as error:
        return Validated(id, None, str(error))
