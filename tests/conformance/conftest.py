"""Networks for every metric that looks through one: random weights in the published files' format, and real light ones.

The light tier's detectors can't be random, as they would find no face; their files are used where they lie beside the
clone, and their metrics are skipped where they don't.
"""

import numpy as np
import pytest
from support import assets, random_weights
from support.choice import asked_for, requests
from support.once import seen_once

from thgeval import registry
from thgeval.errors import Failure
from thgeval.features.frames import quality
from thgeval.networks import memory
from thgeval.signature import files

CHEAPER = {"fvd": ":length=9"}
"""Metrics measured with a parameter that makes seconds of minutes."""
ABSENT = {
    "sfd-face": "a random detector finds no face to track; tests/lip_sync has tracked faces",
    "s3fd": "a random detector finds no face; tests/parity has face-alignment's landmarks",
    "fan-2d": "a random detector finds no face; tests/parity has face-alignment's landmarks",
}
"""Networks that stay away, and why."""
TOO_LITTLE = {"too short", "no voice", "no pause", "no beat"}
"""What a clip of some frames may be to a metric of speech; tests/lip_sync has longer ones."""

squares = quality.places
"""Of ten, one is looked at here, by all that judge quality; tests of the metric's own look at several."""


def asked(request: str) -> str:
    """A request as it is measured here."""
    return request + CHEAPER.get(request.partition("/")[0], "")


def reason(unscored: str) -> str:
    """Why a metric is skipped: a network left out on purpose, or what the run itself says."""
    return next((why for name, why in ABSENT.items() if f"the weights {name} " in unscored), unscored)


def cure(failure: Failure) -> str:
    """What to do about a metric that doesn't measure a clip that it should."""
    said = "mend measure, or raise InputError with a reason if there is nothing to see"
    return f"it has no state ({failure.message}): {said}"


NO_FLOAT = "score gave {!r}: return a float, NaN where nothing was measured"


def scored(metric, state) -> float:
    """The number of a state."""
    value = metric.score(state)
    assert isinstance(value, float), NO_FLOAT.format(value)
    return value


@pytest.fixture(scope="session")
def listed(request):
    """The requests that ``--metric`` and ``--changed`` ask for; without these, of every metric and preset."""
    found = asked_for(request.config)
    return {key for name in registry.table() for key in requests(name)} if found is None else found


@pytest.fixture(scope="module")
def wanted(request, listed):
    """The requests that the chosen tests of a module ask for, each once: few of them, if ``-k`` names a metric."""
    chosen = [item for item in request.session.items if item.path == request.path]
    of_each = [item.callspec.params.get("request_") if hasattr(item, "callspec") else None for item in chosen]
    if any(of is None and "networks" in item.fixturenames for of, item in zip(of_each, chosen, strict=True)):
        return [key for key in request.module.REQUESTS if key in listed]  # a test that measures them all
    return list(dict.fromkeys(of for of in of_each if of is not None))


@pytest.fixture(scope="module")
def networks(wanted):
    """A THGEVAL_HOME with a file for each network that is asked for and can be random."""
    known = random_weights.KEYS | random_weights.FACES
    read = {name for of in wanted for name in files(registry.metric(of).metric)}
    names = [name for name in known if name in read and name not in ABSENT]
    if names:
        pytest.importorskip("torch")
    with random_weights.installed(names) as home, memory.apart(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(quality, "places", lambda crops, seed: squares(1, seed))
        _basel()
        _light()
        with seen_once():
            yield home


def _basel() -> None:
    """A face model of the Basel file's format, of some vertices."""
    from scipy.io import savemat

    from thgeval.requirements import weights

    rng = np.random.default_rng(1)
    model = {"shapeMU": rng.normal(0, 1e5, (96, 1)), "shapePC": rng.normal(0, 1, (96, 199))}
    savemat(weights.folder() / weights.entry("bfm09").file, model | {"shapeEV": rng.uniform(1e4, 1e5, (199, 1))})


def _light() -> None:
    """The light tier's files, where they are."""
    from thgeval.requirements import weights

    for name, file in assets.NAMES.items():
        path = assets.FOLDER / "weights" / file
        if path.is_file():
            (weights.folder() / weights.entry(name).file).symlink_to(path.resolve())
