"""Which clip belongs to which where arrays are handed over in place of folders: by their ids."""

from collections.abc import Iterator, Mapping

from thgeval.clip import Clip, Pair
from thgeval.errors import Failure
from thgeval.pairing import Pairing
from thgeval.results import ClipResult


def handed_pairs(generated: Mapping[str, Clip], reference: Mapping[str, Clip] | None) -> Pairing:
    """Clips of either side by id; what has no partner is accounted for as clips of folders are."""
    pairs = [Pair(id, clip, None if reference is None else reference.get(id)) for id, clip in generated.items()]
    return Pairing(tuple(sorted(pairs, key=lambda pair: pair.id)), tuple(_alone(generated, reference)))


def handed_apart(generated: Mapping[str, Clip], reference: Mapping[str, Clip]) -> Pairing:
    """Every clip by itself, as two sets."""
    sides = {"generated": generated, "reference": reference}
    pairs = [
        Pair(f"{side}/{id}", clip, side=side) for side, clips in sides.items() for id, clip in sorted(clips.items())
    ]
    return Pairing(tuple(pairs), ())


def _alone(generated: Mapping[str, Clip], reference: Mapping[str, Clip] | None) -> Iterator[ClipResult]:
    known = generated if reference is None else reference
    for id in sorted(generated.keys() - known.keys()):
        yield ClipResult(id, failure=Failure("missing reference", f"there is no reference clip called {id}"))
    for id in sorted(known.keys() - generated.keys()):
        yield ClipResult(id, failure=Failure("missing clip", f"there is no generated clip called {id}"))
