"""A small denoising diffusion model of one person's mouth, told by speech: how it is trained and sampled.

Pictures are differences from the person's mean mouth, folded so that 2 by 2 pixels become channels. The network
(``diffusers.UNet2DModel``) sees the noisy picture beside the frame before it and the mouth that is to be expected for
the speech (``guessing``), and predicts how the clean picture differs from that; weights that are used are a running
mean (EMA). Where nothing shall be heard, the mouth to be expected is that of the head's turn alone.

Source: Ho, Jain, Abbeel, NeurIPS 2020 (training); Song, Meng, Ermon, ICLR 2021 (DDIM); Ho, Salimans, arXiv:2207.12598
(guidance); Lin et al., WACV 2024 (no signal at the last step); Stypułkowski et al.,
"Diffused Heads", WACV 2024 (the frame before as a condition).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from diffusers import DDIMScheduler, UNet2DModel
from diffusers.training_utils import EMAModel
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from thgeval_baselines.generators.mouths import mask

FOLD, CHANNELS, GROUPS = 2, (32, 48, 64), 8
BATCH, RATE, EMA = 16, 2e-3, 0.995
UNHEARD, FIRST = 0.15, 0.3
"""Parts of the training in which nothing is heard, and in which there is no frame before."""
BLUR = 1.0
"""Noise in the frame before, in training as in sampling: who sees it clearly copies it, whatever is heard."""
DDIM, GUIDANCE, CALM = 4, 1.2, 0.3
"""Steps from noise to mouth; how what is heard is exaggerated; and the scatter of the noise that is begun from: less
than the 1 of training draws likelier mouths, which differ less."""
LEVELS = 1000


@dataclass(frozen=True, eq=False)
class SpeechSamples:
    """What is learnt from, (frames, px, px, 3) each: ``pictures`` uint8, and the mouths to be expected with what is
    ``heard`` and with it ``unheard``, in levels; ``which`` (n,) are the frames to be learnt: those that have the
    frame before them too.
    """

    pictures: NDArray[np.uint8]
    heard: NDArray[np.float32]
    unheard: NDArray[np.float32]
    which: NDArray[np.int64]


class Denoiser(nn.Module):
    """The network with what pictures are differences from."""

    def __init__(self, px: int) -> None:
        super().__init__()
        folded = 3 * FOLD**2
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("mean", torch.zeros(folded, px // FOLD, px // FOLD))
        self.register_buffer("scale", torch.ones(()))
        self.unet: Any = UNet2DModel(  # type: ignore[no-untyped-call]
            sample_size=px // FOLD,
            in_channels=3 * folded,
            out_channels=folded,
            layers_per_block=1,
            block_out_channels=CHANNELS,
            down_block_types=("DownBlock2D",) * len(CHANNELS),
            up_block_types=("UpBlock2D",) * len(CHANNELS),
            add_attention=False,
            norm_num_groups=GROUPS,
            resnet_time_scale_shift="scale_shift",
        )
        for name, weights in self.named_parameters():
            if name.startswith("unet.conv_out."):  # it begins with the mouth that is to be expected
                nn.init.zeros_(weights)

    def forward(self, noisy: Tensor, before: Tensor, level: Tensor, expected: Tensor) -> Tensor:
        """The clean pictures: (frames, channels, side, side), like all that it is given."""
        found: Tensor = expected + self.unet(torch.cat([noisy, before, expected], dim=1), level).sample
        return found

    def folded(self, pictures: NDArray[np.uint8] | NDArray[np.float32]) -> Tensor:
        """Pictures (frames, px, px, 3) in levels as differences from the mean."""
        whole = torch.from_numpy(pictures.astype(np.float32) / 127.5 - 1).permute(0, 3, 1, 2)
        return (functional.pixel_unshuffle(whole, FOLD) - self.mean) / self.scale

    def unfolded(self, differences: Tensor) -> NDArray[np.uint8]:
        """The other way round."""
        whole = functional.pixel_shuffle(differences * self.scale + self.mean, FOLD).permute(0, 2, 3, 1)
        return np.asarray(((whole + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).numpy())


def scheduler() -> Any:
    """The noise's schedule, the same for training and sampling."""
    return DDIMScheduler(  # type: ignore[no-untyped-call]
        num_train_timesteps=LEVELS,
        beta_schedule="squaredcos_cap_v2",
        prediction_type="sample",
        timestep_spacing="trailing",
        rescale_betas_zero_snr=True,
        clip_sample=False,
    )


def train_denoiser(samples: SpeechSamples, *, steps: int, seed: int) -> Denoiser:
    """A denoiser whose weights are the running mean of ``steps`` steps of training."""
    torch.manual_seed(seed)
    px, usable = samples.pictures.shape[1], torch.from_numpy(samples.which)
    net = Denoiser(px)
    raw = net.folded(samples.pictures[samples.which])
    net.mean.copy_(raw.mean(0))
    net.scale.copy_((raw - net.mean).std())
    pictures = net.folded(samples.pictures)
    heard, unheard = net.folded(samples.heard), net.folded(samples.unheard)
    noises, seen = scheduler(), torch.from_numpy(mask(px))[None, None] + 0.1
    seen = functional.pixel_unshuffle(seen.expand(1, 3, px, px), FOLD)
    pace = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=1e-2)
    slow = torch.optim.lr_scheduler.OneCycleLR(pace, RATE, total_steps=max(steps, 2), pct_start=0.1)
    held = EMAModel(net.parameters(), decay=EMA, use_ema_warmup=True, power=0.75)
    net.train()
    for _ in range(steps):
        which = usable[torch.randint(len(usable), (BATCH,))]
        hears = (torch.rand(BATCH) >= UNHEARD)[:, None, None, None]
        expected = torch.where(hears, heard[which], unheard[which])
        clean, noise = pictures[which], torch.randn(BATCH, *pictures.shape[1:])
        level = ((torch.arange(BATCH) + torch.rand(BATCH)) * (LEVELS / BATCH)).long()
        noisy = noises.add_noise(clean, noise, level)
        there = (torch.rand(BATCH) >= FIRST).float()[:, None, None, None]
        before = there * (pictures[which - 1] + BLUR * torch.randn_like(clean))
        loss = (seen * (net(noisy, before, level, expected) - clean) ** 2).mean()
        pace.zero_grad()
        loss.backward()
        pace.step()
        slow.step()
        held.step(net.parameters())
    held.copy_to(net.parameters())
    return net.eval()


@torch.inference_mode()
def drawn(
    net: Denoiser, expected: Iterable[tuple[NDArray[np.float32], NDArray[np.float32]]], *, seed: int
) -> Iterator[NDArray[np.uint8]]:
    """Mouths (px, px, 3) one after the other, each from noise of its own and from the one before it.

    ``expected`` are for each frame the mouths to be expected for what is heard and if it weren't, as in the samples.
    """
    chance, last = torch.Generator().manual_seed(seed), None
    shape = (1, *net.mean.shape)
    for heard, unheard in expected:
        before = torch.zeros(shape) if last is None else last + BLUR * torch.randn(shape, generator=chance)
        noise = CALM * torch.randn(shape, generator=chance)
        *_, last = _denoised(net, noise, before, net.folded(heard[None]), net.folded(unheard[None]))
        yield net.unfolded(last)[0]


@torch.inference_mode()
def unfolding(
    net: Denoiser, heard: NDArray[np.float32], unheard: NDArray[np.float32], *, seed: int, times: int
) -> NDArray[np.uint8]:
    """One frame with no frame before it, from noise to the mouth, for several noises: (steps + 1, times, px, px, 3)."""
    noise = CALM * torch.randn((times, *net.mean.shape), generator=torch.Generator().manual_seed(seed))
    sound, silence = (net.folded(each[None]).expand_as(noise) for each in (heard, unheard))
    return np.stack([net.unfolded(each) for each in _denoised(net, noise, torch.zeros_like(noise), sound, silence)])


def _denoised(net: Denoiser, noise: Tensor, before: Tensor, heard: Tensor, unheard: Tensor) -> Iterator[Tensor]:
    """The noise and what becomes of it, step by step; what is heard is exaggerated by ``GUIDANCE``."""
    noises = scheduler()
    noises.set_timesteps(DDIM)
    yield noise
    now, before, expected = noise, before.repeat(2, 1, 1, 1), torch.cat([heard, unheard])
    for level in noises.timesteps:
        with_it, without = net(now.repeat(2, 1, 1, 1), before, level, expected).chunk(2)
        now = noises.step(without + GUIDANCE * (with_it - without), int(level), now).prev_sample
        yield now
