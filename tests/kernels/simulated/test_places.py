"""Where arrays lie, and what is handed over and back."""

import numpy as np
import pytest

from thgeval.errors import ProtocolError
from thgeval.kernels.places import DeviceArray, in_memory, loops, on_card, out_of_memory, put, readable


def test_what_another_library_hands_over_is_not_copied(lent):
    theirs = lent(np.arange(6.0).reshape(2, 3))
    array = readable(theirs)
    theirs.held[0, 0] = 7
    assert in_memory(array)[0, 0] == 7
    assert (array.shape, array.dtype, array.ndim, array.size, len(array)) == ((2, 3), np.float64, 2, 6, 2)


def test_what_comes_out_is_handed_over_too():
    """As ``torch.as_tensor`` would take it on a card."""
    array = put(np.arange(4, dtype=np.float32), "cuda")
    interface = array.__cuda_array_interface__
    assert (interface["shape"], interface["typestr"], interface["version"]) == ((4,), "<f4", 3)
    np.testing.assert_array_equal(in_memory(readable(array)), np.arange(4))


def test_the_kind_of_array_chooses_the_loops(lent):
    from thgeval.kernels.luma import cpu, cuda

    assert loops(cpu, np.zeros(3)) is cpu
    assert loops(cpu, lent(np.zeros(3))) is cuda
    assert not on_card(np.zeros(3))
    assert on_card(put(np.zeros(3), "cuda"))


def test_a_tensor_with_a_gradient_is_refused():
    class Differentiable:
        @property
        def __cuda_array_interface__(self):
            raise RuntimeError("Can't get __cuda_array_interface__ on Variable that requires grad.")

    with pytest.raises(ProtocolError, match=r"requires grad.*; detach it first"):
        on_card(Differentiable())


def test_memory_that_is_not_in_order_is_refused(lent):
    turned = lent(np.zeros((3, 4)))
    turned.held = turned.held.T
    with pytest.raises(ProtocolError, match="must be in C order; copy it first"):
        DeviceArray(turned).in_order()


@pytest.mark.parametrize(
    ("said", "known"),
    [
        ("CUDA out of memory. Tried to allocate 2.00 GiB", True),
        ("[CUresult.CUDA_ERROR_OUT_OF_MEMORY] Call to cuMemAlloc results in", True),
        ("CUDA error: an illegal memory access was encountered", False),
        ("Unable to allocate 2.00 GiB for an array", False),
    ],
)
def test_errors_of_a_full_card_are_known(said, known):
    assert out_of_memory(RuntimeError(said)) == known
