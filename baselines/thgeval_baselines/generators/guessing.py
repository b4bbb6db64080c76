"""The mouth to be expected: ridge regression from what is heard of it, and from how the head is turned, to a picture.

The turn enters with its products too, since what turns away shrinks, and so with those of the turn and the sound; the
sound enters as an ear tells it (``spectra``). It is what a diffusion model begins from, and what it would be without
one: a mean over all mouths that go with the sound, and so a blurred one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

RIDGE = 0.02
"""Per frame that is learnt from, for features of a scatter of 1."""
MOST = 3.0
"""Scatters from the mean beyond which a feature counts no more: products of the turn run away there."""
STILL = 1e-6
"""What is added to scatters, so that what never changes tells nothing."""


@dataclass(frozen=True, eq=False)
class Guess:
    """``middle`` and ``scatter`` (features,) of what it knows, ``mean`` (px, px, 3) and the ``weights`` (features, px *
    px * 3) of what follows from it, in levels of 255.
    """

    middle: Floats
    scatter: Floats
    mean: Floats
    weights: Floats

    @classmethod
    def of(cls, told: Floats, turned: Floats, pictures: NDArray[np.uint8]) -> "Guess":
        """What follows from ``told`` (frames, measures) and ``turned`` (frames, ways), as pictures (frames, px, px,
        3) show it.
        """
        raw = _features(told, turned)
        middle, scatter, mean = raw.mean(0), raw.std(0) + STILL, pictures.mean(0, dtype=np.float32)
        known = _within(raw, middle, scatter)
        follows = known.T @ (pictures - mean).reshape(len(pictures), -1)
        ridge = RIDGE * len(known) * np.eye(known.shape[1])
        weights = np.linalg.solve(known.T.astype(np.float64) @ known + ridge, follows)
        return cls(middle, scatter, mean, weights.astype(np.float32))

    def pictures(self, told: Floats, turned: Floats) -> Floats:
        """The mouths (frames, px, px, 3) to be expected, in levels of 255."""
        known = _within(_features(told, turned), self.middle, self.scatter)
        return np.asarray(self.mean + (known @ self.weights).reshape(-1, *self.mean.shape), np.float32)


def _features(told: Floats, turned: Floats) -> Floats:
    first, second = np.triu_indices(turned.shape[1])
    of_both = (told[:, :, None] * turned[:, None]).reshape(len(told), -1)
    return np.concatenate([told, turned, turned[:, first] * turned[:, second], of_both], axis=1)


def _within(known: NDArray[np.floating], middle: NDArray[np.floating], scatter: NDArray[np.floating]) -> Floats:
    return np.asarray(((known - middle) / scatter).clip(-MOST, MOST), np.float32)
