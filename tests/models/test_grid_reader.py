"""The embedded GRID lip reader: its grammar, its arithmetic against torch, its decoding against a twin, its figures."""

from pathlib import Path

import numpy as np
import pytest
from oracles import grammar
from support.tolerances import agree

from thgeval_models import grid_reader as reader
from thgeval_models import hashing, manifest
from thgeval_models.errors import ArchitectureError, InputShapeError, UnreadableFileError

FILE = Path(reader.__file__).with_name("grid_reader.safetensors")
DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "grid_s1"


@pytest.fixture(scope="module")
def weights():
    return reader.load(FILE)


def landmarks(seed, frames=40):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(68, 2)) * 30 + 100 + rng.normal(size=(frames, 68, 2)).cumsum(axis=0)


def test_the_file_is_the_one_of_the_manifest():
    entry = manifest.weights("grid-landmark-reader")
    assert hashing.verify(FILE, entry).state == "verified"
    assert FILE.stat().st_size == entry.bytes < 2_000_000


def test_the_grammar_is_grids():
    assert [len(place) for place in reader.GRAMMAR] == [4, 4, 4, 25, 10, 4]
    assert "w" not in reader.GRAMMAR[3]
    assert len(set(reader.WORDS)) == 51


def test_movements_do_not_see_where_the_face_is_how_large_or_how_tilted():
    points = landmarks(1)
    turn = np.array([[np.cos(0.4), -np.sin(0.4)], [np.sin(0.4), np.cos(0.4)]])
    assert reader.movements(3 * points @ turn.T + [50, -20]) == pytest.approx(reader.movements(points), abs=1e-3)


def test_movements_of_a_still_face_are_none():
    assert reader.movements(np.repeat(landmarks(2)[:1], 20, axis=0)) == pytest.approx(np.zeros((20, 100)), abs=1e-5)


def test_arithmetic_equals_torchs(weights):
    torch = pytest.importorskip("torch")
    seen = np.random.default_rng(3).normal(size=(50, reader.COLUMNS)).astype(np.float32)
    with torch.no_grad():
        given = {name: torch.from_numpy(array) for name, array in weights.items()}
        x = torch.conv1d(torch.from_numpy(seen).T[None], given["into.weight"], given["into.bias"])
        for layer, step in enumerate(reader.DILATIONS):
            kernel, bias = given[f"layers.{layer}.weight"], given[f"layers.{layer}.bias"]
            x = x + torch.conv1d(x, kernel, bias, padding=2 * step, dilation=step).relu()
        scores = torch.conv1d(x.relu(), given["out.weight"], given["out.bias"])[0].T
        expected = (scores.log_softmax(1) - given["prior"]).numpy()
    agree(reader.likelihoods(weights, seen), expected, "grid reader")


@pytest.mark.parametrize("frames", [18, 19, 30])
def test_the_sentence_is_the_likeliest_of_all(frames):
    fits = np.random.default_rng(frames).normal(size=(frames, reader.CLASSES)) * 3
    said = reader.sentence(fits)
    assert all(word in place for word, place in zip(said, reader.GRAMMAR, strict=True))
    best = grammar.best_score(fits, reader.GRAMMAR, reader.SILENCE)
    assert grammar.score_of(fits, reader.GRAMMAR, reader.SILENCE, said) == pytest.approx(best, abs=1e-9)


def test_words_are_found_where_they_are():
    said = ("place", "white", "with", "z", "zero", "soon")
    spans = [reader.SILENCE] * 4
    first = 0
    for place, word in zip(reader.GRAMMAR, said, strict=True):
        spans += [3 * (first + place.index(word)) + third for third in (0, 0, 1, 2, 2)]
        first += len(place)
    fits = np.log(np.full((len(spans) + 5, reader.CLASSES), 0.001))
    fits[np.arange(len(fits)), spans + [reader.SILENCE] * 5] = 0
    assert reader.sentence(fits) == said


def test_too_few_frames_and_other_points_are_refused(weights):
    with pytest.raises(InputShapeError, match="at least 18 frames, not 17"):
        reader.sentence(np.zeros((17, reader.CLASSES)))
    with pytest.raises(InputShapeError, match=r"\(frames, 68, 2\)"):
        reader.movements(np.zeros((20, 478, 2)))


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "a.safetensors"
    for content in (b"", b"{}", b"\x02\0\0\0\0\0\0\0[]", b"\x10\0\0\0\0\0\0\0" + b'{"a":{"dtype":1}'):
        path.write_bytes(content)
        with pytest.raises((UnreadableFileError, ArchitectureError)):
            reader.load(path)
    numpy = pytest.importorskip("safetensors.numpy")
    numpy.save_file({"into.bias": np.zeros(128, np.float16)}, path)
    with pytest.raises(ArchitectureError, match="does not hold the arrays"):
        reader.load(path)
    numpy.save_file({"into.bias": np.zeros(128, np.float32)}, path)
    with pytest.raises(UnreadableFileError, match="an array of F32"):
        reader.load(path)


@pytest.mark.skipif(not DATA.exists(), reason="needs ../shared/data/grid_s1")
def test_it_reads_the_clips_held_out_from_training_as_its_card_says(weights):
    """84 of 894 words wrong, which are those of every sixth clip in the order of seed 0."""
    from thgeval.features.people import filled

    stored = np.load(DATA / "landmarks68.npz")
    said = {}
    for line in (DATA / "align.tsv").read_text().splitlines()[1:]:
        clip, _, _, word = line.split("\t")
        if word not in ("sil", "sp"):
            said.setdefault(clip, []).append(word)
    clips = []
    for name, points in zip(stored["names"], stored["landmarks_px"], strict=True):
        bridged = filled(points[:, None].astype(np.float64), 10)[:, 0]
        if not np.isnan(bridged).any():
            clips.append((str(name), bridged))
    held_out = [clips[i] for i in np.random.default_rng(0).permutation(len(clips))[::6]]
    wrong = 0
    for name, points in held_out:
        read = reader.sentence(reader.likelihoods(weights, reader.movements(points)))
        wrong += sum(ours != theirs for ours, theirs in zip(read, said[name], strict=True))
    assert len(held_out) == 149
    assert wrong == pytest.approx(84, abs=3)
