"""Native libraries that start noisily: their known lines are left out, everything else comes through."""

import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from thgeval.features.faces.chatter import without
from thgeval.features.faces.face_mesh import CHATTER

NOISE = b"""WARNING: All log messages before absl::InitializeLog() is called are written to STDERR
W0000 00:00:1795865254.648393    2682 face_landmarker_graph.cc:174] Sets FaceBlendshapesGraph acceleration.
I0000 00:00:1795865254.648393    2682 gl_context.cc:344] GL version
INFO: Created TensorFlow Lite XNNPACK delegate for CPU.
"""
ERROR = b"E0000 00:00:1795865254.648393    2682 graph.cc:1] no such model\n"


def test_known_lines_are_left_out_and_errors_come_through(capfd):
    with without(CHATTER):
        os.write(2, NOISE + ERROR)
        os.write(2, b"WARNING: of another kind\n")
    os.write(2, b"later\n")
    assert capfd.readouterr().err == ERROR.decode() + "WARNING: of another kind\nlater\n"


def test_what_was_written_before_a_failure_comes_through(capfd):
    def fails():
        with without(CHATTER):
            os.write(2, NOISE + b"and then")
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert capfd.readouterr().err == "and then"


def test_threads_lose_nothing(capfd):
    def start(number):
        with without(re.compile(rb"noise")):
            os.write(2, b"noise\n")
            os.write(2, b"thread %d\n" % number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(start, range(40)))
    assert sorted(capfd.readouterr().err.split("\n")) == sorted(["", *(f"thread {n}" for n in range(40))])


def test_no_standard_error_is_no_problem(monkeypatch):
    def closed(number):
        raise OSError(9, "Bad file descriptor")

    monkeypatch.setattr(os, "dup", closed)
    monkeypatch.setattr(sys, "stderr", None)
    with without(CHATTER):
        reached = True
    assert reached
