"""Everything about one clip that may surprise whoever scores it, found by reading all of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from thgeval.clip import Clip
from thgeval.errors import InputError
from thgeval.media.audio import Audio, decoded_speech
from thgeval.media.decoder import decode
from thgeval.media.frames import MediaInfo
from thgeval.media.source import Source
from thgeval.media.video import VideoFile

CHUNK = 8
"""Frames held at a time."""

AUDIO_FRAME = 1024
"""Samples by which lossy encoders may round the length of sound up."""

SILENCE = 10.0**-4
"""Peak below which sound is silence: -80 dB."""


@dataclass(frozen=True)
class Description:
    """What a clip is: header, frames that could be decoded, length of its picture and sound, and what is odd about it.

    ``duration_s`` is None without a frame rate, ``audio_s`` without sound; ``problems`` are sentences.
    """

    info: MediaInfo
    frames: int
    duration_s: float | None
    audio_s: float | None
    problems: tuple[str, ...]


def describe(clip: Clip) -> Description:
    """Read all frames, as scoring does, and all sound of a clip and say what is odd; nothing makes ``problems`` empty.

    Raises ``InputError`` for a clip that can't be scored.
    """
    with decode(clip, chunk=CHUNK) as batches:
        for _ in batches:
            pass
    source, info, frames = batches.source, batches.info, batches.frames
    problems = [*_of_picture(info, frames), *batches.remarks, *_of_file(source)]
    audio: Audio | None = None
    if info.audio is not None and isinstance(clip.source, Path):
        try:
            audio = decoded_speech(clip)
        except InputError as error:
            problems.append(f"its sound can't be used: {error}")
        else:
            problems.extend(_of_sound(audio, info, source.end))
    return Description(
        info=info,
        frames=frames,
        duration_s=None if source.end is None else float(source.end),
        audio_s=None if audio is None else audio.duration_s,
        problems=tuple(problems),
    )


def _of_picture(info: MediaInfo, frames: int) -> Iterator[str]:
    if info.frames is not None and info.frames != frames:
        yield f"its header counts {info.frames} frames, and {frames} are shown"
    if info.variable_rate:
        yield "its frame rate varies; resampling it to a constant rate shows frames as they are timed"
    if info.width % 2 or info.height % 2:
        yield f"its size is odd ({info.width} x {info.height} px), so 4:2:0 video can't hold it exactly"
    if info.rotation:
        yield f"it is stored lying, and was turned by {info.rotation} degrees counter-clockwise"
    if info.matrix.endswith("-assumed"):
        yield f"nothing says how its colours are coded; {info.matrix.removesuffix('-assumed')} was assumed"
    if info.colour_range.endswith("-assumed"):
        yield f"nothing says what range its levels have; {info.colour_range.removesuffix('-assumed')} was assumed"
    if info.bits > 8 and info.colour_range != "full" and info.codec != "raw":
        yield f"its {info.bits} bits per sample were rounded to 8"


def _of_file(source: Source) -> Iterator[str]:
    if isinstance(source, VideoFile) and source.pixel_aspect != 1:
        wide = float(source.pixel_aspect)
        yield f"its pixels are to be shown {wide:.3f} times as wide as high; frames were left as stored"
    if isinstance(source, VideoFile) and source.first.interlaced_frame:
        yield "it is interlaced; both fields of a frame were taken together"


def _of_sound(audio: Audio, info: MediaInfo, end: Fraction | None) -> Iterator[str]:
    frame_s = 1.0 / float(info.fps) if info.fps else 0.04
    if abs(audio.samples).max() < SILENCE:
        yield "its sound is silence"
    if audio.filled_s:
        yield f"its sound has gaps, {audio.filled_s:.3f} s in all, that were filled with silence"
    if abs(audio.start_s) > frame_s:
        yield f"its sound begins {abs(audio.start_s):.3f} s {'after' if audio.start_s > 0 else 'before'} its picture"
    allowed_s = frame_s + AUDIO_FRAME / audio.original_rate_hz
    if end is not None and abs(audio.start_s + audio.duration_s - float(end)) > allowed_s:
        yield f"its picture ends after {float(end):.3f} s, its sound after {audio.start_s + audio.duration_s:.3f} s"
