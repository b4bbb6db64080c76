"""Networks and dlib's models that answer from memory when they see a picture again: tests look at a clip many times."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest

from thgeval import networks
from thgeval.features.faces import dlib_models


def _bits(tensor) -> tuple:
    return tuple(tensor.shape), tensor.dtype, hashlib.sha256(np.ascontiguousarray(tensor.numpy())).digest()


def remembering(held, look):
    """A function of a picture and of what prints as it is, computed once for each."""

    def of(picture, *rest):
        key = picture.shape, hashlib.sha256(np.ascontiguousarray(picture)).digest(), *map(str, rest)
        if key not in held:
            held[key] = look(picture, *rest)
        return held[key]

    return of


@contextmanager
def seen_once() -> Iterator[None]:
    """Every sample that ``networks.rows`` sees with the same network and the same bits is computed once, as is every
    frame that dlib sees.

    Both look at each alone anyway, so only time changes.
    """
    held, real = {}, networks.rows

    def rows(network, *samples, **named):
        every, found = (*samples, *named.values()), []
        for i in range(len(every[0])):
            one = [tensor[i : i + 1] for tensor in every]
            key = network, tuple(named), *map(_bits, one)
            if key not in held:
                held[key] = real(network, *one[: len(samples)], **dict(zip(named, one[len(samples) :], strict=True)))
            found.append(held[key])
        return np.concatenate(found)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(networks, "rows", rows)
        patch.setattr(dlib_models, "_made", _made)
        patch.setattr(dlib_models, "_detector", lambda: SimpleNamespace(run=remembering(_BOXES, _run)))
        patch.setattr(dlib_models, "predictor", lambda: remembering(_SHAPES, _predict))
        yield


_made, _predictor, _detector = cache(dlib_models._made), cache(dlib_models.predictor), dlib_models._detector
"""dlib's models, which are the same whatever home there is: loaded once, though networks are let go of in between."""
_BOXES, _SHAPES = {}, {}


def _run(*seen):
    return _detector().run(*seen)


def _predict(*seen):
    return _predictor()(*seen)
