"""``ref-video``: footage of a person in, the person saying something else out."""

from fractions import Fraction
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest

from thgeval.clip import Clip
from thgeval.errors import InputError
from thgeval.media import decode, write_video
from thgeval_baselines.generator import Inputs
from thgeval_baselines.generators.triphones import (
    CLASSES,
    PAUSE,
    Footage,
    chosen,
    contexts,
    distance,
    joints,
    plain,
    sequence,
)
from thgeval_baselines.generators.video import Video
from thgeval_baselines.photo.geometry import Parameters
from thgeval_baselines.sets.said import write_sound
from thgeval_baselines.sets.synth import head_of
from thgeval_baselines.speech.lips import mouth
from thgeval_baselines.speech.tts import RATE_HZ, Said
from thgeval_baselines.speech.utterances import chained, utterance
from thgeval_baselines.speech.visemes import Phone

FPS, LATE = 25, 10


def said(*names: str, seconds: float, lead_s: float = 0.3) -> Said:
    return chained((utterance(name) for name in names), seconds=seconds, lead_s=lead_s)


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A head that says one sentence, and sways."""
    path = tmp_path_factory.mktemp("footage") / "fit.mp4"
    speech, head = said("f05", seconds=4.0), head_of(0, seed=0)
    lips, at = mouth(speech.phones, fps=FPS, frames=100), np.arange(100) / FPS
    frames = [
        head.frame(Parameters(aperture=a, rounding=r, smile=0.5, yaw=4 * np.sin(t), roll=2 * np.sin(2 * t)))
        for a, r, t in zip(lips.aperture.tolist(), lips.rounding.tolist(), at.tolist(), strict=True)
    ]
    write_video(path, frames, fps=Fraction(FPS), crf=14, audio=speech.samples, rate_hz=RATE_HZ)
    return path


@pytest.fixture(scope="module")
def fitted(footage: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("dlib")
    pytest.importorskip("pocketsphinx")
    folder = tmp_path_factory.mktemp("fitted")
    Video().fit(Inputs("fit", fit_video=footage), folder, seed=0)
    return folder


def opening(frames: list[np.ndarray]) -> np.ndarray:
    """Opening of the lips in eye distances, as dlib reads it: (frames,)."""
    from thgeval.features.faces import dlib_models

    box = dlib_models.detected(frames[0]).boxes[:1]
    marks = np.stack([dlib_models.landmarks68(frame, box)[0] for frame in frames])
    gap = np.linalg.norm(marks[:, [61, 62, 63]] - marks[:, [67, 66, 65]], axis=2).mean(axis=1)
    return np.asarray(gap / np.linalg.norm(marks[:, 36] - marks[:, 45], axis=1))


def test_words_of_the_footage_said_later_move_the_lips_later(footage: Path, fitted: Path, tmp_path: Path) -> None:
    later = said("f05", seconds=4.0, lead_s=0.3 + LATE / FPS)
    write_sound(tmp_path / "new.wav", later.samples)
    inputs = Inputs("new", audio=tmp_path / "new.wav", fit_video=footage)
    made = Video().generate(inputs, seed=1, fitted=fitted)
    frames = list(made.frames)
    assert len(frames) == 100
    assert frames[0].shape == (256, 256, 3)
    read = opening(frames)
    true = mouth(later.phones, fps=FPS, frames=100).aperture
    assert np.corrcoef(read, true)[0, 1] > 0.7
    assert np.corrcoef(read[:-LATE], true[LATE:])[0, 1] < 0.4
    again = list(Video().generate(inputs, seed=1, fitted=fitted).frames)
    assert np.array_equal(frames, again)
    assert made.evidence["triphones.csv"].decode().startswith("start_s,end_s,phone,footage_start_s")


def test_outside_the_lower_face_the_background_is_as_it_was(footage: Path, fitted: Path, tmp_path: Path) -> None:
    write_sound(tmp_path / "new.wav", said("f01", seconds=1.0).samples)
    with decode(Clip("fit", footage), chunk=50) as batches:
        behind = np.concatenate([batch.new for batch in batches])[30:42]
    write_video(tmp_path / "target.mp4", behind, fps=Fraction(FPS), crf=0)
    with decode(Clip("target", tmp_path / "target.mp4"), chunk=50) as batches:
        behind = np.concatenate([batch.new for batch in batches])
    inputs = Inputs("new", audio=tmp_path / "new.wav", fit_video=footage, target_video=tmp_path / "target.mp4")
    made = np.stack(list(Video().generate(inputs, seed=0, fitted=fitted).frames))
    assert len(made) == 25
    there_and_back = behind[[*range(12), *range(10, -1, -1), 1, 2]]
    assert np.array_equal(made[:, :110], there_and_back[:, :110])
    changed = np.abs(made.astype(int) - there_and_back).max(axis=(0, 3)) > 40
    rows, columns = np.nonzero(changed)
    assert rows.min() > 150
    assert abs(columns.mean() - 128) < 25


@pytest.mark.parametrize("absent", ["audio", "fit_video"])
def test_what_is_not_given_is_named(footage: Path, fitted: Path, tmp_path: Path, absent: str) -> None:
    write_sound(tmp_path / "new.wav", said("f01", seconds=1.0).samples)
    given = {"audio": tmp_path / "new.wav", "fit_video": footage} | {absent: None}
    with pytest.raises(InputError, match=f"one has no {absent.replace('_', ' ')}, which ref-video needs"):
        Video().generate(Inputs("one", **given), seed=0, fitted=fitted)


def test_footage_and_targets_without_a_face_are_refused(footage: Path, fitted: Path, tmp_path: Path) -> None:
    wall, path = np.full((25, 128, 128, 3), 200, np.uint8), tmp_path / "wall.mp4"
    write_video(path, wall, fps=Fraction(FPS), audio=said("f01", seconds=1.0).samples, rate_hz=RATE_HZ)
    with pytest.raises(InputError, match="a face is found in 0% of its frames, half are needed") as told:
        Video().fit(Inputs("fit", fit_video=path), tmp_path, seed=0)
    assert told.value.reason == "no face"
    inputs = Inputs("new", audio=path, fit_video=footage, target_video=path)
    with pytest.raises(InputError, match="no face is found in the target video"):
        Video().generate(inputs, seed=0, fitted=fitted)
    write_video(tmp_path / "mute.mp4", wall, fps=Fraction(FPS))
    with pytest.raises(InputError) as told:
        Video().fit(Inputs("fit", fit_video=tmp_path / "mute.mp4"), tmp_path, seed=0)
    assert told.value.reason == "no audio"


NAMES = (PAUSE, "B", "AA", "T", "IY", "M", "AH", "K", "OW", PAUSE)
PHONES = tuple(Phone(name, 0.1 * n, 0.1 * n + 0.1) for n, name in enumerate(NAMES))


def held(phones: tuple[Phone, ...] = PHONES) -> Footage:
    shapes = np.random.default_rng(0).uniform(0, 0.3, (round(phones[-1].end_s * FPS) + 1, 4))
    return Footage(phones, shapes, float(FPS))


def test_distances_are_those_of_a_metric_within_and_between_classes() -> None:
    for one in CLASSES:
        assert distance(one, one) == 0
        for other in CLASSES:
            assert distance(one, other) == distance(other, one)
            if one != other:
                assert (distance(one, other) == 1 / 3) == (CLASSES[one] == CLASSES[other])
                assert distance(one, other) <= 1
    assert len(set(CLASSES.values())) == 26


def test_what_was_said_is_shown_by_itself_from_beginning_to_end() -> None:
    footage = held()
    path = chosen(PHONES, footage)
    assert path.tolist() == list(range(len(PHONES)))
    seen = sequence(PHONES, path, footage, fps=50.0, count=50)
    for slot in range(seen.frames.shape[1]):
        there = seen.weights[:, slot] > 0
        np.testing.assert_allclose(seen.frames[there, slot], (np.arange(50) / 2)[there], atol=1e-9)
    np.testing.assert_allclose(seen.weights.sum(axis=1), 1)


def test_the_chosen_path_costs_least_of_all() -> None:
    rng = np.random.default_rng(5)
    names = ["SIL", "B", "AA", "P", "IY"]
    footage = held(tuple(Phone(str(rng.choice(names)), 0.1 * n, 0.1 * n + 0.1) for n in range(5)))
    wanted = tuple(Phone(str(rng.choice(names)), 0.1 * n, 0.1 * n + 0.1) for n in range(4))
    context, joint = contexts(wanted, footage.phones), joints(footage)

    def cost(path: tuple[int, ...]) -> float:
        apart = sum(joint[a, b] for a, b in pairwise(path))
        return float(0.97 * sum(context[n, at] for n, at in enumerate(path)) + 0.03 * apart)

    best = min(product(range(5), repeat=4), key=cost)
    assert cost(tuple(chosen(wanted, footage).tolist())) == pytest.approx(cost(best), abs=1e-12)


def test_frames_without_a_face_are_never_shown() -> None:
    footage = held()
    footage.shapes[9] = np.nan  # in the fourth phone, which is part of three triphones
    path = chosen(PHONES, footage)
    assert not {2, 3, 4} & set(path.tolist())
    assert np.isfinite(footage.at(np.array([0.1]))).all()
    footage.shapes[::3] = np.nan
    with pytest.raises(InputError, match="the footage shows no sound with a face throughout"):
        chosen(PHONES, footage)


def test_phones_are_made_whole() -> None:
    found = plain([Phone("SIL", 0.1, 0.2), Phone("+NSN+", 0.2, 0.3), Phone("AA1", 0.4, 0.6)], seconds=0.5)
    assert found == (Phone(PAUSE, 0.0, 0.4), Phone("AA", 0.4, 0.5))
    assert plain([], seconds=1.0) == (Phone(PAUSE, 0.0, 1.0),)
