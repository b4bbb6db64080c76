"""Clips brought in step: frame by frame is the rigid case, and lateness is forgiven as far as the band reaches."""

from fractions import Fraction

import numpy as np
import pytest

from thgeval import registry
from thgeval.errors import ProtocolError
from thgeval.features.faces.people import people, shapes
from thgeval.features.frames.frames import Shown, shown
from thgeval.view import View

RATE = Fraction(25)


def speaking(frames=30):
    """Landmarks of a face whose mouth moves: (frames, 1, 68, 2) px."""
    rng = np.random.default_rng(7)
    face = rng.uniform(40, 200, (68, 2))
    opening = np.cumsum(rng.normal(0, 1, frames))
    points = np.repeat(face[None], frames, axis=0)
    points[:, 48:, 1] += opening[:, None] * np.sin(np.arange(20))
    return points[:, None]


def lmd(request, ours, theirs):
    metric = registry.metric(request).metric
    frames = Shown(np.full((len(ours), 2), 256), np.full(len(ours), 0.04), np.arange(len(ours)) * 0.04)

    def given(points):
        slots = np.where(np.isnan(points[:, :, 0, 0]), -1, 0)
        return {shapes(**metric.whom.chosen): points, people(landmarks="dlib"): slots, shown: frames}

    view = View.of("a", 0, given(ours), given(theirs)).seen_by(metric.needs, metric.name)
    state = metric.measure(view)
    return metric.score(state), state


def late(points, by):
    return points[np.maximum(np.arange(len(points)) - by, 0)]


def test_lateness_within_the_band_is_forgiven():
    points = speaking()
    rigid, aligned = (lmd(request, late(points, 3), points)[0] for request in ("lmd", "lmd/aligned"))
    beyond = lmd("lmd:band=1,softness=0.1", late(points, 3), points)[0]
    assert aligned < beyond < rigid
    assert aligned < rigid / 4


def test_frames_without_a_face_take_no_part():
    points = speaking()
    lost = late(points, 2)
    lost[[4, 11]] = np.nan
    value, state = lmd("lmd/aligned", lost, points)
    assert np.isfinite(value)
    assert state.left_out == {"no face in generated": 2}


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ("lmd:band=5,pool=frame", "have a number each, and no average over all frames"),
        ("lmd:softness=0.1", "give a band too"),
        ("lvd:band=2", "leave band out"),
        ("lpips:band=2,average=frames", "no average over all frames"),
        ("lpips:band=2,mean=map", "by mean=layers alone"),
        ("csim:band=2,against=first", "leave band or against out"),
    ],
)
def test_what_does_not_go_together_is_refused(request_, said):
    with pytest.raises(ProtocolError, match=said):
        registry.metric(request_)
