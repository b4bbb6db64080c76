"""Opening video files, and what their headers say.

Files are opened by ffmpeg's libraries through PyAV, from the local file system only: a name is never taken for an
address, and only formats are read that hold their pictures and sound themselves. A list of other files is refused by
its first bytes, before any of those is looked at.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import ArgumentError, FFmpegError
from av.sidedata.sidedata import Type as SideData
from av.stream import Disposition
from av.video.stream import VideoStream

from thgeval.errors import InputError
from thgeval.limits import beyond, check_file, limit
from thgeval.media.clock import frame_rate, varies
from thgeval.media.frames import UNSPECIFIED, AudioInfo, MediaInfo
from thgeval.media.picture import tags
from thgeval.media.truncation import cut_off

FORMATS: Mapping[str, str] = MappingProxyType(
    {
        "MP4, QuickTime and 3GP": "mov,mp4,m4a,3gp,3g2,mj2",
        "Matroska and WebM": "matroska,webm",
        "AVI": "avi",
        "MPEG": "mpeg,mpegts,mpegvideo,mpegtsraw",
        "Ogg": "ogg",
        "Flash": "flv,live_flv",
        "Windows Media": "asf,asf_o",
        "MXF": "mxf",
        "NUT": "nut",
        "DV": "dv",
        "GIF and APNG": "gif,apng",
        "raw video": "h264,hevc,vvc,av1,obu,ivf,m4v,mjpeg,jpeg_pipe,yuv4mpegpipe,vc1,h263",
        "sound": "wav,w64,aiff,au,caf,mp3,aac,flac,ac3,eac3,amr,amrnb,amrwb,wv,tta,ape,dts,truehd,loas,sox",
    }
)
"""Formats that hold all of their content themselves, by the names ffmpeg has for them."""

TRANSFERS = {
    **dict.fromkeys((1, 6, 14, 15), "bt709"),
    4: "gamma22",
    5: "gamma28",
    7: "smpte240m",
    8: "linear",
    11: "xvycc",
    12: "bt1361",
    13: "srgb",
    16: "pq",
    17: "smpte428",
    18: "hlg",
}
PRIMARIES = {
    1: "bt709",
    4: "bt470m",
    5: "bt601-625",
    6: "bt601-525",
    7: "bt601-525",
    8: "film",
    9: "bt2020",
    10: "xyz",
    11: "p3-dci",
    12: "p3-d65",
    22: "ebu3213",
}
"""Codes of ITU-T H.273 for how levels follow from light, of which four are one curve, and for the colours mixed."""

_CLOCK = re.compile(r"(?P<hours>\d+):(?P<minutes>\d+):(?P<seconds>\d+(\.\d+)?)")


@contextmanager
def input_errors(name: str, doing: str | Callable[[], str] = "decoded") -> Iterator[None]:
    """Turn what PyAV and the operating system raise into an ``InputError`` about the clip called ``name``."""
    try:
        yield
    except (FFmpegError, ValueError) as error:
        # ffmpeg's errors are Python's of the same name too, but the file is open by now: none of them is about access.
        said = (getattr(error, "strerror", None) or str(error) or type(error).__name__).rstrip(".")
        done = doing if isinstance(doing, str) else doing()
        raise InputError(f"{name}: it can't be {done} ({said}); get an undamaged copy", reason="corrupt") from error
    except FileNotFoundError as error:
        raise InputError(f"{name}: there is no such file", reason="missing") from error
    except OSError as error:
        raise InputError(f"{name}: it can't be read ({error.strerror or error})", reason="unreadable") from error


def open_file(path: Path) -> InputContainer:
    """Open a media file; ``InputError`` if it is missing, unreadable, beyond a limit, or no media file."""
    if not check_file(path, "clip_bytes"):
        raise InputError(f"{path}: the file is empty", reason="no frames")
    with input_errors(str(path), "opened as video"):
        if (how := cut_off(path)) is not None:
            raise InputError(f"{path}: it is not whole: it {how}; get the whole file", reason="truncated")
        options = {"protocol_whitelist": "file", "format_whitelist": ",".join(FORMATS.values())}
        try:
            return av.open(f"file:{path}", options=options, metadata_errors="replace")
        except ArgumentError as error:
            raise InputError(
                f"{path}: it is in none of the formats that are read ({', '.join(FORMATS)}), or its header is damaged; "
                "convert it with 'ffmpeg -i IN OUT.mp4'",
                reason="no video",
            ) from error


def video_tracks(container: InputContainer) -> list[VideoStream]:
    """All video tracks that are no cover pictures."""
    return [track for track in container.streams.video if not track.disposition & Disposition.attached_pic]


def video_stream(container: InputContainer, name: str) -> VideoStream:
    """The first video track that is not a cover picture; ``InputError`` if there is none that can be decoded."""
    tracks = video_tracks(container)
    if not tracks:
        holds = "only audio" if container.streams.audio else "no video"
        raise InputError(f"{name}: the file holds {holds}", reason="no video")
    if tracks[0].codec_context is None:
        raise InputError(f"{name}: no decoder for its video is installed; re-encode it as H.264", reason="codec")
    check_size(tracks[0].codec_context.width, tracks[0].codec_context.height, name)
    return tracks[0]


def check_size(width: int, height: int, name: str) -> None:
    """Raise ``InputError`` for frames of more pixels than the limit."""
    if width * height > limit("frame_pixels"):
        raise beyond("frame_pixels", f"{name}: its frames have {width} x {height} px")


def rotation(frame: av.VideoFrame, name: str) -> int:
    """The counter-clockwise turn, in degrees from {0, 90, 180, 270}, that shows the frame upright."""
    matrix = frame.side_data.get(SideData.DISPLAYMATRIX)  # type: ignore[call-overload]
    if matrix is None:
        return 0
    a, b, _, c, d = np.frombuffer(matrix, np.int32)[:5].tolist()
    right_angled = (a == d and b == -c) and (a == 0) != (b == 0)
    if not right_angled:
        raise InputError(
            f"{name}: it is to be shown mirrored or tilted; bake that into its frames with 'ffmpeg -i IN OUT'",
            reason="rotation",
        )
    return int(frame.rotation) % 360


def _rate_varies(container: InputContainer, stream: VideoStream) -> bool:
    """Whether the rate varies, as the index of an MP4 tells; other containers have to be read for that."""
    if "mp4" not in container.format.name or len(stream.index_entries) != stream.frames:
        return False
    shown = [Fraction(entry.timestamp) for entry in stream.index_entries if not entry.is_discard]
    return varies(shown, Fraction(1))


def promised_end(container: InputContainer, stream: VideoStream) -> Fraction | None:
    """When the last video frame stops being shown, in seconds of the container's clock, where the header says so.

    That of AVI does, and that of Matroska where its writer left the track's duration in a tag, as ffmpeg does.
    """
    if container.format.name == "avi" and stream.duration and stream.time_base:
        return ((stream.start_time or 0) + stream.duration) * stream.time_base
    duration = _CLOCK.fullmatch(stream.metadata.get("DURATION", ""))
    if "matroska" not in container.format.name or duration is None:
        return None
    return int(duration["hours"]) * 3600 + int(duration["minutes"]) * 60 + Fraction(duration["seconds"])


def _audio_info(stream: AudioStream) -> AudioInfo:
    base = stream.time_base or Fraction(1)
    context: Any = stream.codec_context  # None where the decoder is not installed
    return AudioInfo(
        codec=context.codec.canonical_name if context else "unknown",
        rate_hz=context.rate if context else 0,
        channels=context.layout.nb_channels if context else 0,
        start_s=float((stream.start_time or 0) * base),
        duration_s=float(stream.duration * base) if stream.duration else None,
    )


def media_info(container: InputContainer, stream: VideoStream, frame: av.VideoFrame, name: str) -> MediaInfo:
    """What the container and the first frame say."""
    base = stream.time_base or Fraction(1)
    turn = rotation(frame, name)
    sides = (frame.height, frame.width) if turn % 180 else (frame.width, frame.height)
    start = frame.pts if frame.pts is not None else stream.start_time
    whole = container.duration / 1e6 if container.duration else None
    colours = tags(frame, name)
    return MediaInfo(
        container=container.format.name,
        codec=stream.codec_context.codec.canonical_name,
        pixel_format=frame.format.name,
        width=sides[0],
        height=sides[1],
        fps=frame_rate(stream, container.format.name),
        frames=stream.frames or None,
        duration_s=float(stream.duration * base) if stream.duration else whole,
        start_s=float((start or 0) * base),
        variable_rate=_rate_varies(container, stream),
        rotation=turn,
        bits=frame.format.components[0].bits,
        matrix=colours.matrix,
        colour_range=colours.colour_range,
        transfer=TRANSFERS.get(int(frame.color_trc), UNSPECIFIED),
        primaries=PRIMARIES.get(int(frame.color_primaries), UNSPECIFIED),
        audio=_audio_info(container.streams.audio[0]) if container.streams.audio else None,
    )
