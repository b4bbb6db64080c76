"""The worst moments of a run: the few places that its metrics agree are bad, with the frames around them.

Frames that are among the worst of any metric and lie close together in one clip are one moment. A moment comes the
earlier, the higher a metric ranks it and the more metrics name it; no clip has more than two while others have any.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from thgeval.report.ranking import WorstFrame

NEAR_FRAMES = 6
"""Frames apart that may still be one moment."""
SHOWN_FRAMES = 5
STEP_FRAMES = 2
OF_ONE_CLIP = 2


@dataclass
class Moment:
    """A frame of a clip that metrics call bad, and the places it has among their worst frames, best place first."""

    clip: str
    frame: int
    places: list[WorstFrame] = field(default_factory=list)

    @property
    def weight(self) -> tuple[int, int]:
        """Sorts moments: by their highest rank, then by how many metrics name them."""
        return min(place.rank for place in self.places), -len({place.metric for place in self.places})


def moments(listed: Iterable[WorstFrame], count: int) -> list[Moment]:
    """At most so many moments of the worst frames of all metrics."""
    found: list[Moment] = []
    for place in sorted(listed, key=lambda place: place.rank):
        near = (one for one in found if one.clip == place.clip and abs(one.frame - place.frame) <= NEAR_FRAMES)
        moment = next(near, None)
        if moment is None:
            moment = Moment(place.clip, place.frame)
            found.append(moment)
        moment.places.append(place)
    return _spread(sorted(found, key=lambda one: one.weight), count)


def _spread(ranked: list[Moment], count: int) -> list[Moment]:
    """The first of them, those of a clip that has two already last."""
    seen: dict[str, int] = {}
    first: list[Moment] = []
    last: list[Moment] = []
    for moment in ranked:
        seen[moment.clip] = seen.get(moment.clip, 0) + 1
        (first if seen[moment.clip] <= OF_ONE_CLIP else last).append(moment)
    return [*first, *last][:count]


def frames_around(frame: int, count: int) -> tuple[int, ...]:
    """The frames that show a moment of a clip of ``count`` frames: the frame itself and some on either side."""
    every = range(frame % STEP_FRAMES, max(count, frame + 1), STEP_FRAMES)
    first = min(max(frame // STEP_FRAMES - SHOWN_FRAMES // 2, 0), max(0, len(every) - SHOWN_FRAMES))
    return tuple(every[first : first + SHOWN_FRAMES])
