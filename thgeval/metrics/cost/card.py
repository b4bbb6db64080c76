"""What metrics of cost have in common: a fact of each clip's timing record, under the conditions it belongs to."""

from typing import ClassVar

from thgeval.errors import InputError
from thgeval.features.frames.offered import timing
from thgeval.metric import Better, Metric, View, of_generated
from thgeval.states import Counts
from thgeval.timing import read_timing


class CardMetric(Metric[Counts]):
    """Mean over clips of a fact that a record may leave out; clips under different conditions give no number."""

    better = Better.LOWER
    needs = of_generated(timing)

    fact: ClassVar[str]
    """What the record calls it."""
    scale: ClassVar[float] = 1.0
    """How many of the record's units make one of the metric's."""

    def measure(self, view: View) -> Counts:
        """The fact of one clip; InputError if its record doesn't say it."""
        record = read_timing(view.generated[timing])
        value = getattr(record, self.fact)
        if value is None:
            raise InputError(f"the timing record of {view.clip} says nothing of {self.fact}", reason=f"no {self.fact}")
        return Counts.of(view.clip, value / self.scale, 1.0, frames=record.frames, under=record.conditions)
