"""A process within bounds, and what it started ended with it."""

import os
import sys
import time
from pathlib import Path

import pytest
from support.outputs import alive

from thgeval_baselines.running.process import Bounds, Interrupted, ran, tail

LINUX = Path("/proc/self/environ").exists()
only_linux = pytest.mark.skipif(not LINUX, reason="only Linux shows memory and what was left behind")


PLENTY = Bounds(seconds=60)


def go(tmp_path, text, bounds=PLENTY, **more):
    return ran(
        [sys.executable, "-c", text], cwd=tmp_path, env=dict(os.environ), log=tmp_path / "log", bounds=bounds, **more
    )


def test_what_it_prints_is_kept_and_its_code_returned(tmp_path):
    ended = go(tmp_path, "import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)")
    assert (ended.code, ended.over) == (7, "")
    assert set(tail(tmp_path / "log").split()) == {"out", "err"}
    assert go(tmp_path, "print('more')").code == 0
    assert "more" in tail(tmp_path / "log")


def test_it_can_read_nothing_from_a_terminal(tmp_path):
    assert go(tmp_path, "import sys; assert sys.stdin.read() == ''").code == 0


def test_time_is_bounded_for_whoever_ignores_being_asked(tmp_path):
    text = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(100)"
    )
    ended = go(tmp_path, text, Bounds(seconds=1.5))
    assert (ended.code, ended.over) == (None, "time")
    assert ended.seconds < 60


@only_linux
def test_memory_is_bounded_and_known(tmp_path):
    eats = "import time\nheld = []\nfor _ in range(400):\n    held.append(b'1' * (1 << 22))\n    time.sleep(0.01)\n"
    ended = go(tmp_path, eats + "time.sleep(30)", Bounds(seconds=60, memory_bytes=200 << 20))
    assert ended.over == "memory"
    assert ended.peak_bytes > 200 << 20


def test_disk_is_bounded_while_it_writes_and_after(tmp_path):
    (tmp_path / "work").mkdir()
    slow = (
        "import time\nf = open('work/junk', 'wb')\n"
        "for _ in range(3000):\n    f.write(bytes(1 << 20)); f.flush(); time.sleep(.01)"
    )
    bounds = Bounds(seconds=60, disk_bytes=20 << 20)
    assert go(tmp_path, slow, bounds, watched=[tmp_path / "work"]).over == "disk"
    (tmp_path / "work/junk").unlink()
    assert (
        go(tmp_path, "open('work/junk', 'wb').write(bytes(30 << 20))", bounds, watched=[tmp_path / "work"]).over
        == "disk"
    )


def test_the_log_is_bounded(tmp_path):
    ended = go(tmp_path, "while True: print('x' * 1000)", Bounds(seconds=60, log_bytes=1 << 20))
    assert ended.over == "log"


@only_linux
@pytest.mark.parametrize("way", ["child", "daemon", "many"])
def test_nothing_that_it_started_outlives_it(tmp_path, way):
    mark = f"left-by-{os.getpid()}-{way}"
    sleeper = f"[sys.executable, '-c', 'import time; time.sleep(500)', {mark!r}]"
    text = {
        "child": f"import subprocess, sys; subprocess.Popen({sleeper})",
        "daemon": (
            f"import os, subprocess, sys\nif os.fork(): os._exit(0)\nos.setsid()\nif os.fork(): os._exit(0)\n"
            f"subprocess.Popen({sleeper}, start_new_session=True)"
        ),
        "many": f"import subprocess, sys\nfor _ in range(12): subprocess.Popen({sleeper}, start_new_session=True)",
    }[way]
    go(tmp_path, text + "\nimport time; time.sleep(.3)")
    assert alive(mark) == []


def test_somebody_can_ask_for_the_end(tmp_path):
    until = time.monotonic() + 0.5
    with pytest.raises(Interrupted):
        go(tmp_path, "import time; time.sleep(100)", stopped=lambda: time.monotonic() > until)


def test_what_cannot_be_started_is_the_systems_error(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        ran([str(tmp_path / "nothing")], cwd=tmp_path, env={}, log=tmp_path / "log", bounds=Bounds())
