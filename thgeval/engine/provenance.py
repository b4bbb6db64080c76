"""What a result was made with, when, by which command and at what cost: its run record.

Nothing here may change a score, but versions and the processor can change the last digits of one. Packages that are not
installed are left out; none is imported to ask for its version.
"""

import platform
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import monotonic, process_time
from typing import Any

import av
import numpy as np

from thgeval.remote.addresses import scrubbed
from thgeval.version import __version__

PACKAGES = {
    "numpy": ("numpy",),
    "scipy": ("scipy",),
    "numba": ("numba",),
    "numba-cuda": ("numba-cuda",),
    "numba-cuda-mlir": ("numba-cuda-mlir",),
    "opencv": ("opencv-python-headless", "opencv-python", "opencv-contrib-python"),
    "pillow": ("pillow",),
    "dlib": ("dlib-bin", "dlib"),
    "mediapipe": ("mediapipe",),
    "torch": ("torch",),
    "torchvision": ("torchvision",),
}
"""What numbers may depend on, under the names that bring it."""


def decoder() -> str:
    """The decoder as signatures name it."""
    return f"pyav{av.__version__}-ffmpeg{av.ffmpeg_version_info}"


def environment() -> dict[str, str]:
    """Versions that numbers may depend on, and the processor's features."""
    found = {"thgeval": __version__, "python": platform.python_version(), "decoder": decoder()}
    for name, brings in PACKAGES.items():
        if versions := [said for package in brings if (said := _version(package)) is not None]:
            found[name] = " and ".join(versions)
    return found | {"platform": f"{platform.system()} {platform.machine()}", "processor": _features()}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _features() -> str:
    """The instruction sets that numpy found, which numba and torch compile for too."""
    configuration: Any = np.show_config(mode="dicts")
    return " ".join(sorted(configuration.get("SIMD Extensions", {}).get("found", ())))


@dataclass(frozen=True)
class Stopwatch:
    """Times a run from when it is made."""

    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    started_s: float = field(default_factory=monotonic)
    cpu_s: float = field(default_factory=process_time)

    def record(self, *, workers: int, device: str, measured: Mapping[str, int]) -> dict[str, Any]:
        """How a run that ends now came about."""
        return {
            "command": command(),
            "began": self.began.isoformat(timespec="seconds"),
            "seconds": round(monotonic() - self.started_s, 3),
            "cpu_seconds": round(process_time() - self.cpu_s, 3),
            "peak_bytes": peak_bytes(),
            "workers": workers,
            "device": device,
            "measured": dict(measured),
        }


def command() -> list[str] | None:
    """The command line of ``thgeval``, addresses without keys; None in other programs, whose arguments are theirs."""
    program = Path(sys.argv[0] if sys.argv else "")
    ours = program.stem == "thgeval" or program.parts[-3:] == ("thgeval", "cli", "main.py")
    return ["thgeval", *map(scrubbed, sys.argv[1:])] if ours else None


def peak_bytes() -> int | None:
    """The most memory that this process has held so far; None on systems that don't say (Windows).

    Linux is asked for the high-water mark of the process itself: ``ru_maxrss`` also remembers the one that started it.
    """
    with suppress(OSError, StopIteration, ValueError):
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))) * 1024
    try:
        resource: Any = import_module("resource")
    except ImportError:
        return None
    most = int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return most if sys.platform == "darwin" else most * 1024
