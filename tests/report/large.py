"""A run as large as a paper's: sixty metrics of every family over forty clips, some of which lack something."""

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from thgeval.metrics import METRICS
from thgeval.results import states_folder
from thgeval.states import ClipMean, PooledMean

KEYS = tuple(METRICS)[:60]
UNSCORED = KEYS[20:32]
CLIPS, FRAMES = 40, 30
KINDS = ("likeness", "distance", "sharpness")
STATES = {"likeness": ClipMean, "distance": PooledMean, "sharpness": ClipMean}


def large_run(hand: ModuleType, patch: Any, folder: Path, *, seed: int = 0, name: str = "run") -> Path:
    """Write the run; the result file's path. Metrics have the names of real ones, and values drawn from a seed.

    ``hand`` has what runs are written with, and ``patch`` changes it.
    """
    for at, key in enumerate(KEYS):
        kind = KINDS[at % 3]
        patch.setitem(hand.METRICS, key, hand.called(hand.METRICS[kind], key))
        patch.setattr(hand.Sketch, "KINDS", {**hand.Sketch.KINDS, key: STATES[kind]})
    rng = np.random.default_rng(seed)
    begun = hand.Sketch(folder, KEYS)
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
    states_folder(path).rename(folder / f"{name}.states")
    return path.rename(folder / f"{name}.json")
