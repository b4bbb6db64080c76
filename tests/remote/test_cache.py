"""What was fetched is kept once, below a bound, and by several processes at once."""

import hashlib
import os
import subprocess
import sys
import textwrap

import pytest
from support.elsewhere import blobs

from thgeval.remote import cache


@pytest.fixture
def given(home, tmp_path):
    def make(content: bytes, address="s3://bucket/a", mark="1"):
        file = tmp_path / "arrived"
        file.unlink(missing_ok=True)  # what was kept is a link to it
        file.write_bytes(content)
        cache.kept(file, hashlib.sha256(content).hexdigest(), address, mark)

    return make


def test_a_version_is_found_again_and_another_is_not(given, tmp_path):
    given(b"first", mark="1")
    link = tmp_path / "link"
    assert cache.held("s3://bucket/a", "1", link) == hashlib.sha256(b"first").hexdigest()
    assert link.read_bytes() == b"first"
    assert cache.held("s3://bucket/a", "2", link) is None
    assert cache.held("s3://bucket/b", "1", link) is None


def test_a_version_without_a_mark_is_not_remembered(given, tmp_path):
    given(b"first", mark="")
    assert cache.held("s3://bucket/a", "", tmp_path / "link") is None


def test_equal_content_is_there_once(given, home):
    given(b"same", address="s3://bucket/a")
    given(b"same", address="https://host/b")
    assert len(blobs(home)) == 1


def test_the_oldest_go_when_there_is_too_much_and_users_keep_theirs(given, home, tmp_path, monkeypatch):
    monkeypatch.setenv("THGEVAL_LIMITS", "fetched_bytes=1000")
    given(b"a" * 400, address="a")
    os.utime(blobs(home)[0], (1, 1))
    cache.held("a", "1", tmp_path / "mine")
    os.utime(blobs(home)[0], (1, 1))
    given(b"b" * 400, address="b")
    given(b"c" * 400, address="c")
    assert sum(path.stat().st_size for path in blobs(home)) <= 1000
    assert cache.held("a", "1", tmp_path / "again") is None
    assert (tmp_path / "mine").read_bytes() == b"a" * 400
    assert cache.held("c", "1", tmp_path / "again")
    given(b"d" * 2000, address="d")  # larger than all that is kept
    assert cache.held("d", "1", tmp_path / "again") is None
    assert cache.held("c", "1", tmp_path / "again")


def test_a_damaged_note_or_count_is_as_if_it_were_not_there(given, home, tmp_path):
    given(b"a")
    for path in [*(home / "fetched" / "known").rglob("*")]:
        if path.is_file():
            path.write_text("no json")
    (home / "fetched" / "size").write_text("many")
    assert cache.held("s3://bucket/a", "1", tmp_path / "link") is None
    given(b"a")
    assert cache.held("s3://bucket/a", "1", tmp_path / "link")


def test_processes_share_it(home, tmp_path):
    script = """
    import hashlib, os, pathlib, sys
    from thgeval.remote import cache
    me = pathlib.Path(sys.argv[1]); me.mkdir()
    for number in range(40):
        content = bytes([number]) * 100
        file = me / "arrived"
        file.unlink(missing_ok=True)
        file.write_bytes(content)
        cache.kept(file, hashlib.sha256(content).hexdigest(), f"a{number}", "1")
        link = me / "link"
        if cache.held(f"a{number}", "1", link):
            assert link.read_bytes() == content
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    environment = {**os.environ, "THGEVAL_LIMITS": "fetched_bytes=1500"}
    running = [subprocess.Popen([*command, str(tmp_path / str(each))], env=environment) for each in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    kept = blobs(home)
    assert 0 < sum(path.stat().st_size for path in kept) <= 1500
    assert all(hashlib.sha256(path.read_bytes()).hexdigest() == path.name for path in kept)
    assert int((home / "fetched" / "size").read_text()) == sum(path.stat().st_size for path in kept)
