"""A program that runs dlib's face descriptor for another process; ``descriptors`` starts and feeds it.

    python descriptor_worker.py MODEL < faces > descriptors

It answers ``READY`` once it has read the model, which may then go, and each (150, 150, 3) uint8 face that arrives with
its 128 float64 values. It ends when its input does. It imports nothing of thgeval, so that it starts fast and whatever
the path.
"""

import signal
import sys

import numpy as np

SIDE_PX = 150
VALUES = 128
READY = b"."


def main(model: str) -> None:
    """Answer faces until there are no more."""
    import dlib

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that asked decides when to stop
    describe = dlib.face_recognition_model_v1(model)
    faces, answers = sys.stdin.buffer, sys.stdout.buffer
    answers.write(READY)
    answers.flush()
    while len(face := faces.read(SIDE_PX * SIDE_PX * 3)) == SIDE_PX * SIDE_PX * 3:
        pixels = np.frombuffer(face, np.uint8).reshape(SIDE_PX, SIDE_PX, 3)
        answers.write(np.array(describe.compute_face_descriptor(pixels), np.float64).tobytes())
        answers.flush()


if __name__ == "__main__":
    main(sys.argv[1])
