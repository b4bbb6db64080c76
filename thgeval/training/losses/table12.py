"""The fifteen losses of the survey's Table 12 in their standard form, as functions of tensors.

The table prints some of them without bars or signs; what stands here is the form of the source. ``generated`` and
``reference`` are tensors alike in shape; each function gives a scalar, a mean over what is compared unless it says
otherwise. Labels are whole numbers, (rows,). float16 and bfloat16 are computed with as float32, under autocast too.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from thgeval.errors import InputError
from thgeval.training.tensors import HALVES


def square(generated: Tensor, reference: Tensor) -> Tensor:
    """Mean of (x - x̂)²."""
    return _apart(generated, reference).square().mean()


def absolute(generated: Tensor, reference: Tensor) -> Tensor:
    """Mean of |x - x̂|."""
    return _apart(generated, reference).abs().mean()


def epsilon_insensitive(generated: Tensor, reference: Tensor, *, epsilon: float = 0.1) -> Tensor:
    """Mean of max(0, |x - x̂| - epsilon): Vapnik, The Nature of Statistical Learning Theory, 1995."""
    return functional.relu(_apart(generated, reference).abs() - epsilon).mean()


def smooth_l1(generated: Tensor, reference: Tensor) -> Tensor:
    """Mean of d² / 2 where |d| < 1, else |d| - 1/2: Girshick, Fast R-CNN, ICCV 2015."""
    size = _apart(generated, reference).abs()
    return torch.where(size < 1, size.square() / 2, size - 0.5).mean()


def reconstruction(generated: Tensor, reference: Tensor) -> Tensor:
    """‖x - x̂‖² of each sample, (samples, ...), summed over its values; mean over samples."""
    return _apart(generated, reference).square().flatten(1).sum(1).mean()


def iou(generated: Tensor, reference: Tensor) -> Tensor:
    """1 - |A ∩ B| / |A ∪ B| of boxes (boxes, 4): left, top, right, bottom: Yu et al., UnitBox, ACM MM 2016."""
    overlap, union, _ = _areas(generated, reference)
    return (1 - overlap / union).mean()


def generalized_iou(generated: Tensor, reference: Tensor) -> Tensor:
    """1 - (IoU - |C less A ∪ B| / |C|), C the smallest box around both: Rezatofighi et al., CVPR 2019."""
    overlap, union, around = _areas(generated, reference)
    return (1 - overlap / union + (around - union) / around).mean()


def focal(logits: Tensor, labels: Tensor, *, gamma: float = 2.0, alpha: float = 0.25) -> Tensor:
    """Mean of -α_t (1 - p_t)^γ log p_t of binary logits; labels are 0 or 1: Lin et al., ICCV 2017."""
    logits = whole(logits)
    signed = torch.where(labels.bool(), logits, -logits)
    weight = torch.where(labels.bool(), alpha, 1 - alpha)
    return -(weight * torch.sigmoid(-signed) ** gamma * functional.logsigmoid(signed)).mean()


def contrastive(first: Tensor, second: Tensor, different: Tensor, *, margin: float = 1.0) -> Tensor:
    """Mean of (1 - y) D² / 2 + y max(0, m - D)² / 2, y = 1 for rows of different classes: Hadsell et al., CVPR 2006."""
    distance = lengths(_apart(first, second))
    y = different.to(distance.dtype)
    return ((1 - y) * distance.square() + y * functional.relu(margin - distance).square()).mean() / 2


def triplet(anchor: Tensor, positive: Tensor, negative: Tensor, *, margin: float = 0.2) -> Tensor:
    """Mean of max(0, ‖a - p‖² - ‖a - n‖² + margin) over rows: Schroff et al., FaceNet, CVPR 2015."""
    near = _apart(anchor, positive).square().sum(-1)
    far = _apart(anchor, negative).square().sum(-1)
    return functional.relu(near - far + margin).mean()


def center(features: Tensor, labels: Tensor, centers: Tensor) -> Tensor:
    """Half the sum over rows of ‖x - c_y‖²; centers are (classes, dimensions): Wen et al., ECCV 2016."""
    return (whole(features) - whole(centers)[labels]).square().sum() / 2


def angular_softmax(features: Tensor, weights: Tensor, labels: Tensor, *, margin: int = 4) -> Tensor:
    """A-Softmax: the angle to the right class is multiplied by ``margin``: Liu et al., SphereFace, CVPR 2017.

    Logits are ‖x‖ cos θ_j, and ‖x‖ ψ(θ_y) for the right class, ψ(θ) = (-1)^k cos(m θ) - 2k for θ in [kπ/m, (k+1)π/m],
    which falls all the way from θ = 0 to π. ``weights`` are (classes, dimensions).
    """
    cosines = _cosines(features, weights)
    angle = _angle(_of(cosines, labels))
    k = torch.floor(margin * angle.detach() / math.pi).clamp(max=margin - 1)
    psi = torch.where(k % 2 == 0, 1.0, -1.0) * torch.cos(margin * angle) - 2 * k
    lengths_of = whole(features).norm(dim=1, keepdim=True)
    return functional.cross_entropy(lengths_of * _replaced(cosines, labels, psi), labels)


def am_softmax(
    features: Tensor, weights: Tensor, labels: Tensor, *, scale: float = 30.0, margin: float = 0.35
) -> Tensor:
    """Softmax of s (cos θ_y - m) and s cos θ_j: Wang et al., Additive Margin Softmax, IEEE SPL 2018."""
    cosines = _cosines(features, weights)
    return functional.cross_entropy(scale * _replaced(cosines, labels, _of(cosines, labels) - margin), labels)


def arcface(features: Tensor, weights: Tensor, labels: Tensor, *, scale: float = 64.0, margin: float = 0.5) -> Tensor:
    """Softmax of s cos(θ_y + m) and s cos θ_j: Deng et al., CVPR 2019.

    Where θ_y + m would pass π the logit goes on falling as cos θ_y - m sin m, as in the authors' programs.
    """
    cosines = _cosines(features, weights)
    own = _of(cosines, labels)
    turned = torch.where(
        own > math.cos(math.pi - margin), torch.cos(_angle(own) + margin), own - margin * math.sin(margin)
    )
    return functional.cross_entropy(scale * _replaced(cosines, labels, turned), labels)


def negative_variance(latents: Tensor) -> Tensor:
    """Less the variance over rows, mean over dimensions; it has no lower bound, so something else must hold it."""
    if len(latents) < 2:
        raise InputError("a variance needs two rows or more", reason="too few rows")
    return -whole(latents).var(0, correction=0).mean()


def _apart(first: Tensor, second: Tensor) -> Tensor:
    if first.shape != second.shape:
        raise InputError(
            f"tensors of shape {tuple(first.shape)} and {tuple(second.shape)} are compared value by value; bring both "
            "to one shape",
            reason="shape mismatch",
        )
    return whole(first) - whole(second)


def whole(tensor: Tensor) -> Tensor:
    """Half floats as float32, of which squares and sums have neither the range nor the digits."""
    return tensor.float() if tensor.dtype in HALVES else tensor


def lengths(vectors: Tensor) -> Tensor:
    """Lengths over the last axis, whose gradient at 0 is 0 and not NaN."""
    squared = vectors.square().sum(-1)
    zero = squared == 0
    return torch.where(zero, 0.0, torch.where(zero, 1.0, squared).sqrt())


def _areas(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Areas of overlap, union and smallest box around both, of each pair; in compiled code NaN of boxes without any."""
    if first.shape != second.shape or first.shape[-1:] != (4,):
        raise InputError(
            f"boxes are (boxes, 4) on both sides, not {tuple(first.shape)} and {tuple(second.shape)}",
            reason="shape mismatch",
        )
    first, second = whole(first), whole(second)
    sound = ((first[..., 2:] > first[..., :2]) & (second[..., 2:] > second[..., :2])).all()
    if not torch.compiler.is_compiling() and not bool(sound):
        raise InputError("boxes are left, top, right, bottom, each with an area", reason="empty box")
    own, other = ((box[..., 2:] - box[..., :2]).prod(-1) for box in (first, second))
    inner = torch.minimum(first[..., 2:], second[..., 2:]) - torch.maximum(first[..., :2], second[..., :2])
    outer = torch.maximum(first[..., 2:], second[..., 2:]) - torch.minimum(first[..., :2], second[..., :2])
    overlap = torch.where(sound, functional.relu(inner).prod(-1), torch.nan)
    return overlap, own + other - overlap, outer.prod(-1)


def _cosines(features: Tensor, weights: Tensor) -> Tensor:
    """Cosines of rows with every class: (rows, classes)."""
    rows, classes = (functional.normalize(whole(side), dim=1) for side in (features, weights))
    with torch.autocast(rows.device.type, enabled=False):
        return functional.linear(rows, classes)


def _angle(cosine: Tensor) -> Tensor:
    """The angle, whose gradient stays finite at 0 and π."""
    return torch.acos(cosine.clamp(-1 + 1e-6, 1 - 1e-6))


def _of(cosines: Tensor, labels: Tensor) -> Tensor:
    return cosines.gather(1, labels[:, None])[:, 0]


def _replaced(cosines: Tensor, labels: Tensor, own: Tensor) -> Tensor:
    """The cosines, with those of the right classes replaced."""
    return cosines.scatter(1, labels[:, None], own[:, None].to(cosines.dtype))


TABLE_12 = {
    "square": square,
    "absolute": absolute,
    "epsilon-insensitive": epsilon_insensitive,
    "iou": iou,
    "generalized-iou": generalized_iou,
    "smooth-l1": smooth_l1,
    "focal": focal,
    "contrastive": contrastive,
    "triplet": triplet,
    "center": center,
    "angular-softmax": angular_softmax,
    "am-softmax": am_softmax,
    "arcface": arcface,
    "reconstruction": reconstruction,
    "negative-variance": negative_variance,
}
"""All of them, in the table's order."""
