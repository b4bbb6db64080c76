"""RAFT as a function of the authors' weights, correlations looked up pixel by pixel through plain interpolation.

Written from princeton-vl/RAFT ``core/raft.py``, ``core/corr.py`` (13198c355d11), ``core/update.py`` (e7f94cbf18c9) and
``core/modules/extractor.py`` (36d7ad338ea9).
"""

import torch
import torch.nn.functional as F
from models.twins.by_name import Weights, conv, norm
from torch import Tensor

LEVELS = 4


def flow(w: Weights, first: Tensor, second: Tensor, *, updates: int) -> Tensor:
    """Images in 0..255 with sides that are multiples of eight."""
    w = {name.removeprefix("module."): tensor for name, tensor in w.items()}
    small = "update_block.mask.0.weight" not in w
    hidden_size, radius = (96, 3) if small else (128, 4)
    first, second = 2 * (first / 255) - 1, 2 * (second / 255) - 1
    a, b = (encoder(w, "fnet", image, "instance", small=small) for image in (first, second))
    context = encoder(w, "cnet", first, "none" if small else "batch", small=small)
    hidden, context = torch.tanh(context[:, :hidden_size]), context[:, hidden_size:].clamp(min=0)
    pyramid = correlations(a, b)
    n, _, height, width = a.shape
    start = torch.stack(torch.meshgrid(torch.arange(width), torch.arange(height), indexing="xy")).float()
    start = start.expand(n, 2, height, width)
    target = start
    for _ in range(updates):
        seen = look_up(pyramid, target, radius)
        motion = motion_features(w, target - start, seen, small=small)
        hidden = remember(w, hidden, torch.cat([context, motion], 1), small=small)
        step = conv(w, "update_block.flow_head.conv1", hidden, pad=1).clamp(min=0)
        target = target + conv(w, "update_block.flow_head.conv2", step, pad=1)
    coarse = target - start
    if small:
        return 8 * F.interpolate(coarse, size=(8 * height, 8 * width), mode="bilinear", align_corners=True)
    mask = conv(w, "update_block.mask.0", hidden, pad=1).clamp(min=0)
    return enlarge(coarse, 0.25 * conv(w, "update_block.mask.2", mask))


def encoder(w: Weights, name: str, x: Tensor, kind: str, *, small: bool) -> Tensor:
    def normed(at: str, y: Tensor) -> Tensor:
        if kind == "batch":
            return norm(w, at, y)
        return F.instance_norm(y) if kind == "instance" else y

    x = normed(f"{name}.norm1", conv(w, f"{name}.conv1", x, 2, 3)).clamp(min=0)
    for layer in (1, 2, 3):
        for block in (0, 1):
            at, stride = f"{name}.layer{layer}.{block}", 2 if layer > 1 and block == 0 else 1
            if small:
                y = normed(f"{at}.norm1", conv(w, f"{at}.conv1", x)).clamp(min=0)
                y = normed(f"{at}.norm2", conv(w, f"{at}.conv2", y, stride, 1)).clamp(min=0)
                y = normed(f"{at}.norm3", conv(w, f"{at}.conv3", y)).clamp(min=0)
            else:
                y = normed(f"{at}.norm1", conv(w, f"{at}.conv1", x, stride, 1)).clamp(min=0)
                y = normed(f"{at}.norm2", conv(w, f"{at}.conv2", y, 1, 1)).clamp(min=0)
            if stride == 2:
                x = normed(f"{at}.downsample.1", conv(w, f"{at}.downsample.0", x, 2))
            x = (x + y).clamp(min=0)
    return conv(w, f"{name}.conv2", x)


def correlations(a: Tensor, b: Tensor) -> list[Tensor]:
    """Dot products of every place of ``a`` with every place of ``b``, the latter at four resolutions."""
    n, channels, height, width = a.shape
    products = torch.einsum("nchw,ncij->nhwij", a, b) / channels**0.5
    pyramid = [products.reshape(n * height * width, 1, height, width)]
    for _ in range(LEVELS - 1):
        pyramid.append(F.avg_pool2d(pyramid[-1], 2, stride=2))
    return pyramid


def look_up(pyramid: list[Tensor], target: Tensor, radius: int) -> Tensor:
    """Bilinear values around each target; the first offset of the authors' table goes along x, the second along y."""
    n, _, height, width = target.shape
    offsets = torch.arange(-radius, radius + 1).float()
    along_x, along_y = torch.meshgrid(offsets, offsets, indexing="ij")
    found = []
    for level, table in enumerate(pyramid):
        centre = target.permute(0, 2, 3, 1).reshape(-1, 1, 2) / 2**level
        x, y = centre[..., 0] + along_x.reshape(1, -1), centre[..., 1] + along_y.reshape(1, -1)
        found.append(bilinear(table[:, 0], x, y).view(n, height, width, -1))
    return torch.cat(found, -1).permute(0, 3, 1, 2)


def bilinear(table: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """table (M, h, w) at x, y (M, K); zero outside."""
    height, width = table.shape[1:]
    total = torch.zeros_like(x)
    for dx in (0, 1):
        for dy in (0, 1):
            i, j = x.floor() + dx, y.floor() + dy
            weight = (1 - (x - i).abs()) * (1 - (y - j).abs())
            inside = (i >= 0) & (i < width) & (j >= 0) & (j < height)
            place = (j.clamp(0, height - 1) * width + i.clamp(0, width - 1)).long()
            total += weight * inside * table.flatten(1).gather(1, place)
    return total


def motion_features(w: Weights, flow_: Tensor, seen: Tensor, *, small: bool) -> Tensor:
    at = "update_block.encoder"
    c = conv(w, f"{at}.convc1", seen).clamp(min=0)
    if not small:
        c = conv(w, f"{at}.convc2", c, pad=1).clamp(min=0)
    f = conv(w, f"{at}.convf1", flow_, pad=3).clamp(min=0)
    f = conv(w, f"{at}.convf2", f, pad=1).clamp(min=0)
    return torch.cat([conv(w, f"{at}.conv", torch.cat([c, f], 1), pad=1).clamp(min=0), flow_], 1)


def remember(w: Weights, hidden: Tensor, x: Tensor, *, small: bool) -> Tensor:
    for suffix, pad in [("", 1)] if small else [("1", (0, 2)), ("2", (2, 0))]:
        at, both = "update_block.gru.conv", torch.cat([hidden, x], 1)
        z, r = (torch.sigmoid(conv(w, f"{at}{gate}{suffix}", both, pad=pad)) for gate in "zr")
        q = torch.tanh(conv(w, f"{at}q{suffix}", torch.cat([r * hidden, x], 1), pad=pad))
        hidden = (1 - z) * hidden + z * q
    return hidden


def enlarge(coarse: Tensor, mask: Tensor) -> Tensor:
    """Each fine cell is a weighted mean of the nine coarse cells around it."""
    n, _, height, width = coarse.shape
    weights = torch.softmax(mask.view(n, 9, 8, 8, height, width), 1)
    padded = F.pad(8 * coarse, (1, 1, 1, 1))
    fine = torch.zeros(n, 2, 8 * height, 8 * width)
    for k in range(9):
        dy, dx = divmod(k, 3)
        shifted = padded[:, :, dy : dy + height, dx : dx + width]
        for row in range(8):
            for column in range(8):
                fine[:, :, row::8, column::8] += weights[:, None, k, row, column] * shifted
    return fine
