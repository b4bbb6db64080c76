"""Train the network behind ``ref-audio``: log-mel and heard phones to the opening of lips, on GRID's speaker s1.

    python baselines/training/train_audio.py --data DIR --out ref_audio.npz

``DIR`` holds ``landmarks68.npz`` (``names``; ``landmarks_px`` (clips, frames, 68, 2) at 25 frames per second),
``audio_flac.zip`` (a mono 16 kHz FLAC a clip, starting with the picture) and ``align.tsv`` (clip, start, end, word).
Needs the extras ``models`` (torch) and ``speech`` (pocketsphinx).

Clips are split by the sha256 of their names and the GRID reader's own split: used are those that ``sync-lm`` held out
and the reader was trained on; tested are those that both held out. Closures are where the corpus' own word times have a
word that begins with b or p, or the letter m. The sound is varied before every step (voice, colour, noise), and the
heard phones or the spectrum are left out now and then, so that neither is relied on alone.
"""

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import av
import click
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from thgeval.kernels import mel
from thgeval_baselines.photo.geometry import WIDEST_GAP
from thgeval_baselines.speech import listening
from thgeval_baselines.speech.hearing import heard
from thgeval_baselines.speech.lips import closures_met
from thgeval_baselines.speech.visemes import Phone

BEGIN_SHUT = frozenset({"bin", "blue", "by", "place", "please", "b", "p"})
END_SHUT = frozenset({"m"})
"""Every word of GRID in which lips meet; it has no m, b or p elsewhere."""

SHUT_S = 0.08
UNITS_PER_S = 25000
FPS, SECONDS, RATE_HZ = 25, 3, 16000
HELD_OUT = "0123"
READER_SEED, READER_SHARE = 0, 6
NARROWEST = 0.28
BATCH, PEAK_RATE, DECAY, DROPOUT = 12, 3e-3, 1e-2, 0.1
WIDTH, TAPS = 64, 5
CLOSURE_WEIGHT, STEEP = 0.15, 5.0


class Clip(NamedTuple):
    """A clip as the network meets it: log-mel (299, 40), phones heard, aim (75, 2), and closures (n, 2) in seconds."""

    name: str
    columns: NDArray[np.float32]
    phones: tuple[Phone, ...]
    aim: NDArray[np.float32]
    closures_s: NDArray[np.float64]


class Trained(nn.Module):
    """The network of ``listening`` as torch trains it, under the names of the weight file."""

    def __init__(self) -> None:
        super().__init__()
        seen = listening.BANDS + len(listening.ALONG)
        self.into = nn.Conv1d(seen, WIDTH, TAPS, padding=TAPS // 2)
        self.layers = nn.ModuleList(
            nn.Conv1d(WIDTH, WIDTH, TAPS, padding=TAPS // 2 * step, dilation=step) for step in listening.DILATIONS
        )
        self.out = nn.Conv1d(WIDTH, len(listening.OUTPUTS), 1)
        self.drop = nn.Dropout1d(DROPOUT)

    def forward(self, seen: Tensor) -> Tensor:
        """(batch, channels, columns) to (batch, 3, columns)."""
        x = functional.relu(self.into(seen))
        for layer in self.layers:
            x = x + functional.relu(layer(self.drop(x)))
        made: Tensor = self.out(x)
        return made


def aims(points: NDArray[np.float64]) -> NDArray[np.float32]:
    """Opening and rounding (frames, 2) of (frames, 68, 2) landmarks, in the units of ``geometry.Parameters``.

    Closed is the clip's fifth hundredth of the gap, unrounded its median width.
    """
    across = points[:, 45] - points[:, 36]
    unit = float(np.median(np.linalg.norm(across, axis=1)))
    across = across / np.linalg.norm(across, axis=1, keepdims=True)
    down = np.stack([-across[:, 1], across[:, 0]], axis=1)
    pairs = ((61, 67), (62, 66), (63, 65))
    gap = np.mean([np.sum((points[:, low] - points[:, high]) * down, axis=1) for high, low in pairs], axis=0) / unit
    width = np.sum((points[:, 54] - points[:, 48]) * across, axis=1) / unit
    opened = (gap - np.percentile(gap, 5)) / WIDEST_GAP
    return np.stack([opened, (1 - width / np.median(width)) / NARROWEST], axis=1).astype(np.float32)


def read(data: Path, kept: Path | None) -> dict[str, list[Clip]]:
    """The clips to train on and those to test on; what was heard is kept in a file between runs."""
    stored = np.load(data / "landmarks68.npz")
    points = stored["landmarks_px"].astype(np.float64)
    whole = ~np.isnan(points).any(axis=(1, 2, 3))
    names, points = [str(name) for name in stored["names"][whole]], points[whole]
    order = np.random.default_rng(READER_SEED).permutation(len(names))
    reader_held = {names[number] for number in order[::READER_SHARE]}
    sync_held = {name for name in names if hashlib.sha256(name.encode()).hexdigest()[-1] in HELD_OUT}
    spans = shut(data / "align.tsv")
    known: dict[str, Any] = json.loads(kept.read_text()) if kept and kept.exists() else {}
    clips: dict[str, list[Clip]] = {"train": [], "test": []}
    with zipfile.ZipFile(data / "audio_flac.zip") as archive:
        files = {Path(name).stem: name for name in archive.namelist()}
        for name, marks in zip(names, points, strict=True):
            if name in sync_held:
                sound = _sound(archive.read(files[name]))
                if name not in known:
                    known[name] = heard(sound)
                hearing = tuple(Phone(*phone) for phone in known[name])
                columns = mel.log_mel(sound, bands=listening.BANDS).astype(np.float32)
                clip = Clip(name, columns, hearing, aims(marks), spans[name])
                clips["test" if name in reader_held else "train"].append(clip)
    if kept:
        kept.write_text(json.dumps(known))
    return clips


def shut(path: Path) -> dict[str, NDArray[np.float64]]:
    """When lips meet in each clip, (closures, 2) s, where words begin or end so."""
    found: dict[str, list[tuple[float, float]]] = {}
    for line in path.read_text(encoding="utf-8").splitlines()[1:]:
        clip, start, end, word = line.split("\t")
        spans = found.setdefault(clip, [])
        if word in BEGIN_SHUT:
            at_s = int(start) / UNITS_PER_S
            spans.append((at_s - SHUT_S / 4, at_s + 3 * SHUT_S / 4))
        if word in END_SHUT:
            at_s = int(end) / UNITS_PER_S
            spans.append((at_s - SHUT_S, at_s))
    return {clip: np.array(spans, np.float64).reshape(-1, 2) for clip, spans in found.items()}


def _sound(flac: bytes) -> NDArray[np.float32]:
    with av.open(io.BytesIO(flac)) as container:
        samples = np.concatenate([frame.to_ndarray().ravel() for frame in container.decode(audio=0)])
    samples = (samples / 32768).astype(np.float32)[: SECONDS * RATE_HZ]
    return np.pad(samples, (0, SECONDS * RATE_HZ - len(samples)))


def varied(columns: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Log-mel columns as another voice, room and microphone would give them."""
    bands = np.arange(columns.shape[1])
    if rng.random() < 0.8:
        place = np.clip(bands * np.exp(rng.normal(0, 0.1)) + rng.normal(0, 0.7), 0, bands[-1])
        below = np.minimum(place.astype(int), bands[-1] - 1)
        columns = columns[:, below] * (1 - (place - below)) + columns[:, below + 1] * (place - below)
    columns = columns + np.interp(bands, np.linspace(0, bands[-1], 6), rng.normal(0, 1.5, 6))
    if rng.random() < 0.5:
        noise = columns.max() - rng.uniform(5, 14) + rng.normal(0, 0.5, columns.shape)
        columns = np.logaddexp(columns, noise)
    return columns.astype(np.float32)


def drawn(clips: list[Clip], rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """A batch: features (batch, channels, columns), aims (batch, 75, 2) and closures (batch, columns)."""
    seen, wanted, touching = [], [], []
    for number in rng.choice(len(clips), BATCH, replace=False):
        clip = clips[number]
        columns = varied(clip.columns, rng)
        made = listening.features(columns, clip.phones, listening.voice_of([columns]))
        if rng.random() < 0.3:
            made[:, listening.BANDS :] = 0
        elif rng.random() < 0.25:
            made[:, : listening.BANDS] = 0
        seen.append(made.T)
        wanted.append(clip.aim)
        touching.append(closed(clip, len(columns)))
    return tuple(torch.from_numpy(np.stack(each)) for each in (seen, wanted, touching))  # type: ignore[return-value]


def closed(clip: Clip, columns: int) -> NDArray[np.float32]:
    """1 in the columns in which lips touch."""
    times_s = np.arange(columns) * listening.COLUMN_S
    spans = clip.closures_s
    return np.any((times_s >= spans[:, :1]) & (times_s < spans[:, 1:]), axis=0).astype(np.float32)


def trained(clips: list[Clip], *, steps: int, seed: int) -> Trained:
    """The network after so many steps of AdamW under a one-cycle rate."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = Trained()
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, PEAK_RATE, total_steps=steps)
    every = round(1 / (FPS * listening.COLUMN_S))
    for step in range(1, steps + 1):
        seen, wanted, touching = drawn(clips, rng)
        made = network(seen)
        lips = made[:, :2, ::every].transpose(1, 2)[:, : wanted.shape[1]]
        loss = functional.smooth_l1_loss(STEEP * lips, STEEP * wanted)
        loss = loss + CLOSURE_WEIGHT * functional.binary_cross_entropy_with_logits(made[:, 2], touching)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 50 == 0:
            click.echo(f"step {step}: loss {float(loss.detach()):.3f}")
    return network


def judged(clips: list[Clip], tensors: dict[str, NDArray[np.float32]]) -> tuple[float, float, float]:
    """On clips: the mean correlation of openings, the closures met, and those that the true opening meets."""
    ours, met, meetable = [], [], []
    for clip in clips:
        voice = listening.voice_of([clip.columns])
        outputs = listening.outputs_of(clip.columns, clip.phones, voice, tensors)
        lips = listening.shown(outputs, listening.level(clip.columns), voice, fps=FPS, frames=len(clip.aim))
        ours.append(np.corrcoef(lips.aperture, clip.aim[:, 0])[0, 1])
        true = closures_met(clip.aim[:, 0], clip.closures_s, fps=FPS)
        met.append(closures_met(lips.aperture, clip.closures_s, fps=FPS)[true])
        meetable.append(true)
    return float(np.mean(ours)), float(np.concatenate(met).mean()), float(np.concatenate(meetable).mean())


@click.command()
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.option("--heard", "kept", type=click.Path(dir_okay=False, path_type=Path), help="Keeps what was heard.")
@click.option("--steps", default=1500, show_default=True)
@click.option("--seed", default=0, show_default=True)
def main(data: Path, out: Path, kept: Path | None, steps: int, seed: int) -> None:
    """Train on DATA, write the weights, and say how well they do on clips that nothing was trained on."""
    torch.set_num_threads(1)
    clips = read(data, kept)
    click.echo(f"{len(clips['train'])} clips to train on, {len(clips['test'])} to test on")
    network = trained(clips["train"], steps=steps, seed=seed).eval()
    tensors = {name: tensor.numpy().astype(np.float16) for name, tensor in network.state_dict().items()}
    with io.BytesIO() as held:
        np.savez(held, **tensors)  # type: ignore[arg-type]
        out.write_bytes(held.getvalue())
    shipped = {name: tensor.astype(np.float32) for name, tensor in tensors.items()}
    for kind, some in clips.items():
        r, met, meetable = judged(some, shipped)
        click.echo(f"{kind}: opening r {r:.3f}; closures {met:.1%} of the {meetable:.1%} that the true opening meets")
    click.echo(f"{out}: {out.stat().st_size} bytes, sha256 {hashlib.sha256(out.read_bytes()).hexdigest()}")


if __name__ == "__main__":
    main()
