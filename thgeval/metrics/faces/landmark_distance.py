"""What metrics of landmark distances have in common: which points, how far apart, in which unit."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from thgeval.errors import ProtocolError
from thgeval.feature import Feature, resting_on
from thgeval.features.faces.aligned import aligned_faces
from thgeval.features.faces.landmarks import CHAINS
from thgeval.features.faces.people import shapes
from thgeval.features.frames.frames import Shown, rgb, shown
from thgeval.kernels.landmarks import DISTANCES, FACE_PARTS, REDUCTIONS, SCALES, centred, interocular, points_apart
from thgeval.metric import Metric, Needs, View, of_both
from thgeval.metrics.alignment import TimeAlignment
from thgeval.metrics.faces.missing import Array, Why
from thgeval.metrics.faces.paired import POOLS, PairedMetric
from thgeval.metrics.faces.whom import Landmarked, Sides, over_pairs, with_choice
from thgeval.parameter import parameter, same_as
from thgeval.states import ClipMean, PooledMean

CUTS = ("none", "eat")
T = TypeVar("T")


@dataclass(frozen=True)
class LandmarkDistance(Metric[ClipMean | PooledMean]):
    """Distance of landmarks from their partners, frame by frame.

    Px of frames of different sizes have no common mean: the size of the frames is a condition of the state.
    """

    whom: Landmarked = Landmarked()
    pool: str = same_as(PairedMetric, "pool")
    points: str = parameter(
        "mouth", "``mouth`` (20), ``face`` (68), or ``mouth-twice``: 24, the corners counting twice", of=FACE_PARTS
    )
    centred: bool = parameter(True, "whether each face's points are taken about their own mean first")
    distance: str = parameter(
        "l2", "``l2`` of each point, or ``l1``: the mean of the absolute differences in x and in y", of=DISTANCES
    )
    reduction: str = parameter("mean", "``mean`` or ``sum`` over points", of=REDUCTIONS)
    scale: str = parameter(
        "px", "``px``, or ``interocular``: over the distance of the reference's outer eye corners", of=SCALES
    )
    cut: str = parameter(
        "none", "``none``, or ``eat``: faces turned upright in squares of 128 px, and looked at again", of=CUTS
    )
    alignment: TimeAlignment = TimeAlignment()

    beside: ClassVar[tuple[str, ...]] = ()
    """What the number must be read beside, in a sentence; nothing as a rule."""

    def check_together(self) -> None:
        """Refuse what doesn't go together."""
        if self.cut != "none" and (self.whom.follow != "every" or self.whom.landmarks not in CHAINS):
            raise ProtocolError("cut needs landmarks found in every frame; use follow=every")
        self.alignment.check(average=self.pool)

    @property
    def unit(self) -> str:
        """Px of the frames compared, or nothing."""
        return "px" if self.scale == "px" else ""

    @property
    def values(self) -> Feature[Array]:
        """The landmarks of the chosen people."""
        return self._looked_at(shapes(**self.whom.chosen))

    @property
    def needs(self) -> Needs:
        """Landmarks of both sides, and the size of the frames."""
        return of_both(*with_choice(self.values), self.size)

    @property
    def size(self) -> Feature[Shown]:
        """The size of the frames looked at."""
        return self._looked_at(shown)

    def _looked_at(self, feature: Feature[T]) -> Feature[T]:
        if self.cut == "none":
            return feature
        return resting_on(feature, old=rgb, new=aligned_faces(model=self.whom.landmarks, follow=self.whom.follow))

    def sides(self, view: View) -> Sides:
        """Both sides of a view under this metric's policy."""
        return self.whom.pairs(view, self.values)

    def measure(self, view: View) -> ClipMean | PooledMean:
        """One value per frame."""
        sides = self.sides(view)
        if self.alignment.rigid:
            return self.state(view, over_pairs(sides.generated, sides.reference, self.compared), sides.why)
        found = self.alignment.costs(
            sides.generated, sides.reference, lambda ours, theirs: over_pairs(ours, theirs, self.compared)
        )
        return self.state(view, found, sides.why)

    def score(self, state: ClipMean | PooledMean) -> float:
        """Mean over clips, or over all frames, or of clips in step."""
        return self.alignment.value(state)

    def state(self, view: View, values: Array, why: Why) -> ClipMean | PooledMean:
        """The state of one clip: (frames,) values, and why a frame has no face."""
        return POOLS[self.pool]({view.clip: (self.whom.part(values, why, under=self.under(view)),)})

    def compared(self, generated: Array, reference: Array) -> Array:
        """Distances of faces (faces, 68, 2) from faces: (faces,)."""
        return self.scaled(self.between(generated, reference), reference)

    def between(self, generated: Array, reference: Array) -> Array:
        """The chosen points of one from those of the other, in px: (faces, 68, 2) -> (faces,)."""
        first, second = (side[:, FACE_PARTS[self.points]] for side in (generated, reference))
        if self.centred:
            first, second = centred(first), centred(second)
        return REDUCTIONS[self.reduction](points_apart(first, second, distance=self.distance))

    def scaled(self, distances: Array, reference: Array) -> Array:
        """Px in the unit asked for."""
        return distances / interocular(reference) if self.scale == "interocular" else distances

    def under(self, view: View) -> str:
        """The size of the frames, where px are what is counted."""
        width, height = view.reference[self.size].size[0]
        return f"{width}x{height}px" if self.scale == "px" else ""

    def cautions(self, state: ClipMean | PooledMean) -> Iterator[str]:
        """Which px these are, and what belongs beside them."""
        yield from (f"px of {size.removesuffix('px')} frames" for size in state.under)
        yield from self.beside
