"""Several processes, processes that die, and disks that fill up, in processes of their own."""

import os
import subprocess
import sys
import threading
from functools import partial

import pytest
from requirements.sites import content, entry_text, headers, ranged, sha256, whole

from thgeval.errors import OutputError
from thgeval.fetching import fetch
from thgeval.files import locking
from thgeval.requirements import weights

BODY = content(100_000)
PROGRAM = """
import sys, resource
import thgeval_models.manifest as manifest
entries = manifest.parse(sys.argv[1])
manifest.manifest = lambda: entries
if len(sys.argv) > 2:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
from thgeval.cli.main import main
main(["fetch", "net"])
"""


@pytest.fixture
def started():
    """``started(manifest_text, ...)`` runs ``thgeval fetch net`` in a process of its own."""
    processes = []

    def start(*arguments: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", PROGRAM, *arguments]
        made = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ)
        processes.append(made)
        return made

    yield start
    for process in processes:
        process.kill()
        process.communicate()


COMING = "thgeval: fetching 1 file, 100 kB: net (CC0-1.0)\n"


def entry(site, *answers):
    return entry_text("net", origin=site.put("/net.bin", BODY, *answers), sha256=sha256(BODY), bytes=len(BODY))


def test_two_processes_fetch_a_file_once(site, started):
    asked, go_on = threading.Event(), threading.Event()

    def gated(handler, body):
        asked.set()
        go_on.wait(20)
        whole(handler, body)

    text = entry(site, gated)
    first = started(text)
    assert asked.wait(20)
    second = started(text)
    assert second.stderr.readline() == COMING
    assert second.stderr.readline() == "thgeval: another process is fetching the same file; waiting for it\n"
    go_on.set()
    line = f"{weights.folder() / 'net.bin'}: verified {sha256(BODY)[:8]}; CC0-1.0\n"
    assert first.communicate(timeout=20) == (line, COMING)
    assert second.communicate(timeout=20) == (line, "")
    assert (first.returncode, second.returncode) == (0, 0)
    assert len(site.asked) == 1


def test_what_a_killed_process_leaves_is_continued(site, started, manifest):
    sent = threading.Event()

    def half(handler, body):
        headers(handler, 200, Content_Length=len(body), ETag='"v1"')
        handler.wfile.write(body[:40_000])
        handler.wfile.flush()
        sent.set()
        site.closing.wait(20)

    text = entry(site, half, ranged)
    process = started(text)
    part = weights.folder() / "partial" / "net.bin.part"
    assert sent.wait(20)
    pause = threading.Event()
    while not (part.is_file() and part.stat().st_size == 40_000):
        assert process.poll() is None
        pause.wait(0.01)
    process.kill()
    process.wait(20)
    manifest(text)
    assert fetch("net").read_bytes() == BODY
    assert site.ranges() == ["", "bytes=40000-"]


def test_a_disk_that_fills_up(site, started):
    process = started(entry(site), "20000")
    out, err = process.communicate(timeout=20)
    assert process.returncode == 4
    assert out == ""
    assert (
        err == COMING + f"thgeval: {weights.folder() / 'partial' / 'net.bin.part'} can't be written: File too large\n"
    )
    assert not (weights.folder() / "net.bin").exists()


def test_a_lock_excludes(tmp_path):
    heard = []
    lock = partial(locking.locked, tmp_path / "x.lock", held="it is held", waits=lambda: heard.append("waits"))
    with (
        lock(),
        pytest.raises(OutputError, match="it is held"),
        lock(longest_wait_s=0.15),
    ):
        pass
    assert heard == ["waits"]
    with lock():
        assert len(heard) == 1


def test_a_lock_excludes_where_there_is_no_flock(tmp_path, monkeypatch):
    monkeypatch.setattr(locking, "fcntl", None)
    test_a_lock_excludes(tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "x.lock.held").touch()
    with (
        pytest.raises(OutputError, match=r"it is held; if none is, delete .*x\.lock\.held"),
        locking.locked(tmp_path / "x.lock", held="it is held"),
    ):
        pass


def test_a_file_system_that_refuses_flock(tmp_path, monkeypatch):
    class Refusing:
        LOCK_EX = LOCK_NB = 0

        @staticmethod
        def flock(handle, operation):
            raise OSError(37, "No locks available")

    monkeypatch.setattr(locking, "fcntl", Refusing)
    with locking.locked(tmp_path / "x.lock", held="it is held"):
        assert (tmp_path / "x.lock.held").exists()
    assert not (tmp_path / "x.lock.held").exists()
