"""``cd`` and ``we`` of bundles whose truth is known, a rigged head from two cameras, and of bundles with a fault."""

import numpy as np
import pytest
from support.clips import moving, write_clip

import thgeval
from thgeval.metrics.views.we import unprojected
from thgeval_baselines.sets.seen import bundle
from thgeval_baselines.sets.synth3d import perform

SIDES = np.isin(np.arange(4), (1, 2))


def of_person(who):
    return bundle(perform(who, seed=0, seconds=1.0, fps=25).scene, size=128)


def at_depth(arrays, depth):
    cameras = zip(depth, arrays["intrinsics"], arrays["poses"], strict=True)
    points = np.stack([unprojected(along, intrinsics=shares, pose=pose) for along, shares, pose in cameras])
    return {**arrays, "depth": depth, "points": points}


def without_relief(own, other):
    head = own["weights"] > 0.5
    middle = [np.median(depth[seen]) for depth, seen in zip(own["depth"], head, strict=True)]
    return at_depth(own, np.where(head, np.reshape(middle, (4, 1, 1)), own["depth"]))


def side_nearer(own, other):
    return at_depth(own, own["depth"] * np.where(SIDES, 0.98, 1.0)[:, None, None])


def side_of_another(own, other):
    return {name: np.where(SIDES.reshape(4, *[1] * (each.ndim - 1)), other[name], each) for name, each in own.items()}


@pytest.fixture(scope="module")
def scores(tmp_path_factory):
    """CD and WE of each kind of bundle."""
    folder, (own, other) = tmp_path_factory.mktemp("bundles"), (of_person(0), of_person(1))
    made = {"true": own, "again": at_depth(own, own["depth"])}
    made |= {wrong.__name__: wrong(own, other) for wrong in (without_relief, side_nearer, side_of_another)}
    found = {}
    for name, arrays in made.items():
        clip = write_clip(folder / f"{name}.mp4", moving(frames=2))
        np.savez(clip.with_suffix(".views.npz"), **arrays)
        run = thgeval.score(clip, metrics=["cd", "we"])
        found[name] = run["cd"].value, run["we"].value
    return found


def test_the_points_of_a_bundle_are_what_its_depths_and_cameras_say(scores):
    assert scores["again"] == pytest.approx(scores["true"], rel=1e-9)


@pytest.mark.parametrize("wrong", [without_relief, side_nearer, side_of_another])
def test_the_truth_is_nearer_to_itself_than_what_is_wrong(scores, wrong):
    for true, other in zip(scores["true"], scores[wrong.__name__], strict=True):
        assert 0 < 1.2 * true < other
