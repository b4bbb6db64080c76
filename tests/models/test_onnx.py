"""ONNX files written by the onnx package: read without it, tensor by tensor, and as an ArcFace network."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
from models import seeded
from support.tolerances import agree
from torch.nn.utils import fuse_conv_bn_weights

from thgeval_models import arcface
from thgeval_models.errors import ArchitectureError, UnreadableFileError
from thgeval_models.loading import fit, load_tensors

Tensors = dict[str, torch.Tensor]


class Exported:
    """What InsightFace's exporter writes: numbered names, and norms folded into the convolutions before them."""

    def __init__(self, weights: Tensors, *, folded: bool) -> None:
        self.weights, self.folded = weights, folded
        self.nodes, self.stored = [], []

    def add(self, kind: str, *tensors: torch.Tensor) -> None:
        names = [str(600 + len(self.stored) + i) for i in range(len(tensors))]
        self.stored += [onnx.numpy_helper.from_array(t.numpy(), n) for n, t in zip(names, tensors, strict=True)]
        self.nodes.append(onnx.helper.make_node(kind, [f"x{len(self.nodes)}", *names], [f"x{len(self.nodes) + 1}"]))

    def norm(self, name: str) -> None:
        self.add("BatchNormalization", *self.parts(name))

    def parts(self, name: str) -> list[torch.Tensor]:
        return [self.weights[f"{name}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")]

    def conv(self, name: str, norm: str) -> None:
        kernel = self.weights[f"{name}.weight"]
        if not self.folded:
            self.add("Conv", kernel)
            self.norm(norm)
            return
        scale, shift, mean, var = self.parts(norm)
        self.add("Conv", *(t.detach() for t in fuse_conv_bn_weights(kernel, None, mean, var, 1e-5, scale, shift)))

    def prelu(self, name: str) -> None:
        self.add("PRelu", self.weights[f"{name}.weight"].view(-1, 1, 1))

    def save(self, path: Path) -> None:
        self.conv("conv1", "bn1")
        self.prelu("prelu")
        for stage, count in enumerate((3, 4, 14, 3), start=1):
            for i in range(count):
                unit = f"layer{stage}.{i}"
                self.norm(f"{unit}.bn1")
                self.conv(f"{unit}.conv1", f"{unit}.bn2")
                self.prelu(f"{unit}.prelu")
                self.conv(f"{unit}.conv2", f"{unit}.bn3")
                if i == 0:
                    self.conv(f"{unit}.downsample.0", f"{unit}.downsample.1")
                self.nodes.append(onnx.helper.make_node("Add", ["a", "b"], ["c"]))
        self.norm("bn2")
        self.nodes.append(onnx.helper.make_node("Flatten", ["d"], ["e"]))
        self.add("Gemm", self.weights["fc.weight"], self.weights["fc.bias"])
        self.norm("features")
        graph = onnx.helper.make_graph(self.nodes, "torch-jit-export", [], [], initializer=self.stored)
        onnx.save(onnx.helper.make_model(graph), path)


@torch.no_grad()
@pytest.mark.slow
@pytest.mark.parametrize("folded", [True, False])
def test_an_exported_arcface_is_the_network(tmp_path: Path, folded: bool) -> None:
    weights = seeded.weights_for(seeded.published_keys("arcface_r50"), seed=181, gain=0.5)
    Exported(weights, folded=folded).save(tmp_path / "w600k_r50.onnx")
    faces = seeded.images(1, 3, 112, 112, seed=182, low=-1)
    ours = fit(arcface.build("r50"), arcface.from_onnx(load_tensors(tmp_path / "w600k_r50.onnx")))(faces)
    agree(ours, fit(arcface.build("r50"), weights)(faces), "arcface")


def small(path: Path) -> bytes:
    halves = onnx.numpy_helper.from_array(torch.arange(6).reshape(2, 3).half().numpy(), "w")
    floats = onnx.helper.make_tensor("b", onnx.TensorProto.FLOAT, [2], [0.5, -1.5])
    node = onnx.helper.make_node("Gemm", ["x", "w", "b"], ["y"])
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph([node], "g", [], [], initializer=[halves, floats])), path)
    return path.read_bytes()


def test_tensors_are_named_by_their_use(tmp_path: Path) -> None:
    small(tmp_path / "net.onnx")
    found = load_tensors(tmp_path / "net.onnx")
    assert found.keys() == {"0000.Gemm.1", "0000.Gemm.2"}
    assert torch.equal(found["0000.Gemm.1"], torch.arange(6).reshape(2, 3).half())
    assert found["0000.Gemm.2"].tolist() == [0.5, -1.5]


def test_cut_and_foreign_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    content = small(path)
    for cut in range(0, len(content) - 1, 3):
        path.write_bytes(content[:cut])
        with pytest.raises(UnreadableFileError, match="not a complete ONNX file"):
            load_tensors(path)
    path.write_bytes(b"\x00 no model" * 20)
    with pytest.raises(UnreadableFileError, match="not a complete ONNX file"):
        load_tensors(path)


def test_another_network_is_refused(tmp_path: Path) -> None:
    small(tmp_path / "net.onnx")
    with pytest.raises(ArchitectureError, match="IResNet can't take these weights"):
        fit(arcface.build("r50"), arcface.from_onnx(load_tensors(tmp_path / "net.onnx")))
