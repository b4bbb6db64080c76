"""The TensorFlow Inception-v3 graph under the names of NVIDIA's TorchScript file, layer by layer.

Written from miemie2013/miemieGAN ``mmgan/models/networks/inception_pytorch.py`` at 6f1483229d8c: which layer has which
name, kernel, stride and padding.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Layer(nn.Module):
    def __init__(self, inputs: int, outputs: int, kh: int, kw: int, stride: int = 1, ph: int = 0, pw: int = 0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(outputs, inputs, kh, kw))
        for name in ("beta", "mean", "var"):
            self.register_buffer(name, torch.zeros(outputs))
        self.stride, self.ph, self.pw = stride, ph, pw

    def forward(self, x: Tensor) -> Tensor:
        x = F.conv2d(x, self.weight, None, [self.stride, self.stride], [self.ph, self.pw])
        x = F.batch_norm(x, self.mean, self.var, None, self.beta, False, 0.0, 0.001)
        return F.relu(x)


class Pool(nn.Module):
    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def forward(self, x: Tensor) -> Tensor:
        if self.kind == "avg":
            return F.avg_pool2d(x, [3, 3], [1, 1], [1, 1], False, False)
        if self.kind == "max":
            return F.max_pool2d(x, [3, 3], [1, 1], [1, 1])
        return F.max_pool2d(x, [3, 3], [2, 2])


def chain(*layers: Layer, pool: Pool | None = None) -> nn.Sequential:
    named = nn.Sequential()
    if pool is not None:
        named.add_module("pool", pool)
    for i, layer in enumerate(layers):
        named.add_module(f"conv_{i}" if i else "conv", layer)
    return named


class Join(nn.Module):
    def __init__(self, **branches: nn.Module) -> None:
        super().__init__()
        for name, branch in branches.items():
            self.add_module(name, branch)


class BlockA(Join):
    def __init__(self, n: int, pooled: int) -> None:
        super().__init__(
            conv=Layer(n, 64, 1, 1),
            tower=chain(Layer(n, 48, 1, 1), Layer(48, 64, 5, 5, 1, 2, 2)),
            tower_1=chain(Layer(n, 64, 1, 1), Layer(64, 96, 3, 3, 1, 1, 1), Layer(96, 96, 3, 3, 1, 1, 1)),
            tower_2=chain(Layer(n, pooled, 1, 1), pool=Pool("avg")),
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.conv(x), self.tower(x), self.tower_1(x), self.tower_2(x)], 1)


class BlockB(Join):
    def __init__(self, n: int) -> None:
        super().__init__(
            conv=Layer(n, 384, 3, 3, 2),
            tower=chain(Layer(n, 64, 1, 1), Layer(64, 96, 3, 3, 1, 1, 1), Layer(96, 96, 3, 3, 2)),
            pool=Pool("halve"),
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.conv(x), self.tower(x), self.pool(x)], 1)


class BlockC(Join):
    def __init__(self, n: int, m: int) -> None:
        super().__init__(
            conv=Layer(n, 192, 1, 1),
            tower=chain(Layer(n, m, 1, 1), Layer(m, m, 1, 7, 1, 0, 3), Layer(m, 192, 7, 1, 1, 3, 0)),
            tower_1=chain(
                Layer(n, m, 1, 1),
                Layer(m, m, 7, 1, 1, 3, 0),
                Layer(m, m, 1, 7, 1, 0, 3),
                Layer(m, m, 7, 1, 1, 3, 0),
                Layer(m, 192, 1, 7, 1, 0, 3),
            ),
            tower_2=chain(Layer(n, 192, 1, 1), pool=Pool("avg")),
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.conv(x), self.tower(x), self.tower_1(x), self.tower_2(x)], 1)


class BlockD(Join):
    def __init__(self, n: int) -> None:
        super().__init__(
            tower=chain(Layer(n, 192, 1, 1), Layer(192, 320, 3, 3, 2)),
            tower_1=chain(
                Layer(n, 192, 1, 1),
                Layer(192, 192, 1, 7, 1, 0, 3),
                Layer(192, 192, 7, 1, 1, 3, 0),
                Layer(192, 192, 3, 3, 2),
            ),
            pool=Pool("halve"),
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.tower(x), self.tower_1(x), self.pool(x)], 1)


class BlockE(Join):
    def __init__(self, n: int, pool: str) -> None:
        super().__init__(
            conv=Layer(n, 320, 1, 1),
            tower_conv=Layer(n, 384, 1, 1),
            tower_mixed_conv=Layer(384, 384, 1, 3, 1, 0, 1),
            tower_mixed_conv_1=Layer(384, 384, 3, 1, 1, 1, 0),
            tower_1_conv=Layer(n, 448, 1, 1),
            tower_1_conv_1=Layer(448, 384, 3, 3, 1, 1, 1),
            tower_1_mixed_conv=Layer(384, 384, 1, 3, 1, 0, 1),
            tower_1_mixed_conv_1=Layer(384, 384, 3, 1, 1, 1, 0),
            tower_2_pool=Pool(pool),
            tower_2_conv=Layer(n, 192, 1, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        a = self.tower_conv(x)
        b = self.tower_1_conv_1(self.tower_1_conv(x))
        left = [self.conv(x), self.tower_mixed_conv(a), self.tower_mixed_conv_1(a)]
        right = [self.tower_1_mixed_conv(b), self.tower_1_mixed_conv_1(b), self.tower_2_conv(self.tower_2_pool(x))]
        return torch.cat(left + right, 1)


class InceptionNvidia(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        layers = {
            "conv": Layer(3, 32, 3, 3, 2),
            "conv_1": Layer(32, 32, 3, 3),
            "conv_2": Layer(32, 64, 3, 3, 1, 1, 1),
            "pool0": Pool("halve"),
            "conv_3": Layer(64, 80, 1, 1),
            "conv_4": Layer(80, 192, 3, 3),
            "pool1": Pool("halve"),
            "mixed": BlockA(192, 32),
            "mixed_1": BlockA(256, 64),
            "mixed_2": BlockA(288, 64),
            "mixed_3": BlockB(288),
            "mixed_4": BlockC(768, 128),
            "mixed_5": BlockC(768, 160),
            "mixed_6": BlockC(768, 160),
            "mixed_7": BlockC(768, 192),
            "mixed_8": BlockD(768),
            "mixed_9": BlockE(1280, "avg"),
            "mixed_10": BlockE(2048, "max"),
        }
        self.layers = nn.Sequential()
        for name, layer in layers.items():
            self.layers.add_module(name, layer)
        self.output = nn.Linear(2048, 1008)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x).mean(dim=[2, 3])
