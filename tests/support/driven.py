"""What generators are given in tests: two portraits and a wall, a jaw that opens twice, a second of speech."""

from pathlib import Path

import numpy as np
from PIL import Image

from thgeval_baselines.photo.portrait import portrait
from thgeval_baselines.rig.camera import Camera
from thgeval_baselines.rig.light import Light
from thgeval_baselines.rig.people import Person
from thgeval_baselines.sets.said import said, write_sound

FRAMES = 16
JAW = 0.3 * (1 - np.cos(np.linspace(0, 4 * np.pi, FRAMES)))


def put_photo(place: Path) -> None:
    """``photo.png``, a pseudo-identity of the photograph."""
    Image.fromarray(portrait(seed=3).image).save(place / "photo.png")


def put_all(place: Path) -> None:
    """``photo.png``, ``rigged.png``, ``nobody.png``, ``jaw.npz`` and ``speech.wav``."""
    put_photo(place)
    person = Person.of(9)
    Image.fromarray(person.shot(person.neutral, Camera(), light=Light.of(4)).image).save(place / "rigged.png")
    Image.fromarray(np.full((128, 128, 3), 120, np.uint8)).save(place / "nobody.png")
    np.savez(place / "jaw.npz", jawOpen=JAW)
    write_sound(place / "speech.wav", said(0, seconds=1).samples)
