"""Decoding that tells damage from what a cut leaves behind.

Decoders are told to make an error of whatever is not right in a stream, so that no smear passes for a picture. Two
things at the beginning of a clip that was cut out of a longer one without encoding it anew are errors to them and
harm nothing:

* Packets before the first key frame can't be decoded, nor can the leading ones, which are decoded after that frame and
  would be shown before it. Nobody can show them; they are passed over and counted.
* In H.264, the first pictures after an open cut (a key frame that isn't an IDR picture) may hold marks that release
  reference pictures which were cut away. The pictures themselves are whole.

From such an error on, a second, lenient decoder is asked. A picture that is really damaged it conceals and keeps for
reference, while the strict decoder does neither; so if both go on to show the same pictures, bit by bit, the error
was about a mark alone. If not, it was damage.

Source: ITU-T H.264, 8.2.5.4 (memory_management_control_operation) and D.2.8 (recovery point).
"""

from collections import deque
from collections.abc import Iterator
from enum import Enum
from typing import Any

import av
import numpy as np
from av.error import FFmpegError, InvalidDataError
from numpy.typing import NDArray

OPENING = 64
"""Packets after an open cut within which a mark may refer to what was cut away: H.264 keeps at most 16 frames."""

IDR, SLICE = 5, 1
INTRA = {2, 4, 7, 9}
"""Types of H.264 slices that are coded without reference to other pictures."""

RANDOM_ACCESS = range(16, 24)
"""Types of HEVC units at which decoding can begin."""

MPEG2_PICTURE, MPEG4_PICTURE = bytes.fromhex("00000100"), bytes.fromhex("000001B6")
PICTURE_TYPE = {
    "mpeg1video": (MPEG2_PICTURE, 1, 3, 7, 1),
    "mpeg2video": (MPEG2_PICTURE, 1, 3, 7, 1),
    "mpeg4": (MPEG4_PICTURE, 0, 6, 3, 0),
}
"""Where other codecs say a picture's type: after a mark, in which byte, how far up, under which mask; that of intra."""


class Begins(Enum):
    """Whether decoding can begin at a picture: not at all, with what refers back before it, or with nothing behind."""

    NOT = 0
    OPEN = 1
    CLOSED = 2


Frame = av.VideoFrame


class OpeningDecoder:
    """The strict decoder of one track, lenient with what a cut leaves at its beginning.

    ``passed_over`` counts packets that could not be decoded because what they refer to was cut away.
    """

    def __init__(self, context: Any) -> None:
        self.passed_over = 0
        self._context: Any = context
        self._first: Any = None
        self._begun = False
        self._cut_open = False
        self._opening: list[Any] = []
        self._seen = 0
        self._given = 0
        self._witness: _Witness | None = None

    def decode(self, packet: Any) -> list[Frame]:
        """The frames that come out after this packet; FFmpegError where the stream is damaged."""
        self._begin(packet)
        if self._witness is not None:
            return self._witnessed(packet, self._witness)
        try:
            frames: list[Frame] = self._context.decode(packet)
        except FFmpegError:
            if self._may_pass_over(packet):
                return []
            if not self._may_pardon(packet):
                raise
            return self._summoned()
        self._given += len(frames)
        return frames

    def _begin(self, packet: Any) -> None:
        if not self._begun and packet.size:
            begins = beginning(self._context.codec.canonical_name, bytes(packet), self._context.extradata or b"")
            self._begun, self._cut_open = begins is not Begins.NOT, begins is Begins.OPEN
            self._first = packet.pts
        if self._cut_open:
            self._seen += 1
            if self._seen <= OPENING:
                self._opening.append(packet)
            elif len(self._opening) > 1:
                del self._opening[1:]

    def _may_pass_over(self, packet: Any) -> bool:
        """Whether nobody could show this packet's picture; counts it."""
        leads = self._cut_open and None not in (packet.pts, self._first) and packet.pts < self._first
        before = not self._begun and packet.size > 0
        self.passed_over += (leads or before) and not packet.is_discard
        return leads or before

    def _may_pardon(self, packet: Any) -> bool:
        """Whether the error can be about a mark that refers to what was cut away."""
        return self._cut_open and self._seen <= OPENING and packet.size > 0

    def _summoned(self) -> list[Frame]:
        """Bring in the lenient decoder, let it see all that there was, and go on with what it shows."""
        self._witness = _Witness(self._context)
        seen = [frame for packet in self._opening for frame in self._witness.decode(packet)]
        self._witness.owed.extend(seen[self._given :])
        self._check_first(seen)
        new, self._given = seen[self._given :], len(seen)
        return new

    def _check_first(self, shown: list[Frame]) -> None:
        """The picture at which the cut begins must be shown: decoders wait for the next in silence if it can't be."""
        first: Any = shown[0].pts if shown else None
        if not self._opening[0].is_discard and None not in (self._first, first) and first > self._first:
            raise _damage()

    def _witnessed(self, packet: Any, witness: "_Witness") -> list[Frame]:
        shown = witness.decode(packet)
        if not self._given:
            self._check_first(shown)
        self._given += len(shown)
        witness.owed.extend(shown)
        try:
            strict: list[Frame] = self._context.decode(packet)
        except FFmpegError:
            strict = []
            if not self._may_pass_over(packet):
                if not self._may_pardon(packet):
                    raise
                witness.pardon()
        witness.compare(strict)
        if not packet.size:
            witness.conclude()
        elif witness.agreed >= OPENING:
            self._witness = None
        return shown


class _Witness:
    """A lenient decoder of the same track; ``owed`` are its frames that the strict one has yet to show as well."""

    def __init__(self, context: Any) -> None:
        self.owed: deque[Frame] = deque()
        self.errors = 1
        self.agreed = 0
        self._decoder: Any = av.CodecContext.create(context.codec.name, "r")
        self._decoder.extradata = context.extradata
        self._decoder.thread_count = 1

    def decode(self, packet: Any) -> list[Frame]:
        frames: list[Frame] = self._decoder.decode(packet)
        return frames

    def pardon(self) -> None:
        """The strict decoder made another error, with which it may lose a frame; agreement is counted anew."""
        self.errors += 1
        self.agreed = 0

    def compare(self, strict: list[Frame]) -> None:
        """Take what the strict decoder shows off what is owed; InvalidDataError if the two don't show the same."""
        for frame in strict:
            while self.owed and self.owed[0].pts != frame.pts:
                self._lose()
            if not self.owed or not _same(self.owed.popleft(), frame):
                raise _damage()
            self.agreed += 1

    def conclude(self) -> None:
        """At the end of the track: InvalidDataError if it came before the two could agree."""
        while self.owed:
            self._lose()
        if not self.agreed:
            raise _damage()

    def _lose(self) -> None:
        self.owed.popleft()
        self.errors -= 1
        if self.errors < 0:
            raise _damage()


def _damage() -> InvalidDataError:
    return InvalidDataError(-1094995529, "Invalid data found when processing input")


def _same(first: Frame, second: Frame) -> bool:
    return first.format.name == second.format.name and all(
        np.array_equal(_rows(first, index), _rows(second, index)) for index in range(len(first.planes))
    )


def _rows(frame: Frame, index: int) -> NDArray[np.uint8]:
    """The bytes of one plane without the padding at the end of its rows: (height, bytes)."""
    plane = frame.planes[index]
    sample_bytes = (frame.format.components[index].bits + 7) // 8
    rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)  # type: ignore[call-overload]
    return rows[:, : plane.width * sample_bytes]  # type: ignore[no-any-return]


def beginning(codec: str, content: bytes, extradata: bytes) -> Begins:
    """How the picture in a packet begins a clip; the flags of packets don't say, as a damaged header changes them.

    ``extradata`` is the header of the track, which says how the units of H.264 and HEVC are parted.
    """
    if codec == "h264":
        units = [(unit[0] & 31, unit) for unit in _units(content, extradata, 4)]
        slices = [_slice_type(unit[1:]) for kind, unit in units if kind == SLICE]
        if any(kind == IDR for kind, _ in units):
            return Begins.CLOSED
        return Begins.OPEN if slices and all(kind in INTRA for kind in slices) else Begins.NOT
    if codec == "hevc":
        kinds = [unit[0] >> 1 & 63 for unit in _units(content, extradata, 21)]
        return Begins.CLOSED if any(kind in RANDOM_ACCESS for kind in kinds) else Begins.NOT
    if codec in PICTURE_TYPE:
        mark, at, shift, mask, intra = PICTURE_TYPE[codec]
        _, _, header = content.partition(mark)
        return Begins.NOT if len(header) > at and header[at] >> shift & mask != intra else Begins.CLOSED
    return Begins.CLOSED


def _units(content: bytes, extradata: bytes, size_at: int) -> Iterator[bytes]:
    """The beginnings of the NAL units of a packet, by start codes, or by lengths whose size the header states."""
    if extradata[:1] != b"\1" or len(extradata) <= size_at:
        yield from (unit[:16] for unit in content.split(b"\0\0\1")[1:] if unit)
        return
    size, at = (extradata[size_at] & 3) + 1, 0
    while at + size < len(content):
        length = int.from_bytes(content[at : at + size], "big")
        at += size
        if length:
            yield content[at : min(at + length, at + 16)]
        at += length


def _slice_type(header: bytes) -> int:
    """The second number of a slice header, both being Exp-Golomb codes; -1 if the header is too short."""
    bits = "".join(f"{byte:08b}" for byte in header.replace(b"\0\0\3", b"\0\0"))
    numbers: list[int] = []
    at = 0
    while len(numbers) < 2:
        zeros = bits.find("1", at) - at
        if zeros < 0 or at + 2 * zeros + 1 > len(bits):
            return -1
        numbers.append(int(bits[at + zeros : at + 2 * zeros + 1], 2) - 1)
        at += 2 * zeros + 1
    return numbers[1]
