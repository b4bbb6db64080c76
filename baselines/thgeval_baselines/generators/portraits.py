"""The portrait that a generator animates: an item's source image in the size that is wanted, with its landmarks."""

from thgeval.errors import InputError
from thgeval_baselines.generator import Inputs
from thgeval_baselines.photo.given import Given, given, sized


def portrait_of(inputs: Inputs) -> Given:
    """The source image of an item, in the size that is wanted; ``InputError`` if there is none, or nobody in it."""
    if inputs.source_image is None:
        raise InputError(f"{inputs.item} has no source image, which is to be animated", reason="missing")
    return sized(given(inputs.source_image), inputs.size)
