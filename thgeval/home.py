"""Where thgeval keeps what outlives a run: fetched weights, and states of clips seen before."""

import os
from pathlib import Path


def home() -> Path:
    """``THGEVAL_HOME``, or a folder in the user's cache; it need not exist."""
    if chosen := os.environ.get("THGEVAL_HOME"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "thgeval"
