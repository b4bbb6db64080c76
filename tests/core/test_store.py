"""What is kept of a run: read back equal, used only where it fits, never trusted blindly."""

import numpy as np
import pytest

from thgeval import checkpoint as checkpoints
from thgeval.checkpoint import Checkpoint, Kept
from thgeval.errors import OutputError
from thgeval.files import write_atomically
from thgeval.states import ClipMean, Counts, PooledMean, Rows
from thgeval.store import Store, file_name

CONTENT = {"generated": "aa", "reference": "bb"}
WANTED = {"m": "m@1", "k": "k@1"}


def checkpoint(pair="clip"):
    state = ClipMean.of(pair, [1.0, 2.0, 3.0], start=4, left_out={"identical": [1]})
    return Checkpoint(
        pair,
        CONTENT,
        "dec",
        {"m": Kept("m@1", state), "k": Kept("k@1", Counts.of(pair, 2, 4.0), Counts.of(pair, 1, 4.0))},
        {"id": pair, "frames": 3},
    )


def test_checkpoints_read_back_equal(tmp_path):
    checkpoints.save(tmp_path / "a.npz", checkpoint())
    held = checkpoints.load(tmp_path / "a.npz")
    assert held.content == CONTENT
    assert held.record == {"id": "clip", "frames": 3}
    record = held.kept["m"].state.record("clip")
    assert record.start == 4
    assert record.left_out == {"identical": (1,)}
    np.testing.assert_array_equal(record.values, [1.0, np.nan, 3.0])
    assert held.kept["k"].reference.value == 0.25


@pytest.mark.parametrize("kind", [ClipMean, PooledMean])
def test_every_kind_of_state_survives(tmp_path, kind):
    state = kind.of("clip", [1.0, 2.0])
    checkpoints.save(tmp_path / "a.npz", Checkpoint("clip", {}, "", {"m": Kept("p", state)}))
    assert type(checkpoints.load(tmp_path / "a.npz").kept["m"].state) is kind


def test_rows_survive_with_their_type(tmp_path):
    rows = np.arange(6, dtype=np.float32).reshape(2, 3)
    checkpoints.save(tmp_path / "a.npz", Checkpoint("clip", {}, "", {"m": Kept("p", Rows.of("clip", rows))}))
    held = checkpoints.load(tmp_path / "a.npz").kept["m"].state.stacked()
    assert held.dtype == np.float32
    np.testing.assert_array_equal(held, rows)


@pytest.mark.parametrize("damage", [b"", b"not a zip", b"PK\x03\x04half"])
def test_damaged_files_count_as_absent(tmp_path, damage):
    (tmp_path / "a.npz").write_bytes(damage)
    assert checkpoints.load(tmp_path / "a.npz") is None


def test_truncated_files_count_as_absent(tmp_path):
    checkpoints.save(tmp_path / "a.npz", checkpoint())
    whole = (tmp_path / "a.npz").read_bytes()
    for size in range(0, len(whole), 97):
        (tmp_path / "a.npz").write_bytes(whole[:size])
        assert checkpoints.load(tmp_path / "a.npz") is None


def test_pickles_are_never_loaded(tmp_path):
    np.savez(tmp_path / "a.npz", header=np.array([{"evil": 1}], dtype=object))
    assert checkpoints.load(tmp_path / "a.npz") is None


def test_states_are_used_only_for_the_same_content_decoder_and_protocol(tmp_path):
    store = Store(tmp_path, resume=True)
    store.keep(checkpoint())
    assert store.recalled("clip", CONTENT, "dec", WANTED).kept.keys() == {"m", "k"}
    assert store.recalled("clip", CONTENT, "dec", WANTED | {"m": "m@2"}).kept.keys() == {"k"}
    assert not store.recalled("clip", CONTENT | {"generated": "xx"}, "dec", WANTED).kept
    assert not store.recalled("clip", CONTENT, "other", WANTED).kept
    assert not Store(tmp_path, resume=False).recalled("clip", CONTENT, "dec", WANTED).kept


def test_the_cache_knows_content_not_names(tmp_path, monkeypatch):
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path))
    Store(cache="read-write").keep(checkpoint("first name"))
    held = Store(cache="read").recalled("second name", CONTENT, "dec", WANTED)
    assert held.kept["m"].state.clips == ("second name",)
    assert not Store(cache="off").recalled("second name", CONTENT, "dec", WANTED).kept
    Store(cache="read").keep(Checkpoint("x", {"generated": "new"}, "dec", {}))
    assert len(list(tmp_path.rglob("*.npz"))) == 1


def test_the_cache_is_bounded_and_forgets_what_was_used_longest_ago(tmp_path, monkeypatch):
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path))
    monkeypatch.setattr("thgeval.store.CACHE_LIMIT_BYTES", 20_000)
    rows = Rows.of("clip", np.zeros((10, 100)))
    for number in range(6):
        Store(cache="read-write").keep(Checkpoint("clip", {"generated": str(number)}, "d", {"m": Kept("p", rows)}))
    sizes = [path.stat().st_size for path in tmp_path.rglob("*.npz")]
    assert 0 < sum(sizes) <= 20_000
    assert Store(cache="read").recalled("clip", {"generated": "5"}, "d", {"m": "p"}).kept
    assert not Store(cache="read").recalled("clip", {"generated": "0"}, "d", {"m": "p"}).kept


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "\n", "", ".", "x" * 500, "ünï", "\udcff", "CON"])
def test_file_names_stay_in_their_folder(tmp_path, name):
    path = tmp_path / file_name(name)
    assert path.parent == tmp_path
    assert path.name.endswith(".npz")
    path.write_bytes(b"")
    assert file_name(name) != file_name(name + "2")


def test_a_failed_write_leaves_what_was_there(tmp_path, monkeypatch):
    target = tmp_path / "result.json"
    target.write_bytes(b"old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match=r"result.json can't be written: No space left on device"):
        write_atomically(target, b"new")
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]


def test_unwritable_places_are_named(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="can't be written"):
        write_atomically(tmp_path / "file" / "below.json", b"")
