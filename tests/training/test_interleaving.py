"""From planes to pixels; memory for those is used again once nobody holds it, and never while somebody does."""

from itertools import pairwise
from threading import Thread

import numpy as np
import pytest
import torch

from thgeval.training.interleaving import BLOCK, Rooms, interleaved

SHAPE = (2, 5, 3)


def test_an_array_is_handed_out_again_when_its_last_view_is_gone():
    rooms = Rooms()
    array = rooms.room(SHAPE, np.float32)
    first, view = id(array), array.reshape(2, 15)
    del array
    assert id(rooms.room(SHAPE, np.float32)) != first
    del view
    assert first in {id(rooms.room(SHAPE, np.float32)) for _ in range(2)}


def test_what_is_held_is_never_handed_out_twice():
    rooms = Rooms()
    held = [rooms.room(SHAPE, np.float32) for _ in range(3 * Rooms.MOST)]
    assert len({id(array) for array in held}) == len(held)
    assert not any(np.shares_memory(one, other) for one, other in pairwise(held))


@pytest.mark.parametrize(("shape", "dtype"), [((2, 5, 3), np.uint8), ((5, 2, 3), np.float32)])
def test_other_shapes_and_types_are_other_arrays(shape, dtype):
    rooms = Rooms()
    rooms.room(SHAPE, np.float32)
    array = rooms.room(shape, dtype)
    assert (array.shape, array.dtype) == (shape, dtype)


def test_a_few_are_kept_and_none_that_is_large():
    rooms = Rooms()
    for width in range(1, 3 * Rooms.MOST):
        rooms.room((width,), np.uint8)
    rooms.room((Rooms.MOST_BYTES + 1,), np.uint8)
    assert [array.shape for array in rooms._arrays] == [(width,) for width in range(3 * Rooms.MOST)[-Rooms.MOST :]]


def test_threads_never_share_one():
    rooms, taken = Rooms(), []

    def take():
        taken.extend(rooms.room(SHAPE, np.float32) for _ in range(50))

    threads = [Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(array) for array in taken}) == 200


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.uint8])
def test_pixels_are_the_planes_values_side_by_side(channels, dtype):
    drawn = torch.Generator().manual_seed(channels)
    frames = torch.randint(0, 256, (2, 3, channels, 50, 61), generator=drawn).to(dtype)
    pixels, inside = interleaved(frames, 255.0)
    assert inside
    np.testing.assert_array_equal(pixels, frames.expand(-1, -1, 3, -1, -1).permute(0, 1, 3, 4, 2).numpy())


@pytest.mark.parametrize("place", [0, BLOCK - 1, BLOCK, 70 * 70 - 1])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("peak", [0.1, 1.0])
def test_one_value_outside_the_range_is_found_wherever_it_is(place, dtype, peak):
    """0.1 is no float32: the nearest one is above it, and outside."""
    frames = torch.full((1, 2, 3, 70, 70), peak / 2, dtype=dtype)
    highest = frames.new_tensor(peak)
    if float(highest) > peak:
        highest = torch.nextafter(highest, highest.new_tensor(0))
    for value, known in ((highest, True), (torch.nextafter(highest, highest + 1), False), (-1e-9, False)):
        frames.view(2, 3, -1)[1, 2, place] = value
        assert interleaved(frames, peak)[1] is known
    frames.view(2, 3, -1)[1, 2, place] = torch.nan
    assert not interleaved(frames, peak)[1]
