"""Networks for every metric that looks through one: random weights in the published files' format, and real light ones.

The light tier's detectors can't be random, as they would find no face; their files are used where they lie beside the
clone, and their metrics are skipped where they don't.
"""

import numpy as np
import pytest
from support import assets
from support.once import seen_once

CHEAPER = {"iqa": ":crops=1", "fvd": ":length=9"}
"""Metrics measured with a parameter that makes seconds of minutes."""
ABSENT = {
    "sfd-face": "a random detector finds no face to track; tests/lip_sync has tracked faces",
    "s3fd": "a random detector finds no face; tests/parity has face-alignment's landmarks",
    "fan-2d": "a random detector finds no face; tests/parity has face-alignment's landmarks",
}
"""Networks that stay away, and why."""
TOO_LITTLE = {"too short", "no voice", "no pause"}
"""What a clip of some frames may be to a metric of speech; tests/lip_sync has longer ones."""


def asked(request: str) -> str:
    """A request as it is measured here."""
    return request + CHEAPER.get(request.partition("/")[0], "")


def reason(unscored: str) -> str:
    """Why a metric is skipped: a network left out on purpose, or what the run itself says."""
    return next((why for name, why in ABSENT.items() if f"the weights {name} " in unscored), unscored)


@pytest.fixture(scope="module")
def networks(request):
    """A THGEVAL_HOME with a file for each network that can be random, or for those that the module names."""
    pytest.importorskip("torch")
    from support import random_weights

    known = random_weights.KEYS | random_weights.FACES
    names = [name for name in getattr(request.module, "NETWORKS", known) if name not in ABSENT]
    with random_weights.installed(names) as home, pytest.MonkeyPatch.context() as patch:
        patch.setattr("thgeval.features.once._held", {})
        _basel()
        _light()
        with seen_once():
            yield home


def _basel() -> None:
    """A face model of the Basel file's format, of some vertices."""
    from scipy.io import savemat

    from thgeval import weights

    rng = np.random.default_rng(1)
    model = {"shapeMU": rng.normal(0, 1e5, (96, 1)), "shapePC": rng.normal(0, 1, (96, 199))}
    savemat(weights.folder() / weights.entry("bfm09").file, model | {"shapeEV": rng.uniform(1e4, 1e5, (199, 1))})


def _light() -> None:
    """The light tier's files, where they are."""
    from thgeval import weights

    for name, file in assets.NAMES.items():
        path = assets.FOLDER / "weights" / file
        if path.is_file():
            (weights.folder() / weights.entry(name).file).symlink_to(path.resolve())
