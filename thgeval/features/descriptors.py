"""dlib's face descriptor on more than one core: its code holds the interpreter, so each thread has a process for it.

A thread that asks borrows an idle worker, or starts one; there are never more than threads that ask at once. What
comes back has the bits that this process would have computed. A worker that died costs its time and nothing else:
then the descriptor is computed here. Workers end with this process, however it ends, because their input does.
"""

import atexit
import os
import sys
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from subprocess import PIPE, Popen
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval import weights
from thgeval.features.descriptor_worker import VALUES
from thgeval.features.once import once

NAME = "dlib-face-descriptor"


def described(faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The descriptors (faces, 128) of aligned faces (faces, 150, 150, 3)."""
    model = str(weights.path(NAME))
    worker = _borrowed(model)
    try:
        rows = [_asked(worker, face) for face in faces]
    except OSError:
        worker.kill()
        _ended(worker)
        return np.array([_here(model, face) for face in faces], np.float32).reshape(-1, VALUES)
    _idle(model).put(worker)
    return np.array(rows, np.float32).reshape(-1, VALUES)


def _asked(worker: "Popen[bytes]", face: NDArray[np.uint8]) -> NDArray[np.float64]:
    """A worker's answer; OSError if it has none."""
    if worker.stdin is None or worker.stdout is None:
        raise BrokenPipeError
    worker.stdin.write(np.ascontiguousarray(face).tobytes())
    worker.stdin.flush()
    answer = worker.stdout.read(8 * VALUES)
    if len(answer) < 8 * VALUES:
        raise BrokenPipeError
    return np.frombuffer(answer, np.float64)


def _here(model: str, face: NDArray[np.uint8]) -> NDArray[np.float64]:
    def load() -> Any:
        import dlib

        return dlib.face_recognition_model_v1(model)

    return np.array(once((NAME, weights.token(NAME)), load).compute_face_descriptor(face), np.float64)


def _borrowed(model: str) -> "Popen[bytes]":
    try:
        return _idle(model).get_nowait()
    except Empty:
        return _started(model)


def _idle(model: str) -> "SimpleQueue[Popen[bytes]]":
    """The idle workers of this process; after a fork the child has none of its parent's."""
    return once(("idle descriptor workers", model, os.getpid()), SimpleQueue)


def _started(model: str) -> "Popen[bytes]":
    program = Path(__file__).with_name("descriptor_worker.py")
    path = os.pathsep.join(place for place in sys.path if place)
    worker = Popen(  # noqa: S603
        [sys.executable, "-P", str(program), model],
        stdin=PIPE,
        stdout=PIPE,
        env={**os.environ, "PYTHONPATH": path},
    )
    atexit.register(_ended, worker)
    return worker


def _ended(worker: "Popen[bytes]") -> None:
    """Let a worker go, and wait until it has."""
    for pipe in (worker.stdin, worker.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
    worker.wait()
