"""Train the lip reader for GRID sentences, and say how well it reads.

    python reference_models/training/train_grid_reader.py --data grid_s1 --out grid_reader.safetensors

DATA holds ``landmarks68.npz`` (names, landmarks_px of (clips, frames, 68, 2), fps) and ``align.tsv`` (clip, start, end,
word; 1000 units a frame). Every sixth clip, in an order drawn from the seed, is held out and never looked at in
training.
Needs the extra ``models`` (torch, safetensors).
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from thgeval.features.faces.people import filled
from thgeval_models import grid_reader as reader

UNITS_PER_FRAME = 1000
LONGEST_GAP = 10
BATCH, PEAK_RATE, DECAY, SMOOTHING, DROPOUT = 32, 3e-3, 1e-2, 0.05, 0.2
PRIOR_WEIGHT = 0.5


class Trained(nn.Module):
    """The reader's network as torch trains it, under the names of the weight file."""

    def __init__(self) -> None:
        super().__init__()
        self.into = nn.Conv1d(reader.COLUMNS, reader.WIDTH, 1)
        self.layers = nn.ModuleList(
            nn.Conv1d(reader.WIDTH, reader.WIDTH, reader.KERNEL, padding=reader.KERNEL // 2 * step, dilation=step)
            for step in reader.DILATIONS
        )
        self.out = nn.Conv1d(reader.WIDTH, reader.CLASSES, 1)
        self.drop = nn.Dropout1d(DROPOUT)

    def forward(self, places: Tensor) -> Tensor:
        """(batch, frames, 50) places of lips and chin to (batch, classes, frames)."""
        x = places.transpose(1, 2)
        beside = F.pad(x, (1, 1), mode="replicate")
        x = self.into(torch.cat([x, 1.5 * (beside[..., 2:] - beside[..., :-2])], 1))
        for layer in self.layers:
            x = x + F.relu(layer(self.drop(x)))
        scores: Tensor = self.out(F.relu(x))
        return scores


def sentences(data: Path) -> dict[str, list[tuple[float, float, str]]]:
    """The words of each clip with their first and last frame."""
    found: dict[str, list[tuple[float, float, str]]] = {}
    for line in (data / "align.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        clip, start, end, word = line.split("\t")
        if word not in ("sil", "sp"):
            found.setdefault(clip, []).append((int(start) / UNITS_PER_FRAME, int(end) / UNITS_PER_FRAME, word))
    return found


def classes(words: list[tuple[float, float, str]], frames: int) -> NDArray[np.int64]:
    """The class of each frame: the third of the word that is spoken in its middle, or silence."""
    middle = np.arange(frames) + 0.5
    labels = np.full(frames, reader.SILENCE)
    first = 0
    for place, (start, end, word) in zip(reader.GRAMMAR, words, strict=True):
        within = (middle >= start) & (middle < end)
        third = np.clip(((middle - start) / (end - start) * reader.THIRDS).astype(int), 0, reader.THIRDS - 1)
        labels[within] = (first + place.index(word)) * reader.THIRDS + third[within]
        first += len(place)
    return labels


def varied(places: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Other mouths (size, tilt, resting shape), noise and drift of the landmarks, and other tempi."""
    batch, frames, _ = places.shape
    points = places.reshape(batch, frames, -1, 2) * (1 + 0.25 * torch.randn(batch, 1, 1, 2))
    tilt = 0.15 * torch.randn(batch, 1, 1)
    x, y = points[..., 0], points[..., 1]
    points = torch.stack([x * tilt.cos() - y * tilt.sin(), x * tilt.sin() + y * tilt.cos()], -1)
    points = points + 0.15 * torch.randn(batch, 1, points.shape[2], 2) + 0.08 * torch.randn_like(points)
    time = torch.arange(frames)[None, :, None, None] / frames * 2 * torch.pi
    wave = torch.sin(3 * torch.rand(batch, 1, 1, 1) * time + 2 * torch.pi * torch.rand(batch, 1, 1, 2))
    places = (points + 0.3 * torch.randn(batch, 1, 1, 2) * wave).reshape(batch, frames, -1)
    tempo = torch.exp(0.12 * torch.randn(batch)).clamp(0.75, 1.3)
    at = (torch.arange(frames)[None] - frames / 2) * tempo[:, None] + frames / 2 + 4 * torch.randn(batch)[:, None]
    inside = at.clamp(0, frames - 1)
    before = inside.floor().long()
    after = (before + 1).clamp(max=frames - 1)
    share = (inside - before)[..., None]

    def taken(index: Tensor) -> Tensor:
        return places.gather(1, index[..., None].expand(-1, -1, places.shape[2]))

    labels = labels.gather(1, inside.round().long())
    labels = torch.where((at < -0.5) | (at > frames - 0.5), torch.full_like(labels, reader.SILENCE), labels)
    return taken(before) * (1 - share) + taken(after) * share, labels


def trained(places: Tensor, labels: Tensor, steps: int) -> Trained:
    """A network after ``steps`` batches of varied clips."""
    network = Trained()
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, PEAK_RATE, total_steps=steps)
    for step in range(steps):
        chosen = torch.randint(0, len(places), (BATCH,))
        inputs, wanted = varied(places[chosen], labels[chosen])
        loss = F.cross_entropy(network(inputs), wanted, label_smoothing=SMOOTHING)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        if (step + 1) % 250 == 0:
            print(f"step {step + 1}: loss {loss.item():.3f}", flush=True)
    return network


def main() -> None:
    """Train, write the weights, and print the word error rate on the clips held out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    torch.manual_seed(given.seed)
    stored = np.load(given.data / "landmarks68.npz")
    spoken = sentences(given.data)
    clips: list[tuple[str, NDArray[np.float32]]] = []
    for name, points in zip(stored["names"], stored["landmarks_px"], strict=True):
        bridged = filled(points[:, None].astype(np.float64), LONGEST_GAP)[:, 0]
        if not np.isnan(bridged).any():
            clips.append((str(name), reader.movements(bridged)))
    order = np.random.default_rng(given.seed).permutation(len(clips))
    held_out, used = [clips[i] for i in order[::6]], [clips[i] for i in order if i not in set(order[::6])]
    places = torch.tensor(np.stack([seen[:, : reader.COLUMNS // 2] for _, seen in used]))
    labels = torch.tensor(np.stack([classes(spoken[name], len(seen)) for name, seen in used]))
    print(f"{len(used)} clips to train on, {len(held_out)} held out, of {len(stored['names'])}; the rest lack a face")
    network = trained(places, labels, given.steps)
    counts = np.bincount(labels.numpy().ravel(), minlength=reader.CLASSES) + 1.0
    tensors = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    tensors["prior"] = PRIOR_WEIGHT * np.log(counts / counts.sum())
    save_file({name: tensor.astype(np.float16) for name, tensor in tensors.items()}, given.out)
    weights = reader.load(given.out)
    wrong = sum(
        read != word
        for name, seen in held_out
        for read, (_, _, word) in zip(reader.sentence(reader.likelihoods(weights, seen)), spoken[name], strict=True)
    )
    words = len(held_out) * len(reader.GRAMMAR)
    print(f"word errors on the clips held out: {wrong} of {words}, {wrong / words:.1%}")


if __name__ == "__main__":
    main()
