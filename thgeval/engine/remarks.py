"""What a reader of a pair's scores must know of its two files, and of how they were brought together."""

from collections.abc import Iterator

from thgeval.clip import Pair
from thgeval.media import Decoder, MediaInfo
from thgeval.media.frames import UNSPECIFIED
from thgeval.media.video import HDR
from thgeval.protocol import Protocol

SAME_RATE = 1e-3
"""Share by which two frame rates may differ and be one: 30 and 30000/1001 per second are."""
SOUND_APART_S = 0.2
"""How far a clip's sound may end from its picture without a word; codecs pad it by up to a twentieth of a second."""


def remarks(pair: Pair, generated: Decoder | None, reference: Decoder | None, protocol: Protocol) -> list[str]:
    """Sentences about both clips once they have been read; none where nothing is out of the ordinary."""
    found = [
        f"{pair.id}, {side}: {remark}"
        for side, decoder in (("generated", generated), ("reference", reference))
        if decoder is not None
        for remark in decoder.remarks
    ]
    if generated is not None and reference is not None:
        found.extend(_between(pair.id, generated.info, reference.info, protocol))
    return found


def of_sound(pair: Pair, decoder: Decoder | None, *, reference: bool) -> Iterator[str]:
    """Where a clip's own sound, which a metric reads, ends long before or after its picture, as its file says."""
    if decoder is None or not (reference or pair.sound == pair.generated):
        return
    picture, sound = decoder.info, decoder.info.audio
    if sound is None or sound.duration_s is None or picture.duration_s is None:
        return
    ends = picture.start_s + picture.duration_s, sound.start_s + sound.duration_s
    if abs(ends[0] - ends[1]) > SOUND_APART_S:
        shown = "reference" if reference else "generated"
        yield (
            f"{pair.id}, {shown}: its picture ends after {ends[0]:.2f} s and its sound after {ends[1]:.2f} s; metrics "
            "of sound take what is missing as silence"
        )


def rates_differ(generated: MediaInfo, reference: MediaInfo) -> bool:
    """Whether both state a frame rate, and not the same."""
    if generated.fps is None or reference.fps is None:
        return False
    return abs(generated.fps / reference.fps - 1) >= SAME_RATE


def _between(id: str, generated: MediaInfo, reference: MediaInfo, protocol: Protocol) -> Iterator[str]:
    for name, what in (("transfer", "for light by the curve"), ("primaries", "for colours by the primaries")):
        ours, theirs = getattr(generated, name), getattr(reference, name)
        if ours != theirs and (UNSPECIFIED not in (ours, theirs) or HDR & {ours, theirs}):
            yield (
                f"{id}: levels stand {what} {ours} in the generated clip and {theirs} in the reference; "
                "they were compared as they are"
            )
    if protocol.fps is None and protocol.rates == "ignore" and rates_differ(generated, reference):
        yield (
            f"{id} has {_decimal(generated.fps)} frames per second and its reference {_decimal(reference.fps)}; they "
            "were paired by index, so they show different moments"
        )
    sizes = (generated.width, generated.height), (reference.width, reference.height)
    if protocol.size is None and protocol.sizes != "strict" and sizes[0] != sizes[1]:
        yield f"{id} was resized from {sizes[0][0]}x{sizes[0][1]} px to its reference's {sizes[1][0]}x{sizes[1][1]} px"


def _decimal(fps: object) -> str:
    return f"{float(fps):.3f}"  # type: ignore[arg-type]
