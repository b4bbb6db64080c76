"""``ref-text``: words in, speech and the mouth that says it out."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from thgeval.clip import Clip
from thgeval.errors import InputError
from thgeval.media import decode
from thgeval.media.encode import write_video
from thgeval_baselines.generator import Inputs
from thgeval_baselines.generators.text import Text
from thgeval_baselines.sets.synth import head_of, rest
from thgeval_baselines.speech.lips import closures, closures_met, mouth

WORDS = "Bob may put a map by a boat."


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("dlib")
    path = tmp_path_factory.mktemp("portrait") / "s1.png"
    Image.fromarray(head_of(0, seed=0).frame(rest(own=False))).save(path)
    return path


def lips_read(frames: list[np.ndarray], folder: Path) -> np.ndarray:
    """Opening of the lips in eye distances, as dlib reads it in the encoded video: (frames,)."""
    from thgeval.features.faces import dlib_models

    write_video(folder / "made.mp4", frames, fps=25, crf=18)
    with decode(Clip("made", folder / "made.mp4"), chunk=64) as batches:
        shown = np.concatenate([batch.new for batch in batches])
    box = dlib_models.detected(shown[0]).boxes[:1]
    marks = np.stack([dlib_models.landmarks68(frame, box)[0] for frame in shown])
    gap = np.linalg.norm(marks[:, [61, 62, 63]] - marks[:, [67, 66, 65]], axis=2).mean(axis=1)
    return np.asarray(gap / np.linalg.norm(marks[:, 36] - marks[:, 45], axis=1))


def test_lips_follow_the_sounds_that_are_heard_and_meet_for_each_closure(image: Path, tmp_path: Path) -> None:
    pytest.importorskip("espeakng_loader")
    inputs, text = Inputs("one", source_image=image, text=WORDS), Text()
    made, said = text.generate(inputs, seed=0, fitted=None), text.said(inputs)
    frames = list(made.frames)
    assert made.sound is not None
    assert len(frames) / made.fps == Fraction(len(made.sound), made.rate_hz)
    true = mouth(said.phones, fps=25, frames=len(frames)).aperture
    read, spans = lips_read(frames, tmp_path), closures(said.phones)
    assert np.corrcoef(read, true)[0, 1] > 0.9
    followed = [np.corrcoef(true[4:-4], read[4 + late : len(read) - 4 + late])[0, 1] for late in (-2, -1, 0, 1, 2)]
    assert np.argmax(followed) in {1, 2, 3}
    expected = closures_met(true, spans, fps=25)
    assert (closures_met(read, spans, fps=25) & expected).sum() >= 0.9 * expected.sum() > 5


def test_the_same_seed_makes_the_same_frames_at_the_size_and_length_that_are_asked_for(image: Path) -> None:
    pytest.importorskip("espeakng_loader")
    inputs = Inputs("one", frames=30, size=(200, 256), source_image=image, text="Map.", fps=Fraction(30))
    first, again = (list(Text().generate(inputs, seed=3, fitted=None).frames) for _ in range(2))
    assert [frame.shape for frame in first] == [(200, 256, 3)] * 30
    assert np.array_equal(first, again)
    evidence = Text().generate(inputs, seed=3, fitted=None).evidence
    assert evidence["curves.csv"].decode().splitlines()[0].startswith("jawOpen,mouthClose")
    assert len(evidence["curves.csv"].decode().splitlines()) == 31
    assert evidence["phones.csv"]


def test_what_cannot_be_made_is_said(image: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the text is empty, give words to speak"):
        Text().generate(Inputs("one", source_image=image, text=" "), seed=0, fitted=None)
    with pytest.raises(InputError, match="one has no text to speak"):
        Text().generate(Inputs("one", source_image=image), seed=0, fitted=None)
    pytest.importorskip("espeakng_loader")
    Image.fromarray(np.full((128, 128, 3), 200, np.uint8)).save(tmp_path / "wall.png")
    with pytest.raises(InputError, match=r"no face is found in wall\.png"):
        Text().generate(Inputs("one", source_image=tmp_path / "wall.png", text="Hello"), seed=0, fitted=None)


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("thgeval_baselines.generators.talking.find_spec", lambda name: None)
    assert [line.partition(" (")[0] for line in Text().problems()] == [
        "it needs dlib: pip install '.[faces]'",
        "it needs espeakng_loader: pip install '.[tts]'",
    ]
