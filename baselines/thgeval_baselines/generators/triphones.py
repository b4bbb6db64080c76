"""Which of a person's mouth movements are shown for which sounds of new speech: the search of Video Rewrite.

Footage of the person is cut at its phones. Each new phone is shown by a *triphone* of the footage: a phone with its two
neighbours. Chosen is the sequence of triphones of least cost, found by dynamic programming: how far their phones are
from the new ones (context, two neighbours on either side), and how badly mouths agree where one triphone overlaps the
next. Each is stretched in time to the new phones, and left for the next where the two agree best.

Source: Bregler, Covell, Slaney, "Video Rewrite: Driving Visual Speech with Audio", SIGGRAPH 1997. Departs: between two
classes of sounds the published distance is 1 throughout; here it is between 3/4 and 1, by how far apart the lips'
aims are (``speech.visemes``), as seconds of footage lack sounds that the published eight minutes hold. Distances
within a class are a fixed third, not read off published confusions. Weights are ours.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import InputError
from thgeval_baselines.speech.visemes import Phone, visemes

Array = NDArray[np.float64]

PAUSE = "SIL"
CONSONANTS = ("CH JH SH ZH", "K G N L", "T D S Z", "P B M", "F V", "TH DH", "W R", "HH", "Y", "NG")
VOWELS = "EH EY ER UH AA AO AW AY UW OW OY IY IH AE AH"
CLASSES: dict[str, int] = {
    name: number for number, alike in enumerate((*CONSONANTS, *VOWELS.split(), PAUSE)) for name in alike.split()
}
"""The 26 classes of sounds that look alike, by ARPABET names."""

WITHIN, BETWEEN = 1 / 3, 0.75
"""Distance of two sounds of one class, and the least of two sounds of different classes."""
CONTEXT = np.array([1.0, 4.0, 12.0, 4.0, 1.0]) / 22
"""Weights of a phone's two predecessors, the phone, and its two successors."""
FADE_S = 0.06
"""How long one triphone fades into the next."""
AT_ONCE, TRIED = 3, 9
"""Triphones that one frame may show, and times that are tried for leaving one."""
SAMPLES = 4
"""At so many times in each phone mouths are compared."""
ALPHA = 0.97
"""The part of the context in the cost; the rest is the mouths'."""


@dataclass(frozen=True, eq=False)
class Footage:
    """What can be shown: ``phones`` in order, without gaps, and ``shapes`` (frames, 4) of the mouth at ``fps``.

    A shape is the width of the lips, their height, the height of their opening, and that of the teeth seen in it, all
    in eye distances; NaN in frames without a face, which are never shown.
    """

    phones: tuple[Phone, ...]
    shapes: Array
    fps: float

    def at(self, times_s: Array) -> Array:
        """Shapes (times, 4) between frames."""
        frames = np.arange(len(self.shapes))
        return np.stack([np.interp(times_s * self.fps, frames, each) for each in self.shapes.T], axis=-1)


def plain(phones: Iterable[Phone], *, seconds: float) -> tuple[Phone, ...]:
    """Phones by plain ARPABET names without gaps from 0 to ``seconds``; noises and what is between them are pauses."""
    found: list[Phone] = []
    at_s = 0.0
    for name, start_s, end_s in phones:
        begin_s, end_s = max(start_s, at_s), min(end_s, seconds)
        if end_s <= begin_s:
            continue
        if begin_s > at_s:
            found.append(Phone(PAUSE, at_s, begin_s))
        known = name.rstrip("012")
        found.append(Phone(known if known in CLASSES else PAUSE, begin_s, end_s))
        at_s = end_s
    if at_s < seconds:
        found.append(Phone(PAUSE, at_s, seconds))
    merged: list[Phone] = []
    for phone in found:
        if merged and phone.name == merged[-1].name == PAUSE:
            merged[-1] = Phone(PAUSE, merged[-1].start_s, phone.end_s)
        else:
            merged.append(phone)
    return tuple(merged)


@cache
def distance(one: str, other: str) -> float:
    """How unlike two sounds look, 0 to 1, by ARPABET names."""
    if one == other:
        return 0.0
    if CLASSES[one] == CLASSES[other]:
        return WITHIN
    apart = np.abs(np.subtract(_aims(one), _aims(other))).sum()
    return BETWEEN + (1 - BETWEEN) * min(1.0, float(apart))


def _aims(name: str) -> tuple[float, float]:
    parts = visemes(name)
    return sum(each.aperture * share for each, share in parts), sum(each.rounding * share for each, share in parts)


def chosen(wanted: Sequence[Phone], footage: Footage) -> NDArray[np.intp]:
    """For each wanted phone the number of the footage's phone that shows it, in the middle of its triphone.

    Raises ``InputError`` (``no face``) where no phone of the footage has a face throughout.
    """
    held = np.flatnonzero(_showable(footage))
    if not len(held):
        raise InputError("the footage shows no sound with a face throughout", reason="no face")
    context = contexts(wanted, footage.phones)[:, held]
    joint = joints(footage)[np.ix_(held, held)]
    cost = ALPHA * context[0]
    came_from = np.zeros(context.shape, np.intp)
    for number in range(1, len(wanted)):
        through = cost[:, None] + (1 - ALPHA) * joint
        came_from[number] = through.argmin(axis=0)
        cost = through.min(axis=0) + ALPHA * context[number]
    path = np.empty(len(wanted), np.intp)
    path[-1] = cost.argmin()
    for number in range(len(wanted) - 1, 0, -1):
        path[number - 1] = came_from[number, path[number]]
    return held[path]


def contexts(wanted: Sequence[Phone], held: Sequence[Phone]) -> Array:
    """Distances (wanted, held) of phones in their contexts; beyond either end there are pauses."""
    names = sorted(CLASSES)
    table = np.array([[distance(one, other) for other in names] for one in names])
    reach = len(CONTEXT) // 2
    ours, theirs = (
        np.pad([names.index(each.name) for each in phones], reach, constant_values=names.index(PAUSE))
        for phones in (wanted, held)
    )
    whole = np.zeros((len(wanted), len(held)))
    for shift, weight in enumerate(CONTEXT):
        whole += weight * table[np.ix_(ours[shift : shift + len(wanted)], theirs[shift : shift + len(held)])]
    return whole


def joints(footage: Footage) -> Array:
    """How badly mouths agree (held, held) where one triphone overlaps the one that follows it; 1 is usual.

    They overlap in two phones: the middle and last of the one, the first and middle of the other. Triphones without a
    face throughout have no number.
    """
    spread = (np.arange(SAMPLES) + 0.5) / SAMPLES
    times_s = np.array([start_s + spread * (end_s - start_s) for _, start_s, end_s in footage.phones])
    shapes = footage.at(times_s.ravel()).reshape(len(footage.phones), -1)
    squared = np.sum(shapes**2, axis=1)
    apart = np.sqrt(np.maximum(squared[:, None] + squared - 2 * shapes @ shapes.T, 0.0))
    np.fill_diagonal(apart, 0.0)
    usual = float(np.nanmean(apart)) or 1.0
    held = np.arange(len(apart))
    before, after = np.maximum(held - 1, 0), np.minimum(held + 1, len(held) - 1)
    return np.asarray((apart[:, before] + apart[after]) / (2 * usual))


def _showable(footage: Footage) -> NDArray[np.bool_]:
    """Which phones (held,) have a face throughout their triphones."""
    gaps = np.concatenate([[0], np.cumsum(~np.isfinite(footage.shapes).all(axis=1))])
    last = len(gaps) - 1
    bounds = np.array([(start_s, end_s) for _, start_s, end_s in footage.phones])
    first = np.clip(np.floor(np.concatenate([bounds[:1, 0], bounds[:-1, 0]]) * footage.fps), 0, last).astype(int)
    beyond = np.clip(np.ceil(np.concatenate([bounds[1:, 1], bounds[-1:, 1]]) * footage.fps) + 1, 0, last).astype(int)
    return np.asarray(gaps[beyond] == gaps[first])


@dataclass(frozen=True, eq=False)
class Shown:
    """What is seen of the footage: ``frames`` (frames, ``AT_ONCE``), between its frames too, and their ``weights``."""

    frames: Array
    weights: Array


def sequence(wanted: Sequence[Phone], path: NDArray[np.intp], footage: Footage, *, fps: float, count: int) -> Shown:
    """The chosen triphones (``chosen``) in time, ``count`` frames at ``fps``, stretched and faded."""
    times_s = np.arange(count) / fps
    leaves_s = np.array([-np.inf, *_leaves(wanted, path, footage), np.inf])
    frames, weights = np.zeros((count, AT_ONCE)), np.zeros((count, AT_ONCE))
    for number in range(len(wanted)):
        enters_s, ends_s = leaves_s[number : number + 2]
        first, beyond = np.searchsorted(times_s, (enters_s - FADE_S / 2, ends_s + FADE_S / 2))
        now_s = times_s[first:beyond]
        weight = np.clip(np.minimum(now_s - enters_s, ends_s - now_s) / FADE_S + 0.5, 0, 1)
        slot = number % AT_ONCE
        heavier = weight > weights[first:beyond, slot]
        played = footage.fps * _played(wanted, path, footage, number, now_s)
        frames[first:beyond, slot] = np.where(heavier, played, frames[first:beyond, slot])
        weights[first:beyond, slot] = np.where(heavier, weight, weights[first:beyond, slot])
    return Shown(frames.clip(0, len(footage.shapes) - 1), weights / weights.sum(axis=1, keepdims=True))


def _leaves(wanted: Sequence[Phone], path: NDArray[np.intp], footage: Footage) -> Iterator[float]:
    """When each triphone is left for the next: between the middles of its last two phones, where mouths agree most."""
    for number in range(len(wanted) - 1):
        first_s, last_s = ((each.start_s + each.end_s) / 2 for each in wanted[number : number + 2])
        tried_s = np.linspace(first_s, last_s, TRIED)
        one, other = (footage.at(_played(wanted, path, footage, each, tried_s)) for each in (number, number + 1))
        yield float(tried_s[np.abs(one - other).sum(axis=1).argmin()])


def _played(wanted: Sequence[Phone], path: NDArray[np.intp], footage: Footage, number: int, times_s: Array) -> Array:
    """Times in the footage that the triphone of one wanted phone shows at times of the new speech."""
    ours, theirs = (
        [held[max(at - 1, 0)].start_s, held[at].start_s, held[at].end_s, held[min(at + 1, len(held) - 1)].end_s]
        for held, at in ((wanted, number), (footage.phones, int(path[number])))
    )
    return np.interp(times_s, ours, theirs)
