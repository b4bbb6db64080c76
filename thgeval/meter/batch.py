"""One update: what it shows of some clips, and every metric's state of it, features shared between metrics.

Metrics of single frames look at the frames of all clips at once; others, which look at neighbours or at whole clips,
see a clip at a time. Either way ``measure`` is the metric's own, and nothing is counted before all of it has gone well.
"""

from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache
from typing import Any

from thgeval.errors import InputError
from thgeval.feature import Feature, Grain
from thgeval.features.frames.frames import rgb
from thgeval.media.frames import FrameBatch
from thgeval.meter.handed import HANDED, Arrays, Wanted, handed_value, is_handed, wanted
from thgeval.metric import Metric
from thgeval.signature import closure
from thgeval.states import Part, State
from thgeval.view import Given, View

FRAMES = "frames"


@dataclass(frozen=True, eq=False)
class Material:
    """One side of some clips of equal length: arrays by name, (clips, frames, ...).

    ``frames`` are (clips, frames, height, width, 3); other names are those of ``handed``. ``beside`` holds what is true
    of every clip.
    """

    arrays: Arrays
    beside: Arrays = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, int]:
        """How many clips, and how many frames or rows each."""
        clips, frames = next(iter(self.arrays.values())).shape[:2]
        return clips, frames

    def clip(self, number: int) -> Arrays:
        """The arrays of one clip."""
        return {**{name: array[number] for name, array in self.arrays.items()}, **self.beside}

    def joined(self) -> Arrays:
        """The arrays of all clips below each other."""
        return {**{name: array.reshape(-1, *array.shape[2:]) for name, array in self.arrays.items()}, **self.beside}


@dataclass(frozen=True, eq=False)
class Batch:
    """Some clips of one update; ``peak`` is the value of white, ``fps`` the rate of the frames.

    ``features`` is the name of what computed the arrays, where a network of the metric's own would have.
    """

    generated: Material
    reference: Material | None
    peak: float = 255.0
    fps: Fraction | None = None
    features: str = ""
    views: dict[Any, View] = field(default_factory=dict)
    states: dict[Any, State] = field(default_factory=dict)

    def state(self, metric: Metric[Any], *, reference: bool = False) -> State:
        """What a metric remembers of the batch, under the clips' numbers: "0", "1", ...

        With ``reference`` of the reference clips, looked at as if they were generated. InputError if it can't.
        """
        if (metric, reference) not in self.states:
            self.states[metric, reference] = self._state(metric, reference)
        return self.states[metric, reference]

    def _state(self, metric: Metric[Any], reference: bool) -> State:
        clips, frames = self.generated.shape
        if framewise(metric):
            state = self._measured(metric, "all", reference)
            return _taken_apart(state, clips, frames)
        states = [self._measured(metric, str(number), reference) for number in range(clips)]
        return type(states[0]).total(states)

    def _measured(self, metric: Metric[Any], clip: str, reference: bool) -> State:
        view = self._view(metric, clip)
        state: State = metric.measure((view.swapped() if reference else view).seen_by(metric.needs, metric.name))
        return state

    def _view(self, metric: Metric[Any], clip: str) -> View:
        """One clip, or all in one, as a metric asks for it; what metrics ask for alike is computed once."""
        needs = wanted(metric, features=self.features)
        self._check(needs, metric)
        features = {*needs.generated, *needs.reference}
        key = (clip, frozenset(features - {rgb}))
        if key not in self.views:
            ours, theirs = (self._given(side, features, clip) for side in (self.generated, self.reference))
            self.views[key] = View.of(clip, 0, ours, theirs)
        return self.views[key]

    def _check(self, needs: Wanted, metric: Metric[Any]) -> None:
        """Refuse a metric for which a side is missing, or its frames: InputError."""
        if needs.reference and self.reference is None:
            raise InputError(f"{metric.name} compares with a reference; give both sides", reason="no reference")
        for side, features in ((self.generated, needs.generated), (self.reference, needs.reference)):
            if side is None:
                continue
            if rgb in features and FRAMES not in side.arrays:
                raise InputError(f"{metric.name} looks at frames; give those", reason="no frames")
            held = {**side.arrays, **side.beside}
            for feature in features:
                if feature != rgb and not is_handed(feature, held):
                    names = " and ".join(HANDED[feature.name].arrays(feature))
                    raise InputError(f"{metric.name} needs {names} on that side; give it too", reason="lacking")

    def _given(self, side: Material | None, features: set[Feature[Any]], clip: str) -> Given:
        """What a side offers of these features."""
        if side is None:
            return {}
        arrays = side.joined() if clip == "all" else side.clip(int(clip))
        there = [feature for feature in features - {rgb} if is_handed(feature, arrays)]
        given = {feature: handed_value(feature, arrays, self.features) for feature in there}
        if FRAMES in arrays:
            given[rgb] = FrameBatch(arrays[FRAMES], self.peak, 0, fps=self.fps)
        return given


@cache
def framewise(metric: Metric[Any]) -> bool:
    """Whether every frame is measured by itself, so that frames of several clips may stand below each other."""
    return all(feature.grain is not Grain.CLIP and not feature.halo for feature in closure(metric))


def _taken_apart(state: State, clips: int, frames: int) -> State:
    """The state of all clips in one as that of each, under its number."""
    ((_, (part,)),) = state.parts.items()
    return type(state)(
        {str(number): (_piece(part, number * frames, (number + 1) * frames),) for number in range(clips)}
    )


def _piece(part: Part, first: int, last: int) -> Part:
    found = {
        reason: tuple(frame - first for frame in frames if first <= frame < last)
        for reason, frames in part.left_out.items()
    }
    return replace(part, values=part.array[first:last], left_out={why: which for why, which in found.items() if which})
