"""Folders of small clips to score, and the command line as a function."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from support.clips import moving, write_clip

from thgeval.cli.main import code


@dataclass(frozen=True)
class Folders:
    generated: Path
    reference: Path


@pytest.fixture
def folders(tmp_path):
    """Three pairs of 10 frames, 64 px, 25 fps."""
    made = Folders(tmp_path / "pred", tmp_path / "gt")
    for number, name in enumerate(("a", "b", "c")):
        for folder, noise in ((made.generated, 6.0), (made.reference, 0.0)):
            folder.mkdir(exist_ok=True)
            write_clip(folder / f"{name}.mp4", moving(seed=number, noise=noise))
    return made


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str


@pytest.fixture
def thgeval(capsys):
    """Run the command line in this process."""

    def run(*arguments: object) -> Answer:
        returned = code([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Answer(returned, captured.out, captured.err)

    return run
