"""Everything about one clip that may surprise whoever scores it, found by reading all of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from thgeval.clip import Clip
from thgeval.errors import InputError
from thgeval.media.audio import Audio, speech
from thgeval.media.decoder import open_source
from thgeval.media.frames import MediaInfo
from thgeval.media.resample import sized
from thgeval.media.source import Source
from thgeval.media.video import VideoFile

HDR_TRANSFERS = {16: "PQ", 18: "HLG"}
"""Codes of ITU-T H.273 for transfer functions that 8-bit RGB displays don't have."""

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
    """Decode all frames and all sound of a clip and say what is odd; nothing odd makes ``problems`` empty.

    Raises ``InputError`` for a clip whose frames can't be read to the end.
    """
    source = open_source(clip)
    try:
        frames = sum(1 for _ in sized(source.pictures(), clip.name))
    finally:
        source.close()
    info, problems = source.info, list(_of_picture(source, frames))
    audio: Audio | None = None
    if info.audio is not None and isinstance(clip.source, Path):
        try:
            audio = speech(clip)
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


def _of_picture(source: Source, frames: int) -> Iterator[str]:
    info = source.info
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
    if isinstance(source, VideoFile):
        yield from _of_file(source)


def _of_file(video: VideoFile) -> Iterator[str]:
    if video.pixel_aspect != 1:
        wide = float(video.pixel_aspect)
        yield f"its pixels are to be shown {wide:.3f} times as wide as high; frames were left as stored"
    if video.first.interlaced_frame:
        yield "it is interlaced; both fields of a frame were taken together"
    if (transfer := HDR_TRANSFERS.get(int(video.first.color_trc))) is not None:
        yield f"its brightness is coded as {transfer} (HDR); levels were taken as they are"


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
