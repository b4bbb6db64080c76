"""What a run of generators left: frames of its videos, and processes."""

from pathlib import Path

import numpy as np

from thgeval.clip import Clip
from thgeval.media import decode


def levels(path):
    """The frames of a file: (frames, height, width, 3)."""
    with decode(Clip(path.stem, path), chunk=64) as batches:
        return np.concatenate([np.asarray(batch.new) for batch in batches])


def alive(mark):
    """Process ids of all whose command line holds a mark."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and mark.encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found
