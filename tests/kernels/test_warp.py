"""Reading frames along a flow: against a slow twin, at borders, on a square that moves."""

import numpy as np
import pytest
from oracles import warp as oracle

from thgeval.errors import ProtocolError
from thgeval.kernels import warp

SIZES = [(1, 1), (1, 7), (7, 1), (2, 2), (13, 17), (31, 24)]
TYPES = [np.uint8, np.float32, np.float64]


def frames_of(rng, size, dtype, channels=3, count=2):
    frames = rng.integers(0, 256, (count, *size, channels))
    return frames.astype(np.uint8) if dtype == np.uint8 else (frames / 255).astype(dtype)


def flow_of(rng, size, reach=3.0, count=2, dtype=np.float32):
    return rng.uniform(-reach, reach, (count, *size, 2)).astype(dtype)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("size", SIZES)
def test_warped_equals_the_oracle(size, dtype):
    rng = np.random.default_rng(7)
    frames, flow = frames_of(rng, size, dtype), flow_of(rng, size)
    pixels, inside = warp.warped(frames, flow=flow)
    for index in range(2):
        wanted, wanted_inside = oracle.warped(frames[index], flow[index])
        np.testing.assert_array_equal(inside[index], wanted_inside)
        np.testing.assert_allclose(pixels[index], wanted, rtol=0, atol=1e-12 * max(1.0, float(frames.max())))


@pytest.mark.parametrize("vectors", [np.float32, np.float64])
@pytest.mark.parametrize("size", [*SIZES, (40, 41)])
def test_visible_equals_the_oracle(size, vectors):
    rng = np.random.default_rng(8)
    forward = (0.5 + flow_of(rng, size, 0.05)).astype(vectors)
    backward = (-forward + flow_of(rng, size, 0.8)).astype(vectors)
    seen = warp.visible(forward=forward, backward=backward)
    for index in range(2):
        np.testing.assert_array_equal(seen[index], oracle.visible(forward[index], backward[index]))
    assert min(size) < 40 or 0.1 < seen.mean() < 0.9


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("size", SIZES)
def test_squared_error_equals_the_oracle(size, dtype):
    rng = np.random.default_rng(10)
    previous, current = frames_of(rng, size, dtype), frames_of(rng, size, dtype)
    flow, mask = flow_of(rng, size), rng.random((2, *size)) < 0.7
    squared, pixels = warp.squared_error(previous=previous, current=current, flow=flow, mask=mask)
    for index in range(2):
        wanted, count = oracle.squared_error(previous[index], current[index], flow[index], mask[index])
        assert pixels[index] == count
        np.testing.assert_allclose(squared[index], wanted, rtol=1e-12)


def test_whole_steps_read_pixels_exactly_up_to_the_border():
    frame = np.random.default_rng(11).integers(0, 256, (1, 5, 6, 3)).astype(np.uint8)
    flow = np.zeros((1, 5, 6, 2), np.float32)
    flow[..., 0], flow[..., 1] = 2, -1
    pixels, inside = warp.warped(frame, flow=flow)
    np.testing.assert_array_equal(pixels[0, 1:, :4], frame[0, :4, 2:])
    wanted = np.zeros((5, 6), bool)
    wanted[1:, :4] = True
    np.testing.assert_array_equal(inside[0], wanted)
    assert not pixels[0][~wanted].any()


def test_the_outermost_centre_is_the_last_place_inside():
    frame = np.arange(4.0).reshape(1, 1, 4, 1)
    flow = np.zeros((1, 1, 4, 2))
    flow[0, 0, :, 0] = [-1e-9, 0.5, 1.0, 1e-9]
    pixels, inside = warp.warped(frame, flow=flow)
    np.testing.assert_array_equal(inside[0, 0], [False, True, True, False])
    np.testing.assert_array_equal(pixels[0, 0, :, 0], [0.0, 1.5, 3.0, 0.0])


def test_a_flow_that_is_not_a_number_leads_nowhere():
    flow = np.full((1, 3, 3, 2), np.nan, np.float32)
    assert not warp.warped(np.ones((1, 3, 3, 1), np.uint8), flow=flow).inside.any()
    assert not warp.visible(forward=flow, backward=flow).any()


def moving_square(side=40, at=(10, 12), size=12, step=(5, 3)):
    """Flow from and to a square that moves over a background at rest, and where it was and is."""
    forward, backward = np.zeros((1, side, side, 2), np.float32), np.zeros((1, side, side, 2), np.float32)
    was = np.zeros((side, side), bool)
    was[at[0] : at[0] + size, at[1] : at[1] + size] = True
    now = np.roll(was, (step[1], step[0]), (0, 1))
    forward[0][was] = step
    backward[0][now] = (-step[0], -step[1])
    return forward, backward, was, now


def test_what_a_square_covers_is_hidden_and_what_moves_with_it_is_not():
    forward, backward, was, now = moving_square()
    seen = warp.visible(forward=forward, backward=backward)[0]
    edge = np.zeros_like(was)
    edge[:, :-1] |= was[:, :-1] != was[:, 1:]
    edge[:-1] |= was[:-1] != was[1:]
    np.testing.assert_array_equal(seen, ~((now & ~was) | edge))
    assert (now & ~was).sum() > 50
    assert seen[was & ~edge].all()


def test_hidden_pixels_cost_nothing():
    forward, backward, was, now = moving_square()
    rng = np.random.default_rng(12)
    background, object_ = rng.integers(0, 256, (2, 40, 40, 3)).astype(np.uint8)
    previous = np.where(was[..., None], object_, background)[None]
    current = np.where(now[..., None], np.roll(object_, (3, 5), (0, 1)), background)[None]
    seen = warp.visible(forward=forward, backward=backward)
    assert warp.squared_error(previous=previous, current=current, flow=forward, mask=seen).squared[0] == 0
    everything = np.ones_like(seen)
    assert warp.squared_error(previous=previous, current=current, flow=forward, mask=everything).squared[0] > 0


def test_no_frames_are_no_frames():
    frames, flow = np.empty((0, 4, 5, 3), np.uint8), np.empty((0, 4, 5, 2), np.float32)
    assert warp.visible(forward=flow, backward=flow).shape == (0, 4, 5)
    assert warp.warped(frames, flow=flow).pixels.shape == (0, 4, 5, 3)
    nothing = warp.squared_error(previous=frames, current=frames, flow=flow, mask=np.empty((0, 4, 5), bool))
    assert nothing.squared.shape == nothing.pixels.shape == (0,)


def test_frames_do_not_depend_on_their_company():
    rng = np.random.default_rng(13)
    previous, current = frames_of(rng, (19, 23), np.float32, count=4), frames_of(rng, (19, 23), np.float32, count=4)
    flow, mask = flow_of(rng, (19, 23), count=4), np.ones((4, 19, 23), bool)
    together = warp.squared_error(previous=previous, current=current, flow=flow, mask=mask).squared
    for index in range(4):
        one = slice(index, index + 1)
        alone = warp.squared_error(previous=previous[one], current=current[one], flow=flow[one], mask=mask[one])
        assert alone.squared[0] == together[index]


@pytest.mark.parametrize(
    ("frames", "flow", "said"),
    [
        (np.zeros((1, 4, 4), np.uint8), np.zeros((1, 4, 4, 2), np.float32), "warp reads frames as"),
        (np.zeros((1, 4, 4, 3), np.int16), np.zeros((1, 4, 4, 2), np.float32), "warp reads frames as"),
        (np.zeros((1, 4, 4, 3), np.uint8), np.zeros((1, 4, 4, 3), np.float32), "warp reads flow as"),
        (np.zeros((1, 4, 4, 3), np.uint8), np.zeros((1, 4, 4, 2), np.uint8), "warp reads flow as"),
        (np.zeros((1, 4, 4, 3), np.uint8), np.zeros((1, 4, 5, 2), np.float32), "warp's flow are"),
    ],
)
def test_other_arrays_are_refused(frames, flow, said):
    with pytest.raises(ProtocolError, match=said):
        warp.warped(frames, flow=flow)


def test_a_mask_must_fit():
    frames, flow = np.zeros((1, 4, 4, 3), np.uint8), np.zeros((1, 4, 4, 2), np.float32)
    for mask in (np.ones((1, 4, 5), bool), np.ones((1, 4, 4), np.uint8)):
        with pytest.raises(ProtocolError, match="under a boolean mask"):
            warp.squared_error(previous=frames, current=frames, flow=flow, mask=mask)
