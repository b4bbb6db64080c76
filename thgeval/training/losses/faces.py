"""Losses of faces and speech, from what a network makes of them: embeddings, landmarks, windows of lips and sound."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from thgeval.errors import InputError, ProtocolError
from thgeval.kernels.landmarks import DISTANCES, FACE_PARTS, OUTER_CORNERS, SCALES
from thgeval.training.losses import table12

Network = Callable[[Tensor], Tensor]


class IdentityLoss(nn.Module):
    """1 - cosine of embeddings: how far the generated face is from the right person's, to a face recogniser.

    With a ``network`` both sides are its input, faces cut as it expects them, and the reference's embeddings have no
    gradient; without, they are embeddings, (faces, dimensions). CSIM is 1 - this.
    """

    def __init__(self, network: Network | None = None) -> None:
        super().__init__()
        self.network = network

    def forward(self, generated: Tensor, reference: Tensor) -> Tensor:
        """The mean over faces: a scalar."""
        if self.network is not None:
            with torch.no_grad():
                reference = self.network(reference)
            generated = self.network(generated)
        _check_alike(generated, reference, "embeddings (faces, dimensions)", 2)
        return (1 - functional.cosine_similarity(generated.float(), reference.float(), dim=1)).mean()


class ArcFaceLoss(nn.Module):
    """The additive angular margin of a recogniser in training, over directions of its classes that it learns.

    ``table12.arcface`` says how; Deng et al., CVPR 2019, have scale 64 and margin 0.5.
    """

    def __init__(self, dimensions: int, classes: int, *, scale: float = 64.0, margin: float = 0.5) -> None:
        super().__init__()
        self.scale, self.margin = scale, margin
        self.directions = nn.Parameter(torch.empty(classes, dimensions))
        nn.init.xavier_normal_(self.directions)

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """The mean over embeddings (faces, dimensions) of people ``labels`` (faces,): a scalar."""
        return table12.arcface(embeddings.float(), self.directions, labels, scale=self.scale, margin=self.margin)


class LandmarkLoss(nn.Module):
    """How far 68 landmarks (..., 68, 2) are from the reference's, under the fields of ``lmd`` and ``f-lmd``.

    Faces whose reference has NaN are left out; InputError if that leaves none, or, in compiled code, NaN.
    """

    def __init__(self, *, points: str = "mouth", centred: bool = True, distance: str = "l2", scale: str = "px") -> None:
        super().__init__()
        for name, value, known in (
            ("points", points, FACE_PARTS),
            ("distance", distance, DISTANCES),
            ("scale", scale, SCALES),
        ):
            if value not in known:
                raise ProtocolError(f"{name} must be one of {', '.join(known)}, not {value!r}")
        self.points, self.centred, self.distance, self.scale = points, centred, distance, scale

    def forward(self, generated: Tensor, reference: Tensor) -> Tensor:
        """The mean over points and faces: a scalar, in px or eye distances."""
        if generated.shape != reference.shape or generated.shape[-2:] != (68, 2):
            raise InputError(
                f"landmarks are (..., 68, 2) on both sides, not {tuple(generated.shape)} and {tuple(reference.shape)}",
                reason="shape mismatch",
            )
        generated, reference = (table12.whole(side).reshape(-1, 68, 2) for side in (generated, reference))
        there = ~reference.flatten(1).isnan().any(1)
        if not torch.compiler.is_compiling() and not bool(there.any()):
            raise InputError("no face of the reference has landmarks", reason="no face")
        apart = self._of_faces(*(torch.where(there[:, None, None], side, 0.0) for side in (generated, reference)))
        if self.scale == "interocular":
            right, left = OUTER_CORNERS
            apart = apart / torch.where(there, (reference[:, right] - reference[:, left]).norm(dim=-1), 1.0)
        return torch.where(there.any(), (apart * there).sum() / there.sum().clamp(min=1), torch.nan)

    def _of_faces(self, *sides: Tensor) -> Tensor:
        """The mean over points of each face, in px: (faces,)."""
        chosen = [side[:, torch.as_tensor(FACE_PARTS[self.points], device=side.device)] for side in sides]
        if self.centred:
            chosen = [side - side.mean(-2, keepdim=True) for side in chosen]
        return self._apart(*chosen).mean(-1)

    def _apart(self, generated: Tensor, reference: Tensor) -> Tensor:
        if self.distance == "l1":
            return (generated - reference).abs().mean(-1)
        return table12.lengths(generated - reference)


class SyncLoss(nn.Module):
    """Whether lips go with the sound of their own time, and with no other: contrastive over shifts.

    Of every window of lips the softmax of -distance / temperature to the sounds at shifts from ``-furthest`` to
    ``furthest``, where there are any, is pulled to the shift 0. Distances are Euclidean, as SyncNet's; embeddings are
    (windows, dimensions) of one clip, or (clips, windows, dimensions).
    """

    def __init__(self, *, furthest: int = 15, temperature: float = 1.0) -> None:
        super().__init__()
        if furthest < 1 or not temperature > 0:
            raise ProtocolError(f"furthest is at least 1 and temperature above 0, not {furthest} and {temperature}")
        self.furthest, self.temperature = furthest, temperature

    def forward(self, seen: Tensor, heard: Tensor) -> Tensor:
        """The mean cross-entropy over windows: a scalar, 0 at best, log(2 furthest + 1) by chance."""
        seen, heard = (side[None] if side.ndim == 2 else side for side in (seen, heard))
        _check_alike(seen, heard, "embeddings (clips, windows, dimensions)", 3)
        seen, heard = table12.whole(seen), table12.whole(heard)
        windows = seen.shape[1]
        padded = functional.pad(heard, (0, 0, self.furthest, self.furthest))
        at = torch.arange(windows, device=seen.device)[:, None] + torch.arange(
            2 * self.furthest + 1, device=seen.device
        )
        distances = table12.lengths(seen[:, :, None] - padded[:, at])
        there = (at >= self.furthest) & (at < self.furthest + windows)
        logits = (-distances / self.temperature).masked_fill(~there, -torch.inf)
        return -logits.log_softmax(-1)[..., self.furthest].mean()


def _check_alike(first: Tensor, second: Tensor, what: str, axes: int) -> Any:
    if first.shape != second.shape or first.ndim != axes or not first.numel():
        raise InputError(
            f"both sides are {what} alike, not {tuple(first.shape)} and {tuple(second.shape)}", reason="shape mismatch"
        )
