"""People who are nobody: a face, its colours and its texture, each drawn from one seed."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from thgeval_baselines.rig.camera import Camera
from thgeval_baselines.rig.colours import Colours, texture_of
from thgeval_baselines.rig.light import Light
from thgeval_baselines.rig.model import Points, person, rig
from thgeval_baselines.rig.picture import GREY, Shot, shot


@dataclass(frozen=True, eq=False)
class Person:
    """One person: the neutral face (V, 3) dm, colours, and the texture (1024, 1024, 3) that is painted in them."""

    seed: int
    neutral: Points
    colours: Colours
    texture: NDArray[np.uint8]

    @classmethod
    def of(cls, seed: int) -> "Person":
        """The person of a seed, the same for the same seed."""
        return _drawn(seed)

    def shot(
        self,
        face: Points,
        camera: Camera,
        *,
        light: Light | None = None,
        background: tuple[float, float, float] = GREY,
        normals: bool = False,
    ) -> Shot:
        """A picture of this person's ``face`` (V, 3) dm, acting and posed already."""
        return shot(face, camera, self.texture, self.colours, light=light, background=background, normals=normals)


@lru_cache(maxsize=32)
def _drawn(seed: int) -> Person:
    colours = Colours.of(seed)
    return Person(seed, rig().shaped(person(seed)), colours, texture_of(colours, seed=seed))
