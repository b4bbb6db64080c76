"""Every control by name: ``ctl-gt`` copies the reference's file, the others are made of its frames and its sound.

Names end in how strong they are. ``ctl-shift5`` shows its picture five frames late against its sound, ``ctl-shift-5``
five early. ``videolead``, ``audiolead``, ``pause-start``, ``pause-middle``, ``coarse`` and ``drop`` lie on the axes of
THQA-3D, whose clips people have judged at these levels: seconds for leads; seconds of a held picture for pauses, whose
unit is stated nowhere and is ours; ``coarse`` rounds the places at which colours are read to so many bits, as its
``qt`` rounds texture coordinates; ``drop`` stands for its ``stream``, whose levels have no unit, in per cent of frames.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from thgeval.controls.faces import marked, with_frozen_mouth
from thgeval.errors import InputError, ProtocolError
from thgeval_baselines.controls import frames as of
from thgeval_baselines.controls.exact import Change, Known, rendered
from thgeval_baselines.controls.frames import Frames
from thgeval_baselines.controls.sound import Samples, as_long, in_pieces


@dataclass(frozen=True, eq=False)
class Clip:
    """A reference as a control gets it, and as it gives it back.

    ``sound`` is (samples,) at ``rate_hz`` from ``start_s`` after the first frame; ``other_sound`` is another item's.
    ``portrait`` is the source image; ``known`` what a synthetic set knows of the item; ``how`` says what was done
    where there is more than one way.
    """

    frames: Frames
    fps: Fraction
    seed: int
    sound: Samples | None = None
    rate_hz: int = 16000
    start_s: float = 0.0
    other_sound: Samples | None = None
    portrait: NDArray[np.uint8] | None = None
    known: Known | None = None
    how: str = ""


@dataclass(frozen=True)
class Row:
    """One control: what it is, what a metric should say of it, and how it is encoded (x264's CRF)."""

    id: str
    says: str
    change: Callable[[Clip], Clip]
    crf: int = 12
    file_copied: bool = False
    needs_other: bool = False


def _of_frames(change: Callable[[Frames], Frames]) -> Callable[[Clip], Clip]:
    return lambda clip: replace(clip, frames=change(clip.frames))


def _seeded(change: Callable[..., Frames], **more: float) -> Callable[[Clip], Clip]:
    return lambda clip: replace(clip, frames=change(clip.frames, seed=clip.seed, **more))


def _timed(change: Callable[..., Frames], **more: float | None) -> Callable[[Clip], Clip]:
    return lambda clip: replace(clip, frames=change(clip.frames, fps=clip.fps, **more))


def _led(seconds: float) -> Callable[[Clip], Clip]:
    """The picture earlier than its sound by so many seconds, later where negative."""
    return lambda clip: replace(clip, frames=of.shifted(clip.frames, by=-round(seconds * clip.fps)))


def _exact(change: Change) -> Callable[[Clip], Clip]:
    def changed(clip: Clip) -> Clip:
        if clip.known is None:
            raise InputError("nothing is known of how its clips are made", reason="unable")
        made = np.stack(list(rendered(clip.known, change)))
        if made.shape != clip.frames.shape:
            raise InputError(f"rendering gives {made.shape}, the reference is {clip.frames.shape}", reason="unable")
        return replace(clip, frames=made, how="rendered anew from what the set knows")

    return changed


def _mouth_frozen(clip: Clip) -> Clip:
    try:
        return _exact(Change(mouth=0.0))(clip)
    except InputError:
        held = with_frozen_mouth(clip.frames, marked(clip.frames))
        return replace(clip, frames=of.together(held), how="the first frame's lower face, held by landmarks")


def _other_speech(clip: Clip) -> Clip:
    if clip.other_sound is None or clip.sound is None:
        raise InputError("its set has no other speech to put under it", reason="unable")
    return replace(clip, sound=as_long(clip.other_sound, len(clip.sound)))


def _sound_in_pieces(clip: Clip) -> Clip:
    if clip.sound is None:
        raise InputError("its reference has no sound", reason="no audio")
    return replace(clip, sound=in_pieces(clip.sound, rate_hz=clip.rate_hz, seed=clip.seed))


def _random_method(clip: Clip) -> Clip:
    picture = clip.frames[0] if clip.portrait is None else clip.portrait
    if picture.shape != clip.frames.shape[1:]:
        picture = clip.frames[0]
    made = of.astray(picture, frames=len(clip.frames), fps=clip.fps, seed=clip.seed)
    return replace(clip, frames=made)


def _unchanged(clip: Clip) -> Clip:
    return clip


def _rows() -> list[Row]:
    rows = [
        Row("ctl-gt", "the reference's own file: best, or tied for it", _unchanged, file_copied=True),
        Row("ctl-still", "the first frame throughout: no motion, no blinks, no synchrony", _of_frames(of.still)),
        Row("ctl-median", "the median of all frames throughout", _of_frames(of.median)),
        Row("ctl-shuffle", "its frames in another order: every frame right, no motion right", _seeded(of.shuffled)),
        Row("ctl-reverse", "its frames last to first: motion right but for its direction", _of_frames(of.backwards)),
        Row("ctl-loop", "the first second again and again", _timed(of.looped)),
    ]
    for by in (1, 2, 5, 10):
        for sign, word in ((1, "late"), (-1, "early")):
            frames = "frame" if by == 1 else "frames"
            says = f"the picture {by} {frames} {word} against its sound"
            rows.append(Row(f"ctl-shift{sign * by}", says, _of_frames(partial(of.shifted, by=sign * by))))
    for name, seconds in (("500ms", 0.5), ("1s", 1.0)):
        rows.append(Row(f"ctl-videolead-{name}", f"the picture {seconds:g} s before its sound", _led(seconds)))
        rows.append(Row(f"ctl-audiolead-{name}", f"the picture {seconds:g} s after its sound", _led(-seconds)))
    for place, start in (("start", 0.0), ("middle", 0.4)):
        for seconds in (1.0, 2.0):
            says = f"the picture held for {seconds:g} s at the {place}, then on in time"
            change = _timed(of.paused, start=start, seconds=seconds)
            rows.append(Row(f"ctl-pause-{place}-{seconds:g}s", says, change))
    rows += [
        Row("ctl-mouthfreeze", "the same head, its mouth as in the first frame or at rest", _mouth_frozen),
        Row("ctl-wrongaudio", "the same picture under other speech", _other_speech, needs_other=True),
        Row("ctl-shuffleaudio", "the same picture, its sound in pieces of 0.4 s in another order", _sound_in_pieces),
        Row("ctl-halfamp", "the same head, its mouth moving half as far", _exact(Change(mouth=0.5))),
        Row("ctl-noblink", "the same head, never blinking", _exact(Change(blinks=False))),
        Row("ctl-nopose", "the same face, the head held still", _exact(Change(pose=False))),
        Row("ctl-idswap", "another person with the same motion", _exact(Change(other_person=True))),
        Row("ctl-random", "the portrait astray, by a seed of the item: knows nothing of its inputs", _random_method),
        Row("ctl-drift", "colour and proportions creep, all the way after 60 s", _timed(of.creeping, seconds=60.0)),
        Row("ctl-drift-fast", "the same, all the way at the end", _timed(of.creeping, seconds=None)),
        Row("ctl-resize-half", "half the size and back", _of_frames(partial(of.resized, part=0.5))),
    ]
    for px in (1, 2, 3):
        rows.append(Row(f"ctl-blur{px}", f"Gaussian blur of {px} px", _of_frames(partial(of.blurred, sigma_px=px))))
    for quality in (50, 20, 10):
        says = f"every frame through JPEG at quality {quality}"
        rows.append(Row(f"ctl-jpeg{quality}", says, _of_frames(partial(of.jpeg, quality=quality))))
    for crf in (18, 30, 42):
        rows.append(Row(f"ctl-h264-crf{crf}", f"H.264 at CRF {crf}", _unchanged, crf=crf))
    for sigma in (2, 5):
        rows.append(Row(f"ctl-noise{sigma}", f"Gaussian noise of {sigma} grey levels", _seeded(of.noisy, sigma=sigma)))
    for bits in (4, 5, 6, 7):
        says = f"places rounded to {bits} bits: {2**bits} blocks across"
        rows.append(Row(f"ctl-coarse{bits}", says, _of_frames(partial(of.coarse, bits=bits))))
    for bits in (2, 3, 4):
        says = f"colours rounded to {bits} bits a channel"
        rows.append(Row(f"ctl-levels{bits}", says, _of_frames(partial(of.fewer_levels, bits=bits))))
    for part in (10, 30, 60):
        says = f"{part} % of the frames dropped, the one before held"
        rows.append(Row(f"ctl-drop{part}", says, _seeded(of.dropped, part=part / 100)))
    return rows


TABLE: Mapping[str, Row] = MappingProxyType({row.id: row for row in _rows()})
"""Every control by its id, in the order in which they are listed."""


def made(row: Row, clip: Clip) -> Clip:
    """A clip as a control makes it; InputError where it can't be made of this one."""
    try:
        return row.change(clip)
    except ProtocolError as error:
        raise InputError(str(error), reason="unable") from error
