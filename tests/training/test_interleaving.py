"""Memory for pixels is used again once nobody holds it, and never while somebody does."""

from itertools import pairwise
from threading import Thread

import numpy as np
import pytest

from thgeval.training.interleaving import Rooms

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
