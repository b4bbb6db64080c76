"""Whether lips and voice go together, seen by a small network of landmarks and speech that needs nothing but numpy.

Both sides become embeddings of length 1, one for every 40 ms, and are compared at every shift as SyncNet's are
(``thgeval.features.sync.offsets``), with windows without a partner left out. Rows without a face, and those the speech
doesn't reach, are left out too.

The network was trained on GRID (``reference_models/sync_lm.md``); it is the ``thgeval_models.sync_lm`` of torch, run
here as matrix products in float32.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import InputError
from thgeval.feature import Feature, Grain, feature
from thgeval.features.faces.lips import lips
from thgeval.features.faces.people import shapes
from thgeval.features.frames.frames import WITH_SOUND, Shown, shown, times_of
from thgeval.features.sync.offsets import OffsetDistances, aligned
from thgeval.features.sync.speech import mel_spectrogram, voice
from thgeval.networks.memory import read_once
from thgeval.requirements import Weights

WEIGHTS = "sync-lm"
COLUMNS_PER_ROW = 4
QUIETEST = 14.0
"""How far below the loudest mel energy of a clip, in nats (61 dB), everything is taken for silence."""
SPREAD = 3.0
LEAST_VOICED_S = 0.4

Rows = NDArray[np.float32]
Tensors = dict[str, Rows]

LIP_LAYERS = (("lips.0", 1, 2), ("lips.2", 1, 2), ("lips.4", 1, 1), ("lips.6", 1, 0))
VOICE_LAYERS = (("voice.0", 1, 2), ("voice.2", 2, 1), ("voice.4", 2, 1), ("voice.6", 1, 3), ("voice.8", 1, 0))
"""Name of each convolution, its stride, and the zeros at either end; all but the last are followed by a ReLU."""


class SyncedPerson(NamedTuple):
    """One person of a clip against its speech: the alignment of all rows, and which rows had a face and speech.

    ``moves`` is False for a face that is the same in every frame, whose lips fit no shift better than another.
    """

    alignment: OffsetDistances
    seen: NDArray[np.bool_]
    moves: bool = True


def _shapes(landmarks: str, follow: str, who: str, min_px: int, fill: int, **_: int) -> Feature[NDArray[np.float64]]:
    return shapes(landmarks=landmarks, follow=follow, who=who, min_px=min_px, fill=fill)


@feature(_shapes, shown, mel_spectrogram(), voice(), version=1, grain=Grain.CLIP, requires=(Weights(WEIGHTS),))
def sync_lm(
    points: NDArray[np.float64],
    how: Shown,
    spectrum: NDArray[np.float64],
    voiced: NDArray[np.bool_],
    *,
    landmarks: str = "dlib",
    follow: str = "every",
    who: str = "largest",
    min_px: int = 0,
    fill: int = 0,
    furthest: int = 15,
) -> tuple[SyncedPerson, ...]:
    """Each person's lips against the speech; persons without a stretch that can be compared are not there.

    Raises InputError: "no frame rate"; "no voice" if less than 0.4 s is louder than silence; "no face"; "too short" if
    nobody has two rows to compare at every shift.
    """
    times = times_of(how, what=WITH_SOUND)
    if voiced.sum() * 0.01 < LEAST_VOICED_S:
        raise InputError("hardly anything is heard, so that lips can't be compared with it", reason="no voice")
    if np.isnan(points).any(axis=(2, 3)).all():
        raise InputError("no face is found in any frame", reason="no face")
    tensors = towers()
    heard = embedded(voice_rows(spectrum), tensors, VOICE_LAYERS)
    people = [_against(points[:, person], times, heard, tensors, furthest) for person in range(points.shape[1])]
    found = tuple(synced for synced in people if synced is not None)
    if not found:
        raise InputError(
            f"no face is there long enough to compare {furthest} shifts either way; use a longer clip, or a smaller "
            "furthest",
            reason="too short",
        )
    return found


def _against(
    points: NDArray[np.float64], times: NDArray[np.float64], heard: Rows, tensors: Tensors, furthest: int
) -> SyncedPerson | None:
    moving = lips(points, times)
    count = min(len(moving.rows), len(heard))
    seen = embedded(moving.rows, tensors, LIP_LAYERS)[:count]
    seen[~moving.seen[:count]] = np.nan
    found = compared(seen, heard[:count], furthest, rows=len(moving.rows))
    there = points[~np.isnan(points).any(axis=(1, 2))]
    return None if found is None else found._replace(moves=bool(np.ptp(there, axis=0).any()))


def compared(seen: Rows, heard: Rows, furthest: int, *, rows: int) -> SyncedPerson | None:
    """Two embedded sides, NaN where nobody is seen, at every shift; None if a shift has less than two windows."""
    there: NDArray[np.bool_] = np.asarray(~np.isnan(seen).any(axis=1))
    shifts = range(-furthest, furthest + 1)
    counts = [there[max(0, -shift) : len(there) - max(0, shift)].sum() for shift in shifts]
    if min(counts, default=0) < 2:
        return None
    found = aligned(seen=seen, heard=heard, furthest=furthest, zeros=False)
    return SyncedPerson(found, np.concatenate([there, np.zeros(rows - len(there), np.bool_)]))


def voice_rows(spectrum: NDArray[np.float64]) -> Rows:
    """Log-mel columns, (columns, 40), as the network sees them: in whole rows of four, without what is constant.

    Four columns for each 40 ms, the last one of the last row made of silence; silence is ``QUIETEST`` below the loudest
    energy, and each band has its mean taken off, so that neither gain nor colour of the sound is seen.
    """
    lifted = np.maximum(spectrum, spectrum.max() - QUIETEST)
    centred = (lifted - lifted.mean(axis=0)) / SPREAD
    rows = (len(centred) + 1) // COLUMNS_PER_ROW
    lacking = max(0, rows * COLUMNS_PER_ROW - len(centred))
    return np.pad(centred, ((0, lacking), (0, 0)))[: rows * COLUMNS_PER_ROW].astype(np.float32)


def towers() -> Tensors:
    """The packaged weights, read once; WeightsError if they may not be used."""
    from safetensors.numpy import load

    return read_once(WEIGHTS, lambda file: dict(load(file.read_bytes())))


def embedded(rows: Rows, tensors: Tensors, layers: tuple[tuple[str, int, int], ...]) -> Rows:
    """One tower over (rows, columns): embeddings of length 1, (rows / product of strides, dimensions)."""
    values = rows
    for name, stride, padding in layers:
        values = convolved(values, tensors[f"{name}.weight"], tensors[f"{name}.bias"], stride, padding)
        if name != layers[-1][0]:
            values = np.maximum(values, 0)
    length = np.sqrt(np.sum(values**2, axis=1, keepdims=True))
    return np.asarray(values / np.maximum(length, 1e-12), np.float32)


def convolved(rows: Rows, kernel: Rows, bias: Rows, stride: int, padding: int) -> Rows:
    """Cross-correlation of (rows, in) with (out, in, taps), zeros beyond the ends: (places, out)."""
    taps = kernel.shape[2]
    padded = np.pad(rows, ((padding, padding), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, taps, axis=0)[::stride]
    flat = np.ascontiguousarray(windows).reshape(len(windows), -1)
    return np.asarray(flat @ kernel.reshape(len(kernel), -1).T + bias, np.float32)
