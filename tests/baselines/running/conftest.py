"""A task set of three items of one second at 128 px, made once."""

import shutil
from fractions import Fraction
from pathlib import Path

import pytest
from PIL import Image
from support import odd_generators

from thgeval.media import write_video
from thgeval_baselines.running.plan import Options
from thgeval_baselines.sets.clips import head, take, write_take
from thgeval_baselines.tasks.files import read_taskset, write_taskset
from thgeval_baselines.tasks.items import Item, TaskSet

ODD = Path(odd_generators.__file__)


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    folder = tmp_path_factory.mktemp("set") / "tiny"
    for name in ("img", "wav", "ref", "fit"):
        (folder / name).mkdir(parents=True)
    one = take(head(seed=3, size=128), seed=5, seconds=1.0, first=0)
    other = take(head(seed=4, size=128), seed=6, seconds=1.0, first=1)
    for name, performed in (("a", one), ("b", other), ("c", other)):
        write_take(folder / f"ref/{name}.mp4", performed, crf=20)
        Image.fromarray(performed.frames[0]).save(folder / f"img/{name}.png")
        # sound alone, as a file of its own
        write_video(folder / f"wav/{name}.mp4", performed.frames[:1], fps=Fraction(1), audio=performed.sound)
    shutil.copy(folder / "ref/b.mp4", folder / "fit/b.mp4")
    with (folder / "fit/b.mp4").open("ab") as file:
        file.write(bytes(8))
    items = tuple(
        Item(
            id=f"item-{name}",
            inputs={
                "source_image": f"img/{name}.png",
                "audio": f"wav/{name}.mp4",
                "text": f"Sentence {name}.",
                "fit_video": "fit/b.mp4",
            },
            reference=f"ref/{name}.mp4",
            frames=25,
        )
        for name in "abc"
    )
    write_taskset(TaskSet("tiny", folder, items, size=(128, 128), data=("grid-s1-sync-lm",)))
    return folder


@pytest.fixture
def tasks(made_once, tmp_path):
    """A copy that a test may spoil."""
    shutil.copytree(made_once, tmp_path / "secret-set")
    return read_taskset(tmp_path / "secret-set")


@pytest.fixture
def options(tmp_path, monkeypatch):
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path / "home"))
    return Options(workers=2, timeout_s=60, fits=tmp_path / "fits")


@pytest.fixture(scope="session")
def odd():
    """``odd("Swaying")`` names a generator of support/odd_generators.py."""
    return lambda name: f"{ODD}:{name}"
