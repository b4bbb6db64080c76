"""Headers of arrays are read as numpy reads them, by any number of threads at once."""

import ast
import io
import threading
import time
import tokenize

import numpy as np
import pytest
from numpy.lib import format as numpys

from thgeval.files import npy

ARRAYS = [
    *(np.zeros(shape, "<f8") for shape in [(), (0,), (3,), (2, 3), (2, 0, 4), (1, 2, 3, 4)]),
    *(np.ones((2, 3), kind) for kind in ("|u1", "<f2", "<f4", ">f4", "<i8", "|b1", "<U5", "|S3", "<c16")),
    np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    np.array("a text"),
]


def saved(array, version=(1, 0)):
    buffer = io.BytesIO()
    numpys.write_array(buffer, array, version=version)
    return buffer.getvalue()


def odd(text, version=(1, 0)):
    """A header in words of its own."""
    length = len(text).to_bytes(2 if version == (1, 0) else 4, "little")
    return numpys.magic(*version) + length + text.encode()


@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: f"{array.dtype}{array.shape}")
def test_arrays_are_read_as_numpy_reads_them(array, version, monkeypatch):
    monkeypatch.setattr(ast, "literal_eval", None)  # which plain headers don't need
    content = saved(array, version)
    found = npy.array(io.BytesIO(content), len(content))
    np.testing.assert_array_equal(found, array)
    assert (found.dtype, found.shape) == (array.dtype, array.shape)
    assert found.flags.f_contiguous == array.flags.f_contiguous


def test_headers_in_other_words_are_read_by_numpy():
    header = npy.header(io.BytesIO(odd('{"shape": (3,4), "descr": "<f4", "fortran_order": True}\n')))
    assert header == ((3, 4), True, np.dtype("<f4"))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x93NUMPY",
        b"\x93NUMPY\x01\x00\xff",
        saved(np.zeros(3))[:90],
        saved(np.zeros(3)) + b"more",
        saved(np.zeros(3))[:-1],
        saved(np.array([object()])),
        odd("{'descr': '<f8', 'fortran_order': False, 'shape': (-3, -1), }\n"),
        odd("{'descr': '<f8', 'fortran_order': False, 'shape': (999999999999999999, 68), }\n"),
        odd("{'descr': '<z8', 'fortran_order': False, 'shape': (3,), }\n"),
        odd("[" * 9000, (2, 0)),
        odd("{" + " " * 20_000 + "}", (2, 0)),
        odd("__import__('os').abort()"),
    ],
)
def test_what_is_no_array_of_numbers(content):
    with pytest.raises((ValueError, TypeError, SyntaxError, MemoryError, RecursionError, tokenize.TokenError)):
        npy.array(io.BytesIO(content), len(content))


def test_no_two_threads_read_a_literal_at_once(monkeypatch):
    """CPython 3.11 ends one of them with a SystemError, once in many thousand times."""
    inside, most, real = [], [], ast.literal_eval

    def slow(text):
        inside.append(text)
        most.append(len(inside))
        time.sleep(0.01)
        inside.pop()
        return real(text)

    monkeypatch.setattr(ast, "literal_eval", slow)
    content = odd('{"shape": (3,4), "descr": "<f4", "fortran_order": True}\n')
    threads = [threading.Thread(target=lambda: npy.header(io.BytesIO(content))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 8
    assert max(most) == 1
