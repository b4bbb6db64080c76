"""Features that rest on the reference's side, and features computed from something else than they were declared on."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest

from thgeval.clip import Clip, Memory, Pair
from thgeval.engine.measure import measured
from thgeval.engine.plan import measures_reference, plan, side, unmet_need
from thgeval.engine.workers import Cores
from thgeval.feature import Grain, feature, in_reference, resting_on
from thgeval.features.frames.frames import luma, rgb
from thgeval.features.frames.offered import faces_file
from thgeval.media.frames import FrameBatch
from thgeval.metric import Better, Metric, of_generated
from thgeval.protocol import Protocol
from thgeval.registry import Named
from thgeval.states import ClipMean
from thgeval.view import View


@feature(rgb, version=1)
def brightness(frames: FrameBatch):
    return frames.new.mean(axis=(1, 2, 3))


@feature(brightness(), in_reference(brightness()), version=1)
def contrast(own, theirs):
    return own - theirs


@feature(contrast(), version=1, grain=Grain.CLIP)
def whole_contrast(values):
    return values


@dataclass(frozen=True)
class Contrast(Metric[ClipMean]):
    grain: str = "frames"

    name = "contrast"
    version = 1
    range = (-255.0, 255.0)
    better = Better.CLOSER_TO_REFERENCE
    cites = ()

    @property
    def wanted(self):
        return contrast() if self.grain == "frames" else whole_contrast()

    @property
    def needs(self):
        return of_generated(self.wanted)

    def measure(self, view):
        return ClipMean.of(view.clip, view.generated[self.wanted], start=view.start)

    def score(self, state):
        return state.value


def frames(*levels):
    return np.stack([np.full((4, 4, 3), level, np.uint8) for level in levels])


def clip(name, *levels):
    return Clip(name, Memory(frames(*levels), 255.0), Fraction(25))


@pytest.mark.parametrize("grain", ["frames", "clip"])
@pytest.mark.parametrize("chunk", [1, 2, 5])
def test_the_reference_is_seen_from_both_sides(grain, chunk):
    pair = Pair("a", clip("g", 50, 60, 70), clip("r", 10, 20, 40))
    named = Named("contrast", Contrast(grain))
    with Cores(2) as cores:
        outcome = cores.occupy(measured, pair, plan([named], [pair]), Protocol(), cores, lambda done: None, chunk)
    assert outcome.states["contrast"].record("a").values.tolist() == [40, 40, 30]
    assert outcome.reference_states["contrast"].record("a").values.tolist() == [0, 0, 0]


def test_a_pair_without_a_reference_is_refused_before_decoding():
    pair = Pair("a", clip("g", 50))
    assert str(unmet_need(Contrast(), pair)) == "contrast compares with a reference; a has no reference clip"
    assert not plan([Named("contrast", Contrast())], [pair]).metrics


def test_the_reference_is_decoded_although_only_the_generated_side_is_read():
    needs = Contrast().needs
    assert needs.a_reference
    assert not needs.compares
    assert measures_reference(Contrast())
    assert brightness() in side(Contrast(), reference=True, own=False)
    pair = Pair("a", clip("g", 50), clip("r", 10))
    assert plan([Named("contrast", Contrast())], [pair]).decodes(reference=True)


def test_what_the_reference_must_bring_along_is_asked_of_the_reference(tmp_path):
    @dataclass(frozen=True)
    class OfFile(Contrast):
        @property
        def wanted(self):
            return in_reference(faces_file)

    (tmp_path / "g").mkdir()
    pair = Pair("a", Clip("g", tmp_path / "g" / "a.mp4"), Clip("r", tmp_path / "a.mp4"))
    assert "the reference of a has no file of face measurements" in str(unmet_need(OfFile(), pair))
    (tmp_path / "a.faces.npz").touch()
    assert unmet_need(OfFile(), pair) is None


def test_the_signature_says_what_of_the_reference_is_used():
    names = [str(feature) for feature in contrast().closure()]
    assert names == ["rgb@1", "brightness@1", "reference-brightness@1", "contrast@1"]


@feature(rgb, version=3)
def negative(batch: FrameBatch):
    return FrameBatch(255 - batch.pixels, batch.peak, batch.start, batch.lead)


def test_a_feature_may_be_computed_from_something_else():
    moved = resting_on(luma(), old=rgb, new=negative())
    assert moved != luma()
    assert [feature.name for feature in moved.closure()] == ["rgb", "negative", "luma"]
    piece = View.of("a", 0, {rgb: FrameBatch(frames(200), 255.0, 0)}, {})
    assert (piece.generated[luma()].pixels == 200).all()
    assert (piece.generated[moved].pixels == 55).all()
    assert resting_on(moved, old=brightness(), new=negative()) == moved
    assert resting_on(rgb, old=rgb, new=negative()) == negative()
