"""Metrics of change over time: known answers, slow twins, and no trace of how a clip was cut into chunks."""

import math
from dataclasses import replace
from fractions import Fraction
from functools import reduce
from operator import add

import cv2
import numpy as np
import pytest
from oracles import motion as oracle
from oracles import warp as warp_oracle

from thgeval import registry
from thgeval.errors import InputError, ProtocolError
from thgeval.features.frames.frames import info, rgb
from thgeval.features.frames.motion import FLOWS, flow, visible
from thgeval.media.frames import FrameBatch, MediaInfo
from thgeval.metric import Better
from thgeval.metrics.motion.f_mse import FMSE
from thgeval.metrics.motion.ofm import OFM, mean_jet_colour, mean_length
from thgeval.metrics.motion.temporal_warp_error import TemporalWarpError
from thgeval.metrics.motion.video_fps import VideoFPS
from thgeval.view import View

FRAMEWISE = [
    FMSE(),
    FMSE(**FMSE.presets["diffused-heads"].fields),
    OFM(side_px=64),
    OFM(**OFM.presets["diffused-heads"].fields),
    TemporalWarpError(),
]


def texture(height=72, width=88, seed=0):
    """A smooth random picture, uint8 RGB."""
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)
    blurred = cv2.GaussianBlur(noise, (0, 0), 2)
    return cv2.normalize(blurred, None, 0, 255, cv2.NORM_MINMAX)


def moving(step, frames=4, height=72, width=88):
    """A window that slides over a large texture, so that the picture moves by ``step`` (x, y) px per frame."""
    picture, reach = texture(height + 80, width + 80), 40
    places = [(reach - step[1] * index, reach - step[0] * index) for index in range(frames)]
    return np.stack([picture[top : top + height, left : left + width] for top, left in places])


def state_of(metric, generated, reference=None, *, peak=255.0, chunk=None, lead=1):
    """The sum of a metric's states over the chunks of a clip."""
    parts = []
    for start in range(0, len(generated), chunk or len(generated)):
        sides = []
        for frames in (generated, generated if reference is None else reference):
            held = min(lead, start)
            pixels = frames[start - held : start + (chunk or len(generated))]
            sides.append({rgb: FrameBatch(pixels, peak, start, held)})
        parts.append(metric.measure(View.of("clip", start, *sides).seen_by(metric.needs, metric.name)))
    return reduce(add, parts)


def score_of(metric, *clips, **options):
    return metric.score(state_of(metric, *clips, **options))


# What a still video, a single frame and a cut clip give


@pytest.mark.parametrize("metric", [FMSE(), FMSE(side_px=32, arithmetic="uint8-wrap"), OFM(), TemporalWarpError()])
def test_a_still_video_does_not_change(metric):
    assert score_of(metric, np.stack([texture()] * 3)) == 0.0


@pytest.mark.parametrize("metric", FRAMEWISE)
def test_a_single_frame_has_no_value(metric):
    state = state_of(metric, texture()[None])
    assert state.scored == ()
    assert math.isnan(metric.score(state))


@pytest.mark.parametrize(("chunk", "lead"), [(1, 1), (2, 1), (3, 1), (3, 2)])
@pytest.mark.parametrize("metric", FRAMEWISE, ids=registry.key)
def test_chunks_leave_no_trace(metric, chunk, lead):
    generated, reference = moving((2, 1), frames=6), moving((1, -1), frames=6)
    whole = state_of(metric, generated, reference).record("clip").values
    cut = state_of(metric, generated, reference, chunk=chunk, lead=lead).record("clip").values
    assert whole.shape == (5,)
    np.testing.assert_array_equal(cut, whole)


@pytest.mark.parametrize("metric", [FMSE(), OFM(side_px=64), TemporalWarpError()], ids=registry.key)
def test_the_range_of_values_does_not_matter(metric):
    generated, reference = moving((2, 1)), moving((1, -1))
    bytes_ = score_of(metric, generated, reference)
    for dtype, peak in ((np.float64, 1.0), (np.float32, 2.0)):
        scaled = [(clip / 255 * peak).astype(dtype) for clip in (generated, reference)]
        assert score_of(metric, *scaled, peak=peak) == pytest.approx(bytes_, rel=2e-3)


@pytest.mark.parametrize("metric", FRAMEWISE, ids=registry.key)
def test_opencv_threads_leave_no_trace(metric):
    generated, before = moving((2, 1)), cv2.getNumThreads()
    try:
        values = []
        for threads in (1, 2, 5):
            cv2.setNumThreads(threads)
            values.append(state_of(metric, generated).record("clip").values)
    finally:
        cv2.setNumThreads(before)
    np.testing.assert_array_equal(values[0], values[1])
    np.testing.assert_array_equal(values[0], values[2])


# f-mse


@pytest.mark.parametrize("k", [1, 15, 16, 100, 255])
def test_f_mse_of_alternating_frames(k):
    frames = np.zeros((5, 40, 40, 3), np.uint8)
    frames[1::2] = k
    assert score_of(FMSE(), frames) == k * k
    assert score_of(FMSE(**FMSE.presets["diffused-heads"].fields), frames) == k * k % 256


def test_f_mse_equals_the_oracle():
    frames = np.random.default_rng(3).integers(0, 256, (4, 23, 31, 3)).astype(np.uint8)
    np.testing.assert_allclose(
        state_of(FMSE(), frames).record("clip").values, oracle.frame_mse(frames, 255), rtol=1e-12
    )


def test_f_mse_diffused_heads_equals_the_oracle():
    frames = np.random.default_rng(4).integers(0, 256, (4, 150, 140, 3)).astype(np.uint8)
    values = state_of(FMSE(**FMSE.presets["diffused-heads"].fields), frames).record("clip").values
    np.testing.assert_allclose(values, oracle.wrapped_frame_mse(frames, 128), rtol=1e-12)


def test_f_mse_does_not_wrap_floats():
    with pytest.raises(InputError, match="float64 frames, which don't overflow") as caught:
        score_of(FMSE(arithmetic="uint8-wrap"), np.zeros((2, 8, 8, 3)), peak=1.0)
    assert caught.value.reason == "not uint8"


# Flow and ofm


@pytest.mark.parametrize("method", FLOWS)
@pytest.mark.parametrize("step", [(2, 0), (0, -2), (3, 2)])
def test_flow_is_the_step_of_a_translation(step, method):
    for direction, sign in (("forward", 1), ("backward", -1)):
        wanted = flow(method=method, direction=direction)
        given = {rgb: FrameBatch(moving(step), 255.0, 0)}
        field = View.of("clip", 0, given, {}).generated[wanted]
        assert field.shape == (3, 72, 88, 2)
        inner = np.median(field[:, 20:-20, 20:-20].reshape(-1, 2), axis=0)
        np.testing.assert_allclose(inner, np.multiply(step, sign), atol=0.1)


@pytest.mark.parametrize("step", [(2, 0), (0, 2), (2, -1), (3, 2)])
def test_ofm_of_a_translation_is_its_length(step):
    frames = moving(step, height=128, width=128)
    assert score_of(OFM(side_px=0), frames) == pytest.approx(math.hypot(*step), rel=0.04)


def test_ofm_is_measured_at_the_working_size():
    frames = moving((4, 0), height=128, width=128)
    assert score_of(OFM(side_px=64), frames) == pytest.approx(2.0, rel=0.08)


def test_ofm_is_the_mean_length_of_the_flow():
    field = np.random.default_rng(5).normal(0, 2, (9, 11, 2)).astype(np.float32)
    lengths = [math.hypot(*vector) for vector in field.reshape(-1, 2)]
    assert mean_length(field) == pytest.approx(math.fsum(lengths) / 99, rel=1e-12)


def test_equal_frames_have_no_flow_where_opencv_sees_some():
    still = {rgb: FrameBatch(np.stack([texture()] * 2), 255.0, 0)}
    features = View.of("clip", 0, still, {}).generated
    assert not features[flow(method="farneback")].any()
    raw = np.abs(features[flow(method="farneback-diffused-heads")])
    assert 0.1 < raw.max() < 1.0
    assert raw[:, 8:-8, 8:-8].max() < 1e-4


def test_ofm_diffused_heads_equals_the_oracle():
    frames = moving((3, 1), frames=4, height=140, width=150)
    values = state_of(OFM(**OFM.presets["diffused-heads"].fields), frames).record("clip").values
    np.testing.assert_allclose(values, oracle.jet_means(frames, 128), rtol=1e-4)


def test_the_jet_reading_is_blind_to_speed():
    field = np.random.default_rng(6).normal(0, 1, (16, 16, 2)).astype(np.float32)
    assert mean_jet_colour(4 * field) == mean_jet_colour(field)
    assert mean_length(4 * field) == pytest.approx(4 * mean_length(field))


@pytest.mark.parametrize("speed", [0.0, 0.7, 30.0])
def test_a_constant_flow_is_dark_blue(speed):
    assert mean_jet_colour(np.full((8, 8, 2), speed, np.float32)) == 128 / 3


def test_colours_have_no_unit():
    assert OFM().unit == "px/frame"
    assert OFM(**OFM.presets["diffused-heads"].fields).unit == ""
    assert replace(OFM(reading="jet"), reading="length").unit == "px/frame"


# temporal-warp-error


def twin(generated, reference, peak):
    """Mean squared difference over visible pixels of each pair of frames, by OpenCV, scipy and numpy."""
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in reference]
    values = []
    for index in range(1, len(grey)):
        forward = cv2.calcOpticalFlowFarneback(grey[index - 1], grey[index], None, 0.5, 3, 15, 3, 5, 1.2, 0)
        backward = cv2.calcOpticalFlowFarneback(grey[index], grey[index - 1], None, 0.5, 3, 15, 3, 5, 1.2, 0)
        seen = warp_oracle.visible(forward, backward)
        squared, pixels = warp_oracle.squared_error(generated[index - 1], generated[index], forward, seen)
        values.append(squared / (3 * pixels * peak**2))
    return values


def test_temporal_warp_error_equals_the_oracle():
    generated, reference = moving((1, 1), frames=4), moving((2, 1), frames=4)
    values = state_of(TemporalWarpError(), generated, reference).record("clip").values
    np.testing.assert_allclose(values, twin(generated, reference, 255.0), rtol=1e-9)


def test_what_moves_as_the_reference_keeps_its_colour():
    reference = moving((3, 1))
    along = score_of(TemporalWarpError(), reference, reference)
    still = score_of(TemporalWarpError(), np.stack([texture()] * 4), reference)
    against = score_of(TemporalWarpError(), moving((-3, -1)), reference)
    assert along < 1e-4 < still < against


def test_flicker_raises_the_warp_error_and_blur_lowers_it():
    reference = moving((2, 1))
    flicker = np.where(np.arange(4)[:, None, None, None] % 2, reference // 2, reference)
    blurred = np.stack([cv2.GaussianBlur(frame, (0, 0), 4) for frame in flicker])
    scores = [score_of(TemporalWarpError(), clip, reference) for clip in (reference, flicker, blurred)]
    assert scores[0] < scores[2] < scores[1]
    assert score_of(TemporalWarpError(), np.full_like(reference, 90), reference) == 0.0


def test_frames_without_visible_pixels_are_left_out_and_counted():
    frames = moving((1, 0), frames=3)
    seen = np.zeros((2, *frames.shape[1:3]), bool)
    seen[1, 30:40] = True
    given = {flow(): np.zeros((2, *frames.shape[1:3], 2), np.float32), visible(): seen}
    metric = TemporalWarpError()
    piece = View.of("clip", 0, {rgb: FrameBatch(frames, 255.0, 0)}, given)
    state = metric.measure(piece.seen_by(metric.needs, metric.name))
    assert dict(state.left_out) == {"all occluded": 1}
    difference = (frames[2, 30:40] / 255.0 - frames[1, 30:40] / 255.0) ** 2
    assert metric.score(state) == pytest.approx(difference.mean(), rel=1e-12)


def test_beside_a_square_that_moves_pixels_are_hidden():
    background, patch = texture(96, 96, seed=1), texture(96, 96, seed=2)[:32, :32]
    frames = np.stack([background] * 2)
    for index, left in enumerate((30, 38)):
        frames[index, 30:62, left : left + 32] = patch
    seen = View.of("clip", 0, {}, {rgb: FrameBatch(frames, 255.0, 0)}).reference[visible()][0]
    assert seen[36:56, 36:56].all()
    assert seen[38:54, 62:70].mean() < 0.5
    assert seen[:15].mean() > 0.9


# video-fps


def container(fps):
    return MediaInfo(
        container="mp4",
        codec="h264",
        pixel_format="yuv420p",
        width=64,
        height=64,
        fps=fps,
        frames=10,
        duration_s=None,
        start_s=0.0,
        variable_rate=False,
        rotation=0,
        bits=8,
        matrix="bt709",
        colour_range="limited",
        audio=None,
    )


def rate_of(clip, fps):
    return VideoFPS().measure(View.of(clip, 0, {info: container(fps)}, {}).seen_by(VideoFPS().needs, "video-fps"))


def test_video_fps_is_the_mean_of_the_clips_rates():
    state = rate_of("a", Fraction(25)) + rate_of("b", Fraction(30000, 1001))
    assert VideoFPS().score(state) == pytest.approx((25 + 30000 / 1001) / 2, rel=1e-15)


def test_video_fps_needs_a_rate():
    with pytest.raises(InputError, match="state its fps") as caught:
        rate_of("a", None)
    assert caught.value.reason == "no frame rate"


# All of them


@pytest.mark.parametrize(
    ("cls", "fields"),
    [
        (FMSE, {"arithmetic": "wrap"}),
        (FMSE, {"side_px": -1}),
        (OFM, {"flow": "raft"}),
        (OFM, {"reading": "mean"}),
        (OFM, {"side_px": 9000}),
        (TemporalWarpError, {"flow": "raft"}),
    ],
)
def test_other_values_are_refused(cls, fields):
    with pytest.raises(ProtocolError, match=f"^{cls.name}: {next(iter(fields))} "):
        cls(**fields)


def test_which_way_is_better():
    for cls in (FMSE, OFM, VideoFPS):
        assert cls.better is Better.CLOSER_TO_REFERENCE
        assert not cls().needs.a_reference
    assert TemporalWarpError.better is Better.LOWER
