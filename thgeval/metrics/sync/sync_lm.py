"""What the scores of the landmark-speech network share: whose lips, how far they are shifted, what is left out."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from thgeval.errors import InputError
from thgeval.feature import Feature
from thgeval.features.faces.lips import LANDMARKS_HZ
from thgeval.features.sync.offsets import OffsetDistances
from thgeval.features.sync.sync_lm import SyncedPerson, sync_lm
from thgeval.metric import Metric, Needs, Preset, View, of_generated
from thgeval.metrics.faces.missing import Array, policy
from thgeval.metrics.faces.whom import Landmarked, over_people
from thgeval.parameter import holding, parameter
from thgeval.states import ClipMean

BRIEF_S = 3.0
"""What the threshold of confidence was set on; shorter clips score higher by chance."""

PRESETS: Mapping[str, Preset] = {
    "fine": Preset({"landmarks": "dlib-x4"}, "finer landmarks, for small faces"),
}


@dataclass(frozen=True)
class SyncLMMetric(Metric[ClipMean]):
    """A score of the landmark-speech network; its rows are 40 ms apart, whatever the clip's rate."""

    whom: Landmarked = holding(Landmarked(), missing=policy("skip", "fail"))
    furthest: int = parameter(15, "the largest shift, in frames of 40 ms", least=1, most=75)

    cites = ("chung2016outoftime", "cooke2006grid")
    presets: ClassVar[Mapping[str, Preset]] = PRESETS
    with_reference = True
    of_motion: ClassVar[bool] = False
    """Whether a still mouth has no value, as one shift fits it as well as another."""

    @property
    def synced(self) -> Feature[tuple[SyncedPerson, ...]]:
        """Every chosen person of the clip against its speech."""
        return sync_lm(**self.whom.chosen, furthest=self.furthest)

    @property
    def needs(self) -> Needs:
        """The people of the generated clip and its speech."""
        return of_generated(self.synced)

    @abstractmethod
    def values(self, alignment: OffsetDistances) -> Array:
        """What each row adds to the score of its person, which is their mean: (rows,), NaN where there is none."""

    def measure(self, view: View) -> ClipMean:
        """One value every 40 ms, the mean over people who are seen then; others are left out under their reason."""
        people = view.generated[self.synced]
        if self.of_motion and not any(person.moves for person in people):
            raise InputError(
                f"{view.clip}: its mouth never moves, so that no shift fits the speech better than another",
                reason="still mouth",
            )
        rows = max(len(person.seen) for person in people)
        values = np.full((rows, len(people)), np.nan)
        for column, person in enumerate(people):
            own = self.values(person.alignment)
            values[: len(own), column] = own
        faces = np.stack([person.seen for person in people], axis=1).any(axis=1)
        heard = np.arange(rows) < max(person.alignment.windows for person in people)
        why = np.select([~heard, ~faces], ["no speech", "no face"], default="")
        self.whom.missing.applied(view.clip, np.where(why == "no face", why, ""))
        mean = over_people(values)
        why = np.where((why == "") & np.isnan(mean), "beyond the shift", why)
        return ClipMean({view.clip: (self.whom.part(mean, why),)})

    def remark(self, state: ClipMean) -> str | None:
        """Which clips are too short for their number to be taken at its face value, and what was left out."""
        said = [f"{reason}: {count} rows left out" for reason, count in sorted(state.left_out.items())]
        return "; ".join([*self.cautions(state), *said]) or None

    def cautions(self, state: ClipMean) -> Iterator[str]:
        """How many clips are brief."""
        brief = sum(int(count) < BRIEF_S * LANDMARKS_HZ - self.furthest for count in state.counts)
        if brief:
            yield (
                f"{brief} of {len(state.clips)} clips compare less than {BRIEF_S:g} s of speech; the fewer rows, the "
                "higher the confidence by chance, and the lower the distance"
            )
