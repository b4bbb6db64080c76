"""The short forms of both synthetic sets, which boards of first results are of: twelve clips of three seconds each."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from thgeval_baselines.sets.synth import make_synth
from thgeval_baselines.sets.synth3d import make_synth3d
from thgeval_baselines.tasks.items import TaskSet

SECONDS = 3.0
CAMERAS = ("front", "left", "right")
KINDS = ("e01-pose", "e06-still", "de1-pose")


@dataclass(frozen=True)
class Subset:
    """Items of a synthetic set at ``SECONDS`` each: how the set is made, and which are scored, in order."""

    name: str
    make: Callable[[Path], TaskSet]
    items: tuple[str, ...]

    @property
    def dataset(self) -> str:
        """As boards name it."""
        return f"{self.name}@1"


def make_synth_short(folder: Path) -> TaskSet:
    """Render ``synth-v1-short`` into ``folder``: three clips of each of four people, a photo that is warped."""
    return make_synth(folder, seconds=SECONDS, only=frozenset(SYNTH.items))


def make_synth3d_short(folder: Path) -> TaskSet:
    """Render ``synth3d-v1-short`` into ``folder``: four people from three cameras, a rigged head."""
    return make_synth3d(folder, people=4, seconds=SECONDS, cameras=CAMERAS)


SYNTH = Subset(
    "synth-v1-short", make_synth_short, tuple(f"s{person}-{kind}" for kind in KINDS for person in (1, 2, 3, 4))
)
SYNTH3D = Subset(
    "synth3d-v1-short", make_synth3d_short, tuple(f"p{person}-{camera}" for camera in CAMERAS for person in range(4))
)
SUBSETS = {subset.name: subset for subset in (SYNTH, SYNTH3D)}
