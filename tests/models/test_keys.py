"""Every network has exactly the names and shapes of the published files."""

from collections.abc import Callable

import pytest

torch = pytest.importorskip("torch")
from models import seeded
from torch import nn

from thgeval_models import (
    arcface,
    clip,
    deep3d,
    fan,
    hyperiqa,
    i3d,
    inception_resnet_v1,
    inception_tf,
    lipnet,
    lpips,
    mobilefacenet,
    mstcn,
    openface,
    resnet3d,
    s3fd,
    syncnet,
)

NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "arcface_irse50": lambda: arcface.build("irse50"),
    "arcface_r100": lambda: arcface.build("r100"),
    "arcface_r50": lambda: arcface.build("r50"),
    "clip": clip.build,
    "deep3d": deep3d.build,
    "fan": fan.build,
    "hyperiqa": hyperiqa.build,
    "i3d": i3d.build,
    "inception_fid": inception_tf.build,
    "inception_resnet_v1": inception_resnet_v1.build,
    "inception_torchvision": lambda: inception_tf.build("torchvision"),
    "lipnet": lipnet.build,
    "lpips_trunk_alexnet": lambda: lpips.build("alex"),
    "lpips_trunk_squeezenet1_1": lambda: lpips.build("squeeze"),
    "lpips_trunk_vgg16": lambda: lpips.build("vgg"),
    "lrw_mstcn": mstcn.build,
    "mobilefacenet": mobilefacenet.build,
    "openface": openface.build,
    "resnet3d": resnet3d.build,
    "s3fd_syncnet": s3fd.build,
    "syncnet": syncnet.build,
}
TRANSLATED = {
    "efficientnet_lite0",
    "i3d_hassony",
    "raft_large",
    "raft_small",
    "s3fd_face_alignment",
    "tddfa_checkpoint",
}
"""Files whose names a function translates; the network's own tests compare them."""


@pytest.mark.parametrize("name", NETWORKS)
def test_keys_are_those_of_the_published_file(name: str) -> None:
    ours = seeded.keys_of(NETWORKS[name]())
    if name.startswith("lpips_trunk"):
        ours = {key: shape for key, shape in ours.items() if not key.startswith("lin")}
    assert ours == seeded.published_keys(name)


def test_every_list_of_keys_is_used() -> None:
    assert {path.stem for path in seeded.KEYS.glob("*.json")} == NETWORKS.keys() | TRANSLATED
