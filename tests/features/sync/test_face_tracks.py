"""Tracks and crops: which boxes belong together, what the median does at the ends, and which pixels are cut out."""

import numpy as np
import pytest
from scipy.interpolate import interp1d

from thgeval.features.sync.face_tracks import FaceBoxes, all_tracks, bounds, cropped, overlap, squares, tracks

torch = pytest.importorskip("torch")
from oracles import syncnet as oracle
from oracles.tracks import tracks as oracle_tracks

LEFT, RIGHT = (10.0, 20.0, 130.0, 150.0), (200.0, 20.0, 310.0, 150.0)


def faces(*frames, cuts=(), every=1):
    return FaceBoxes(tuple(np.array(boxes, float).reshape(-1, 4) for boxes in frames), cuts, every)


def shown(count, *boxes):
    return [list(boxes)] * count


def spans(found):
    return [(track.first, len(track.boxes), track.detected) for track in found]


def test_overlap_is_intersection_over_union():
    a, b = np.array([0.0, 0, 10, 10]), np.array([5.0, 0, 15, 10])
    assert overlap(a, b) == pytest.approx(50 / 150)
    assert overlap(a, a + 20) == 0.0


@pytest.mark.parametrize(("seen", "kept"), [(100, 0), (101, 1)])
def test_a_track_needs_more_than_min_track_detections(seen, kept):
    assert len(tracks(faces(*shown(seen, LEFT)), min_track=100)) == kept


@pytest.mark.parametrize(("side", "kept"), [(100, 0), (100.5, 1)])
def test_a_face_must_exceed_100_px(side, kept):
    assert len(tracks(faces(*shown(30, (0, 0, side, 40))), min_track=20)) == kept


@pytest.mark.parametrize(("missed", "found"), [(24, [(0, 64, 40)]), (25, [(0, 20, 20), (45, 20, 20)])])
def test_up_to_25_frames_from_the_last_face_a_track_goes_on(missed, found):
    frames = shown(20, LEFT) + shown(missed) + shown(20, LEFT)
    assert spans(all_tracks(faces(*frames), min_track=10)) == found


def test_a_face_that_jumps_is_another_track():
    moved = tuple(value + 41 for value in LEFT)  # 79 x 89 of 120 x 130 px are shared: less than half of the union
    found = list(all_tracks(faces(*shown(15, LEFT), *shown(15, moved)), min_track=10))
    assert spans(found) == [(0, 15, 15), (15, 15, 15)]


def test_two_faces_are_two_tracks_in_any_order_of_detection():
    frames = [[LEFT, RIGHT] if i % 3 else [RIGHT, LEFT] for i in range(30)]
    found = tracks(faces(*frames), min_track=20)
    assert [track.boxes[5].tolist() for track in found] == [list(RIGHT), list(LEFT)]
    assert spans(found) == [(0, 30, 30), (0, 30, 30)]


def test_missed_boxes_are_interpolated():
    frames = [[np.array(LEFT) + i] if i not in (3, 4, 5, 9) else [] for i in range(12)]
    (track,) = all_tracks(faces(*frames), min_track=5)
    known = [i for i in range(12) if i not in (3, 4, 5, 9)]
    expected = interp1d(known, [np.array(LEFT) + i for i in known], axis=0)(np.arange(12))
    np.testing.assert_allclose(track.boxes, expected)
    assert track.detected == 8


def test_cuts_end_tracks_and_short_scenes_are_passed_over():
    found = all_tracks(faces(*shown(70, LEFT), cuts=(30, 41)), min_track=12)
    assert spans(found) == [(0, 30, 30), (41, 29, 29)]


def test_a_strided_detector_needs_fewer_detections():
    frames = [[LEFT] if i % 5 == 0 else [] for i in range(116)]
    assert spans(tracks(faces(*frames, every=5), min_track=100)) == [(0, 116, 24)]
    assert not tracks(faces(*frames[:100], every=5), min_track=100)


def walking(seed):
    """Boxes of one to three faces that move, vanish and change places in the order of detection."""
    rng = np.random.default_rng(seed)
    swapped, missed, people = rng.choice([0, 0.02, 0.1, 0.5]), rng.choice([0, 0.02, 0.15]), rng.integers(1, 4)
    at = np.stack([40 + 400 * np.arange(people), np.full(people, 50.0)], axis=1)
    shown = []
    for _ in range(rng.integers(60, 200)):
        at += rng.normal(0, 3, at.shape)
        boxes = [(*place, *(place + 130 + 10 * i)) for i, place in enumerate(at) if rng.random() >= missed]
        if rng.random() < swapped:
            rng.shuffle(boxes)
        shown.append([tuple(map(float, box)) for box in boxes])
    return shown


@pytest.mark.parametrize("tracker", ["any", "first"])
def test_tracks_equal_those_of_the_published_trackers(tracker):
    other = 0
    for seed in range(80):
        frames = walking(seed)
        expected = oracle_tracks(frames, min_track=50, first_only=tracker == "first")
        found = tracks(faces(*frames), min_track=50, tracker=tracker)
        assert spans(found) == [(t[0][0], t[-1][0] - t[0][0] + 1, len(t)) for t in expected]
        for track, theirs in zip(found, expected, strict=True):
            known, boxes = zip(*theirs, strict=True)
            np.testing.assert_allclose(track.boxes, interp1d(known, boxes, axis=0)(np.arange(known[0], known[-1] + 1)))
        other += spans(found) != spans(tracks(faces(*frames), min_track=50, tracker="any"))
    assert (other > 20) == (tracker == "first")


def test_the_last_scene_may_end_before_the_last_frame():
    known = FaceBoxes(tuple(np.array([LEFT]) for _ in range(30)), (12,), end=27)
    assert list(known.scenes()) == [(0, 12), (12, 27)]
    assert spans(all_tracks(known, min_track=10)) == [(0, 12, 12), (12, 15, 15)]


def test_no_faces_are_no_tracks():
    assert tracks(faces(*shown(30)), min_track=5) == []
    assert tracks(faces(), min_track=5) == []


def test_the_running_median_has_zeros_beyond_the_ends():
    rng = np.random.default_rng(0)
    boxes = rng.uniform(50, 100, (20, 4)) + np.array([0, 0, 150, 170])
    found = squares(boxes)
    side = np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]) / 2
    raw = ((boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2, side)
    for column, series in zip(found.T, raw, strict=True):
        np.testing.assert_array_equal(column, oracle.median_13(series))
        assert column[0] == series[:7].min()  # biased low: the smallest of seven
        assert column[-1] == series[-7:].min()
        assert column[10] == np.median(series[4:17])


def test_the_crop_is_2_8_half_sides_wide_from_the_top_of_the_faces_square():
    top, bottom, left, right = bounds((300, 200, 50))
    assert (top, bottom, left, right) == (150, 290, 230, 370)
    assert bottom - top == right - left == 140


@pytest.mark.parametrize(
    "square",
    [
        (150, 100, 60),
        (150.7, 100.2, 55.5),
        (10, 15, 61.3),
        (295, 195, 70.1),
        (150, 100, 140),
        (0, 0, 50),
        (299, 5, 51.9),
    ],
)
def test_crops_equal_those_of_a_padded_frame(square):
    frame = np.random.default_rng(1).integers(0, 256, (200, 300, 3)).astype(np.uint8)
    np.testing.assert_array_equal(cropped(frame, square), oracle.crop(frame, *square))


def test_beyond_the_frame_is_grey():
    frame = np.zeros((200, 300, 3), np.uint8)
    face = cropped(frame, (0, 0, 60))
    assert face[0, 0].tolist() == [110, 110, 110]
    assert face[-1, -1].tolist() == [0, 0, 0]
    assert (cropped(frame, (-400, -400, 50)) == 110).all()
