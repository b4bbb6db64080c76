"""How a mouth moves that says given sounds: from phones with their times to curves, at any frame rate.

Every sound pulls the mouth towards its viseme with a strength that fades exponentially before and after it, and the
mouth is where the pulls balance; so each sound is coloured by its neighbours, and by weak ones less. Lips that must
touch do: a closure lasts one frame at least, whatever the frame rate.

Source: M. M. Cohen and D. W. Massaro, "Modeling Coarticulation in Synthetic Visual Speech", in Models and Techniques
in Computer Animation, Springer, 1993.
Departs: a pull keeps its strength through the middle of a long sound (there it fades from the middle on); closures are
put on top.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thgeval_baselines.speech.visemes import ACTIONS, PAIRED, VISEMES, Phone, Viseme, visemes

Curve = NDArray[np.float64]

BEFORE_S, AFTER_S = 0.05, 0.04
"""After how long a pull has faded to 1/e: lips prepare a sound a little earlier than they leave it."""

EDGE_S = 0.03
"""The outer part of a sound, at either end, in which its pull fades already."""

PART_S = 0.08
"""How long lips take to part after a closure, and to meet before one."""

SHORTEST_CLOSURE_S = 0.04
JAW = 0.6
"""``jawOpen`` that opens the lips as far as ``aperture`` 1 does."""

FUNNEL = 0.6
"""The aperture that ``mouthFunnel`` 1 opens by itself."""

JAW_WHILE_SHUT, PRESS = 0.08, 0.35

NEARLY = 0.25

_BLOCK_S, _HEARD_S = 10.0, 1.0


@dataclass(frozen=True, eq=False)
class MouthCurves:
    """A mouth over time, one value a frame.

    ``aperture`` and ``rounding`` (frames,) are those of ``photo.geometry.Parameters``; ``actions`` are (frames,) curves
    in [0, 1] by their ARKit names, all of ``visemes.ACTIONS``.
    """

    aperture: Curve
    rounding: Curve
    actions: Mapping[str, Curve]

    def __len__(self) -> int:
        return len(self.aperture)


@dataclass(frozen=True)
class _Pull:
    """A viseme and when: the middle part of its sound, at which its pull is whole."""

    viseme: Viseme
    start_s: float
    end_s: float

    def held(self) -> tuple[float, float]:
        edge = min(EDGE_S, (self.end_s - self.start_s) / 2)
        return self.start_s + edge, self.end_s - edge


def mouth(phones: Sequence[Phone], *, fps: float, frames: int) -> MouthCurves:
    """The mouth that says ``phones`` (in order of time), at ``frames`` times ``k / fps`` seconds.

    Between phones, before and after them it is at rest.
    """
    times_s = np.arange(frames) / fps
    pulls = list(_pulls(phones, frames / fps))
    names = ("aperture", "rounding", *ACTIONS)
    blended = {name: np.zeros(frames) for name in names}
    starts, ends = np.array([pull.start_s for pull in pulls]), np.array([pull.end_s for pull in pulls])
    block = max(1, round(_BLOCK_S * fps))
    for first in range(0, frames, block):
        inside = slice(first, first + block)
        low, high = times_s[inside][0] - _HEARD_S, times_s[inside][-1] + _HEARD_S
        near = [pulls[n] for n in np.flatnonzero((ends >= low) & (starts <= high))]
        for name, curve in _balanced(near, times_s[inside]):
            blended[name][inside] = curve
    return _closed(blended, parting(closures(phones, shortest_s=1 / fps), times_s))


def closures(phones: Sequence[Phone], *, shortest_s: float = 0.0) -> Curve:
    """When lips touch, (closures, 2) begin and end in seconds, each ``shortest_s`` long at least."""
    spans = []
    for pull in _said(phones):
        if pull.viseme.shut:
            length = max(pull.viseme.shut * (pull.end_s - pull.start_s), SHORTEST_CLOSURE_S)
            wider = max(0.0, shortest_s * (1 + 1e-6) - length) / 2
            spans.append((pull.start_s - wider, pull.start_s + length + wider))
    return np.array(spans, np.float64).reshape(-1, 2)


def closures_met(opening: Curve, spans: Curve, *, fps: float) -> NDArray[np.bool_]:
    """Whether lips nearly touch in each closure (closures, 2) s, by an opening (frames,) of any unit: (closures,).

    Nearly is a quarter of the way from where the opening is in its lowest twentieth to its highest, in any frame from
    one before the closure to one after it; frames that are NaN don't count. Readers of landmarks never see lips quite
    closed, hence the lowest twentieth in place of 0.
    """
    low, high = np.nanpercentile(opening, (5, 95))
    touching = opening <= low + NEARLY * (high - low)
    frame = np.arange(len(opening)) / fps
    near = (frame >= spans[:, :1] - 1 / fps) & (frame <= spans[:, 1:] + 1 / fps)
    return np.asarray((near & touching).any(axis=1))


def parting(spans: Curve, times_s: Curve, *, over_s: float = PART_S) -> Curve:
    """What is left of the opening near closures: 0 in them, 1 from ``over_s`` away, (times,)."""
    if not len(spans):
        return np.ones(len(times_s))
    order = spans[np.argsort(spans[:, 0])]
    reach = np.maximum.accumulate(order[:, 1])  # when the last of all closures so far ends
    number = np.searchsorted(order[:, 0], times_s, side="right")
    since = np.where(number > 0, times_s - reach[np.maximum(number - 1, 0)], np.inf)
    until = np.where(number < len(order), order[np.minimum(number, len(order) - 1), 0] - times_s, np.inf)
    away = np.clip(np.minimum(since, until) / over_s, 0, 1)
    return np.asarray((1 - np.cos(np.pi * away)) / 2)


def _said(phones: Sequence[Phone]) -> Iterator[_Pull]:
    """The visemes of phones, each with its own time."""
    for phone in phones:
        start_s = phone.start_s
        for viseme, share in visemes(phone.name):
            end_s = start_s + share * (phone.end_s - phone.start_s)
            yield _Pull(viseme, start_s, end_s)
            start_s = end_s


def _pulls(phones: Sequence[Phone], end_s: float) -> Iterator[_Pull]:
    """The same with rest wherever nothing is said, from long before the start to long after the end."""
    reached = -1.0
    for pull in _said(phones):
        if pull.start_s > reached:
            yield _Pull(VISEMES["rest"], reached, pull.start_s)
        yield pull
        reached = max(reached, pull.end_s)
    if reached < end_s + 1.0:
        yield _Pull(VISEMES["rest"], reached, end_s + 1.0)


def _balanced(pulls: Sequence[_Pull], times_s: Curve) -> Iterator[tuple[str, Curve]]:
    """Each parameter where the pulls balance: (times,) by name."""
    held = np.array([pull.held() for pull in pulls])
    early, late = held[:, :1] - times_s, times_s - held[:, 1:]
    fade = np.exp(-np.maximum(early, 0) / BEFORE_S - np.maximum(late, 0) / AFTER_S)
    opening, shape, tip = (
        weights / weights.sum(axis=0)
        for weights in (
            fade * np.array([[pull.viseme.grip] for pull in pulls]),
            fade * np.array([[pull.viseme.lips] for pull in pulls]),
            fade,
        )
    )
    yield "aperture", np.array([pull.viseme.aperture for pull in pulls]) @ opening
    yield "rounding", np.array([pull.viseme.rounding for pull in pulls]) @ shape
    for name in ACTIONS:
        plain = name.removesuffix("Left").removesuffix("Right")
        yield (
            name,
            (
                np.array([pull.viseme.shape.get(plain, 0.0) for pull in pulls]) @ shape
                + np.array([pull.viseme.tip.get(plain, 0.0) for pull in pulls]) @ tip
            ),
        )


def _closed(blended: dict[str, Curve], apart: Curve) -> MouthCurves:
    """The blended curves, with lips that touch where they must: what opens goes by ``apart``, what shuts is added."""
    jaw = np.clip(JAW * (blended["aperture"] - FUNNEL * blended["mouthFunnel"]), 0, 1)
    shut = (1 - apart) * np.minimum(jaw, JAW_WHILE_SHUT)
    actions = {name: blended[name] for name in ACTIONS}
    opening = ("mouthFunnel", "mouthUpperUpLeft", "mouthUpperUpRight", "tongueOut")
    actions |= {name: apart * blended[name] for name in opening}
    actions |= {"jawOpen": apart * jaw + shut, "mouthClose": shut}
    actions |= {f"{PAIRED[0]}{side}": PRESS * (1 - apart) for side in ("Left", "Right")}
    return MouthCurves(apart * blended["aperture"], blended["rounding"], actions)
