"""What comparisons of the same people in both clips have in common."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

from thgeval.feature import Feature
from thgeval.features.heads.rest import Both
from thgeval.metric import Metric, Needs, View, of_both
from thgeval.metrics.faces.missing import Array, Why
from thgeval.metrics.faces.whom import Landmarked, Sides, Whom, over_pairs, with_choice
from thgeval.parameter import parameter
from thgeval.states import ClipMean, PooledMean

Pool = type[ClipMean] | type[PooledMean]
POOLS: Mapping[str, Pool] = MappingProxyType({"clip": ClipMean, "frame": PooledMean})


@dataclass(frozen=True)
class PairedMetric(Metric[ClipMean | PooledMean]):
    """A mean over frames in which the same people are compared; several people of a frame are averaged first."""

    whom: Whom = Landmarked()
    pool: str = parameter(
        "clip", "``clip``: the mean of each clip, then over clips; ``frame``: over all frames at once", of=POOLS
    )

    pools: ClassVar[Mapping[str, Pool]] = POOLS
    """What keeps the values, by the name of the pool."""

    @property
    @abstractmethod
    def values(self) -> Feature[Any]:
        """What is compared of each person."""

    def read(self, value: Any) -> Array:
        """The value of that feature as (frames, people, ...), NaN where there is no face."""
        return np.asarray(value, np.float64)

    @abstractmethod
    def compared(self, generated: Array, reference: Array) -> Array:
        """The number for each pair of faces: two (faces, ...) arrays -> (faces,)."""

    @property
    def of_both_sides(self) -> Feature[Both[Any]] | None:
        """The same of both sides together, where it is measured from one rest; None where each frame stands alone."""
        return None

    @property
    def needs(self) -> Needs:
        """The same of both clips."""
        needs = of_both(*with_choice(self.values))
        return needs if self.of_both_sides is None else replace(needs, pair=(self.of_both_sides,))

    def sides(self, view: View) -> Sides:
        """Both sides of a view under this metric's policy."""
        return self.whom.pairs(view, self.values, self.read, self.of_both_sides)

    def measure(self, view: View) -> ClipMean | PooledMean:
        """One value per frame."""
        sides = self.sides(view)
        return self.state(view, over_pairs(sides.generated, sides.reference, self.compared), sides.why)

    def state(self, view: View, values: Array, why: Why) -> ClipMean | PooledMean:
        """The state of one clip: (frames,) values, and why a frame has no face."""
        return self.pools[self.pool]({view.clip: (self.whom.part(values, why),)})
