"""A small radiance field of a head that a face's actions and the head's turn move.

The field is fixed to the head. Three planes of learnt features and waves of the place are read by a small network that
gives colour and density. What actions and turn change is linear in them before the network: where planes are read (a
warp of the space, which opens jaws and leaves shoulders behind when the head turns), and further planes around the
face. A coarse grid of density, linear in them too, says where along a ray the fine samples are to lie.

Source: NeRF (Mildenhall et al. 2020) for stratified and importance samples and compositing; EG3D (Chan et al. 2022) for
the planes; NeRFBlendShape (Gao et al. 2022) for features that are linear in expressions; Nerfies (Park et al. 2021) for
the warp.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation
from torch import Tensor, nn
from torch.nn import functional

from thgeval_baselines.generators.views import Array, rays

PLANE_PX, CHANNELS, WIDTH, WAVES = 112, 12, 64, 3
FACE_PX, FACE_CHANNELS = 48, 6
FACE_CELLS, BODY_CELLS, COARSE_CELLS = 20, 8, 32
COARSE, FINE = 24, 12
"""Samples along a ray while the field is fitted."""
SHOWN_COARSE, SHOWN_FINE = 24, 16
"""And in pictures."""
ANYWHERE = 0.01
"""The part of the fine samples that lie anywhere on the ray."""
TURNS, TURN = 3, 3.0
"""Numbers that say how the head is turned, and what they are worth beside actions, per radian."""
MET = 0.01
"""The opacity by the coarse grid from which on a ray of a picture is looked at closer."""
CHUNK = 512
"""Rays of a picture at a time: few enough that what they need stays in the processor's cache."""


@dataclass(frozen=True)
class Box:
    """A cube in the head's coordinates: its ``centre`` and ``half`` its width."""

    centre: tuple[float, float, float]
    half: float

    def within(self, other: "Box") -> "Box":
        """The same in coordinates in which the other reaches from -1 to 1."""
        x, y, z = ((own - its) / other.half for own, its in zip(self.centre, other.centre, strict=True))
        return Box((x, y, z), self.half / other.half)

    def rays(self, intrinsics: Array, camera: Array, skull: Array, px: int) -> tuple[Tensor, Tensor]:
        """A picture's rays in coordinates in which the box reaches from -1 to 1: origins and ways (px * px, 3)."""
        origin, way = rays(intrinsics, camera, skull, px)
        begun = (origin - np.array(self.centre)) / self.half
        return torch.from_numpy(begun.astype(np.float32)), torch.from_numpy(way.astype(np.float32))


FACE = Box((0.0, -0.1, 1.05), 0.8)
"""Where the rig's faces lie (dm): what actions change."""


def conditions(actions: Array, skulls: Array) -> Tensor:
    """What moves the field (views, actions + TURNS): actions (views, actions), and how skulls (views, 4, 4) turn."""
    turned = TURN * Rotation.from_matrix(skulls[:, :3, :3]).as_rotvec()
    return torch.from_numpy(np.concatenate([actions, turned], axis=1).astype(np.float32))


@dataclass(frozen=True, eq=False)
class Moment:
    """What moves in the field, at the conditions of some views: ``face`` planes (views, 3 * channels, px, px), how far
    its space is warped around the face and all over (views, 3, cells, cells, cells), and the ``coarse`` colour and
    density (views, 4, cells, cells, cells).
    """

    face: Tensor
    face_warp: Tensor
    body_warp: Tensor
    coarse: Tensor


class RadianceField(nn.Module):
    """Colour and density of points in [-1, 1], moved by so many actions within the ``face``.

    ``background`` is the one colour of what is behind.
    """

    def __init__(self, actions: int, face: Box) -> None:
        super().__init__()
        self.actions = actions
        self.background: Tensor
        self.face_centre: Tensor
        self.face_half: Tensor
        self.register_buffer("background", torch.zeros(3))
        self.register_buffer("face_centre", torch.tensor(face.centre, dtype=torch.float32))
        self.register_buffer("face_half", torch.tensor(face.half, dtype=torch.float32))
        told, coarse = actions + TURNS, 3 * (COARSE_CELLS,)
        self.planes = nn.Parameter(0.1 * torch.randn(3, CHANNELS, PLANE_PX, PLANE_PX))
        self.face = nn.Parameter(torch.zeros(told, 3 * FACE_CHANNELS, FACE_PX, FACE_PX))
        self.face_warp = nn.Parameter(torch.zeros(actions, 3, FACE_CELLS, FACE_CELLS, FACE_CELLS))
        self.body_warp = nn.Parameter(torch.zeros(TURNS, 3, BODY_CELLS, BODY_CELLS, BODY_CELLS))
        self.coarse = nn.Parameter(torch.zeros(4, *coarse))
        self.coarse_moved = nn.Parameter(torch.zeros(told, 1, *coarse))
        entering = 3 * (CHANNELS + FACE_CHANNELS) + 6 * WAVES
        self.net = nn.Sequential(
            nn.Linear(entering, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 4)
        )

    def at(self, told: Tensor) -> Moment:
        """The field at ``conditions`` (views, actions + TURNS)."""
        colour = self.coarse[:3].expand(len(told), -1, -1, -1, -1)
        return Moment(
            _mixed(self.face, told),
            _mixed(self.face_warp, told[:, : self.actions]),
            _mixed(self.body_warp, told[:, self.actions :]),
            torch.cat([colour, self.coarse[3:] + _mixed(self.coarse_moved, told)], dim=1),
        )

    def forward(self, points: Tensor, moment: Moment) -> tuple[Tensor, Tensor]:
        """Colour (views, rays, samples, 3) in [0, 1] and density (views, rays, samples) at points like the colour."""
        views, count = len(points), points.shape[1] * points.shape[2]
        seen = points.reshape(views, 1, 1, count, 3)
        warp = _read(moment.body_warp, seen, beyond="border") + _read(moment.face_warp, self._near(seen))
        rest = points.reshape(views, count, 3) + warp[:, :, 0, 0].transpose(1, 2)
        flat = rest.reshape(1, 1, -1, 3)
        still = _read(self.planes, _sides(flat)[:, 0], beyond="border")[:, :, 0].permute(2, 0, 1).flatten(1)
        planes = moment.face.reshape(3 * views, FACE_CHANNELS, FACE_PX, FACE_PX)
        moved = _read(planes, _sides(self._near(rest)[:, None]).transpose(0, 1).reshape(3 * views, 1, count, 2))
        moved = moved.reshape(views, 3 * FACE_CHANNELS, count).transpose(1, 2).flatten(0, 1)
        waves = torch.cat([flat[0, 0] * (np.pi * 2**k) for k in range(WAVES)], dim=-1)
        found = self.net(torch.cat([still, moved, waves.sin(), waves.cos()], dim=-1)).reshape(*points.shape[:3], 4)
        return found[..., :3].sigmoid(), functional.softplus(10 * found[..., 3] - 1)

    def roughly(self, points: Tensor, moment: Moment) -> tuple[Tensor, Tensor]:
        """The same by the coarse grid alone."""
        found = _read(moment.coarse, points[:, None], beyond="border")[:, :, 0]
        return found[:, :3].sigmoid().permute(0, 2, 3, 1), _rough_density(found[:, 3])

    def roughly_dense(self, points: Tensor, moment: Moment) -> Tensor:
        """The density of ``roughly`` without its colour."""
        return _rough_density(_read(moment.coarse[:, 3:], points[:, None], beyond="border")[:, 0, 0])

    def _near(self, points: Tensor) -> Tensor:
        return (points - self.face_centre) / self.face_half


def _rough_density(found: Tensor) -> Tensor:
    return functional.softplus(found - 1)


def _mixed(parts: Tensor, shares: Tensor) -> Tensor:
    """The sums (views, ...) of parts (n, ...) by shares (views, n)."""
    return torch.mm(shares, parts.flatten(1)).reshape(len(shares), *parts.shape[1:])


def _read(held: Tensor, at: Tensor, *, beyond: str = "zeros") -> Tensor:
    return functional.grid_sample(held, at, align_corners=True, padding_mode=beyond)


def _sides(points: Tensor) -> Tensor:
    """Points (..., 3) as three planes see them, (3, ..., 2)."""
    return torch.stack([points[..., [0, 1]], points[..., [2, 1]], points[..., [0, 2]]])


@dataclass(frozen=True, eq=False)
class Shone:
    """What rays bring: ``colour`` (views, rays, 3), and ``depth`` and ``opacity`` (views, rays)."""

    colour: Tensor
    depth: Tensor
    opacity: Tensor


def shone(
    field: RadianceField, moment: Moment, origin: Tensor, way: Tensor, *, coarse: int, fine: int, jitter: bool
) -> tuple[Shone, Shone]:
    """What rays (views, rays, 3) bring by the fine samples, and by the coarse ones that say where these are."""
    edges = _edges(origin, way, coarse)
    far = edges[..., -1:]
    within = torch.rand(*way.shape[:2], coarse) if jitter else torch.tensor(0.5)
    stratified = torch.lerp(edges[..., :-1], edges[..., 1:], within.expand(*way.shape[:2], coarse))
    colour, density = field.roughly(_along(origin, way, stratified), moment)
    roughly, weights = _composed(colour, density, stratified, far, field.background)
    picked = _drawn(edges, weights.detach(), fine, jitter=jitter)
    colour, density = field(_along(origin, way, picked), moment)
    return _composed(colour, density, picked, far, field.background)[0], roughly


def _edges(origin: Tensor, way: Tensor, parts: int) -> Tensor:
    """Where equal parts of each ray's way through the box begin and end, (views, rays, parts + 1)."""
    near, far = _crossing(origin, way)
    return near + (far - near) * torch.arange(parts + 1) / parts


def _along(origin: Tensor, way: Tensor, at: Tensor) -> Tensor:
    return origin[:, :, None] + way[:, :, None] * at[..., None]


def _crossing(origin: Tensor, way: Tensor) -> tuple[Tensor, Tensor]:
    """Where rays enter the box and where they leave it, (views, rays, 1) each; the same where they pass it."""
    one, other = (-1 - origin) / way, (1 - origin) / way
    near = torch.minimum(one, other).amax(-1, keepdim=True).clamp_min(0)
    return near, torch.maximum(torch.maximum(one, other).amin(-1, keepdim=True), near)


def _composed(colour: Tensor, density: Tensor, at: Tensor, far: Tensor, behind: Tensor) -> tuple[Shone, Tensor]:
    """What samples bring together, and how much of each of them (views, rays, samples) is seen."""
    weights = _seen(density, at, far)
    opacity = weights.sum(-1)
    seen = (weights[..., None] * colour).sum(-2) + (1 - opacity[..., None]) * behind
    return Shone(seen, (weights * at).sum(-1) / opacity.clamp_min(1e-6), opacity), weights


def _seen(density: Tensor, at: Tensor, far: Tensor) -> Tensor:
    """How much of each sample is seen, (views, rays, samples), each reaching to the next."""
    thick = density * (torch.cat([at[..., 1:], far], dim=-1) - at)
    return (1 - torch.exp(-thick)) * torch.exp(thick - torch.cumsum(thick, dim=-1))


def _drawn(edges: Tensor, weights: Tensor, count: int, *, jitter: bool) -> Tensor:
    """Samples (views, rays, count) between edges (views, rays, n + 1), by the inverse of the sum of weights."""
    summed = torch.cumsum(weights + ANYWHERE / weights.shape[-1], dim=-1)
    summed = summed / summed[..., -1:]
    within = torch.rand(*weights.shape[:2], count) if jitter else torch.tensor(0.5)
    wanted = ((torch.arange(count) + within) / count).expand(*weights.shape[:2], count).contiguous()
    which = torch.searchsorted(summed, wanted).clamp_max(weights.shape[-1] - 1)
    begun = torch.cat([torch.zeros_like(summed[..., :1]), summed], dim=-1)
    low, high = begun.gather(-1, which), begun.gather(-1, which + 1)
    inside = ((wanted - low) / (high - low).clamp_min(1e-8)).clamp(0, 1)
    return torch.lerp(edges.gather(-1, which), edges.gather(-1, which + 1), inside)


@torch.no_grad()
def picture(
    field: RadianceField, box: Box, *, intrinsics: Array, camera: Array, skull: Array, actions: Array, px: int
) -> tuple[NDArray[np.uint8], Array]:
    """A picture (px, px, 3) and the depth along each ray (px, px) in the head's unit, not a number where nothing is.

    Rays that meet nothing by the coarse grid are not looked at closer: they bring the background.
    """
    moment = field.at(conditions(actions[None], skull[None]))
    origin, way = (each[None] for each in box.rays(intrinsics, camera, skull, px))
    edges = _edges(origin, way, SHOWN_COARSE)
    middles = (edges[..., :-1] + edges[..., 1:]) / 2
    weights = _seen(field.roughly_dense(_along(origin, way, middles), moment), middles, edges[..., -1:])
    meets = torch.nonzero(weights[0].sum(-1) > MET)[:, 0]
    colour, depth = field.background.repeat(px * px, 1), torch.full((px * px,), torch.nan)
    for some in torch.split(meets, CHUNK):
        at = _drawn(edges[:, some], weights[:, some], SHOWN_FINE, jitter=False)
        bright, density = field(_along(origin[:, some], way[:, some], at), moment)
        found = _composed(bright, density, at, edges[:, some, -1:], field.background)[0]
        colour[some] = found.colour[0]
        depth[some] = torch.where(found.opacity[0] > 0.5, found.depth[0] * box.half, torch.nan)
    image = np.rint(255 * colour.numpy().clip(0, 1)).astype(np.uint8).reshape(px, px, 3)
    return image, depth.numpy().reshape(px, px).astype(np.float64)
