"""hyperIQA as a function of its weights, image by image, the target network written out as matrix products.

Written from SSL92/hyperIQA ``models.py`` (8be5a29ecc6a).
"""

import torch
import torch.nn.functional as F
from models.twins.by_name import Weights, conv, dense, norm, units
from torch import Tensor


def quality(w: Weights, images: Tensor) -> Tensor:
    """Normalised crops (N, 3, 224, 224) to N numbers."""
    return torch.stack([one(w, images[i : i + 1]) for i in range(len(images))])


def one(w: Weights, x: Tensor) -> Tensor:
    x = norm(w, "res.bn1", conv(w, "res.conv1", x, 2, 3)).clamp(min=0)
    x = F.max_pool2d(x, 3, 2, 1)
    vector = []
    for stage in (1, 2, 3, 4):
        x = bottlenecks(w, f"res.layer{stage}", x)
        pooled = F.avg_pool2d(conv(w, f"res.lda{stage}_pool.0", x) if stage < 4 else x, 7, 7)
        vector.append(dense(w, f"res.lda{stage}_fc", pooled.reshape(1, -1)))
    v = torch.cat(vector, 1).reshape(-1)
    for i in (0, 2, 4):
        x = conv(w, f"conv1.{i}", x).clamp(min=0)
    mean = x.mean((2, 3))
    for layer, size in enumerate((112, 56, 28, 14), start=1):
        matrix = conv(w, f"fc{layer}w_conv", x, pad=1).reshape(size, len(v))
        v = torch.sigmoid(matrix @ v + dense(w, f"fc{layer}b_fc", mean)[0])
    return dense(w, "fc5w_fc", mean)[0] @ v + dense(w, "fc5b_fc", mean)[0, 0]


def bottlenecks(w: Weights, at: str, x: Tensor) -> Tensor:
    for i in range(units(w, at + ".{}.")):
        block, skip = f"{at}.{i}", x
        stride = 2 if i == 0 and not at.endswith("layer1") else 1
        if f"{block}.downsample.0.weight" in w:
            skip = norm(w, f"{block}.downsample.1", conv(w, f"{block}.downsample.0", x, stride))
        y = norm(w, f"{block}.bn1", conv(w, f"{block}.conv1", x)).clamp(min=0)
        y = norm(w, f"{block}.bn2", conv(w, f"{block}.conv2", y, stride, 1)).clamp(min=0)
        x = (norm(w, f"{block}.bn3", conv(w, f"{block}.conv3", y)) + skip).clamp(min=0)
    return x
