"""A fingerprint follows content: it changes with any of it, and with nothing else."""

import hashlib
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from thgeval.clip import Clip, Memory
from thgeval.errors import InputError
from thgeval.media import fingerprint


def of(source):
    return fingerprint(Clip("clip", source))


def test_files_are_hashed_as_they_are(tmp_path):
    content = np.random.default_rng(0).bytes(3_000_000)
    (tmp_path / "a.mp4").write_bytes(content)
    (tmp_path / "b.mkv").write_bytes(content)
    assert of(tmp_path / "a.mp4") == of(tmp_path / "b.mkv") == hashlib.sha256(content).hexdigest()
    assert fingerprint(Clip("other", tmp_path / "a.mp4", fps=Fraction(25))) == of(tmp_path / "a.mp4")


def test_folders_are_hashed_by_names_and_frames(tmp_path, moving):
    prints = set()
    frames = moving(3, 8, 8)
    for name, names, content in (
        ("a", ("0.png", "1.png"), frames[:2]),
        ("swapped", ("0.png", "1.png"), frames[1::-1]),
        ("renamed", ("1.png", "2.png"), frames[:2]),
        ("longer", ("0.png", "1.png", "2.png"), frames),
    ):
        (tmp_path / name).mkdir()
        for file, frame in zip(names, content, strict=True):
            Image.fromarray(frame).save(tmp_path / name / file)
        prints.add(of(tmp_path / name))
    assert len(prints) == 4
    before = of(tmp_path / "a")
    (tmp_path / "a" / "notes.txt").write_text("not a frame")
    assert of(tmp_path / "a") == before


def test_arrays_are_hashed_by_everything_that_matters():
    frames = np.arange(2 * 3 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3, 3)
    floats = frames.astype(np.float32)
    different = [
        Memory(frames, 255.0),
        Memory(frames, 255.0, layout="tchw"),
        Memory(frames[:1], 255.0),
        Memory(frames[::-1], 255.0),
        Memory(floats, 255.0),
        Memory(floats, 100.0),
        Memory(frames.reshape(2, 3, 9, 1), 255.0),
    ]
    assert len({of(memory) for memory in different}) == len(different)
    assert of(Memory(np.asfortranarray(frames), 255.0)) == of(Memory(frames.copy(), 255.0))


def test_tensors_are_their_arrays():
    torch = pytest.importorskip("torch")
    frames = np.arange(2 * 3 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3, 3)
    assert of(Memory(torch.from_numpy(frames), 255.0)) == of(Memory(frames, 255.0))


def test_what_can_not_be_read(tmp_path):
    for source, reason in ((tmp_path / "none.mp4", "missing"), (tmp_path, "no frames")):
        with pytest.raises(InputError) as caught:
            of(source)
        assert caught.value.reason == reason
