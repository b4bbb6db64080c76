"""Mouth and face alone: where they are cut, that both sides are cut alike, and frames without a face."""

import math
from fractions import Fraction

import numpy as np
import pytest

from thgeval import registry
from thgeval.clip import Clip, Memory, Pair
from thgeval.engine.measure import measured
from thgeval.engine.plan import plan
from thgeval.engine.scoring import Contribution, Setting, scored_run
from thgeval.engine.workers import Cores
from thgeval.errors import ProtocolError
from thgeval.features.faces.detection import Found, faces, slotted
from thgeval.features.faces.landmarks import landmarks
from thgeval.features.faces.regions import REGIONS, cropped, places, squares
from thgeval.features.frames.frames import rgb
from thgeval.media.frames import FrameBatch
from thgeval.media.resample import resize
from thgeval.protocol import Protocol
from thgeval.results import ClipResult
from thgeval.signature import closure
from thgeval.states import ClipMean, TwoSets
from thgeval.statistics import Resampling
from thgeval.view import Side, View

HEIGHT, WIDTH = 120, 160
REGIONAL = ("psnr", "l1", "l1-255", "ssim", "ms-ssim", "lpips", "cpbd", "fid")


def face(left, top, size):
    """68 landmarks of which the jaw spans a square of ``size`` px and the mouth a quarter of it, lower middle."""
    points = np.full((68, 2), [left + size / 2, top + size / 2], np.float32)
    points[0], points[8], points[16] = (left, top), (left + size / 2, top + size), (left + size, top + size)
    mouth_left, mouth_top = left + 3 * size / 8, top + 5 * size / 8
    points[48:] = (mouth_left + size / 8, mouth_top + size / 16)
    points[48], points[54] = (mouth_left, mouth_top), (mouth_left + size / 4, mouth_top + size / 8)
    return points


def given(frames, shapes):
    """What a side has: frames, and the landmarks that a detector would have found in each, a list of faces."""
    found = slotted(
        [
            Found(np.array([[*s.min(axis=0), *s.max(axis=0)] for s in these]).reshape(-1, 4), np.ones(len(these)))
            for these in shapes
        ],
        frames.shape[1:3],
    )
    points = np.full((len(frames), found.boxes.shape[1], 68, 2), np.nan, np.float32)
    for frame, these in enumerate(shapes):
        for slot, shape in enumerate(these):
            points[frame, slot] = shape
    return {rgb: FrameBatch(frames, 255.0, 0), faces(detector="dlib"): found, landmarks(model="dlib"): points}


def noise(frames=1, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (frames, HEIGHT, WIDTH, 3), dtype=np.uint8)


def square_of(shapes, region="mouth"):
    return Side(given(noise(len(shapes)), shapes))[squares(region=region)]


def test_a_square_lies_about_the_middle_of_its_points():
    (left, top, side), *_ = square_of([[face(40, 20, 64)]])
    assert side == round(1.5 * 17)  # the mouth's box is 17 px wide, ends counted
    assert (left + (side - 1) / 2, top + (side - 1) / 2) == pytest.approx((72, 64), abs=0.5)


@pytest.mark.parametrize(("left", "top"), [(-30, 20), (130, 20), (40, -30), (40, 90)])
def test_a_square_is_moved_into_the_frame(left, top):
    (x, y, side), *_ = square_of([[face(left, top, 64)]], "face")
    assert side == round(1.25 * 65)
    assert 0 <= x <= WIDTH - side
    assert 0 <= y <= HEIGHT - side


def test_a_square_is_never_larger_than_the_frame():
    assert square_of([[face(10, -20, 150)]], "face")[0].tolist() == pytest.approx([25, 0, 120], abs=1)


def test_the_largest_face_counts_in_every_frame_anew():
    small, large = face(10, 10, 32), face(60, 20, 64)
    rows = square_of([[small, large], [large, small], [small], []])
    assert rows[0].tolist() == rows[1].tolist()
    assert rows[2, 2] < rows[0, 2]
    assert np.isnan(rows[3]).all()


def test_a_crop_is_the_frame_cut_and_resized():
    frames = noise()
    side = Side(given(frames, [[face(40, 20, 64)]]))
    left, top, wide = (int(value) for value in side[squares(region="mouth")][0])
    expected = resize(frames[:, top : top + wide, left : left + wide], width=96, height=96)
    np.testing.assert_array_equal(side[cropped(region="mouth", at="own")].pixels, expected)


def test_floats_stay_floats_and_leads_are_dropped():
    frames = noise(3).astype(np.float32) / 255
    held = given(frames[1:], [[face(40, 20, 64)]] * 2) | {rgb: FrameBatch(frames, 1.0, 5, lead=1)}
    found = Side(held)[cropped(region="mouth", at="own")]
    assert (found.pixels.dtype, found.peak, found.start, found.lead, len(found)) == (np.float32, 1.0, 5, 0, 2)


def sides(reason_rows=None):
    """A reference with a face, and a generated clip whose face is somewhere else, of other noise."""
    generated, reference = noise(3, seed=1), noise(3, seed=2)
    where = reason_rows or [[face(40, 20, 64)]] * 3
    return given(generated, [[face(80, 40, 64)]] * 3), given(reference, where)


def measure(request, generated, reference):
    metric = registry.metric(request).metric
    return metric, metric.measure(View.of("clip", 0, generated, reference).seen_by(metric.needs, metric.name))


@pytest.mark.parametrize("name", ["psnr", "l1", "l1-255", "ssim", "ms-ssim"])
def test_both_clips_are_cut_where_the_reference_has_its_face(name):
    generated, reference = sides()
    left, top, wide = (int(value) for value in Side(reference)[squares(region="face")][0])
    cuts = [
        {
            rgb: FrameBatch(
                resize(side[rgb].new[:, top : top + wide, left : left + wide], width=256, height=256), 255.0, 0
            )
        }
        for side in (generated, reference)
    ]
    metric, state = measure(f"{name}/face", generated, reference)
    whole, expected = measure(name, *cuts)
    np.testing.assert_array_equal(state.record("clip").values, expected.record("clip").values)
    assert metric.score(state) == whole.score(expected)


def test_sharpness_is_that_of_the_clips_own_face():
    generated, reference = sides()
    left, top, wide = (int(value) for value in Side(generated)[squares(region="face")][0])
    cut = resize(generated[rgb].new[:, top : top + wide, left : left + wide], width=256, height=256)
    _, state = measure("cpbd/face", generated, reference)
    _, expected = measure("cpbd", {rgb: FrameBatch(cut, 255.0, 0)}, {})
    np.testing.assert_array_equal(state.record("clip").values, expected.record("clip").values)


@pytest.mark.parametrize("request_", ["psnr/mouth", "l1/mouth", "ssim/mouth", "ms-ssim/face"])
def test_frames_without_a_face_are_left_out_and_counted(request_):
    generated, reference = sides([[face(40, 20, 64)], [], [face(40, 20, 64)]])
    _, state = measure(request_, generated, reference)
    assert np.isnan(state.record("clip").values).tolist() == [False, True, False]
    assert dict(state.left_out) == {"no face in reference": 1}
    assert state.frames == 2


def test_a_frame_without_a_face_is_not_an_identical_one():
    _, reference = sides([[face(40, 20, 64)], [], []])
    _, state = measure("psnr/mouth", reference, reference)
    assert dict(state.left_out) == {"identical": 1, "no face in reference": 2}


def test_a_face_missing_in_the_generated_clip_is_an_error_and_not_a_gap():
    generated, reference = sides()
    nobody = given(generated[rgb].new, [[], [], []])
    _, state = measure("psnr/mouth", nobody, reference)
    assert not state.left_out
    np.testing.assert_array_equal(
        state.record("clip").values, measure("psnr/mouth", generated, reference)[1].record("clip").values
    )


def test_sets_lose_the_rows_of_frames_without_a_face_on_that_side():
    metric = registry.metric("fid/mouth").metric
    own = places(region="mouth", at="own")
    there, gone = np.ones(3), np.full(3, np.nan)
    rng = np.random.default_rng(0)
    rows = [rng.normal(size=(4, 3)), rng.normal(size=(4, 3))]
    generated = {metric.rows: rows[0], own: np.stack([there, gone, there, gone])}
    reference = {metric.rows: rows[1], own: np.stack([there, there, gone, gone])}
    state = metric.measure(View.of("clip", 0, generated, reference).seen_by(metric.needs, metric.name))
    np.testing.assert_array_equal(state.generated, rows[0][[0, 2]])
    np.testing.assert_array_equal(state.reference, rows[1][[0, 1]])
    assert dict(state.left_out) == {"no face in generated": 1, "no face in reference": 1, "no face in either": 1}


def test_clips_that_stand_alone_lose_the_rows_of_frames_without_a_face():
    metric = registry.metric("fid/mouth").metric
    rows = np.random.default_rng(0).normal(size=(4, 3))
    seen = {metric.rows: rows, places(region="mouth", at="own"): np.stack([np.ones(3), np.full(3, np.nan)] * 2)}
    state = metric.measure_alone(View.of("r", 0, seen, {}).seen_by(metric.needs, metric.name))
    assert state.left_out == {"no face": 2}
    sets = TwoSets.of_sides([], [state])
    np.testing.assert_array_equal(sets.reference, rows[[0, 2]])
    assert dict(sets.left_out) == {"no face in reference": 2}


@pytest.mark.parametrize("name", REGIONAL)
def test_whole_frames_need_no_faces(name):
    needed = {feature.name for feature in closure(registry.metric(name).metric)}
    assert not needed & {"faces", "landmarks", "squares", "cropped"}
    regional = {feature.name for feature in closure(registry.metric(f"{name}/face").metric)}
    assert regional >= needed | {"faces", "landmarks", "squares", "cropped"}


@pytest.mark.parametrize("request_", ["psnr:region=nose", "ms-ssim:region=mouth"])
def test_other_regions_are_refused(request_):
    with pytest.raises(ProtocolError, match="region must be one of frame"):
        registry.metric(request_)


def test_every_region_is_large_enough_for_its_metrics():
    assert REGIONS["mouth"].side_px >= 64  # one block of cpbd, and windows of ssim
    assert REGIONS["face"].side_px > 160  # ms-ssim


def test_a_wrong_mouth_is_an_error_of_the_mouth():
    """On a drawn head, through dlib and the real runner."""
    pytest.importorskip("dlib")
    pytest.importorskip("skimage")
    from thgeval_baselines.photo.geometry import Parameters
    from thgeval_baselines.sets.clips import head

    drawn = head(seed=0, size=176)
    speaking = np.stack([drawn.frame(Parameters(aperture=a)) for a in (0.0, 0.5, 1.0)])
    closed = np.stack([drawn.frame(Parameters(aperture=0.0))] * 3)
    pair = Pair("a", *(Clip("a", Memory(side, 255.0), Fraction(25)) for side in (closed, speaking)))
    requests = ["psnr", "psnr/face", "psnr/mouth"]
    planned = plan(registry.metrics(requests), [pair])
    with Cores(2) as cores:
        outcome = cores.occupy(measured, pair, planned, Protocol(), cores, lambda frames: None, 2)
    whole, of_face, of_mouth = (registry.metric(each).metric.score(outcome.states[each]) for each in requests)
    assert of_mouth < of_face < whole
    assert dict(outcome.states["psnr/mouth"].left_out) in ({}, {"identical": 1})


@pytest.mark.slow
def test_networks_see_the_region_alone():
    pytest.importorskip("torch")
    pytest.importorskip("lpips")
    from support import random_weights

    generated, reference = sides()
    left, top, wide = (int(value) for value in Side(reference)[squares(region="mouth")][0])
    parts = [side[rgb].new[:, top : top + wide, left : left + wide] for side in (generated, reference)]
    cuts = [{rgb: FrameBatch(resize(part, width=96, height=96), 255.0, 0)} for part in parts]
    with random_weights.installed(["squeezenet"]):
        _, state = measure("lpips:trunk=squeeze,region=mouth", generated, reference)
        _, expected = measure("lpips/squeeze", *cuts)
    np.testing.assert_array_equal(state.record("clip").values, expected.record("clip").values)
    assert (state.record("clip").values > 0).all()


def test_a_clip_without_a_face_is_not_among_copies():
    """A copy has infinitely many decibels and counts; a clip in which nothing could be compared doesn't."""
    copy, nobody = (
        ClipMean.of(clip, np.array([np.inf]), left_out={reason: np.array([True])})
        for clip, reason in (("copy", "identical"), ("nobody", "no face in reference"))
    )
    seen = [Contribution(ClipResult(*state.clips), {"psnr": state}) for state in (copy, nobody)]
    run = scored_run(registry.metrics(["psnr"]), {}, seen, Setting(Protocol(), Resampling(), 2, {}, {}), {}, {})
    assert math.isinf(run["psnr"].value)
    assert run["psnr"].clips == 1
    assert run["psnr"].left_out == {"no face in reference": 1}
