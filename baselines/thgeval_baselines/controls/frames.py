"""What frames alone can suffer: (frames, height, width, 3) ``uint8`` RGB in, as many out.

Times are in seconds at ``fps`` frames per second; what is drawn at random follows from a seed.
"""

from collections.abc import Iterable
from fractions import Fraction
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from thgeval.controls import frames as shared
from thgeval.errors import ProtocolError

Frames: TypeAlias = NDArray[np.uint8]

MEDIAN_OF = 200
"""Frames, evenly spread, whose median is taken."""
CREEP_COLOUR = np.array([1.18, 1.0, 0.82])
"""What red, green and blue have been multiplied by when a creep is complete."""
CREEP_WIDTH = 0.10
"""By how much the picture has then grown wider, from its middle: another face."""
WALK_PX, WALK_DEG = 0.02, 4.0
"""Of a random method: how far the picture strays in widths of it, and turns, as standard deviations."""


def together(frames: Iterable[Frames]) -> Frames:
    """Frames that come one by one as one array."""
    return np.stack(list(frames))


def still(frames: Frames) -> Frames:
    """The first frame throughout."""
    return together(shared.still(frames))


def median(frames: Frames) -> Frames:
    """The median over time of each pixel, throughout."""
    chosen = np.linspace(0, len(frames) - 1, min(len(frames), MEDIAN_OF)).round().astype(int)
    middle = np.rint(np.median(frames[chosen], axis=0)).astype(np.uint8)
    return np.repeat(middle[None], len(frames), axis=0)


def shuffled(frames: Frames, *, seed: int) -> Frames:
    """The same frames in an order drawn from a seed."""
    return frames[np.random.default_rng(seed).permutation(len(frames))]


def backwards(frames: Frames) -> Frames:
    """Last frame first."""
    return frames[::-1]


def looped(frames: Frames, *, fps: Fraction, seconds: float = 1.0) -> Frames:
    """The first seconds again and again."""
    return frames[np.arange(len(frames)) % max(1, min(len(frames), round(seconds * fps)))]


def shifted(frames: Frames, *, by: int) -> Frames:
    """Every frame ``by`` frames later than it was; the first one is held, the last ``by`` are dropped.

    A negative ``by`` is earlier, holding the last one. Raises ``ProtocolError`` where no frame would be left.
    """
    return together(shared.late(frames, by=by)) if by >= 0 else shifted(frames[::-1], by=-by)[::-1]


def paused(frames: Frames, *, fps: Fraction, start: float, seconds: float) -> Frames:
    """The frame at ``start`` (a part of the clip, 0 to 1) held for some seconds, then on where it would be by then.

    Length and synchrony elsewhere stay. Raises ``ProtocolError`` for a clip that is no longer than the pause.
    """
    first, held = round(start * len(frames)), round(seconds * fps)
    if first + held >= len(frames):
        raise ProtocolError(
            f"a clip of {len(frames)} frames has no room for a pause of {seconds:g} s, use a longer clip"
        )
    index = np.arange(len(frames))
    index[first : first + held] = first
    return frames[index]


def dropped(frames: Frames, *, part: float, seed: int) -> Frames:
    """A part of the frames, drawn from a seed, shows the one before it instead; the first is never dropped."""
    rng = np.random.default_rng(seed)
    lost = 1 + rng.permutation(len(frames) - 1)[: round(part * len(frames))]
    index = np.arange(len(frames))
    index[lost] = 0
    return frames[np.maximum.accumulate(index)]


def blurred(frames: Frames, *, sigma_px: float) -> Frames:
    """A Gaussian blur of every frame."""
    return together(shared.blurred(frames, sigma_px=sigma_px))


def noisy(frames: Frames, *, sigma: float, seed: int = 0) -> Frames:
    """Gaussian noise of ``sigma`` grey levels on every channel, drawn from a seed."""
    return together(shared.noisy(frames, sigma=sigma, seed=seed))


def jpeg(frames: Frames, *, quality: int) -> Frames:
    """Every frame through JPEG at a quality of libjpeg's scale."""
    return np.stack([_through_jpeg(frame, quality) for frame in frames])


def _through_jpeg(frame: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    _, coded = cv2.imencode(".jpg", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    read = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    return np.asarray(cv2.cvtColor(read, cv2.COLOR_BGR2RGB), np.uint8)


def resized(frames: Frames, *, part: float) -> Frames:
    """Every frame made smaller by averaging, and as large again by cubic interpolation."""
    height, width = frames.shape[1:3]
    small = (max(1, round(part * width)), max(1, round(part * height)))
    return np.stack(
        [
            np.asarray(
                cv2.resize(
                    cv2.resize(frame, small, interpolation=cv2.INTER_AREA),
                    (width, height),
                    interpolation=cv2.INTER_CUBIC,
                ),
                np.uint8,
            )
            for frame in frames
        ]
    )


def coarse(frames: Frames, *, bits: int) -> Frames:
    """Places at which colours are read rounded to 2**bits steps of the picture's width and height."""
    steps = 2**bits

    def rounded(size: int) -> NDArray[np.intp]:
        places = (np.arange(size) + 0.5) / size
        return np.asarray(np.clip((np.floor(places * steps) + 0.5) / steps * size, 0, size - 1), np.intp)

    return np.asarray(frames[:, rounded(frames.shape[1])][:, :, rounded(frames.shape[2])])


def fewer_levels(frames: Frames, *, bits: int) -> Frames:
    """Each channel rounded to 2**bits levels from 0 to 255."""
    steps = 2**bits - 1
    table = np.rint(np.rint(np.arange(256) / 255 * steps) / steps * 255).astype(np.uint8)
    return np.asarray(table[frames], np.uint8)


def creeping(frames: Frames, *, fps: Fraction, seconds: float | None = 60.0) -> Frames:
    """Colour and proportions creep from the first frame's: all the way after some seconds, or at the end if None."""
    whole = len(frames) - 1 if seconds is None else seconds * float(fps)
    return np.stack([_crept(frame, min(1.0, index / max(whole, 1.0))) for index, frame in enumerate(frames)])


def _crept(frame: NDArray[np.uint8], part: float) -> NDArray[np.uint8]:
    height, width = frame.shape[:2]
    scale = 1 + CREEP_WIDTH * part
    matrix = np.array([[scale, 0, (1 - scale) * width / 2], [0, 1, 0]])
    wider = cv2.warpAffine(frame, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    tinted = np.asarray(wider, np.float32) * (1 + part * (CREEP_COLOUR - 1))
    return np.rint(np.clip(tinted, 0, 255)).astype(np.uint8)


def astray(picture: NDArray[np.uint8], *, frames: int, fps: Fraction, seed: int) -> Frames:
    """A picture that strays and turns at random, slowly, from a seed: a method that knows nothing of its inputs."""
    rng = np.random.default_rng(seed)
    width = picture.shape[1]
    ends = max(2, int(np.ceil(frames / float(fps) / 0.4)) + 1)
    marks = rng.standard_normal((ends, 3)) * [WALK_PX * width, WALK_PX * width, WALK_DEG]
    times = np.linspace(0, ends - 1, frames)
    walk = np.stack([np.interp(times, np.arange(ends), each) for each in marks.T], axis=-1)
    return np.stack([_moved(picture, *(float(value) for value in row)) for row in walk - walk[:1]])


def _moved(picture: NDArray[np.uint8], x_px: float, y_px: float, turn_deg: float) -> NDArray[np.uint8]:
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn_deg, 1.0)
    matrix = np.asarray(matrix, np.float64) + np.array([[0, 0, x_px], [0, 0, y_px]])
    shown = cv2.warpAffine(picture, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(shown, np.uint8)
