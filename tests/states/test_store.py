"""What is kept of a run: read back equal, used only where it fits, never trusted blindly."""

import os
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from thgeval import home as homes
from thgeval import registry
from thgeval.errors import OutputError
from thgeval.files import write_atomically
from thgeval.metrics import METRICS
from thgeval.states import ClipMean, Counts, PooledMean, Rows, State, TwoRows
from thgeval.states import checkpoint as checkpoints
from thgeval.states.checkpoint import Checkpoint, Kept
from thgeval.states.stacked import FileRows
from thgeval.states.store import Store, file_name
from thgeval.statistics import groups_of

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


NEVER_KEPT = {"Framewise", "ByTrack", "TwoSets"}
"""Bases of other kinds, and what is put together of ``Rows`` when all clips are measured."""


def kinds_of(base):
    """Every class of states below one."""
    return {kind for own in base.__subclasses__() for kind in (own, *kinds_of(own))}


def test_checkpoints_know_every_kind_of_state_that_a_metric_may_return():
    for name in METRICS:
        registry.metric_class(name)  # for kinds of its own
    ours = {kind.__name__ for kind in kinds_of(State) if kind.__module__.startswith("thgeval.")}
    assert ours - NEVER_KEPT == set(checkpoints.KINDS)


def test_rows_survive_with_their_type(tmp_path):
    rows = np.arange(6, dtype=np.float32).reshape(2, 3)
    checkpoints.save(tmp_path / "a.npz", Checkpoint("clip", {}, "", {"m": Kept("p", Rows.of("clip", rows))}))
    held = checkpoints.load(tmp_path / "a.npz").kept["m"].state.stacked()[:]
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
    store = Store(tmp_path)
    store.save(checkpoint())
    assert store.find("clip", CONTENT, "dec", WANTED).checkpoint.kept.keys() == {"m", "k"}
    assert store.find("clip", CONTENT, "dec", WANTED | {"m": "m@2"}).checkpoint.kept.keys() == {"k"}
    assert not store.find("clip", CONTENT | {"generated": "xx"}, "dec", WANTED).checkpoint.kept
    assert not store.find("clip", CONTENT, "other", WANTED).checkpoint.kept
    assert not Store(tmp_path, fresh=True).find("clip", CONTENT, "dec", WANTED).checkpoint.kept


def test_the_cache_knows_content_not_names(tmp_path, monkeypatch):
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path))
    Store(cache="read-write").save(checkpoint("first name"))
    held = Store(cache="read").find("second name", CONTENT, "dec", WANTED).checkpoint
    assert held.kept["m"].state.clips == ("second name",)
    assert not Store(cache="off").find("second name", CONTENT, "dec", WANTED).checkpoint.kept
    Store(cache="read").save(Checkpoint("x", {"generated": "new"}, "dec", {}))
    assert len(list(tmp_path.rglob("*.npz"))) == 1


def test_the_cache_is_bounded_and_forgets_what_was_used_longest_ago(tmp_path, monkeypatch):
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path))
    monkeypatch.setattr("thgeval.states.store.CACHE_LIMIT_BYTES", 20_000)
    rows = Rows.of("clip", np.zeros((10, 100)))
    for number in range(6):
        Store(cache="read-write").save(Checkpoint("clip", {"generated": str(number)}, "d", {"m": Kept("p", rows)}))
    sizes = [path.stat().st_size for path in tmp_path.rglob("*.npz")]
    assert 0 < sum(sizes) <= 20_000
    assert Store(cache="read").find("clip", {"generated": "5"}, "d", {"m": "p"}).checkpoint.kept
    assert not Store(cache="read").find("clip", {"generated": "0"}, "d", {"m": "p"}).checkpoint.kept


WRITER = """
import sys
import numpy as np
from thgeval.states import store
from thgeval.states.checkpoint import Checkpoint, Kept
from thgeval.states import TwoRows
store.CACHE_LIMIT_BYTES = 3_000_000
rows = np.ones((200, 256), np.float32)
number = int(sys.argv[1])
print("ready", flush=True)
while True:
    state = TwoRows.of("clip", generated=rows * number, reference=rows)
    checkpoint = Checkpoint("clip", {"generated": str(number % 40)}, "d", {"m": Kept("p", state)})
    store.Store(cache="read-write").save(checkpoint)
    number += 1
"""


def test_the_cache_survives_writers_that_are_killed(tmp_path, monkeypatch):
    """Two at once, over the same contents, killed at any point: what is there is whole, and fits the limit."""
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path))
    delays = np.random.default_rng(0).uniform(0.02, 0.3, size=5)
    for turn, delay in enumerate(delays):
        command = [sys.executable, "-c", WRITER]
        writers = [
            subprocess.Popen([*command, str(100 * turn + start)], stdout=subprocess.PIPE, text=True) for start in (0, 1)
        ]
        for writer in writers:
            assert writer.stdout.readline() == "ready\n"
        while not list((tmp_path / "states").glob("*/*.npz")):
            time.sleep(0.01)
        time.sleep(delay)
        for writer in writers:
            writer.kill()
            writer.communicate(timeout=60)
        files = list((tmp_path / "states").glob("*/*.npz"))
        for path in files:
            rows = checkpoints.load(path).kept["m"].state.generated[:]
            assert rows.shape == (200, 256)
            assert (rows == rows[0, 0]).all()
    monkeypatch.setattr("thgeval.states.store.CACHE_LIMIT_BYTES", 3_000_000)
    monkeypatch.setattr("thgeval.states.store.LOOKS_A_FILLING", 1e9)
    monkeypatch.setattr("thgeval.files.bounded.WRITING_S", -1)  # as if an hour had passed
    Store(cache="read-write").save(Checkpoint("clip", {"generated": "x"}, "d", {"m": Kept("p", rows_of("clip"))}))
    left = [path for path in (tmp_path / "states").rglob("*") if path.is_file()]
    assert not [path for path in left if path.name.startswith(".")]
    assert sum(path.stat().st_size for path in left) <= 3_000_000


def test_a_full_cache_is_rarely_looked_through(tmp_path, monkeypatch):
    """About 64 times while a whole cache is written; a file's cost doesn't grow with the rest."""
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path))
    monkeypatch.setattr("thgeval.states.store.CACHE_LIMIT_BYTES", 16_000_000)
    looked = []
    monkeypatch.setattr("thgeval.states.store.prune", lambda folder, most: looked.append(folder))
    rows = Rows.of("clip", np.zeros((10, 100)))
    for number in range(500):
        Store(cache="read-write").save(Checkpoint("clip", {"generated": str(number)}, "d", {"m": Kept("p", rows)}))
    written = sum(path.stat().st_size for path in tmp_path.rglob("*.npz"))
    expected = 64 * written / 16_000_000
    assert 0.4 * expected < len(looked) < 2 * expected < 60


def test_what_another_process_is_writing_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path))
    monkeypatch.setattr("thgeval.states.store.CACHE_LIMIT_BYTES", 0)
    folder = tmp_path / "states" / "ab"
    folder.mkdir(parents=True)
    (folder / ".abc.npz.x1").write_bytes(b"half")
    Store(cache="read-write").save(Checkpoint("clip", {"generated": "x"}, "d", {}))
    assert [path.name for path in (tmp_path / "states").rglob("*") if path.is_file()] == [".abc.npz.x1"]


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
    with pytest.raises(OutputError, match=r"result.json can't be written: the disk is full"):
        write_atomically(target, b"new")
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]


def test_links_are_followed_and_devices_refused(tmp_path):
    target = tmp_path / "there.json"
    (tmp_path / "link.json").symlink_to(target)
    write_atomically(tmp_path / "link.json", b"new")
    assert (tmp_path / "link.json").is_symlink()
    assert target.read_bytes() == b"new"
    os.mkfifo(tmp_path / "pipe.json")
    for place in (Path("/dev/null"), tmp_path / "pipe.json", tmp_path):
        with pytest.raises(OutputError, match="can't be written: it is"):
            write_atomically(place, b"new")
    assert not Path("/dev/null").is_file()


def test_files_and_their_folder_are_forced_to_the_disk(tmp_path, monkeypatch):
    forced = []
    real = os.fsync
    monkeypatch.setattr("os.fsync", lambda file: (forced.append(os.path.realpath(f"/proc/self/fd/{file}")), real(file)))
    write_atomically(tmp_path / "a.json", b"new")
    assert forced[0].startswith(str(tmp_path / ".a.json."))
    assert forced[1:] == [str(tmp_path)]


def test_nothing_is_left_of_a_write_that_was_interrupted(tmp_path, monkeypatch):
    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", stopped)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "a.json", b"new")
    assert list(tmp_path.iterdir()) == []


def test_a_user_without_a_home_gets_a_folder_of_their_own(tmp_path, monkeypatch):
    for name in ("THGEVAL_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)

    def nowhere():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("pathlib.Path.home", nowhere)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    homes._homeless.cache_clear()
    found = homes.home()
    assert found == tmp_path / f"thgeval-{os.getuid()}"
    assert found.stat().st_mode & 0o077 == 0
    homes._homeless.cache_clear()
    found.chmod(0o777)  # others may have put something there
    assert homes.home() != found
    homes._homeless.cache_clear()


def test_unwritable_places_are_named(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="can't be written"):
        write_atomically(tmp_path / "file" / "below.json", b"")


def rows_of(pair, count=50, dimensions=8, seed=0):
    generated, reference = np.random.default_rng(seed).normal(size=(2, count, dimensions)).astype(np.float32)
    generated[3] = np.nan
    return TwoRows.of(pair, generated=generated, reference=reference)


def settled(folder, clips=3, count=50, dimensions=8):
    """States of several clips, first in memory, then with their rows left in files."""
    held = [rows_of(f"clip{number}", count, dimensions, number) for number in range(clips)]
    store = Store(scratch=folder)
    kept = [store.save(Checkpoint(state.clips[0], {}, "d", {"m": Kept("p", state)})).kept["m"].state for state in held]
    return TwoRows.total(held), TwoRows.total(kept)


def test_settled_rows_are_read_from_their_files_bit_for_bit(tmp_path):
    held, stored = settled(tmp_path)
    assert all(isinstance(part.values, FileRows) for parts in stored.parts.values() for part in parts)
    picked = np.random.default_rng(1).permutation(147)[:90]
    for side in ("generated", "reference"):
        mine, theirs = getattr(held, side), getattr(stored, side)
        assert mine.shape == theirs.shape == (147 if side == "generated" else 150, 8)
        for which in (slice(0, 60), slice(40, 141), slice(7, 7), picked, np.array([5, 5, 146, 0])):
            assert mine[which].tobytes() == theirs[which].tobytes()
        assert theirs.chosen(picked).chosen(np.arange(3, 40))[2:9].tobytes() == mine[picked[5:12]].tobytes()
    assert stored.record("clip1").array.tobytes() == held.record("clip1").array.tobytes()
    assert (held.frames, held.fewest, held.scored) == (stored.frames, stored.fewest, stored.scored)


def test_framewise_states_do_not_stay_in_files(tmp_path):
    kept = Store(tmp_path).save(checkpoint()).kept["m"].state
    assert isinstance(kept.record("clip").values, np.ndarray)
    assert not list((tmp_path / "scratch").glob("*"))


@pytest.mark.parametrize(
    ("request_", "dimensions"),
    [("fid", 64), ("fid:estimate=infinity", 64), ("kid", 512), ("kid:subsets=4,subset_rows=60", 512), ("prdc", 512)],
)
def test_memory_for_scores_does_not_grow_with_the_rows(tmp_path, monkeypatch, request_, dimensions):
    """Only with what is counted or labelled per row; from 400 to 1200 rows, in blocks of 64."""
    for module in ("frechet.cpu", "kid.cpu", "prdc.cpu"):
        monkeypatch.setattr(f"thgeval.kernels.{module}.BLOCK_ROWS", 64)
    monkeypatch.setattr("thgeval.kernels.frechet.infinity.__kwdefaults__", {"points": 3, "smallest": 150, "ddof": 1})
    monkeypatch.setattr("thgeval.kernels.frechet.SMALLEST_SUBSET", 150)
    monkeypatch.setattr("thgeval.states.stacked.BLOCK_ROWS", 64)
    metric, peaks = registry.metric(request_).metric, []
    for clips in (4, 12):
        held, stored = settled(tmp_path, clips, 100, dimensions)
        groups = groups_of(held.scored, 20 if ":" not in request_ else 2)  # those that draw subsets take their time
        expected = metric.score(held), *metric.scores_without(held, groups)
        tracemalloc.start()
        found = metric.score(stored), *metric.scores_without(stored, groups)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        np.testing.assert_array_equal(found, expected)
    rows_bytes = 8 * 100 * 2 * dimensions * 4
    assert peaks[1] - peaks[0] < rows_bytes / 4


def test_a_file_that_changed_is_not_read(tmp_path):
    _, stored = settled(tmp_path)
    files = sorted(tmp_path.glob("*.npz"))
    files[0].write_bytes(files[0].read_bytes() + b" ")
    with pytest.raises(OutputError, match="was changed during the run"):
        stored.generated[:]
    files[1].unlink()
    with pytest.raises(OutputError, match="can't be read again"):
        stored.only(["clip1"]).generated[:]


def test_any_damaged_byte_is_noticed_or_harmless(tmp_path):
    Store(tmp_path).save(Checkpoint("clip", {}, "d", {"m": Kept("p", rows_of("clip", 5, 3))}))
    (path,) = tmp_path.glob("*.npz")
    whole = path.read_bytes()
    expected = checkpoints.load(path).kept["m"].state.record("clip").array.tobytes()
    for place in range(0, len(whole), 3):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        for rows_stay in (False, True):
            held = checkpoints.load(path, rows_stay=rows_stay)
            assert held is None or held.kept["m"].state.record("clip").array.tobytes() == expected
