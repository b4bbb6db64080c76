"""A run as large as a paper's: sixty metrics of every family over forty clips, some of which lack something."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from report import conftest

from thgeval.metrics import METRICS
from thgeval.states import ClipMean, PooledMean

KEYS = tuple(METRICS)[:60]
UNSCORED = KEYS[20:32]
CLIPS, FRAMES = 40, 50
KINDS = ("likeness", "distance", "sharpness")
STATES = {"likeness": ClipMean, "distance": PooledMean, "sharpness": ClipMean}


def large_run(sketch: Callable[..., Any], patch: Any, folder: Path, *, seed: int = 0, name: str = "run") -> Path:
    """Write the run; the result file's path. Metrics have the names of real ones, and values drawn from a seed."""
    for at, key in enumerate(KEYS):
        kind = KINDS[at % 3]
        patch.setitem(conftest.METRICS, key, conftest.called(conftest.METRICS[kind], key))
        patch.setattr(conftest.Sketch, "KINDS", {**conftest.Sketch.KINDS, key: STATES[kind]})
    rng = np.random.default_rng(seed)
    begun = sketch(*KEYS)
    scored = [key for key in KEYS if key not in UNSCORED]
    for number in range(CLIPS):
        paths = []
        for side in ("gen", "ref"):
            path = folder / f"{side}-{name}" / f"HDTF_{number:03}_a-speaker.npy"
            path.parent.mkdir(exist_ok=True)
            np.save(path, np.random.default_rng(number).integers(0, 256, (FRAMES, 24, 24, 3), dtype=np.uint8))
            paths.append(path)
        base = rng.random() * 0.3
        values = {key: base + rng.random(FRAMES) * 0.5 for key in scored}
        own = {key: base + rng.random(FRAMES) * 0.5 for key in scored if KEYS.index(key) % 3 == 2}
        record: dict[str, Any] = {"files": tuple(paths), "reference_values": own}
        if number % 9 == 3:
            failure = {"reason": "no face", "message": f"a face is found in {number} of {FRAMES} frames"}
            lost = scored[5:9]
            values = {key: value for key, value in values.items() if key not in lost}
            record |= {"failed": dict.fromkeys(lost, failure), "notes": [f"cut to {FRAMES} frames"]}
        begun.clip(paths[0].stem, values, **record)
    path = begun.write(dict.fromkeys(UNSCORED, "the weights of its network are not here; thgeval fetch brings them"))
    return path.rename(folder / f"{name}.json") if name != "run" else path
