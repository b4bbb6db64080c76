"""Train the landmark-speech network that ships as ``thgeval_models/sync_lm.safetensors``.

    python reference_models/training/train_sync_lm.py --data DIR --out sync_lm.safetensors

``DIR`` holds ``landmarks68.npz`` (``names``; ``landmarks_px`` (clips, frames, 68, 2) at 25 frames per second) and
``audio_flac.zip`` (one mono 16 kHz FLAC a clip, named like it, starting with the picture). The shipped file was made
from GRID's speaker s1 with the defaults below; one thread, so that a machine gives the same bits again.

Clips whose name's sha256 ends in one of ``HELD_OUT`` are never trained on. Both sides are varied before every step:
pose and its drift, amplitude, jitter and smoothing of landmarks; gain, colour, vocal tract and noise of the sound. The
loss is InfoNCE over the times of a clip, from lips to voice and back, and from lips to other clips' voices.
"""

import hashlib
import io
import zipfile
from pathlib import Path

import av
import click
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor
from torch.nn.functional import cross_entropy

from thgeval.features.faces.lips import LANDMARKS_HZ, lips
from thgeval.features.sync.sync_lm import voice_rows
from thgeval.kernels import mel
from thgeval_models.sync_lm import SyncLM, build

Floats = NDArray[np.float64]

HELD_OUT = "0123"
CLIPS, ROWS = 24, 64
OTHERS = 384
RATE = 2e-3


def is_held_out(name: str) -> bool:
    """Whether a clip of this name is kept from training: about a quarter of all are."""
    return hashlib.sha256(name.encode()).hexdigest()[-1] in HELD_OUT


def read(data: Path) -> tuple[NDArray[np.str_], Floats, list[Floats]]:
    """Names, landmarks and log-mel columns of all clips that show a face throughout."""
    stored = np.load(data / "landmarks68.npz")
    points = stored["landmarks_px"].astype(np.float64)
    whole = ~np.isnan(points).any(axis=(1, 2, 3))
    names, points = stored["names"][whole], points[whole]
    with zipfile.ZipFile(data / "audio_flac.zip") as archive:
        files = {Path(name).stem: name for name in archive.namelist()}
        spectra = [_spectrum(archive.read(files[str(name)]), points.shape[1]) for name in names]
    return names, points, spectra


def _spectrum(flac: bytes, frames: int) -> Floats:
    with av.open(io.BytesIO(flac)) as container:
        samples = np.concatenate([frame.to_ndarray().ravel() for frame in container.decode(audio=0)])
    samples = (samples / 32768).astype(np.float32)[: frames * mel.LANDMARKS_HZ // LANDMARKS_HZ]
    return mel.log_mel(np.pad(samples, (0, frames * mel.LANDMARKS_HZ // LANDMARKS_HZ - len(samples))))


def varied_points(points: Floats, rng: np.random.Generator) -> Floats:
    """Landmarks as another mouth, pose and detector would give them."""
    unit = float(np.linalg.norm(points[:, 45] - points[:, 36], axis=1).mean())
    turned = _posed(_amplified(points, rng), unit, rng)
    turned += rng.normal(0, unit * rng.choice([0.0, 0.004, 0.01, 0.02]), turned.shape)
    if rng.random() < 0.4:
        before, after = turned[:-2].copy(), turned[2:].copy()
        weight = rng.choice([0.25, 1 / 3])
        turned[1:-1] = weight * (before + after) + (1 - 2 * weight) * turned[1:-1]
    return turned


def _amplified(points: Floats, rng: np.random.Generator) -> Floats:
    """The mouth moving more or less than it did, about its mean shape."""
    moved = points.copy()
    middle = points[:, 48:].mean(axis=1, keepdims=True)
    shape = points[:, 48:] - middle
    rest = shape.mean(axis=0)
    moved[:, 48:] = middle + rest + np.exp(rng.normal(0, 0.3)) * (shape - rest)
    return moved


def _posed(points: Floats, unit: float, rng: np.random.Generator) -> Floats:
    """Turned by a constant pose and one that drifts, round a point between the ears, without perspective."""
    frames, drift = len(points), rng.choice([0.0, 0.5, 1.0, 2.0]) / 2
    yaw, pitch, roll = (
        np.deg2rad(rng.normal(0, most) + most * drift * _wander(frames, rng))[:, None] for most in (10.0, 6.0, 6.0)
    )
    rest = points.mean(axis=0)
    x, y = np.moveaxis(points - rest[[0, 16, 33]].mean(axis=0), 2, 0)
    z = _depth(rest, unit)[None] + 0.3 * unit
    x, z = np.cos(yaw) * x + np.sin(yaw) * z, np.cos(yaw) * z - np.sin(yaw) * x
    y = np.cos(pitch) * y - np.sin(pitch) * z
    return np.stack([np.cos(roll) * x - np.sin(roll) * y, np.sin(roll) * x + np.cos(roll) * y], axis=-1)


def _depth(rest: Floats, unit: float) -> Floats:
    """A generic relief of the 68 points in px: half an ellipsoid, the nose and the lips."""
    centre = np.array([(rest[0, 0] + rest[16, 0]) / 2, rest[29, 1]])
    away = (rest - centre) / (unit * np.array([0.85, 1.35]))
    depth = 0.75 * unit * np.sqrt(np.clip(1 - np.sum(away**2, axis=1), 0, None))
    depth[27:36] += unit * np.array([0.06, 0.16, 0.28, 0.42, 0.17, 0.22, 0.25, 0.22, 0.17])
    depth[48:60] += 0.06 * unit
    return np.asarray(depth)


def _wander(frames: int, rng: np.random.Generator) -> Floats:
    """A smooth curve of unit size that changes its mind five times a second."""
    knots = rng.standard_normal(frames // 5 + 3)
    place = np.arange(frames) / 5
    before = place.astype(int)
    share = place - before
    share = share**2 * (3 - 2 * share)
    return np.asarray(knots[before] * (1 - share) + knots[before + 1] * share)


def varied_spectrum(spectrum: Floats, rng: np.random.Generator) -> Floats:
    """Log-mel columns as another voice, room and microphone would give them."""
    bands = np.arange(spectrum.shape[1])
    if rng.random() < 0.7:
        place = np.clip(bands * np.exp(rng.normal(0, 0.08)) + rng.normal(0, 0.5), 0, bands[-1])
        below = np.minimum(place.astype(int), bands[-1] - 1)
        spectrum = spectrum[:, below] * (1 - (place - below)) + spectrum[:, below + 1] * (place - below)
    spectrum = spectrum + _colour(bands, 6, rng) + rng.normal(0, 2)
    if rng.random() < 0.6:
        noise = spectrum.max() - rng.uniform(3, 12) + _colour(bands, 5, rng) + rng.normal(0, 0.5, spectrum.shape)
        spectrum = np.logaddexp(spectrum, noise)
    return spectrum


def _colour(bands: NDArray[np.int64], knots: int, rng: np.random.Generator) -> Floats:
    return np.interp(bands, np.linspace(0, bands[-1], knots), rng.normal(0, 1.5, knots))


def drawn(points: Floats, spectra: list[Floats], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """A batch of ``CLIPS`` stretches of ``ROWS`` rows, varied: lips and voice, channels first."""
    seen, heard = [], []
    for clip in rng.choice(len(points), CLIPS, replace=False):
        start = int(rng.integers(points.shape[1] - ROWS + 1))
        rows = lips(varied_points(points[clip], rng), np.arange(points.shape[1]) / LANDMARKS_HZ).rows
        seen.append(rows[start : start + ROWS].T)
        heard.append(voice_rows(varied_spectrum(spectra[clip], rng))[4 * start : 4 * (start + ROWS)].T)
    return torch.from_numpy(np.stack(seen)), torch.from_numpy(np.stack(heard))


def loss_of(seen: Tensor, heard: Tensor, sharpness: Tensor, pick: Tensor) -> Tensor:
    """InfoNCE within clips both ways, and half as much against ``pick``, rows of any clip's voice."""
    within = sharpness * torch.einsum("bct,bcs->bts", seen, heard)
    own = torch.arange(ROWS).repeat(CLIPS)
    both = cross_entropy(within.reshape(-1, ROWS), own) + cross_entropy(within.transpose(1, 2).reshape(-1, ROWS), own)
    right = within.diagonal(dim1=1, dim2=2).reshape(-1, 1)
    voices = heard.transpose(1, 2).reshape(-1, heard.shape[1])[pick]
    wrong = sharpness * seen.transpose(1, 2).reshape(-1, seen.shape[1]) @ voices.T
    first = torch.zeros(len(right), dtype=torch.long)
    return both / 2 + cross_entropy(torch.cat([right, wrong], dim=1), first) / 2


def trained(points: Floats, spectra: list[Floats], *, steps: int, seed: int) -> SyncLM:
    """The network after so many steps of AdamW under a one-cycle rate."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = build()
    log_sharpness = torch.nn.Parameter(torch.tensor(np.log(10.0)))
    groups = [{"params": network.parameters(), "weight_decay": 1e-2}, {"params": [log_sharpness], "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    for step in range(1, steps + 1):
        seen, heard = network(*drawn(points, spectra, rng))
        loss = loss_of(seen, heard, log_sharpness.exp(), torch.randperm(CLIPS * ROWS)[:OTHERS])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 50 == 0:
            click.echo(f"step {step}: loss {float(loss.detach()):.3f}")
    return network


@click.command()
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.option("--steps", default=800, show_default=True)
@click.option("--seed", default=0, show_default=True)
def main(data: Path, out: Path, steps: int, seed: int) -> None:
    """Train on the clips of DATA that are not held out and write the weights."""
    torch.set_num_threads(1)
    names, points, spectra = read(data)
    used = [clip for clip, name in enumerate(names) if not is_held_out(str(name))]
    click.echo(f"{len(used)} of {len(names)} clips to train on")
    network = trained(points[used], [spectra[clip] for clip in used], steps=steps, seed=seed)
    save_file({name: tensor.detach().contiguous() for name, tensor in network.state_dict().items()}, out)
    click.echo(f"{out}: {out.stat().st_size} bytes, sha256 {hashlib.sha256(out.read_bytes()).hexdigest()}")


if __name__ == "__main__":
    main()
