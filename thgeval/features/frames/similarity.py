"""Likeness of two frames that several metrics read in different ways."""

from thgeval.feature import Grain, feature
from thgeval.features.frames.frames import rgb
from thgeval.kernels import fsim
from thgeval.kernels.fsim import Similarity
from thgeval.kernels.places import in_memory
from thgeval.media.frames import FrameBatch


@feature(rgb, version=1, grain=Grain.PAIR, on_card=True)
def feature_similarity(generated: FrameBatch, reference: FrameBatch) -> Similarity:
    """Both readings of the feature similarity of each frame."""
    found = fsim.similarity(generated=generated.new, reference=reference.new, peak=generated.peak)
    return Similarity(in_memory(found.fsim), in_memory(found.fsimc))
