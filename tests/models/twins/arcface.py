"""The face recognisers as functions of their weights.

Written from deepinsight/insightface ``iresnet.py`` (04a433f154de), TreB1eN/InsightFace_Pytorch ``model.py``
(016916f3357a) and foamliu/MobileFaceNet ``mobilefacenet.py`` (a687c71bea83).
"""

import torch
from models.twins.by_name import Weights, conv, dense, norm, prelu, units
from torch import Tensor


def iresnet(w: Weights, x: Tensor) -> Tensor:
    x = prelu(w, "prelu", norm(w, "bn1", conv(w, "conv1", x, pad=1)))
    for stage in (1, 2, 3, 4):
        for i in range(units(w, f"layer{stage}.{{}}.")):
            at, stride = f"layer{stage}.{i}", 2 if i == 0 else 1
            skip = x
            if f"{at}.downsample.0.weight" in w:
                skip = norm(w, f"{at}.downsample.1", conv(w, f"{at}.downsample.0", x, stride))
            y = norm(w, f"{at}.bn2", conv(w, f"{at}.conv1", norm(w, f"{at}.bn1", x), pad=1))
            y = norm(w, f"{at}.bn3", conv(w, f"{at}.conv2", prelu(w, f"{at}.prelu", y), stride, pad=1))
            x = y + skip
    x = norm(w, "bn2", x)
    return norm(w, "features", dense(w, "fc", x.reshape(len(x), -1)))


def irse50(w: Weights, x: Tensor) -> Tensor:
    x = prelu(w, "input_layer.2", norm(w, "input_layer.1", conv(w, "input_layer.0", x, pad=1)))
    firsts = (0, 3, 7, 21)
    for i in range(units(w, "body.{}.")):
        at, stride = f"body.{i}.res_layer", 2 if i in firsts else 1
        skip = x[:, :, ::stride, ::stride]
        short = f"body.{i}.shortcut_layer"
        if f"{short}.0.weight" in w:
            skip = norm(w, f"{short}.1", conv(w, f"{short}.0", x, stride))
        y = prelu(w, f"{at}.2", conv(w, f"{at}.1", norm(w, f"{at}.0", x), pad=1))
        y = norm(w, f"{at}.4", conv(w, f"{at}.3", y, stride, pad=1))
        squeezed = conv(w, f"{at}.5.fc1", y.mean((2, 3), keepdim=True)).clamp(min=0)
        x = y * torch.sigmoid(conv(w, f"{at}.5.fc2", squeezed)) + skip
    x = norm(w, "output_layer.0", x)
    x = norm(w, "output_layer.4", dense(w, "output_layer.3", x.reshape(len(x), -1)))
    return x / x.norm(2, 1, keepdim=True)


def mobilefacenet(w: Weights, x: Tensor) -> Tensor:
    def relu6(y: Tensor) -> Tensor:
        return y.clamp(0, 6)

    x = relu6(norm(w, "conv1.1", conv(w, "conv1.0", x, 2, 1)))
    x = norm(w, "dw_conv.bn1", conv(w, "dw_conv.depthwise", x, pad=1, groups=64)).clamp(min=0)
    x = norm(w, "dw_conv.bn2", conv(w, "dw_conv.pointwise", x)).clamp(min=0)
    halving = (0, 5, 12)
    for i in range(15):
        at = f"features.{i}.conv"
        wide = w[f"{at}.0.0.weight"].shape[0]
        y = relu6(norm(w, f"{at}.0.1", conv(w, f"{at}.0.0", x)))
        y = relu6(norm(w, f"{at}.1.1", conv(w, f"{at}.1.0", y, 2 if i in halving else 1, 1, groups=wide)))
        y = norm(w, f"{at}.3", conv(w, f"{at}.2", y))
        x = y if i in halving else x + y
    x = relu6(norm(w, "conv2.1", conv(w, "conv2.0", x)))
    x = norm(w, "gdconv.bn", conv(w, "gdconv.depthwise", x, groups=512))
    return norm(w, "bn", conv(w, "conv3", x)).flatten(1)
