"""How a radiance field is fitted to views of a person: which rays, what they are held against, and how fast.

A step takes some views and from each some rays: a quarter anywhere, half on the head, a quarter around the mouth, which
is small and moves most. Rays that pass through the background far from the head are to meet nothing, whatever colour
the field could give them: without that a haze of the background's colour stands around the head.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from thgeval_baselines.generators.radiance import COARSE, FACE, FINE, Box, RadianceField, Shone, conditions, shone
from thgeval_baselines.generators.views import Array, Views
from thgeval_baselines.rig.model import rig

VIEWS, RAYS = 8, 128
"""Views of a step, and rays of each."""
RATES = {
    "net": 3e-3,
    "planes": 2e-2,
    "face": 6e-3,
    "face_warp": 1e-3,
    "body_warp": 1e-3,
    "coarse": 5e-2,
    "coarse_moved": 2e-2,
}
BETAS, LAST_RATE, WARMING = (0.9, 0.99), 0.02, 20
ROUGHLY = 0.2
"""What the coarse samples' error counts for."""
EMPTY = 0.05
"""What opacity before the background counts for."""
BEHIND = 0.02
"""How far off the background's colour a pixel may be that shows it, summed over RGB in [0, 1]."""
MOUTH = slice(48, 68)
AROUND_MOUTH, LEAST_MOUTH = 1.4, 0.02
"""What the rig's mouth is widened by, and in shares of the picture's sides besides, to hold anybody's."""


def train(views: Views, box: Box, *, steps: int, seed: int) -> RadianceField:
    """A field fitted to views by ``steps`` batches of rays."""
    torch.manual_seed(seed)
    px = views.images.shape[1]
    cast = [box.rays(*each, px) for each in zip(views.intrinsics, views.cameras, views.skulls, strict=True)]
    origin, way = (torch.stack(parts) for parts in zip(*cast, strict=True))
    colour = torch.from_numpy(views.images.reshape(len(views), -1, 3).astype(np.float32) / 255)
    told = conditions(views.actions, views.skulls)
    field = RadianceField(views.actions.shape[1], FACE.within(box))
    field.background.copy_(colour[:, : 2 * px].reshape(-1, 3).median(0).values)
    shows = (colour - field.background).abs().sum(-1) > BEHIND
    far_off = functional.max_pool2d(shows.float().reshape(-1, 1, px, px), 3, 1, 1).reshape(len(views), -1) == 0
    places = _places(views, shows)
    groups = [{"params": _part(field, name), "lr": rate} for name, rate in RATES.items()]
    pace = torch.optim.Adam(groups, betas=BETAS, eps=1e-10, fused=True)
    slow = torch.optim.lr_scheduler.LambdaLR(pace, lambda step: _rate(step, steps))
    for _ in range(steps):
        some = torch.randint(len(views), (VIEWS,))
        which = torch.stack([_picked(places[int(view)]) for view in some])
        here = some[:, None], which
        fine, roughly = shone(
            field, field.at(told[some]), origin[here], way[here], coarse=COARSE, fine=FINE, jitter=True
        )
        loss = _loss(fine, colour[here], far_off[here]) + ROUGHLY * _loss(roughly, colour[here], far_off[here])
        pace.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        pace.step()
        slow.step()
    return field


def _part(field: RadianceField, name: str) -> list[Tensor]:
    return [weights for whole, weights in field.named_parameters() if whole.partition(".")[0] == name]


def _loss(found: Shone, wanted: Tensor, empty: Tensor) -> Tensor:
    return functional.mse_loss(found.colour, wanted) + EMPTY * (found.opacity * empty).mean()


def _rate(step: int, steps: int) -> float:
    """Warmed up, then half a cosine down to ``LAST_RATE``."""
    falling = 0.5 * (1 + np.cos(np.pi * step / max(steps, 1)))
    return float(min(1.0, (step + 1) / WARMING) * (LAST_RATE + (1 - LAST_RATE) * falling))


def _places(views: Views, shows: Tensor) -> list[tuple[Tensor, ...]]:
    """For each view the pixels anywhere, on the head, and around the mouth."""
    px = views.images.shape[1]
    anywhere = torch.arange(px * px)
    found = []
    for number in range(len(views)):
        mouth = torch.from_numpy(_around_mouth(views.picked([number]), px))
        head = torch.nonzero(shows[number])[:, 0]
        found.append((anywhere, *(each if len(each) else anywhere for each in (head, mouth))))
    return found


def _picked(places: tuple[Tensor, ...]) -> Tensor:
    anywhere, head, mouth = places
    shares = ((anywhere, RAYS // 4), (head, RAYS // 2), (mouth, RAYS - RAYS // 4 - RAYS // 2))
    return torch.cat([place[torch.randint(len(place), (count,))] for place, count in shares])


def _around_mouth(view: Views, px: int) -> Array:
    """The pixels of one view in which the mouth of the rig's mean head lies, and some around it."""
    marks = rig().vertices[rig().landmarks][MOUTH]
    placed = np.linalg.inv(view.cameras[0]) @ view.skulls[0]
    seen = (marks @ placed[:3, :3].T + placed[:3, 3]) @ view.intrinsics[0].T
    share = seen[:, :2] / seen[:, 2:]
    middle, reach = (share.max(0) + share.min(0)) / 2, AROUND_MOUTH * (share.max(0) - share.min(0)) / 2 + LEAST_MOUTH
    (left, top), (right, bottom) = ((px * (middle + side * reach)).clip(0, px).astype(int) for side in (-1, 1))
    return (np.arange(top, bottom)[:, None] * px + np.arange(left, right)).ravel()
