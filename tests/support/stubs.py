"""Views of faces without faces: what a metric declares, filled with arrays, so that no network or picture is needed."""

import numpy as np

from thgeval.features.frames.frames import Shown, shown
from thgeval.view import View


def seen(metric, generated, reference=None, *, clip="clip", size=(256, 256), seconds=0.04, slots=None, times=None):
    """The view of one clip: every feature a side declares is that side's value, and its frames are of one size.

    ``slots`` are the faces chosen on either side, by default the first of every frame; ``times`` when frames are shown,
    by default every ``seconds``.
    """

    def given(features, value):
        frames = len(value[0] if isinstance(value, tuple) else value)
        even = np.arange(frames) * seconds
        how = Shown(np.tile(np.array(size), (frames, 1)), np.full(frames, seconds), even if times is None else times)
        chosen = np.zeros((frames, 1), np.int64) if slots is None else slots
        known = {shown.name: how, "people": chosen}
        return {feature: known.get(feature.name, value) for feature in features}

    reference = generated if reference is None else reference
    needs = metric.needs
    piece = View.of(
        clip,
        0,
        _with_points(needs, given(needs.generated, generated)),
        _with_points(needs, given(needs.reference, reference)),
    )
    return piece.seen_by(metric.needs, metric.name)


def _with_points(needs, held):
    """Landmarks beside what is given, for features of both sides: everyone is there in every frame."""
    frames = max(len(value) for feature, value in held.items() if feature.name == "people") if needs.pair else 0
    points = {source: np.zeros((frames, 1, 68, 2)) for feature in needs.pair for source in feature.inputs}
    return points | held


def scored(metric, generated, reference=None, **how):
    """The score of one clip."""
    return metric.score(metric.measure(seen(metric, generated, reference, **how)))
