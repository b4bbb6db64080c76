"""dlib's face descriptor on more than one core: its code holds the interpreter, so each thread has a process for it.

A thread that asks borrows an idle worker, or starts one; there are never more than threads that ask at once. What
comes back has the bits that this process would have computed. A worker that died costs its time and nothing else:
then the descriptor is computed here. Workers end with this process, however it ends, because their input does.
"""

import atexit
import os
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from subprocess import PIPE, Popen

import numpy as np
from numpy.typing import NDArray

from thgeval.features.faces.descriptor_worker import READY, VALUES
from thgeval.networks.memory import once, read_once
from thgeval.requirements import weights

NAME = "dlib-face-descriptor"


def descriptors_of(faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The descriptors (faces, 128) of aligned faces (faces, 150, 150, 3)."""
    token = _allowed()
    worker = _borrowed(token)
    try:
        rows = [_asked(worker, face) for face in faces]
    except OSError:
        worker.kill()
        _ended(worker)
        return np.array([_here(face) for face in faces], np.float32).reshape(-1, VALUES)
    _idle(token).put(worker)
    return np.array(rows, np.float32).reshape(-1, VALUES)


def _allowed() -> str:
    """What stands for the model in signatures; WeightsError if it may not be used."""
    if (problem := weights.problem(NAME)) is not None:
        raise problem
    return weights.token(NAME)


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


def _here(face: NDArray[np.uint8]) -> NDArray[np.float64]:
    import dlib

    model = read_once(NAME, lambda file: dlib.face_recognition_model_v1(str(file)))
    return np.array(model.compute_face_descriptor(face), np.float64)


def _borrowed(token: str) -> "Popen[bytes]":
    try:
        return _idle(token).get_nowait()
    except Empty:
        return _started()


def _idle(token: str) -> "SimpleQueue[Popen[bytes]]":
    """The idle workers of this process that hold a model; after a fork the child has none of its parent's."""
    return once(("idle descriptor workers", token, os.getpid()), SimpleQueue)


def _started() -> "Popen[bytes]":
    """A worker that has read the model."""
    with ExitStack() as if_refused:
        with weights.opened(NAME) as file:
            worker = _worker(str(file))
            if_refused.callback(worker.kill)
            if worker.stdout is not None:
                worker.stdout.read(len(READY))  # nothing if it died, which whoever asks it finds out
        if_refused.pop_all()
        return worker


def _worker(model: str) -> "Popen[bytes]":
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
