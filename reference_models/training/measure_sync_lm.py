"""Measure what the landmark-speech network is worth on clips it was not trained on; prints the figures of its card.

    python reference_models/training/measure_sync_lm.py --data DIR [--weights FILE]

``DIR`` is that of ``train_sync_lm.py``; the clips measured are those that it holds out. Every condition changes lips or
voice in one way. Wrong audio is another held-out clip's, drawn once from a seed; each clip stands against one other.
"""

from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file
from train_sync_lm import is_held_out, read, varied_points, varied_spectrum

from thgeval.features.faces.lips import LANDMARKS_HZ, lips
from thgeval.features.sync.sync_lm import LIP_LAYERS, VOICE_LAYERS, Tensors, compared, embedded, voice_rows

Floats = NDArray[np.float64]
Change = Callable[[Floats, np.random.Generator], tuple[Floats, float]]

SEED = 5
FURTHEST = 15


def as_it_is(points: Floats, rng: np.random.Generator) -> tuple[Floats, float]:
    """No change."""
    return points, LANDMARKS_HZ


def varied(points: Floats, rng: np.random.Generator) -> tuple[Floats, float]:
    """Pose, drift, amplitude and jitter as in training."""
    return varied_points(points, rng), LANDMARKS_HZ


def mirrored(points: Floats, rng: np.random.Generator) -> tuple[Floats, float]:
    """Left and right exchanged, as in a mirrored picture."""
    pairs = [*range(16, -1, -1), *range(26, 16, -1), *range(27, 31), 35, 34, 33, 32, 31, 45, 44, 43, 42, 47, 46, 39, 38]
    pairs += [37, 36, 41, 40, 54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65]
    return points[:, pairs] * [-1, 1], LANDMARKS_HZ


def jittered(share: float) -> Change:
    """Independent noise on every point, as a share of the distance of the outer eye corners."""

    def change(points: Floats, rng: np.random.Generator) -> tuple[Floats, float]:
        unit = np.linalg.norm(points[:, 45] - points[:, 36], axis=1).mean()
        return points + rng.normal(0, share * unit, points.shape), LANDMARKS_HZ

    return change


def swaying(points: Floats, rng: np.random.Generator) -> tuple[Floats, float]:
    """Roll of 8 degrees and scale of 8 % either way, twice every 3 s, and a drift over the picture."""
    time = np.arange(len(points)) / LANDMARKS_HZ
    phase = rng.uniform(0, 2 * np.pi, 4)
    roll = np.deg2rad(8) * np.sin(2 * np.pi * 0.7 * time + phase[0])
    scale = 1 + 0.08 * np.sin(2 * np.pi * 0.6 * time + phase[1])
    turn = scale[:, None, None] * np.stack(
        [np.stack([np.cos(roll), np.sin(roll)], 1), np.stack([-np.sin(roll), np.cos(roll)], 1)], 1
    )
    drift = 30 * np.stack([np.sin(2 * np.pi * 0.4 * time + phase[2]), np.sin(2 * np.pi * 0.5 * time + phase[3])], 1)
    middle = points.mean(axis=(0, 1))
    return np.einsum("tij,tpi->tpj", turn, points - middle) + middle + drift[:, None], LANDMARKS_HZ


def at_rate(fps: float) -> Change:
    """The landmarks shown at another frame rate."""

    def change(points: Floats, rng: np.random.Generator) -> tuple[Floats, float]:
        flat = points.reshape(len(points), -1)
        times = np.arange(int((len(points) - 1) / LANDMARKS_HZ * fps) + 1) / fps
        moved = np.stack([np.interp(times, np.arange(len(points)) / LANDMARKS_HZ, column) for column in flat.T], axis=1)
        return moved.reshape(-1, 68, 2), fps

    return change


CONDITIONS: dict[str, Change] = {
    "as they are": as_it_is,
    "mirrored": mirrored,
    "varied as in training": varied,
    "jitter of 1 % of the eye distance": jittered(0.01),
    "jitter of 2 %": jittered(0.02),
    "swaying head": swaying,
    **{f"{fps} frames per second": at_rate(fps) for fps in (24, 30, 50, 60)},
}


def seen_of(points: Floats, fps: float, tensors: Tensors) -> NDArray[np.float32]:
    """Embedded rows of one clip's landmarks at a steady rate."""
    return embedded(lips(points, np.arange(len(points)) / fps).rows, tensors, LIP_LAYERS)


def measured(seen: NDArray[np.float32], heard: NDArray[np.float32]) -> tuple[int, float]:
    """Offset and confidence of two embedded sides."""
    count = min(len(seen), len(heard))
    found = compared(seen[:count], heard[:count], FURTHEST, rows=count)
    if found is None:
        raise click.ClickException("a clip is too short to be measured")
    return found.alignment.offset, found.alignment.confidence


def equal_error(right: Floats, wrong: Floats) -> tuple[float, float]:
    """The rate at which as many right clips fall below a threshold as wrong ones reach it, and that threshold."""
    thresholds = np.sort(np.concatenate([right, wrong]))
    missed = np.array([np.mean(right < threshold) for threshold in thresholds])
    passed = np.array([np.mean(wrong >= threshold) for threshold in thresholds])
    best = int(np.argmin(np.maximum(missed, passed)))
    return float(max(missed[best], passed[best])), float(thresholds[best])


def line(name: str, seen: list[NDArray[np.float32]], heard: list[NDArray[np.float32]], other: NDArray[np.intp]) -> str:
    """One row of the table: offsets, confidences, and right against wrong audio."""
    right = [measured(lip, voice) for lip, voice in zip(seen, heard, strict=True)]
    wrong = np.array([measured(lip, heard[clip])[1] for lip, clip in zip(seen, other, strict=True)])
    offsets, confidences = np.array([offset for offset, _ in right]), np.array([sure for _, sure in right])
    rate, threshold = equal_error(confidences, wrong)
    near = offsets[np.abs(offsets) <= 1]
    return (
        f"{name:36} {np.mean(np.abs(offsets) <= 1):7.2%}  mean {near.mean():+.2f}  "
        f"confidence {np.median(confidences):.3f} / {np.median(wrong):.3f}  EER {rate:.2%} at {threshold:.3f}"
    )


def evaluate(points: list[Floats], spectra: list[Floats], tensors: Tensors) -> None:
    """Print one row for every condition."""
    rng = np.random.default_rng(SEED)
    order = rng.permutation(len(points))
    other = order[(np.argsort(order) + 1) % len(order)]  # one cycle through all clips: nobody meets himself
    heard = [embedded(voice_rows(spectrum), tensors, VOICE_LAYERS) for spectrum in spectra]
    for name, change in CONDITIONS.items():
        seen = [seen_of(*change(clip, rng), tensors) for clip in points]
        click.echo(line(name, seen, heard, other))
    seen = [seen_of(clip, LANDMARKS_HZ, tensors) for clip in points]
    noisy = [embedded(voice_rows(varied_spectrum(spectrum, rng)), tensors, VOICE_LAYERS) for spectrum in spectra]
    click.echo(line("sound varied as in training", seen, noisy, other))
    late = [np.roll(voice, 7, axis=0) for voice in heard]
    shifted = np.array([measured(lip, voice)[0] for lip, voice in zip(seen, late, strict=True)])
    click.echo(f"sound 7 frames late: within one frame of -7 in {np.mean(np.abs(shifted + 7) <= 1):.2%}")


@click.command()
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--weights", type=click.Path(exists=True, path_type=Path), default=None, help="The shipped ones if none.")
def main(data: Path, weights: Path | None) -> None:
    """Measure WEIGHTS on the held-out clips of DATA."""
    shipped = Path(__file__).parents[1] / "thgeval_models" / "sync_lm.safetensors"
    names, points, spectra = read(data)
    kept = [clip for clip, name in enumerate(names) if is_held_out(str(name))]
    click.echo(f"{len(kept)} held-out clips of {points.shape[1] / LANDMARKS_HZ:g} s, seed {SEED}")
    tensors = load_file(weights or shipped)
    evaluate([points[clip] for clip in kept], [spectra[clip] for clip in kept], tensors)


if __name__ == "__main__":
    main()
