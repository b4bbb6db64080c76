"""Controls of takes: what the demo makes of a head and its track.

A metric is judged by how it ranks these. The copy must be best or tied for best wherever there is a reference; a still
picture must not win a metric of motion; stronger blur, noise and compression must not score better than weaker; a
picture late against its sound must lose synchrony.

A control makes another take of one take: other frames, as many as went in, under the same sound; the same head moving
otherwise, rendered anew; or the same picture with other speech.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from thgeval_baselines.controls.frames import Frames, blurred, noisy, shifted, still
from thgeval_baselines.sets.clips import Take
from thgeval_baselines.speech.spoken import spoken


@dataclass(frozen=True)
class Control:
    """One control: what it does to a take, and how its file is made.

    ``crf`` is the quality of its encoding, None for the reference's own; with ``file_copied`` nothing is encoded anew,
    the reference's file is copied byte for byte.
    """

    name: str
    summary: str
    changed: Callable[[Take], Take]
    crf: int | None = None
    file_copied: bool = False


def unchanged(take: Take) -> Take:
    """The take as it is."""
    return take


def of_frames(change: Callable[[Frames], Frames]) -> Callable[[Take], Take]:
    """A control that changes frames alone, (frames, height, width, 3) ``uint8`` RGB; landmarks stay what they were."""
    return lambda take: replace(take, frames=change(take.frames))


def holding(*parameters: str) -> Callable[[Take], Take]:
    """A control under which these parameters of the head stay at rest, everything else moves as it did."""
    return lambda take: replace(Take.of(take.head, take.track.held(*parameters)), sound=take.sound)


def with_other_speech(take: Take) -> Take:
    """The same picture under speech that begins two sentences on."""
    seconds = len(take.track) / take.track.fps
    return replace(take, sound=spoken(take.track.first + 2, seconds=seconds).samples)


_TABLE = (
    Control("copy", "the reference itself, byte for byte", unchanged, file_copied=True),
    Control("still", "the first frame throughout", of_frames(still)),
    Control("shift5", "the picture five frames late against the sound", of_frames(partial(shifted, by=5))),
    Control("noblink", "the same head, never blinking", holding("blink")),
    Control("mouthfreeze", "the same head, its mouth at rest", holding("aperture", "rounding")),
    Control("wrongaudio", "the same picture under other speech", with_other_speech),
    Control("blur1", "Gaussian blur of 1 px", of_frames(partial(blurred, sigma_px=1.0))),
    Control("blur3", "Gaussian blur of 3 px", of_frames(partial(blurred, sigma_px=3.0))),
    Control("noise5", "Gaussian noise of 5 grey levels, then CRF 18", of_frames(partial(noisy, sigma=5.0)), crf=18),
    Control("crf18", "H.264 at CRF 18: light compression", unchanged, crf=18),
    Control("crf30", "H.264 at CRF 30: visible compression", unchanged, crf=30),
    Control("crf42", "H.264 at CRF 42: heavy compression", unchanged, crf=42),
)

CONTROLS: dict[str, Control] = {control.name: control for control in _TABLE}
