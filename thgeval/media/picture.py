"""Frames as a decoder hands them out, in any pixel format, written as RGB into memory that is already there.

YUV goes through thgeval's own conversion (see ``colour``), with matrix and range from the tags of the frame itself.
Where a frame says nothing, BT.601 and limited range are assumed, as ffmpeg's scaler does, and recorded as assumed.
RGB and palette formats are only reordered; grey is taken as full range and repeated; more than 8 bits are rounded to
the nearest of 256 levels. Alpha that is opaque everywhere is dropped; anything else has no meaning without a
background and is refused.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from thgeval.errors import InputError
from thgeval.media import colour

Levels = NDArray[np.uint8]


class Planar(NamedTuple):
    """Where the samples of a YUV format are: bits, chroma halvings (x, y), zero bits below, order if interleaved."""

    bits: int
    halvings: tuple[int, int]
    padding_bits: int = 0
    interleaved: str = ""
    alpha: bool = False


def _planar_formats() -> dict[str, Planar]:
    subsamplings = {"420": (1, 1), "422": (1, 0), "444": (0, 0), "440": (0, 1), "411": (2, 0), "410": (2, 2)}
    depths = {"": 8, "9le": 9, "10le": 10, "12le": 12, "14le": 14, "16le": 16}
    table = {}
    for ratio, halvings in subsamplings.items():
        table[f"yuvj{ratio}p"] = Planar(8, halvings)
        for suffix, bits in depths.items():
            table[f"yuv{ratio}p{suffix}"] = Planar(bits, halvings)
            table[f"yuva{ratio}p{suffix}"] = Planar(bits, halvings, alpha=True)
    for digit, ratio in (("0", "420"), ("2", "422"), ("4", "444")):
        for bits in (10, 12, 16):
            table[f"p{digit}{bits}le"] = Planar(bits, subsamplings[ratio], 16 - bits, "uv")
    for name, ratio, order in (
        ("nv12", "420", "uv"),
        ("nv21", "420", "vu"),
        ("nv16", "422", "uv"),
        ("nv24", "444", "uv"),
        ("nv42", "444", "vu"),
    ):
        table[name] = Planar(8, subsamplings[ratio], 0, order)
    return table


PLANAR = _planar_formats()

REORDERED = {"yuyv422": "yuv422p", "uyvy422": "yuv422p", "yvyu422": "yuv422p"}
"""Packed formats that ffmpeg reorders into planes without touching a value."""

SPACES = {1: "bt709", 4: "fcc", 5: "bt601", 6: "bt601", 7: "smpte240m", 9: "bt2020"}
"""ffmpeg's (and H.273's) codes of matrix coefficients."""

UNSTATED_SPACES = {0, 2, 3}
"""Unspecified and reserved, and the code of RGB, which says nothing about a frame that is YUV."""

LIMITED_RANGE, FULL_RANGE = 1, 2


class Tags(NamedTuple):
    """How a frame is turned into RGB, in the words of ``MediaInfo``."""

    matrix: str
    colour_range: str

    @property
    def weights_of(self) -> tuple[str, bool]:
        """The matrix's name and whether the range is full, stated or assumed."""
        return self.matrix.removesuffix("-assumed"), self.colour_range.startswith("full")


def planar_name(pixel_format: str) -> str | None:
    """The planar YUV format whose samples a format holds, in this or another order; None if there is none."""
    name = REORDERED.get(pixel_format, pixel_format)
    if name.endswith("be"):
        name = name.removesuffix("be") + "le"
    return name if name in PLANAR else None


def tags(frame: av.VideoFrame, name: str) -> Tags:
    """The conversion a frame asks for; ``InputError`` if its matrix is none that a 3 x 3 matrix can express."""
    planar = planar_name(frame.format.name)
    if planar is None:
        return Tags("grey" if frame.format.name.startswith(("gray", "ya", "mono")) else "rgb", "full")
    space, colour_range = int(frame.colorspace), int(frame.color_range)
    if space in SPACES:
        matrix = SPACES[space]
    elif space in UNSTATED_SPACES:
        matrix = "bt601-assumed"
    else:
        raise InputError(
            f"{name}: its colours are coded with matrix {space} of ITU-T H.273, which thgeval doesn't read; "
            "re-encode it as BT.709",
            reason="colour matrix",
        )
    if planar.startswith("yuvj") or colour_range == FULL_RANGE:
        return Tags(matrix, "full")
    return Tags(matrix, "limited" if colour_range == LIMITED_RANGE else "limited-assumed")


@lru_cache(maxsize=64)
def _weights(matrix: str, full_range: bool, bits: int, padding_bits: int) -> colour.Weights:
    return colour.weights(matrix, full_range=full_range, bits=bits, padding_bits=padding_bits)


class RgbWriter:
    """Writes the frames of one clip, called ``name`` in messages, as RGB. For one thread at a time."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._reformatter = VideoReformatter()

    def write(self, frame: av.VideoFrame, out: Levels) -> None:
        """Fill ``out``, (height, width, 3) uint8 and C-contiguous, with the frame."""
        if frame.format.name in PLANAR and frame.planes[0].line_size > 0:
            self._write_planar(frame, PLANAR[frame.format.name], out)
        else:
            self._writer(frame)(frame, out)

    def _writer(self, frame: av.VideoFrame) -> Callable[[av.VideoFrame, Levels], None]:
        name, components = frame.format.name, frame.format.components
        deep = max(component.bits for component in components) > 8
        if planar_name(name) is not None:
            return self._write_reordered
        readable = frame.format.is_rgb or frame.format.has_palette or name.startswith(("gray", "ya8", "mono"))
        if not readable or frame.format.is_bayer or "f32" in name or "f16" in name:
            raise InputError(
                f"{self._name}: thgeval doesn't read the pixel format {name}; re-encode the clip as yuv420p or rgb24",
                reason="pixel format",
            )
        if name.startswith("gray"):
            return self._write_deep_grey if deep else self._write_grey
        if deep:
            return self._write_deep_rgb
        return self._write_rgba if frame.format.has_palette or any(c.is_alpha for c in components) else self._write_rgb

    def _reformatted(self, frame: av.VideoFrame, pixel_format: str) -> av.VideoFrame:
        if frame.format.name == pixel_format and frame.planes[0].line_size > 0:
            return frame
        return self._reformatter.reformat(frame, format=pixel_format)

    def _write_planar(self, frame: av.VideoFrame, layout: Planar, out: Levels) -> None:
        sample = np.dtype(np.uint8 if layout.bits == 8 else np.uint16)
        planes = [np.frombuffer(plane, sample) for plane in frame.planes]  # type: ignore[call-overload]
        strides = [plane.line_size // sample.itemsize for plane in frame.planes]
        if layout.alpha:
            rows = planes[3].reshape(-1, strides[3])[: frame.height, : frame.width]
            self._refuse_transparency(rows, (1 << layout.bits) - 1)
        if layout.interleaved:
            u, v = (planes[1][layout.interleaved.index(c) :: 2].copy() for c in "uv")
            y, stride_u, stride_v = planes[0], strides[1] // 2, strides[1] // 2
        else:
            y, u, v = planes[:3]
            stride_u, stride_v = strides[1], strides[2]
        matrix, full_range = tags(frame, self._name).weights_of
        weight = _weights(matrix, full_range, layout.bits, layout.padding_bits)
        colour.write_rgb(y, u, v, (strides[0], stride_u, stride_v), layout.halvings, weight, out)

    def _write_reordered(self, frame: av.VideoFrame, out: Levels) -> None:
        planar = self._reformatted(frame, planar_name(frame.format.name) or "")
        self._write_planar(planar, PLANAR[planar.format.name], out)

    def _write_rgb(self, frame: av.VideoFrame, out: Levels) -> None:
        out[...] = _packed(self._reformatted(frame, "rgb24"), 3, np.uint8)

    def _write_grey(self, frame: av.VideoFrame, out: Levels) -> None:
        out[...] = _packed(self._reformatted(frame, "gray"), 1, np.uint8)

    def _write_rgba(self, frame: av.VideoFrame, out: Levels) -> None:
        pixels = _packed(self._reformatted(frame, "rgba"), 4, np.uint8)
        self._refuse_transparency(pixels[..., 3], 255)
        out[...] = pixels[..., :3]

    def _write_deep_grey(self, frame: av.VideoFrame, out: Levels) -> None:
        bits = frame.format.components[0].bits
        native = self._reformatted(frame, f"gray{bits}le")
        out[...] = rounded_levels(_packed(native, 1, np.uint16), bits)

    def _write_deep_rgb(self, frame: av.VideoFrame, out: Levels) -> None:
        components = frame.format.components
        bits, alpha = components[0].bits, components[-1].is_alpha
        if frame.format.name.startswith("gbr"):
            native = self._reformatted(frame, f"gbr{'a' if alpha else ''}p{bits}le")
            planes = [_packed(native, 1, np.uint16, plane) for plane in (2, 0, 1, 3)[: 4 if alpha else 3]]
            pixels = np.concatenate(planes, axis=2)
        else:
            bits = 16  # rgb48 and rgba64 are the packed formats of their kind; those of 10 bits are widened by ffmpeg
            pixels = _packed(self._reformatted(frame, "rgba64le" if alpha else "rgb48le"), 4 if alpha else 3, np.uint16)
        if alpha:
            self._refuse_transparency(pixels[..., 3], (1 << bits) - 1)
        out[...] = rounded_levels(pixels[..., :3], bits)

    def _refuse_transparency(self, alpha: NDArray[np.uint8] | NDArray[np.uint16], opaque: int) -> None:
        if alpha.min() < opaque:
            raise InputError(
                f"{self._name}: some of its pixels are transparent, so their colour depends on a background that "
                "isn't there; render it onto one first",
                reason="transparent",
            )


def rounded_levels(codes: NDArray[np.uint16], bits: int) -> Levels:
    """Full-range codes of ``bits`` bits as the nearest of 256 levels."""
    peak = np.uint32((1 << bits) - 1)
    return ((codes.astype(np.uint32) * np.uint32(255) + peak // np.uint32(2)) // peak).astype(np.uint8)


def _packed(
    frame: av.VideoFrame, channels: int, sample: type[np.uint8] | type[np.uint16], plane: int = 0
) -> NDArray[np.uint16]:
    """A view of one plane: (height, width, channels)."""
    source = frame.planes[plane]
    rows = np.frombuffer(source, sample).reshape(frame.height, -1)  # type: ignore[call-overload]
    return rows[:, : frame.width * channels].reshape(frame.height, frame.width, channels)  # type: ignore[no-any-return]
