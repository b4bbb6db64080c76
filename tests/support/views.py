"""Bundles of views that tests make on the spot: a bumpy wall seen by PV3D's two cameras at two times."""

from pathlib import Path

import numpy as np

FOCAL = 4.2647
DISTANCE = 2.7


def pose(yaw_deg: float = 0.0) -> np.ndarray:
    """Camera to world, DISTANCE from the origin and looking at it: x to the right, y downwards, z into the scene."""
    yaw = np.radians(yaw_deg)
    turned = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, -1, 0], [-np.sin(yaw), 0, -np.cos(yaw)]])
    camera = np.eye(4)
    camera[:3, :3] = turned
    camera[:3, 3] = -DISTANCE * turned[:, 2]
    return camera


def bundle(*, side: int = 16, image_px: int = 40, yaw_deg: float = 30.0, seed: int = 0) -> dict[str, np.ndarray]:
    """Arrays of a bundle: four views, front and side at two times, of random pictures and depths near DISTANCE."""
    rng = np.random.default_rng(seed)
    poses = np.stack([pose(turn) for turn in (0.0, yaw_deg, yaw_deg, 0.0)])
    return {
        "images": rng.integers(0, 256, (4, image_px, image_px, 3), dtype=np.uint8),
        "depth": DISTANCE + rng.normal(0, 0.03, (4, side, side)),
        "points": rng.normal(0, 0.2, (4, side, side, 3)),
        "weights": rng.uniform(0.2, 1.0, (4, side, side)),
        "intrinsics": np.tile(np.array([[FOCAL, 0, 0.5], [0, FOCAL, 0.5], [0, 0, 1]]), (4, 1, 1)),
        "poses": poses,
    }


def write(path: Path, arrays: dict[str, np.ndarray]) -> Path:
    """The bundle as a file."""
    np.savez(path, **arrays)
    return path
