"""Kernels compiled by a process beside a first run, while the run itself compiles others.

One process compiles one loop at a time, whatever number of threads wait for it; what any process has compiled lies on
disk for all. The other process begins with the run's last pixel metric and meets the run in the middle. It scores two
made frames, of the type that decoders give, and nothing comes of it but what it leaves on disk.
"""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from thgeval.compilation import heard_by
from thgeval.metrics import family_of
from thgeval.registry import Named

FAMILIES = ("pixels", "motion")
SIDE = 192


@dataclass
class Ahead:
    """Starts the other process as soon as something is compiled, for the metrics that it has been told of."""

    requests: list[str] = field(default_factory=list)
    _process: subprocess.Popen[bytes] | None = None

    def plans(self, metrics: Sequence[Named]) -> None:
        """The metrics of the run, in its order."""
        framewise = [item for item in metrics if not item.metric.sets]
        self.requests = [item.key for item in framewise if family_of(item.metric.name) in FAMILIES]

    def hears(self, begins: bool) -> None:
        """Something begins to be compiled, or has been."""
        if begins and self._process is None and len(self.requests) > 1:
            command = [sys.executable, "-P", "-m", "thgeval.cli.ahead", *reversed(self.requests)]
            silent = subprocess.DEVNULL
            with suppress(OSError):
                self._process = subprocess.Popen(command, stdin=silent, stdout=silent, stderr=silent)  # noqa: S603

    def end(self) -> None:
        """What is not compiled by now is not needed."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@contextmanager
def compiled_ahead(cores: int) -> Iterator[Ahead]:
    """What is to be told of the metrics of a run; it does nothing where there is no core to spare."""
    ahead = Ahead()
    if cores < 2:
        yield ahead
        return
    try:
        with heard_by(ahead.hears):
            yield ahead
    finally:
        ahead.end()


def main(requests: Sequence[str]) -> None:
    """Compile what these metrics run."""
    import numpy as np

    from thgeval.engine.run import Options, score
    from thgeval.errors import ThgevalError

    sides = np.random.default_rng(0).integers(0, 256, (2, 2, SIDE, SIDE, 3), np.uint8)
    for request in requests:
        with suppress(ThgevalError):
            score(*sides, metrics=[request], options=Options(workers=1))


if __name__ == "__main__":
    main(sys.argv[1:])
