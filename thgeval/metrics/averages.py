"""What the values of frames are averaged over: the frames of each clip and then clips, or all frames of all clips."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from thgeval.parameter import parameter
from thgeval.states import ClipMean, PooledMean

AVERAGES: Mapping[str, type[ClipMean] | type[PooledMean]] = MappingProxyType({"clips": ClipMean, "frames": PooledMean})


def averaging(first: str = "clips") -> Any:
    """The parameter that says which of ``AVERAGES`` keeps the values: of clips, unsaid, or another, always said."""
    return parameter(
        first,
        "``clips``: the mean of each clip, then over clips; ``frames``: over all frames of all clips at once, so that "
        "long clips weigh more",
        of=AVERAGES,
        later=first == "clips",
    )
