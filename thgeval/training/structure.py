"""MS-SSIM's terms and their gradient over many planes at once, on torch's threads.

Threads share bands of rows and not planes, so that one large frame keeps all of them busy. Bands have a fixed height:
what is summed in which order doesn't depend on how many threads there are.

A gradient is had in two steps. Forwards, one pass over a plane finds the terms of each scale and how they change with
that scale's own pixels; backwards, the weights are known, and what the scales have is weighted and added up.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate, chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from thgeval.kernels.difference.adjoint import add_signs
from thgeval.kernels.ms_ssim.adjoint import add_doubled
from thgeval.kernels.ms_ssim.cpu import halved
from thgeval.kernels.ssim.adjoint import window_sums_and_gradient
from thgeval.kernels.ssim.cpu import Constants, Singles, Taps, centre_of, scratch, window_sums
from thgeval.training.sharing import shared_out

BAND = 256  # rows, an even number; the rows above and below that a band reads twice cost it a twentieth

_Stack = NDArray[np.float32]
_BandSums = list[tuple[float, float]]


class _Level(NamedTuple):
    """Both sides of one plane at one scale."""

    generated: Singles
    reference: Singles
    centre: np.float32


class _Band(NamedTuple):
    """Rows ``first`` to ``last`` of one scale of one plane, pixels and the windows that begin there."""

    plane: int
    scale: int
    first: int
    last: int


def sizes(shape: tuple[int, ...], scales: int) -> list[tuple[int, int]]:
    """Height and width at each scale of (planes, height, width): halved, and rounded up."""
    _, height, width = shape
    return [(-(-height // 2**scale), -(-width // 2**scale)) for scale in range(scales)]


def terms(generated: _Stack, reference: _Stack, scales: int, taps: Taps, constants: Constants) -> NDArray[np.float64]:
    """Mean contrast-structure of every scale but the last and mean SSIM of the last: (planes, scales)."""
    pyramids = _pyramids(generated, reference, scales, constants)
    halo = 2 * (len(taps) - 1)

    def work(bands: list[_Band]) -> _BandSums:
        room = scratch(taps)
        return [
            window_sums(level.generated, level.reference, band.first, last, level.centre, taps, constants, *room)
            for band in bands
            for level in (pyramids[band.plane][band.scale],)
            for last in (min(band.last, len(level.generated) - halo),)
        ]

    return _means(_by_bands(work, generated.shape, scales), generated.shape, scales, halo)


def terms_and_gradients(
    generated: _Stack, reference: _Stack, scales: int, taps: Taps, constants: Constants
) -> tuple[NDArray[np.float64], _Stack]:
    """`terms`, and how each changes with the generated pixels of its own scale: (planes, all pixels of all scales)."""
    pyramids = _pyramids(generated, reference, scales, constants)
    found = np.empty((len(generated), sum(h * w for h, w in sizes(generated.shape, scales))), np.float32)
    owns = [_by_scale(row, generated.shape, scales) for row in found]
    one, none = np.float32(1), np.float32(0)

    def work(bands: list[_Band]) -> _BandSums:
        return [
            window_sums_and_gradient(
                level.generated,
                level.reference,
                first,
                last,
                level.centre,
                taps,
                constants,
                weights,
                owns[plane][scale],
            )
            for plane, scale, first, last in bands
            for level in (pyramids[plane][scale],)
            for weights in ((one, none) if scale == scales - 1 else (none, one),)
        ]

    sums = _by_bands(work, generated.shape, scales)
    return _means(sums, generated.shape, scales, 2 * (len(taps) - 1)), found


def gathered(gradients: _Stack, weights: _Stack, absolute: _Stack, generated: _Stack, reference: _Stack) -> _Stack:
    """The gradient of weighted terms by the generated planes: (planes, height, width) float32.

    ``gradients`` are those of `terms_and_gradients`, ``weights`` (planes, scales) those of its terms, ``absolute``
    (planes,) those of the sum of absolute differences.
    """
    out = np.empty_like(generated)
    scales = weights.shape[1]

    def work(some: slice) -> None:
        for plane in range(*some.indices(len(out))):
            below: Singles | None = None
            for scale, own in reversed(list(enumerate(_by_scale(gradients[plane], out.shape, scales)))):
                here = np.multiply(own, weights[plane, scale], out=None if scale else out[plane])
                if below is not None:
                    add_doubled(below, here)
                below = here
            if absolute[plane]:
                add_signs(
                    generated[plane].reshape(-1), reference[plane].reshape(-1), absolute[plane], out[plane].reshape(-1)
                )

    shared_out(work, len(out))
    return out


def _by_scale(row: Singles, shape: tuple[int, ...], scales: int) -> list[Singles]:
    """A plane's row of pixels of all scales as a (height, width) view of each."""
    shapes = sizes(shape, scales)
    ends = accumulate(h * w for h, w in shapes)
    return [row[end - h * w : end].reshape(h, w) for (h, w), end in zip(shapes, ends, strict=True)]


def _pyramids(generated: _Stack, reference: _Stack, scales: int, constants: Constants) -> list[list[_Level]]:
    """Every plane at every scale, the largest first."""

    def work(some: slice) -> list[list[_Level]]:
        return [list(_levels(a, b, scales, constants)) for a, b in zip(generated[some], reference[some], strict=True)]

    return [pyramid for part in shared_out(work, len(generated)) for pyramid in part]


def _levels(generated: Singles, reference: Singles, scales: int, constants: Constants) -> Iterator[_Level]:
    for scale in range(scales):
        if scale:
            generated, reference = halved(generated), halved(reference)
        yield _Level(generated, reference, centre_of(generated, reference, constants[0]))


def _by_bands(
    work: Callable[[list[_Band]], _BandSums], shape: tuple[int, ...], scales: int
) -> Iterator[tuple[_Band, Any]]:
    """Each band of all scales of all (planes, height, width) with its sums, in order."""
    bands = [
        _Band(plane, scale, first, min(first + BAND, height))
        for plane in range(shape[0])
        for scale, (height, _) in enumerate(sizes(shape, scales))
        for first in range(0, height, BAND)
    ]
    costs = [(band.last - band.first) * sizes(shape, scales)[band.scale][1] for band in bands]
    return zip(bands, chain.from_iterable(shared_out(lambda some: work(bands[some]), len(bands), costs)), strict=True)


def _means(sums: Iterable[tuple[_Band, Any]], shape: tuple[int, ...], scales: int, halo: int) -> NDArray[np.float64]:
    """_BandSums over windows as means, of the term that counts at each scale."""
    found = np.zeros((shape[0], scales))
    for band, (ssim, contrast) in sums:
        found[band.plane, band.scale] += ssim if band.scale == scales - 1 else contrast
    windows = [(height - halo) * (width - halo) for height, width in sizes(shape, scales)]
    return np.asarray(found / windows, np.float64)
