"""Whether the two sides of a pair fit each other, and what is cut or resized where they don't: as the protocol says."""

from collections.abc import Iterator
from concurrent.futures import wait
from dataclasses import replace

import numpy as np

from thgeval.clip import Pair
from thgeval.engine.remarks import rates_differ
from thgeval.engine.workers import Cores
from thgeval.errors import InputError
from thgeval.media import Decoder
from thgeval.media.frames import FrameBatch
from thgeval.media.resample import resize
from thgeval.protocol import Protocol
from thgeval.stages import DECODE, timed_pieces


def batches(
    pair: Pair,
    generated: Decoder | None,
    reference: Decoder | None,
    protocol: Protocol,
    cores: Cores,
    notes: list[str],
) -> Iterator[tuple[FrameBatch | None, FrameBatch | None]]:
    """Equal pieces of both sides; what doesn't fit is refused or cut, as the protocol says."""
    if generated is None or reference is None:
        for batch in timed_pieces(iter(generated or reference or ()), DECODE):
            yield (batch, None) if generated is not None else (None, batch)
        return
    first_side, second_side = (timed_pieces(iter(side), DECODE) for side in (generated, reference))
    while True:
        ahead = cores.spare(next, second_side, None)
        try:
            first = next(first_side, None)
        finally:
            wait([ahead])
        second = ahead.result()
        if first is None or second is None or len(first) != len(second):
            break
        yield _fitted(pair, first, second, protocol), second
    seen = [(_frames(batch), rest) for batch, rest in ((first, first_side), (second, second_side))]
    if seen[0][0] == seen[1][0]:
        return
    before = (first or second).start  # type: ignore[union-attr]
    lengths = [before + held + sum(map(len, rest)) for held, rest in seen]
    said = f"{pair.id} has {lengths[0]} generated frames and {lengths[1]} reference frames"
    held_out = pair.excerpt(reference=True)
    if held_out is not None and held_out.last is not None and lengths[0] > lengths[1]:
        raise InputError(
            f"{said}, which are the last {held_out.last} of that clip; generate just these, as others would be paired "
            "with the wrong ones",
            reason="length differs",
        )
    if protocol.lengths == "strict":
        raise InputError(
            f"{said}; the protocol wants equal lengths: choose --lengths truncate (or --protocol thg256-shorter) to "
            "compare the frames both have",
            reason="length differs",
        )
    shorter = min(held for held, _ in seen)
    if first is not None and second is not None and shorter:
        cut = _cut(second, shorter)
        yield _fitted(pair, _cut(first, shorter), cut, protocol), cut
    notes.append(f"{said}; the first {before + shorter} were compared")


def _frames(batch: FrameBatch | None) -> int:
    return 0 if batch is None else len(batch)


def _cut(batch: FrameBatch, frames: int) -> FrameBatch:
    return replace(batch, pixels=batch.pixels[: batch.lead + frames])


def _fitted(pair: Pair, generated: FrameBatch, reference: FrameBatch, protocol: Protocol) -> FrameBatch:
    """The generated frames in the size and range of the reference's, or an error that says how they differ."""
    if generated.pixels.dtype != reference.pixels.dtype:
        raise InputError(
            f"{pair.id}: the generated frames are {generated.pixels.dtype} and the reference frames "
            f"{reference.pixels.dtype}; give both sides in one type",
            reason="type differs",
        )
    if generated.peak != reference.peak:
        raise InputError(
            f"{pair.id}: white is {generated.peak:g} in the generated frames and {reference.peak:g} in the reference; "
            "give both sides in one range",
            reason="range differs",
        )
    (height, width), (wanted_height, wanted_width) = generated.pixels.shape[1:3], reference.pixels.shape[1:3]
    if (height, width) == (wanted_height, wanted_width):
        return generated
    said = f"{pair.id} is {width}x{height} px and its reference {wanted_width}x{wanted_height}"
    if protocol.sizes == "strict":
        raise InputError(
            f"{said}; make them equal, or choose --size PX (--protocol thg256), which brings both to one size",
            reason="size differs",
        )
    return replace(generated, pixels=resize(generated.pixels, width=wanted_width, height=wanted_height))


def check_rates(pair: Pair, generated: Decoder | None, reference: Decoder | None, protocol: Protocol) -> None:
    """Refuse sides of different frame rates where the protocol pairs frames by index."""
    if generated is None or reference is None or protocol.fps is not None or protocol.rates != "strict":
        return
    if not rates_differ(generated.info, reference.info):
        return
    rates = [float(side.info.fps or 0) for side in (generated, reference)]
    raise InputError(
        f"{pair.id} has {rates[0]:.3f} frames per second and its reference {rates[1]:.3f}; "
        "choose --fps 25 (or --protocol thg256), which brings both to one rate",
        reason="frame rate differs",
    )


def check_spread(pair: Pair, generated: Decoder | None, reference: Decoder | None) -> None:
    """Frames that are evenly spread over clips of different lengths show different moments.

    A generated clip that holds just the frames that are taken is taken as it is.
    """
    excerpt = pair.excerpt()
    if generated is None or reference is None or excerpt is None or excerpt.frames is None:
        return
    if generated.whole not in (reference.whole, excerpt.frames):
        raise InputError(
            f"{pair.id} has {generated.whole} generated frames and {reference.whole} reference frames, of which the "
            f"protocol takes {excerpt.frames} evenly spread; generate as many as the reference has, or just these",
            reason="length differs",
        )


def check_times(pair: Pair, generated: Decoder | None, reference: Decoder | None, protocol: Protocol) -> None:
    """Frames that are shown more than half a frame apart must not be compared by index."""
    if generated is None or reference is None or protocol.fps is not None or protocol.rates != "strict":
        return
    rate = reference.info.fps
    if generated.whole != reference.whole and pair.excerpt() is not None:
        return  # the generated clip holds just the frames that are taken, on a clock of their own
    if rate is None or not generated.times_s or not reference.times_s:
        return
    frames = min(len(generated.times_s), len(reference.times_s))
    drift = np.abs(np.subtract(generated.times_s[:frames], reference.times_s[:frames]))
    if frames and drift.max() * float(rate) > 0.5:
        raise InputError(
            f"{pair.id}: frame {int(drift.argmax())} is shown {drift.max() * 1000:.0f} ms apart from the reference's; "
            "choose --fps 25 (or --protocol thg256), which pairs frames by time",
            reason="frame times differ",
        )
