"""Random weights in the format of the published files, installed as if they had been fetched.

What reads them is the real loader; only the manifest's hashes are set aside, as they belong to the published numbers.
"""

import atexit
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from thgeval.requirements import weights
from thgeval_models import manifest

if TYPE_CHECKING:
    import torch

KEYS = {
    "alexnet": ("lpips_trunk_alexnet", 2.0),
    "vgg16": ("lpips_trunk_vgg16", 2.0),
    "squeezenet": ("lpips_trunk_squeezenet1_1", 2.0),
    "inception-fid": ("inception_fid", 2.0),
    "inception-torchvision": ("inception_torchvision", 2.0),
    "i3d-torchscript": ("i3d_hassony", 2.0),
    "i3d-kinetics400": ("i3d", 2.0),
    "resnet3d-kinetics": ("resnet3d", 1.0),
    "clip-vit-b32": ("clip", 0.5),
    "hyperiqa": ("hyperiqa", 1.0),
    "syncnet-v2": ("syncnet", 2.0),
    "sfd-face": ("s3fd_syncnet", 2.0),
}
FACES = {
    "arcface-r50": ("arcface_r50", 0.5),
    "arcface-r100": ("arcface_r100", 0.5),
    "arcface-irse50": ("arcface_irse50", 0.5),
    "facenet-casia": ("inception_resnet_v1", 0.5),
    "facenet-vggface2": ("inception_resnet_v1", 0.5),
    "fan-2d": ("fan", 0.5),
    "s3fd": ("s3fd_face_alignment", 2.0),
    "deep3d": ("deep3d", 1.0),
    "openface-nn4": ("openface", 0.5),
}
"""Networks of faces, which tests install one by one: some of the files are large."""

QUIETER = {
    f"netfc{stream}.3.{part}": scale for stream, scale in (("lip", 4e-4), ("aud", 4e-3)) for part in ("weight", "bias")
}
"""SyncNet's last layers, brought to distances of the published size, about ten."""

PREFIXES = {"deep3d": "net_recon."}
"""What a published file writes before every name."""


def tensors(name: str, seed: int = 1) -> "dict[str, torch.Tensor]":
    """The random state dict that stands for a published file."""
    from models import seeded

    keys, gain = (KEYS | FACES)[name]
    found = seeded.weights_for(seeded.published_keys(keys), seed=seed, gain=gain)
    quiet = {key: tensor * QUIETER[key] for key, tensor in found.items() if key in QUIETER}
    return {PREFIXES.get(name, "") + key: tensor for key, tensor in (found | quiet).items()}


def save(state: "dict[str, torch.Tensor]", file: Path) -> None:
    """Write a state dict in the place of whatever lies there; torch is needed from here on, and not before."""
    import torch

    file.unlink(missing_ok=True)  # it may be a link to what other tests read
    torch.save(state, file)


@cache
def _folder() -> Path:
    """Where files that were made lie, until this process ends."""
    folder = tempfile.TemporaryDirectory(prefix="thgeval-random-weights-")
    atexit.register(folder.cleanup)
    return Path(folder.name)


@cache
def _file(name: str, keys: str, gain: float) -> Path:
    """The file of a network; made once, as some have a hundred million numbers."""
    file = _folder() / f"{name}-{keys}-{gain}"
    save(tensors(name), file)
    return file


@contextmanager
def installed(names: Sequence[str]) -> Iterator[Path]:
    """A THGEVAL_HOME that holds these files, under a policy that allows them; it is gone afterwards."""
    known = manifest.weights

    def without_hash(name: str) -> manifest.Weights:
        entry = known(name)
        return replace(entry, sha256="", git_blob="", sha256_prefix="") if name in names else entry

    with (
        tempfile.TemporaryDirectory() as folder,
        pytest.MonkeyPatch.context() as patch,
        weights.allowed(weights.Policy(unverified=True)),
    ):
        patch.setenv("THGEVAL_HOME", folder)
        patch.setattr(manifest, "weights", without_hash)
        weights.folder().mkdir(parents=True)
        for name in names:
            (weights.folder() / known(name).file).symlink_to(_file(name, *(KEYS | FACES)[name]))
        yield Path(folder)
