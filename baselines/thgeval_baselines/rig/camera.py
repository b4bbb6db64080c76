"""A camera that looks at the rigged head.

Conventions: points in the rig's own coordinates (decimetres, x to the person's left, y up, z to the viewer); cameras
follow OpenCV (x to the right, y down, z into the scene); pixel centres are whole numbers.
"""

from dataclasses import dataclass

import numpy as np

from thgeval_baselines.rig.model import Points


@dataclass(frozen=True)
class Camera:
    """A camera that looks at ``target`` (dm) from ``distance`` dm, ``azimuth`` degrees to the person's left.

    ``focal`` is the focal length as a share of the picture's width; ``size`` (height, width) px.
    """

    size: tuple[int, int] = (256, 256)
    azimuth: float = 0.0
    elevation: float = 0.0
    distance: float = 14.0
    focal: float = 5.2
    target: tuple[float, float, float] = (0.0, 0.05, 0.6)

    def turn(self) -> Points:
        """The rotation (3, 3) from the rig's coordinates to the camera's."""
        azimuth, elevation = np.deg2rad([self.azimuth, self.elevation])
        about_y = np.array(
            [[np.cos(azimuth), 0, -np.sin(azimuth)], [0, 1, 0], [np.sin(azimuth), 0, np.cos(azimuth)]],
        )
        about_x = np.array(
            [[1, 0, 0], [0, np.cos(elevation), -np.sin(elevation)], [0, np.sin(elevation), np.cos(elevation)]],
        )
        return np.asarray(np.diag([1.0, -1.0, -1.0]) @ about_x @ about_y)

    def project(self, points: Points) -> Points:
        """(points, 3): x px, y px, and the distance along the camera's axis in dm."""
        x, y, z = ((points - np.array(self.target)) @ self.turn().T + [0, 0, self.distance]).T
        height, width = self.size
        px = self.focal * width
        return np.stack([(width - 1) / 2 + px * x / z, (height - 1) / 2 + px * y / z, z], axis=-1)

    def intrinsics(self) -> Points:
        """Focal lengths and principal point (3, 3) as shares of the picture's sides, as a bundle of views has them."""
        height, width = self.size
        return np.array([[self.focal, 0.0, 0.5], [0.0, self.focal * width / height, 0.5], [0.0, 0.0, 1.0]])

    def pose(self) -> Points:
        """From the camera's coordinates to the rig's (4, 4)."""
        placed = np.eye(4)
        placed[:3, :3] = self.turn().T
        placed[:3, 3] = np.array(self.target) - self.turn().T @ [0.0, 0.0, self.distance]
        return placed
