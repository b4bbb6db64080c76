"""A portrait that speaks: mouth curves in, frames out, with blinks and a little sway drawn from the seed.

Shared by the generators whose paradigm ends at the mouth. The picture is bent by a mesh of dlib's landmarks
(``photo.head``); where the lips open beyond it there is a dark cavity, or the portrait's own teeth if it shows them.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import install_line
from thgeval_baselines.generator import Inputs
from thgeval_baselines.generators.portraits import portrait_of
from thgeval_baselines.photo.geometry import Parameters
from thgeval_baselines.photo.given import framed
from thgeval_baselines.photo.head import Head
from thgeval_baselines.sets.track import SWAY, blink_curve, blink_times, sway

Curve = NDArray[np.float64]

SWAY_SHARE = 0.4
"""How much of the sway of ``synth-v1`` a portrait that nobody asked to move makes."""


@dataclass(frozen=True, eq=False)
class Talker:
    """A portrait at the size that is asked for, (height, width)."""

    head: Head
    size: tuple[int, int]

    @classmethod
    def of(cls, inputs: Inputs) -> "Talker":
        """The item's source image; ``InputError`` where it has no face."""
        return cls(Head.of(framed(portrait_of(inputs), inputs.size)), inputs.size)

    def frames(self, aperture: Curve, rounding: Curve, *, fps: Fraction, seed: int) -> Iterator[NDArray[np.uint8]]:
        """A frame (height, width, 3) for each value of the curves (frames,), made as it is asked for."""
        idle = self.idle(len(aperture), fps=fps, seed=seed)
        height, width = self.size
        for number in range(len(aperture)):
            moved = {name: float(curve[number]) for name, curve in idle.items()}
            mouth = {"aperture": float(aperture[number]), "rounding": float(rounding[number])}
            yield np.ascontiguousarray(self.head.frame(Parameters(smile=1.0, **mouth, **moved))[:height, :width])

    def idle(self, frames: int, *, fps: Fraction, seed: int) -> dict[str, Curve]:
        """Blinks and sway over time, (frames,) each."""
        rng = np.random.default_rng(seed)
        times_s = np.arange(frames) / float(fps)
        curves = {"blink": blink_curve(times_s, blink_times(times_s[-1] if frames else 0.0, rng))}
        for name in ("yaw", "pitch", "roll", "brow"):
            most, rate_hz = SWAY[name]
            curves[name] = SWAY_SHARE * sway(times_s, rng, most, rate_hz)
        return curves


def table(actions: Mapping[str, Curve]) -> bytes:
    """Curves as CSV, one row a frame, under their names."""
    held = io.StringIO()
    rows = csv.writer(held, lineterminator="\n")
    rows.writerow(actions)
    rows.writerows([f"{value:.4f}" for value in row] for row in zip(*actions.values(), strict=True))
    return held.getvalue().encode()


def lacking(packages: Mapping[str, str]) -> list[str]:
    """A sentence for each package that isn't there, by the extra that brings it."""
    return [
        f"it needs {package}: {install_line(extra)}"
        for package, extra in packages.items()
        if find_spec(package) is None
    ]
