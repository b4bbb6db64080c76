"""Which checkout of the user's own says what a metric reads: one value that the metric holds."""

from dataclasses import dataclass

from thgeval.feature import Feature
from thgeval.features.frames.checkout import CheckoutAnswer, checkout_answer
from thgeval.parameter import Held, parameter
from thgeval.requirements.programs import folder


@dataclass(frozen=True)
class Checkout(Held):
    """The name of a checkout; ProtocolError for one that no folder can have."""

    model: str = parameter("none", "the checkout that answers: a folder of this name in ``THGEVAL_HOME/checkouts``")

    def __post_init__(self) -> None:
        folder(self.model)

    @property
    def answer(self) -> Feature[CheckoutAnswer]:
        """What it says of a clip."""
        return checkout_answer(model=self.model)
