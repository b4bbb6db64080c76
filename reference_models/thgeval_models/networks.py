"""From a weight file to a network that can be used: which module reads which file, and under which names.

The one table beside ``weights.toml``; what stands behind a stroke is another plan for the same file. LPIPS, made of two
files, and the random embeddings, made of none, have their own functions.
"""

import difflib
from collections.abc import Callable, Mapping
from pathlib import Path

from torch import Tensor, nn

from thgeval_models import (
    arcface,
    clip,
    deep3d,
    efficientnet,
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
    raft,
    resnet3d,
    s3fd,
    sync_lm,
    syncnet,
    tddfa,
)
from thgeval_models.errors import UnknownWeightsError
from thgeval_models.loading import fit, load_tensors

Build = Callable[[], nn.Module]
Translate = Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]]


def _as_published(tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    return tensors


NETWORKS: dict[str, tuple[Build, Translate]] = {
    "3ddfa-mb05": (tddfa.build, tddfa.from_checkpoint),
    "arcface-irse50": (lambda: arcface.build("irse50"), _as_published),
    "arcface-r100": (lambda: arcface.build("r100"), _as_published),
    "arcface-r50": (lambda: arcface.build("r50"), _as_published),
    "arcface-w600k-r50": (lambda: arcface.build("r50"), arcface.from_onnx),
    "clip-vit-b32": (clip.build, clip.from_openai),
    "deep3d": (deep3d.build, deep3d.from_checkpoint),
    "efficientnet-lite0": (efficientnet.build, efficientnet.from_published),
    "facenet-casia": (inception_resnet_v1.build, inception_resnet_v1.embedding_tensors),
    "facenet-vggface2": (inception_resnet_v1.build, inception_resnet_v1.embedding_tensors),
    "fan-2d": (fan.build, _as_published),
    "hyperiqa": (hyperiqa.build, _as_published),
    "i3d-imagenet": (i3d.build, _as_published),
    "i3d-kinetics400": (lambda: i3d.build(i3d.VIDEOGPT_EPSILON), _as_published),
    "i3d-kinetics400/disco": (lambda: i3d.build(steps=1), _as_published),
    "i3d-torchscript": (i3d.build, i3d.from_hassony),
    "inception-fid": (inception_tf.build, _as_published),
    "inception-nvidia": (inception_tf.build, inception_tf.from_nvidia),
    "inception-torchvision": (lambda: inception_tf.build("torchvision"), inception_tf.from_torchvision),
    "lipnet-overlap": (lipnet.build, _as_published),
    "lipnet-unseen": (lipnet.build, _as_published),
    "lrw-mstcn": (mstcn.build, mstcn.from_checkpoint),
    "mobilefacenet": (mobilefacenet.build, _as_published),
    "openface-nn4": (openface.build, _as_published),
    "raft-large-torchvision": (lambda: raft.build("large"), _as_published),
    "raft-small": (raft.build, raft.from_princeton),
    "raft-small-torchvision": (raft.build, _as_published),
    "raft-things": (lambda: raft.build("large"), raft.from_princeton),
    "s3fd": (lambda: s3fd.build("face-alignment"), s3fd.from_face_alignment),
    "sfd-face": (s3fd.build, _as_published),
    "resnet3d-kinetics": (resnet3d.build, resnet3d.from_checkpoint),
    "sync-lm": (sync_lm.build, _as_published),
    "syncnet-v2": (syncnet.build, syncnet.of_version_2),
}


def network(name: str, path: Path) -> nn.Module:
    """The network of the manifest's entry ``name[/plan]`` with the weights in ``path``, ready for evaluation.

    The caller decides beforehand, with ``hashing.verify``, whether to trust the file's origin. Raises
    UnknownWeightsError, UnreadableFileError, UnsafeFileError or ArchitectureError.
    """
    if name not in NETWORKS:
        near = difflib.get_close_matches(name, NETWORKS, n=3) or list(NETWORKS)
        raise UnknownWeightsError(f"No network is read from weights called '{name}'; there are {', '.join(near)}.")
    build, translate = NETWORKS[name]
    return fit(build(), translate(load_tensors(path)))


def perceptual_distance(
    trunk: lpips.Trunk, trunk_path: Path, heads_path: Path, version: lpips.Version = "0.1"
) -> lpips.LPIPS:
    """LPIPS from torchvision's classifier weights and the heads of the ``lpips`` package."""
    tensors = lpips.trunk_tensors(load_tensors(trunk_path)) | load_tensors(heads_path)
    return fit(lpips.build(trunk, version), tensors)
