"""A face lost on one side changes nothing in the frames that both show: both are measured from one rest."""

import numpy as np
import pytest

from thgeval import registry
from thgeval.features.faces.people import people, shapes
from thgeval.view import View
from thgeval_baselines.sets.clips import head
from thgeval_baselines.sets.track import track

FRAMES = 40
RESTING = {
    "prmse/pnp": 0.0,
    "prmse/pnp-pooled": 0.0,
    "apd/pnp": 0.0,
    "aucon/geometric": 1.0,
    "aue/geometric": 0.0,
    "aue/geometric-lower": 0.0,
    "aue/geometric-upper": 0.0,
    "aed-3dmm:source=landmarks,landmarks=dlib": 0.0,
}
"""Every metric of two sides that is measured from a person's rest, and its value of equal clips."""


@pytest.fixture(scope="module")
def moving():
    """Landmarks of a head that moves, (FRAMES, 1, 68, 2), as a detector sees them: a little off in every frame."""
    drawn = head(seed=3)
    points = np.stack([drawn.landmarks(each) for each in track(seed=5, seconds=2.0).frames()[:FRAMES]])
    return (points + np.random.default_rng(0).normal(0, 0.7, points.shape))[:, None]


def without(points, lost):
    points = points.copy()
    points[lost] = np.nan
    return points


def measured(request, generated, reference):
    metric = registry.metric(request).metric
    how = {name: getattr(metric.whom, name) for name in ("landmarks", "follow", "who", "min_px")}
    sides = [
        {
            shapes(**how, fill=metric.whom.fill): points,
            people(**how): np.where(np.isnan(points[:, :, 0, 0]), -1, 0),
        }
        for points in (generated, reference)
    ]
    state = metric.measure(View.of("clip", 0, *sides).seen_by(metric.needs, metric.name))
    return metric, state


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("request_", RESTING)
def test_equal_frames_are_equal_though_one_side_loses_a_fifth(request_, side, moving):
    sides = [moving, moving]
    sides[side] = without(moving, slice(5, 13))
    metric, state = measured(request_, *sides)
    assert metric.score(state) == RESTING[request_]
    assert dict(state.left_out) == {f"no face in {('generated', 'reference')[side]}": 8}


@pytest.mark.parametrize("request_", RESTING)
def test_frames_that_both_lose_and_frames_that_one_loses_are_the_same_to_the_rest(request_, moving):
    other = moving + np.random.default_rng(1).normal(0, 1.0, moving.shape)
    lost = slice(5, 13)
    metric, one = measured(request_, without(other, lost), moving)
    _, both = measured(request_, without(other, lost), without(moving, lost))
    assert metric.score(one) == metric.score(both)


def test_every_metric_that_rests_on_a_clip_is_listed():
    """Whatever is measured from ``frontal`` on two sides must be measured from one rest; sets have no pairs."""
    found = set()
    for name in registry.table():
        for request in (name, *(f"{name}/{preset}" for preset in registry.metric_class(name).presets)):
            metric = registry.metric(request).metric
            rests = {need for need in metric.needs.every() for below in need.closure() if below.name == "frontal"}
            if rests and metric.needs.compares:
                found.add(request)
                assert name == "e-fid" or metric.of_both_sides is not None, request
    per_clip = {"e-fid/landmarks", "bas"}  # which have no value of one frame
    assert found == {request for request in RESTING if ":" not in request} | per_clip


def test_a_held_face_is_compared_with_what_the_other_side_shows(moving):
    metric, state = measured("prmse:estimator=pnp,landmarks=dlib-x4,missing=hold", without(moving, [20]), moving)
    assert metric.score(state) > 0
    assert dict(state.left_out) == {"no face in generated, held": 1}
