"""A small radiance field of a head: three planes of learnt features and a network that a face's actions condition.

Precedents: NeRF (Mildenhall et al. 2020) for stratified and importance samples and compositing; EG3D (Chan et al. 2022)
for the planes; AD-NeRF (Guo et al. 2021) for the condition beside the encoding. The planes lie in the head's own
coordinates, so that a turn of the head is a turn of the rays.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from thgeval_baselines.generators.views import Array, Views, rays

PLANE_PX, CHANNELS, WIDTH, WAVES = 80, 10, 64, 3
COARSE, FINE = 16, 16
BATCH, RATE, PLANE_RATE = 512, 4e-3, 2e-2


@dataclass(frozen=True, eq=False)
class Box:
    """Where the head may be, in its own coordinates: ``centre`` (3,) and ``half`` the width of the cube."""

    centre: tuple[float, float, float]
    half: float


class RadianceField(nn.Module):
    """Colour and density of points in [-1, 1]; ``background`` is the static colour behind the head, as
    the views' upper edge shows it.
    """

    def __init__(self, conditions: int) -> None:
        super().__init__()
        self.planes = nn.Parameter(0.1 * torch.randn(3, CHANNELS, PLANE_PX, PLANE_PX))
        self.background: Tensor
        self.register_buffer("background", torch.zeros(3))
        entering = 3 * CHANNELS + 6 * WAVES + conditions
        self.net = nn.Sequential(
            nn.Linear(entering, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 4)
        )

    def forward(self, points: Tensor, conditions: Tensor) -> tuple[Tensor, Tensor]:
        """Colour (rays, samples, 3) in [0, 1] and density (rays, samples) at points (rays, samples, 3)."""
        count, samples = points.shape[:2]
        flat = points.reshape(1, -1, 3)
        sides = torch.cat([flat[..., [0, 1]], flat[..., [2, 1]], flat[..., [0, 2]]])[:, :, None]
        read = functional.grid_sample(self.planes, sides, align_corners=True, padding_mode="border")
        waves = torch.cat([flat[0] * (np.pi * 2**k) for k in range(WAVES)], dim=-1)
        told = conditions[:, None].expand(-1, samples, -1).reshape(count * samples, -1)
        encoded = torch.cat([read[..., 0].permute(2, 0, 1).flatten(1), waves.sin(), waves.cos(), told], dim=-1)
        found = self.net(encoded).reshape(count, samples, 4)
        inside = (points.abs() <= 1).all(-1)
        return found[..., :3].sigmoid(), functional.softplus(10 * found[..., 3] - 1) * inside


def shone(
    field: RadianceField, origin: Tensor, way: Tensor, conditions: Tensor, *, jitter: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Colour (rays, 3), depth and opacity (rays,) by stratified samples and fine ones where they find something."""
    middle = -(origin * way).sum(-1, keepdim=True)
    near, far = middle - 1.5, middle + 1.5
    steps = (torch.arange(COARSE)[None] + (torch.rand(len(way), COARSE) if jitter else 0.5)) / COARSE
    coarse = near + (far - near) * steps
    with torch.no_grad():
        weights = _weights(field(_along(origin, way, coarse), conditions)[1], coarse)
        fine = _drawn(coarse, weights, jitter=jitter)
    every = torch.cat([coarse, fine], dim=-1).sort(dim=-1).values
    colour, density = field(_along(origin, way, every), conditions)
    weight = _weights(density, every)
    opacity = weight.sum(-1)
    seen = (weight[..., None] * colour).sum(1) + (1 - opacity[:, None]) * field.background
    return seen, (weight * every).sum(-1) / opacity.clamp_min(1e-6), opacity


def _along(origin: Tensor, way: Tensor, at: Tensor) -> Tensor:
    return origin[:, None] + way[:, None] * at[..., None]


def _weights(density: Tensor, at: Tensor) -> Tensor:
    """How much of each sample (rays, samples) is seen."""
    gaps = torch.cat([at[:, 1:] - at[:, :-1], (at[:, -1:] - at[:, -2:-1])], dim=-1)
    passed = torch.exp(-density * gaps)
    before = torch.cumprod(torch.cat([torch.ones_like(passed[:, :1]), passed[:, :-1]], dim=-1), dim=-1)
    return (1 - passed) * before


def _drawn(at: Tensor, weights: Tensor, *, jitter: bool) -> Tensor:
    """Fine samples (rays, FINE) by the inverse of the weights' sum."""
    share = weights + 1e-4
    summed = torch.cumsum(share / share.sum(-1, keepdim=True), dim=-1)
    wanted = (torch.arange(FINE)[None] + (torch.rand(len(at), FINE) if jitter else 0.5)) / FINE
    which = torch.searchsorted(summed, wanted.expand(len(at), -1).contiguous()).clamp_max(at.shape[1] - 1)
    below = torch.cat([torch.zeros_like(summed[:, :1]), summed], dim=-1).gather(1, which)
    inside = ((wanted - below) / (summed.gather(1, which) - below).clamp_min(1e-6)).clamp(0, 1)
    return at.gather(1, which) + (inside - 0.5) * (at[:, 1:2] - at[:, :1])


def train(views: Views, box: Box, *, steps: int, seed: int) -> RadianceField:
    """A field fitted to views by ``steps`` batches of rays, three quarters of them off the background."""
    torch.manual_seed(seed)
    px = views.images.shape[1]
    cast = [_placed(*rays(*each, px), box) for each in zip(views.intrinsics, views.cameras, views.skulls, strict=True)]
    origin, way = (
        torch.stack([one for one, _ in cast]).reshape(-1, 3),
        torch.stack([two for _, two in cast]).reshape(-1, 3),
    )
    colour = torch.from_numpy(views.images.reshape(-1, 3).astype(np.float32) / 255)
    told = torch.from_numpy(views.actions.astype(np.float32))
    behind = colour.reshape(len(views), px, px, 3)[:, :2].mean((1, 2)).repeat_interleave(px * px, 0)
    head = torch.nonzero((colour - behind).abs().sum(-1) > 0.06)[:, 0]
    field = RadianceField(told.shape[1])
    field.background.copy_(behind.mean(0))
    network = list(field.net.parameters())
    pace = torch.optim.Adam([{"params": network, "lr": RATE}, {"params": [field.planes], "lr": PLANE_RATE}], eps=1e-10)
    slow = torch.optim.lr_scheduler.CosineAnnealingLR(pace, T_max=max(steps, 1), eta_min=2e-4)
    for _ in range(steps):
        which = torch.randint(len(colour), (BATCH,))
        if len(head):
            which[BATCH // 4 :] = head[torch.randint(len(head), (BATCH - BATCH // 4,))]
        seen, _, _ = shone(field, origin[which], way[which], told[which // (px * px)], jitter=True)
        loss = functional.mse_loss(seen, colour[which])
        pace.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        pace.step()
        slow.step()
    return field


def _placed(origin: Array, way: Array, box: Box) -> tuple[Tensor, Tensor]:
    """Rays in the cube's coordinates."""
    begun = (origin - np.array(box.centre)) / box.half
    return torch.from_numpy(begun.astype(np.float32)), torch.from_numpy(way.astype(np.float32))


@torch.no_grad()
def picture(
    field: RadianceField, box: Box, *, intrinsics: Array, camera: Array, skull: Array, actions: Array, px: int
) -> tuple[NDArray[np.uint8], Array]:
    """A picture (px, px, 3) and the depth along each ray (px, px) in the head's unit, not a number where nothing is."""
    origin, way = _placed(*rays(intrinsics, camera, skull, px), box)
    told = torch.from_numpy(actions.astype(np.float32))[None].expand(len(way), -1)
    parts = [
        shone(field, *batch, jitter=False)
        for batch in zip(*(torch.split(each, 4096) for each in (origin, way, told)), strict=True)
    ]
    colour, depth, opacity = (torch.cat(part).numpy() for part in zip(*parts, strict=True))
    image = np.rint(255 * colour.clip(0, 1)).astype(np.uint8).reshape(px, px, 3)
    return image, np.where(opacity > 0.5, depth * box.half, np.nan).reshape(px, px).astype(np.float64)
