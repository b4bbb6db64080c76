"""Train a small generator of talking heads on ``synth-v1``, and watch it with ``thgeval.training.Validation``.

python examples/train_tiny.py runs/tiny

From a portrait and ten numbers that move it the network makes frames of 64 x 64 px. Its loss is L1 + SSIM, and identity
by a recogniser that is trained here too, on the same people. Utterances that it isn't trained on are validated every
so many steps; in the end the folder holds a run file for each check, ``checks.csv``, strips of the worst clips, and
``ssim.svg``, the curve with its intervals. Two cores take less than two minutes; needs the extras training and demo.
"""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from thgeval.clip import Clip
from thgeval.media.decoder import decode
from thgeval.report.progress import progress
from thgeval.training import Validation, losses
from thgeval.training.sinks import to_csv
from thgeval.training.validation import runs_in
from thgeval_baselines.photo.geometry import PARAMETERS
from thgeval_baselines.sets.synth import make_synth

SIZE = 64
TRAINED, HELD_OUT = ("e01", "e02", "e03", "e04"), ("e05", "e06")
BATCH = 16


@dataclass(frozen=True)
class Example:
    """One clip: a portrait (3, size, size), its motion (frames, 10), its frames (frames, 3, size, size) in [0, 1]."""

    person: int
    portrait: Tensor
    motion: Tensor
    frames: Tensor


class Generator(nn.Module):
    """A portrait and the numbers of each frame in, frames out: the portrait warped, then painted over.

    A small U-Net, its features scaled by the motion, says from where each pixel comes and what is added to it.
    """

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.down = nn.ModuleList(
            [
                nn.Conv2d(3, width, 4, 2, 1),
                nn.Conv2d(width, 2 * width, 4, 2, 1),
                nn.Conv2d(2 * width, 4 * width, 4, 2, 1),
            ]
        )
        self.motion = nn.Sequential(nn.Linear(len(PARAMETERS), 64), nn.SiLU(), nn.Linear(64, 8 * width))
        self.up = nn.ModuleList([nn.Conv2d(6 * width, 2 * width, 3, 1, 1), nn.Conv2d(3 * width, width, 3, 1, 1)])
        self.last = nn.Conv2d(width + 3, 5, 3, 1, 1)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """From portraits (clips, 3, size, size) and motion (clips, frames, 10) to (clips, frames, 3, size, size)."""
        clips, frames = inputs["motion"].shape[:2]
        portrait = inputs["portrait"].repeat_interleave(frames, 0)
        features = [portrait]
        for layer in self.down:
            features.append(nn.functional.silu(layer(features[-1])))
        scale, shift = self.motion(inputs["motion"].flatten(0, 1))[:, :, None, None].chunk(2, 1)
        seen = features.pop() * (1 + scale) + shift
        for layer in self.up:
            seen = nn.functional.interpolate(seen, scale_factor=2)
            seen = nn.functional.silu(layer(torch.cat([seen, features.pop()], 1)))
        seen = nn.functional.interpolate(seen, scale_factor=2)
        flow, paint = self.last(torch.cat([seen, portrait], 1)).split((2, 3), 1)
        still = nn.functional.affine_grid(torch.eye(2, 3).expand(len(portrait), 2, 3), portrait.shape, False)
        warped = nn.functional.grid_sample(
            portrait, still + 0.1 * flow.permute(0, 2, 3, 1), padding_mode="border", align_corners=False
        )
        made = warped + paint
        return made.reshape(clips, frames, *made.shape[1:])


class Recogniser(nn.Sequential):
    """From faces (faces, 3, size, size) to embeddings (faces, 32)."""

    def __init__(self) -> None:
        layers: list[nn.Module] = []
        for channels, more in ((3, 8), (8, 16), (16, 32)):
            layers += [nn.Conv2d(channels, more, 3, 2, 1), nn.ReLU()]
        super().__init__(*layers, nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(512, 32))


def examples(
    folder: Path, utterances: tuple[str, ...], *, people: int, seconds: float, size: int
) -> dict[str, Example]:
    """Clips of ``synth-v1`` by name, made on the spot: each person saying each utterance."""
    wanted = frozenset(f"s{person + 1}-{said}-pose" for person in range(people) for said in utterances)
    tasks = make_synth(folder, people=people, seconds=seconds, fit_seconds=1, only=wanted, workers=1)
    found = {}
    for item in tasks.items:
        truth = np.load(folder / item.truth["clip"])
        motion = torch.from_numpy(np.stack([truth[name] for name in PARAMETERS], 1)).float()
        portrait = np.asarray(Image.open(folder / item.inputs["source_image"]).convert("RGB"))
        found[item.id] = Example(
            person=int(item.identity[1:]) - 1,
            portrait=planes(portrait[None], size)[0],
            motion=motion,
            frames=planes(frames_of(folder / item.reference), size),
        )
    return found


def frames_of(path: Path) -> np.ndarray:
    """The frames of a video, (frames, height, width, 3) uint8."""
    with decode(Clip(path.stem, path), chunk=64) as batches:
        return np.concatenate([np.array(batch.new) for batch in batches])


def planes(frames: np.ndarray, size: int) -> Tensor:
    """Frames as (frames, 3, size, size) in [0, 1]."""
    small = np.stack([cv2.resize(frame, (size, size), interpolation=cv2.INTER_AREA) for frame in frames])
    return torch.from_numpy(small).permute(0, 3, 1, 2).float() / 255


def scaled(found: Mapping[str, Example], like: Mapping[str, Example]) -> dict[str, Example]:
    """The same with motion in standard deviations of the clips ``like``."""
    motion = torch.cat([one.motion for one in like.values()])
    mean, spread = motion.mean(0), motion.std(0) + 1e-3
    return {
        name: Example(one.person, one.portrait, (one.motion - mean) / spread, one.frames) for name, one in found.items()
    }


def batch_of(clips: Mapping[str, Example], drawn: torch.Generator) -> tuple[dict[str, Tensor], Tensor, Tensor]:
    """Single frames of clips: what the generator takes, the frames it should make, and whose they are."""
    some = [list(clips.values())[at] for at in torch.randint(len(clips), (BATCH,), generator=drawn)]
    at = [int(torch.randint(len(one.motion), (), generator=drawn)) for one in some]
    inputs = {
        "portrait": torch.stack([one.portrait for one in some]),
        "motion": torch.stack([one.motion[[frame]] for one, frame in zip(some, at, strict=True)]),
    }
    frames = torch.stack([one.frames[[frame]] for one, frame in zip(some, at, strict=True)])
    return inputs, frames, torch.tensor([one.person for one in some])


def recogniser_of(clips: Mapping[str, Example], drawn: torch.Generator, steps: int) -> Recogniser:
    """A network that tells these people apart, trained by an angular margin."""
    network = Recogniser()
    loss = losses.ArcFaceLoss(32, 1 + max(one.person for one in clips.values()), scale=16.0, margin=0.2)
    optimiser = torch.optim.Adam([*network.parameters(), *loss.parameters()], 2e-3)
    for _ in range(steps):
        _, frames, people = batch_of(clips, drawn)
        optimiser.zero_grad()
        loss(network(frames.flatten(0, 1)), people).backward()
        optimiser.step()
    return network.requires_grad_(False).eval()


def clamped(model: nn.Module):
    """A model whose frames lie in [0, 1], as metrics ask for; a loss would have no gradient there."""
    return lambda inputs: model(inputs).clamp(0, 1)


def train(
    folder: Path, *, steps: int, every: int, people: int = 4, seconds: float = 2.0, size: int = SIZE
) -> Validation:
    """Train for so many steps, checking every so many of them; what validation knows in the end."""
    torch.manual_seed(0)
    drawn = torch.Generator().manual_seed(0)
    both = examples(folder / "clips", TRAINED + HELD_OUT, people=people, seconds=seconds, size=size)
    clips = {name: one for name, one in both.items() if any(said in name for said in TRAINED)}
    held_out = {name: one for name, one in scaled(both, clips).items() if name not in clips}
    clips = scaled(clips, clips)

    model = Generator()
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.97))
    pixels = losses.L1SSIMLoss(data_range=1.0)
    identity = losses.IdentityLoss(recogniser_of(clips, drawn, steps=min(steps, 60)))
    optimiser = torch.optim.Adam(model.parameters(), 3e-3)
    validation = Validation(
        model,
        {name: ({"portrait": one.portrait, "motion": one.motion}, one.frames) for name, one in held_out.items()},
        clamped(model),
        metrics=["ssim", "psnr", "l1"],
        data_range=1.0,
        every_steps=every,
        ema=average,
        patience=3 if len(held_out) > 5 else None,
        folder=folder,
        sinks=[to_csv(folder / "checks.csv"), said],
    )
    for step in range(steps + 1):
        if (checked := validation.step(step)) and checked.should_stop:
            break
        inputs, frames, _ = batch_of(clips, drawn)
        made = model(inputs)
        loss = pixels(made, frames) + 0.1 * identity(made.flatten(0, 1), frames.flatten(0, 1))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        average.update_parameters(model)
    (folder / "ssim.svg").write_text(progress(runs_in(folder), "ssim"), encoding="utf-8")
    return validation


def said(checked) -> None:
    """Print a line for each check."""
    score = checked.run["ssim"]
    low, high = score.interval or (score.value, score.value)
    print(f"step {checked.step:4}  ssim {score.value:.4f} ({low:.4f} to {high:.4f})  {checked.verdict}", flush=True)


def main() -> None:
    """Train into the folder that is named."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--every", type=int, default=60)
    asked = parser.parse_args()
    torch.set_num_threads(1)  # layers so small gain nothing by more
    train(asked.folder, steps=asked.steps, every=asked.every)
    print(f"curve: {asked.folder / 'ssim.svg'}")


if __name__ == "__main__":
    main()
