"""Light on the rigged head: a key and a fill light from afar, and what comes from all sides.

Conventions: directions in the rig's coordinates, from the head towards the light; strengths are RGB shares of what a
surface that faces the light gives back.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thgeval_baselines.rig.model import Points

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Light:
    """Two lights and the room's; as it is, a white key light from above on the left, and a fill from the right."""

    key: Triple = (-0.35, 0.5, 0.8)
    key_colour: Triple = (0.74, 0.74, 0.74)
    fill: Triple = (0.7, 0.1, 0.6)
    fill_colour: Triple = (0.2, 0.2, 0.2)
    ambient: Triple = (0.34, 0.34, 0.34)

    @classmethod
    def of(cls, seed: int) -> "Light":
        """A light drawn from a seed: from the front half, warm or cold, hard or soft."""
        rng = np.random.default_rng([seed, 3])
        side, up = np.deg2rad([rng.uniform(-60, 60), rng.uniform(10, 55)])
        warmth, softness = rng.uniform(-1, 1), rng.uniform(0, 1)
        tint = 1 + 0.1 * warmth * np.array([1.0, 0.0, -1.0])
        room = 1 - 0.06 * warmth * np.array([1.0, 0.0, -1.0])
        return cls(
            key=_triple(np.array([np.sin(side) * np.cos(up), np.sin(up), np.cos(side) * np.cos(up)])),
            key_colour=_triple((0.85 - 0.25 * softness) * tint),
            fill=(-0.7 if side > 0 else 0.7, 0.1, 0.6),
            fill_colour=_triple((0.12 + 0.13 * softness) * room),
            ambient=_triple((0.28 + 0.12 * softness) * room),
        )

    def on(self, normals: Points) -> NDArray[np.float32]:
        """What surfaces with these unit normals (points, 3) give back: (points, 3) RGB."""
        lit = np.tile(np.array(self.ambient, np.float32), (len(normals), 1))
        for towards, colour in ((self.key, self.key_colour), (self.fill, self.fill_colour)):
            facing = np.maximum(normals @ (np.array(towards) / np.linalg.norm(towards)), 0)
            lit += facing.astype(np.float32)[:, None] * np.array(colour, np.float32)
        return lit


def _triple(values: Points) -> Triple:
    return float(values[0]), float(values[1]), float(values[2])
