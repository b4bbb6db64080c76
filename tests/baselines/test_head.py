from dataclasses import replace

import cv2
import numpy as np
import pytest

from thgeval.errors import ProtocolError
from thgeval_baselines.photo.geometry import RANGES, WIDEST_GAP, Parameters
from thgeval_baselines.photo.head import Head, render
from thgeval_baselines.photo.portrait import portrait


@pytest.fixture(scope="module")
def head():
    return Head.of(portrait(seed=4, size=256))


def lip_gap(landmarks):
    return landmarks[66, 1] - landmarks[62, 1]


def eye_openness(landmarks):
    heights = [landmarks[low, 1] - landmarks[high, 1] for high, low in ((37, 41), (38, 40), (43, 47), (44, 46))]
    return np.mean(heights)


def test_aperture_is_the_gap_between_the_lips(head):
    apertures = np.linspace(0, 1, 11)
    gaps = [lip_gap(head.landmarks(Parameters(aperture=aperture))) for aperture in apertures]
    assert gaps == pytest.approx(apertures * WIDEST_GAP * head.portrait.eye_distance_px, abs=1e-9)
    turned = [lip_gap(head.landmarks(Parameters(aperture=a, yaw=8, pitch=4, roll=3))) for a in apertures]
    assert np.corrcoef(turned, apertures)[0, 1] > 0.9999


@pytest.mark.parametrize("pose", [{"yaw": 8}, {"pitch": -20}, {"pitch": 20}, {"roll": 12, "tx": 0.03}])
def test_closed_lips_stay_closed_in_every_pose(head, pose):
    at_rest, turned = (head.landmarks(Parameters(aperture=0, **each)) for each in ({}, pose))
    for upper, lower in ((61, 67), (62, 66), (63, 65)):
        apart = np.linalg.norm(turned[lower] - turned[upper]) - np.linalg.norm(at_rest[lower] - at_rest[upper])
        assert apart < 0.001 * head.portrait.eye_distance_px


def test_the_drawn_mouth_opens_with_the_aperture(head):
    dark = []
    for aperture in (0.0, 0.5, 0.75, 1.0):
        points = head.landmarks(Parameters(aperture=aperture))
        frame = head.frame(Parameters(aperture=aperture))
        top, bottom, middle = int(points[62, 1]) - 2, int(points[66, 1]) + 3, round(points[62, 0])
        dark.append(int((frame[top:bottom, middle].max(axis=1) < 70).sum()))
    assert sorted(dark) == dark
    assert dark[0] == 0
    assert dark[-1] > 0.2 * WIDEST_GAP * head.portrait.eye_distance_px


def test_blinking_closes_the_landmarks_and_covers_the_eye(head):
    opened, half, closed = (eye_openness(head.landmarks(Parameters(blink=blink))) for blink in (0, 0.5, 1))
    assert half == pytest.approx(opened / 2)
    assert closed == pytest.approx(0, abs=1e-9)
    x, y = head.portrait.landmarks[[37, 38, 40, 41]].mean(axis=0)
    box = np.s_[round(y) - 1 : round(y) + 2, round(x) - 1 : round(x) + 2]
    pupil, lid = (head.frame(Parameters(blink=blink))[box].mean() for blink in (0, 1))
    assert lid > pupil + 40


def test_pose_signs(head):
    rest = head.landmarks(Parameters())

    def moved(point, **pose):
        return head.landmarks(Parameters(**pose))[point] - rest[point]

    assert moved(30, yaw=10)[0] > moved(27, yaw=10)[0] > 0
    assert moved(30, pitch=10)[1] < 0
    assert moved(8, roll=10)[0] < 0 < moved(27, roll=10)[0]
    assert moved(30, tx=0.05) == pytest.approx([0.05 * 256, 0])
    assert moved(30, ty=-0.05) == pytest.approx([0, -0.05 * 256])
    assert moved(19, brow=1)[1] == pytest.approx(-0.1 * head.portrait.eye_distance_px)


POSES = [{}, {"yaw": 7, "pitch": -4}, {"roll": 8, "tx": 0.03, "ty": 0.02}, {"aperture": 0.8, "yaw": -6, "smile": 0.1}]


@pytest.mark.parametrize("parameters", POSES)
def test_frames_show_the_landmarks_where_they_are_said_to_be(parameters):
    face = portrait(seed=1, size=512)
    marked = [8, 19, 24, 30, 36, 39, 42, 45]
    dots = np.zeros_like(face.image)
    for x, y in face.landmarks[marked]:
        cv2.circle(dots, (round(x * 16), round(y * 16)), 40, (255, 255, 255), -1, cv2.LINE_AA, 4)
    head = Head.of(replace(face, image=dots))
    frame = head.frame(Parameters(**parameters))
    count, _, _, centres = cv2.connectedComponentsWithStats((frame.min(axis=2) > 120).astype(np.uint8))
    assert count == 1 + len(marked)
    for point in head.landmarks(Parameters(**parameters))[marked]:
        assert np.linalg.norm(centres[1:] - point, axis=1).min() < 1.2


def test_at_rest_the_border_stays_and_moving_the_head_leaves_it(head):
    frame = head.frame(Parameters(yaw=7, tx=0.02))
    assert np.abs(frame[0].astype(int) - head.portrait.image[0]).mean() < 3


def test_render_gives_frames_with_their_landmarks_and_is_repeatable(head):
    track = [Parameters(aperture=0.2, blink=0.3), Parameters(yaw=5, aperture=0.7)]
    frames, landmarks = render(head, track)
    again, _ = render(Head.of(portrait(seed=4, size=256)), track)
    assert frames.shape == (2, 256, 256, 3)
    assert frames.dtype == np.uint8
    assert np.array_equal(frames, again)
    assert np.array_equal(landmarks[1], head.landmarks(track[1]))


@pytest.mark.parametrize(("name", "limits"), RANGES.items())
def test_parameters_out_of_range_are_refused(name, limits):
    for value in (limits[0] - 0.01, limits[1] + 0.01, float("nan")):
        with pytest.raises(ProtocolError, match=rf"{name} is .*, choose a value in \["):
            Parameters(**{name: value})
