"""Puts tests/ on the path, keeps every test away from the user's own cache, and each process to threads of its own.

Libraries of linear algebra start a thread per core, which wait for each other by spinning: a third of the CPU time of
tests that multiply matrices was that. It is set before NumPy is imported, and holds for the processes that tests start.

Networks ask for hundreds of megabytes and let go of them, layer by layer; where glibc hands such memory back to Linux
each time, a fifth of their CPU time is spent on getting it again. Here the process keeps it.
"""

import ctypes
import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # in malloc.h
if sys.platform == "linux" and hasattr(c := ctypes.CDLL(None), "mallopt"):
    for threshold in (TRIM_THRESHOLD, MMAP_THRESHOLD):
        c.mallopt(threshold, 1 << 26)  # with more, a worker grew to seven gigabytes

sys.path.insert(0, str(Path(__file__).parent))

settings.register_profile("thgeval", deadline=None)  # machines that run tests are busy
settings.load_profile("thgeval")


def pytest_addoption(parser):
    group = parser.getgroup("thgeval", "conformance of some metrics")
    says = "test the conformance of this metric with its presets, or of one preset (psnr/cap100); may be repeated"
    group.addoption("--metric", action="append", default=[], metavar="NAME", help=says)
    says = "test the conformance of metrics whose files, or what these import, differ from the branch main"
    group.addoption("--changed", action="store_true", help=says)


def pytest_collection_modifyitems(config, items):
    if "ray" not in config.option.markexpr:  # clusters that start and go down take minutes; see `make test-scale`
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("ray")])
        items[:] = [item for item in items if not item.get_closest_marker("ray")]
    if not (config.getoption("metric") or config.getoption("changed")):
        return
    from support.choice import asked_for, chosen

    kept, left = chosen(items, asked_for(config))
    config.hook.pytest_deselected(items=left)
    items[:] = kept


def pytest_sessionfinish(session, exitstatus):
    if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and session.config.getoption("changed"):
        session.exitstatus = pytest.ExitCode.OK  # no metric changed


@pytest.fixture(scope="module")
def seen_once():
    """Networks and dlib's models answer from memory when the tests of a module show them a picture again."""
    from support import once

    with once.seen_once():
        yield


@pytest.fixture(scope="session", autouse=True)
def _a_home_of_its_own(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THGEVAL_HOME", str(tmp_path_factory.mktemp("thgeval-home")))
        yield
