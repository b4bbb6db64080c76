"""Small published files and real clips, where a machine has them beside the checkout; tests skip where it doesn't."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from thgeval.clip import Clip
from thgeval.media import decode
from thgeval.requirements import weights

FOLDER = Path(__file__).resolve().parents[2] / ".." / "shared" / "assets"
NAMES = {
    "yunet": "yunet_n_640_640.onnx",
    "mobilefacenet": "mobilefacenet_foamliu.pt",
    "face-landmarker": "face_landmarker.task",
    "3ddfa-mb05": "mb05_120x120.pth",
    "3ddfa-mean-shape": "3ddfa_u_base.txt",
    "3ddfa-shape-basis": "3ddfa_w_shp_base.txt",
    "3ddfa-expression-basis": "3ddfa_w_exp_base.txt",
}
"""Where the light tier's files lie, by their names in the manifest."""


def there(kind: str, name: str) -> Path:
    """A file of the shared folder; skips the test without it."""
    path = FOLDER / kind / name
    if not path.is_file():
        pytest.skip("needs ../shared/assets")
    return path


@contextmanager
def light(commercial: bool = False) -> Iterator[Path]:
    """A THGEVAL_HOME with the light tier's files, as if they had been fetched."""
    files = {name: there("weights", file) for name, file in NAMES.items()}
    with (
        tempfile.TemporaryDirectory() as folder,
        pytest.MonkeyPatch.context() as patch,
        weights.allowed(weights.Policy(commercial=commercial)),
    ):
        patch.setenv("THGEVAL_HOME", folder)
        weights.folder().mkdir(parents=True)
        for name, file in files.items():
            (weights.folder() / weights.entry(name).file).symlink_to(file)
        yield Path(folder)


@cache
def frames(name: str, count: int, step: int = 1) -> np.ndarray:
    """Every ``step``-th frame of a real clip, ``count`` of them: (count, height, width, 3) uint8."""
    found = []
    with decode(Clip(name, there("clips", name)), chunk=16) as batches:
        for batch in batches:
            found += [frame for i, frame in enumerate(batch.new, batch.start) if i % step == 0]
            if len(found) >= count:
                break
    return np.stack(found[:count])
