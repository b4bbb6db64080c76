"""What is hashed is what is loaded, whatever lies under a file's name before, between and after."""

import json
import os
import sys
from pathlib import Path

import pytest
from requirements.sites import content, entry_text, sha256

from thgeval.errors import OutputError, WeightsError
from thgeval.files import pinning
from thgeval.requirements import weights
from thgeval.requirements.weights import Policy

BODY, OTHER = content(1000), content(1000, seed=1)
WAYS = [pytest.param(True, id="link", marks=pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")), False]


@pytest.fixture(params=WAYS, ids=["link", "copy"])
def way(request, monkeypatch, tmp_path):
    """Both ways to lead a library to an open file."""
    if not request.param:
        monkeypatch.setattr(pinning, "DESCRIPTORS", tmp_path / "no such folder")
    return request.param


@pytest.fixture
def file(manifest):
    manifest(entry_text("net", origin="https://example.org/net.bin", sha256=sha256(BODY), bytes=1000))
    path = weights.folder() / "net.bin"
    path.parent.mkdir(parents=True)
    path.write_bytes(BODY)
    return path


def swapped(file: Path, body: bytes = OTHER) -> None:
    """Another file in the place of this one, of its size and times."""
    before = file.stat()
    other = file.with_name("other")
    other.write_bytes(body)
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(file)


def test_what_is_read_is_what_was_checked(file, way):
    with weights.opened("net") as path:
        assert path.name == "net.bin"
        assert path.stat().st_size == 1000
        assert path.parent.stat().st_mode & 0o77 == 0
        assert path.read_bytes() == path.read_bytes() == BODY
    assert not path.parent.exists()


@pytest.mark.parametrize("when", ["before", "between", "after"])
def test_a_swap_at_any_moment_changes_nothing_that_is_read(when, file, way, monkeypatch):
    assert weights.problem("net") is None
    if when == "before":
        swapped(file)
        with (
            pytest.raises(WeightsError, match=r"net\.bin is not the published net\.bin: its sha256"),
            weights.opened("net"),
        ):
            raise AssertionError("the body ran")
        return
    if when == "between":
        verify = weights.path

        def checked_then_swapped(name):
            found = verify(name)
            swapped(file)
            return found

        monkeypatch.setattr(weights, "path", checked_then_swapped)
        with pytest.raises(WeightsError, match="is not the published"), weights.opened("net"):
            raise AssertionError("the body ran")
        return
    read = []

    def load():
        with weights.opened("net") as path:
            swapped(file)
            read.append(path.read_bytes())

    if way:
        with pytest.raises(WeightsError, match="was changed while it was read"):  # it has no name any more
            load()
    else:
        load()
    assert read == [BODY]


def test_a_file_written_to_while_it_is_read_is_refused(file, monkeypatch):
    before = file.stat()

    def load():
        with weights.opened("net") as path:
            with file.open("r+b") as written:
                written.write(OTHER)
            os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
            path.read_bytes()

    with pytest.raises(WeightsError) as raised:
        load()
    assert str(raised.value) == f"{file} was changed while it was read; start again"


def test_a_forged_record_makes_nothing_pass(file, thgeval):
    """Records of earlier checks were once believed: path, size, times, inode and "verified", for any content."""
    file.write_bytes(OTHER)
    seen = file.stat()
    stamp = [str(file), seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino, sha256(BODY), ""]
    record = weights.folder() / "checked" / "net.json"
    record.parent.mkdir()
    record.write_text(json.dumps({"stamp": stamp, "check": {"state": "verified", "sha8": "0" * 8}}))
    for text in (record.read_text(), "[" * 100_000):
        record.write_text(text)
        weights._checks.clear()
        assert weights.standing("net") == "damaged"
        assert "is not the published" in str(weights.problem("net"))
        assert "damaged" in thgeval("ls", "weights").out
        with pytest.raises(WeightsError, match="is not the published"), weights.opened("net"):
            raise AssertionError("the body ran")


def test_a_file_of_unknown_hash_stays_the_same_for_a_run(manifest, file, way, allow):
    manifest(entry_text("net", origin="https://example.org/net.bin", hash="unknown"))
    allow(Policy(unverified=True))
    with weights.opened("net") as path:
        assert path.read_bytes() == BODY
    token = weights.token("net")
    swapped(file)
    with pytest.raises(WeightsError) as raised, weights.opened("net"):
        raise AssertionError("the body ran")
    assert str(raised.value) == f"{file} is not the file that the run began with; start again"
    assert weights.token("net") == token == f"unverified-{sha256(BODY)[:8]}"
    allow(Policy(unverified=True))
    assert weights.token("net") == f"unverified-{sha256(OTHER)[:8]}"
    with weights.opened("net") as path:
        assert path.read_bytes() == OTHER


def test_what_is_wrong_with_a_file_names_the_file(file, way):
    from thgeval_models.errors import ArchitectureError

    def load(error):
        with weights.opened("net") as path:
            raise error(path)

    for error, said in (
        (
            lambda path: ArchitectureError(f"{path} holds another network."),
            f"the weights net ({file}) can't be used: {file} holds",
        ),
        (lambda path: WeightsError(f"{path} lists no words"), f"{file} lists no words"),
        (
            lambda path: RecursionError(),
            f"{file} is damaged: it nests too deeply to be read; thgeval fetch net replaces it",
        ),
    ):
        with pytest.raises(WeightsError) as raised:
            load(error)
        assert str(raised.value).startswith(said)


@pytest.mark.parametrize("kind", ["pipe", "folder", "endless"])
def test_only_regular_files_are_opened(kind, file):
    file.unlink()
    if kind == "pipe":
        os.mkfifo(file)
    elif kind == "folder":
        file.mkdir()
    else:
        file.symlink_to("/dev/zero")
    assert weights.standing("net") == "absent"
    with pytest.raises(WeightsError, match="it is not a regular file"):
        weights.checked(weights.entry("net"), file)


def test_no_room_for_a_private_folder_is_a_sentence(file, monkeypatch):
    def refused(**named):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pinning, "TemporaryDirectory", refused)
    with (
        pytest.raises(OutputError, match=r"no temporary folder can be made .*; TMPDIR names a place"),
        weights.opened("net"),
    ):
        raise AssertionError("the body ran")
