"""What the embedded lip reader makes of a clip's landmarks: a sentence of GRID, whatever was said.

It reads lips at 25 frames per second; landmarks at another rate are brought to it along straight lines. It needs the
face in every frame, gaps of up to ten frames apart, which are bridged.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import InputError
from thgeval.feature import Grain, feature
from thgeval.features.faces.lips import at_25_hz
from thgeval.features.faces.people import shapes
from thgeval.features.frames.frames import Shown, shown, times_of
from thgeval.networks.memory import read_once
from thgeval.requirements import Weights

if TYPE_CHECKING:
    from thgeval_models.grid_reader import Array

WEIGHTS = "grid-landmark-reader"
LONGEST_GAP = 10
NOTE = (
    "grid-landmarks knows the sentences of GRID alone; it reads unseen clips of the one speaker it was trained on with "
    "9 % word errors, three clips of other speakers with 72 %"
)


@feature(shapes(fill=LONGEST_GAP), shown, version=1, grain=Grain.CLIP, requires=(Weights(WEIGHTS),))
def grid_reading(points: NDArray[np.float64], how: Shown) -> str:
    """The six words read, parted by spaces.

    Raises InputError: "face lost" where frames have no face, "frame rate unknown", "frame times", "too short".
    """
    from thgeval_models import grid_reader

    held = np.asarray(~np.isnan(points[:, 0]).any(axis=(1, 2)))
    if not held.all():
        raise InputError(
            f"a lip reader needs the face in every frame; {np.count_nonzero(~held)} of {len(held)} frames have none",
            reason="face lost",
        )
    if np.isnan(how.seconds[0]):
        raise InputError("a lip reader needs to know the frame rate; give it with fps", reason="frame rate unknown")
    even, _ = at_25_hz(points[:, 0], times_of(how, what="read lips"))
    if len(even) < grid_reader.FEWEST_FRAMES:
        raise InputError(
            f"a GRID sentence takes at least {grid_reader.FEWEST_FRAMES} frames at 25 per second, not {len(even)}",
            reason="too short",
        )
    tensors = _read()
    return " ".join(grid_reader.sentence(grid_reader.likelihoods(tensors, grid_reader.movements(even))))


def _read() -> "dict[str, Array]":
    """The packaged weights, read once; WeightsError if they may not be used."""
    from thgeval_models import grid_reader

    return read_once(WEIGHTS, grid_reader.load)
